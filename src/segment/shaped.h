/* shaped.h - named objects whose size is told by their shape, which who opens them may not know. */
#ifndef ILK_SEGMENT_SHAPED_H
#define ILK_SEGMENT_SHAPED_H

#include "segment/directory.h"

/* One that is wanted; begins with what the directory knows. */
struct ilk_shaped_ {
	struct ilk_wanted_ wanted;
	struct ilk_segment *seg;
	/*
	 * OBJECT, of that type and BYTES, is there. IS_ASKED: is its shape what was asked? 1; -EEXIST,
	 * and the field is named. Else its shape is wanted, and wanted.bytes told: 1. -EBADMSG.
	 */
	int (*see)(struct ilk_shaped_ *shaped, const void *object, uint64_t bytes, int is_asked);
};

/*
 * Finds or makes S, whose shape and wanted.bytes are set; or, with IS_ASKED 0, finds what is there,
 * however it was made. Results as ilk_directory_open_; -ENOENT where it must be there, and is not.
 */
int ilk_shaped_open_(struct ilk_shaped_ *s, int is_asked, void **object);

#endif
