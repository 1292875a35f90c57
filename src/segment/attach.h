/* attach.h - a process's way into an open file that is a segment, and out again. */
#ifndef ILK_SEGMENT_ATTACH_H
#define ILK_SEGMENT_ATTACH_H

#include "segment/registry.h"

/*
 * Attaches to the file behind FD, which it closes or keeps; PATH is "" where it has no name. Of FLAGS
 * (ILK_SEGMENT_...) those count that are of one attachment. Results as ilk_segment_open's.
 */
int ilk_attach_(int fd, const char *path, unsigned flags, struct ilk_segment **seg);

/* The same, with what OPTIONS ask of it: -EPERM, -EEXIST, too. */
int ilk_attach_as_asked_(int fd, const char *path, const struct ilk_segment_options *options,
	struct ilk_segment **seg);

/* The reverse: lets who waits in it return first, and gives the slots back after the last. */
void ilk_detach_(struct ilk_segment *seg);

#endif
