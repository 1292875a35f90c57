/* build.h - makes new segments. */
#ifndef ILK_SEGMENT_BUILD_H
#define ILK_SEGMENT_BUILD_H

#include <ilk/segment.h>

/* At PATH, where none may be. 0: *SEG is attached; -EEXIST; else as ilk_segment_create. */
int ilk_build_(
	const char *path, const struct ilk_segment_options *options, struct ilk_segment **seg);

/* Without a name, sealed. */
int ilk_build_anonymous_(
	const char *label, const struct ilk_segment_options *options, struct ilk_segment **seg);

#endif
