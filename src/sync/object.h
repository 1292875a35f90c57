/* object.h - what primitives have in common, above all those of one cache line. */
#ifndef ILK_SYNC_OBJECT_H
#define ILK_SYNC_OBJECT_H

#include "segment/directory.h"
#include "segment/error.h"
#include "segment/wait.h"
#include <errno.h>
#include <ilk/counter.h> /* is there a read-only attachment? */
#include <string.h>

enum { ILK_LINE_ = 64 };
/* In a tag: the object's name was removed. */
enum { ILK_GONE_ = 0x8000 };

/*
 * Finds or makes what is WANTED. FLAGS are what the caller's options ask for, or, negative, why they
 * cannot be meant. POINTER is the caller's pointer to that kind of object: it gets it. FLAGS, if they
 * are negative; else as ilk_directory_open_.
 */
static inline int ilk_open_as_(
	struct ilk_segment *seg, struct ilk_wanted_ wanted, int flags, void *pointer)
{
	void *object;
	int rc;

	if (flags < 0)
		return flags;
	wanted.flags = (uint32_t)flags;
	rc = ilk_directory_open_(seg, &wanted, &object);
	if (rc == 0)
		memcpy(pointer, &object, sizeof object);
	return rc;
}

/* May OBJECT, of one line, be made where it lies? 0; -EINVAL; -EROFS. */
static inline int ilk_can_embed_(
	const struct ilk_segment *seg, const void *object, const char *kind)
{
	uintptr_t at = (uintptr_t)object - (uintptr_t)seg->map.base;

	if (at >= seg->map.bytes || at % ILK_LINE_)
		return ilk_fail_(
			-EINVAL, "the %s is outside the segment, or not aligned to 64", kind);
	return seg->read_only ? ilk_fail_(-EROFS, "the attachment is read-only") : 0;
}

/* An object's tag, FOUND in it, where LIVE is that of its kind. 0; -EIDRM; -EINVAL. */
static inline int ilk_check_tag_(uint16_t found, uint16_t live)
{
	if (found == live)
		return 0;
	return found == (live | ILK_GONE_) ? -EIDRM : -EINVAL;
}

/* For calls that ask for no identity: may OBJECT be written? 0; -EROFS. */
static inline int ilk_can_write_(const void *object)
{
	return ILK_UNLIKELY_(ilk_load_relaxed_(&ilk_read_only_attachments_)) &&
			       ilk_is_read_only_(object)
		       ? -EROFS
		       : 0;
}

/*
 * Sleeps on *WORD, whose value FOUND says to wait, once the bit FLAG is in it: somebody may sleep.
 * Where it was not, sets it, and the caller looks again at everything: who makes a change after
 * that sees the flag, or takes it away, which ends the sleep. As ilk_wait_on_.
 */
static inline int ilk_wait_flagged_(struct ilk_wait_ *w, uint32_t *word, uint32_t flag,
	uint32_t found, ilk_time deadline, uint32_t owner)
{
	if (found & flag)
		return ilk_wait_on_(w, word, found, deadline, owner);
	ilk_cas_full_(word, &found, found | flag);
	ilk_fence_after_rmw_(); /* weaker: he could look before others see the flag */
	return ILK_WOKEN_;
}

#endif
