/* body.h - what all fuzzers do with the bytes of a segment. */
#ifndef ILK_FUZZ_BODY_H
#define ILK_FUZZ_BODY_H

#include <stddef.h>
#include <stdint.h>

/* What was tried, in this order. */
enum story_part {
	STORY_INSPECTED, /* as the bytes are: a copy of a segment */
	STORY_LOOKED,    /* attached read-only */
	STORY_AS_IS,     /* attached for writing: refused, being a copy */
	STORY_OPENED,    /* attached for writing, as an original */
	STORY_VALID,     /* and found to be whole, by ilk_segment_valid */
	STORY_PARTS,
};

/* Their results; positive: it was not tried. */
struct story {
	int rc[STORY_PARTS];
};

/*
 * Makes a file of the COUNT bytes at BYTES and drives it through inspection, attaching, the check
 * of the whole, and use. Results that no header lists end the program. Leaves nothing behind.
 */
void fuzz_body(const uint8_t *bytes, size_t count, struct story *story);

/* Makes the file behind FD the original of what it says to be a segment: device, inode, boot. */
void fuzz_make_original(int fd);

#endif
