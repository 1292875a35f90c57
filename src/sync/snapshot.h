/*
 * snapshot.h - what the files of the snapshot share: its words, and what each value means.
 *
 * version   of the latest value; it is in copy version & (copies - 1)
 * wait      0 = nobody needs to be woken; bit 31 and the low bits of a version = somebody may sleep
 *           on this word for a later one
 * tag       SNAPSHOT, or REMOVED for good
 * bytes, copies: fixed; of the value, and of copies, a power of two. Whoever uses them has them from its handle
 * writer    held by who writes
 * staged    under `writer`: the version that the staging area holds, or NOTHING
 * cut_off, lapped: statistics: writers that died in it, reads that had to begin anew
 *
 * Behind it the staging area, as large as a value; then the copies, each with its stamp: the
 * version that it holds, or WRITING. All begin on lines of their own.
 */
#ifndef ILK_SYNC_SNAPSHOT_H
#define ILK_SYNC_SNAPSHOT_H

#include "segment/registry.h"
#include <ilk/mutex.h>
#include <ilk/snapshot.h>

enum { ILK_SNAPSHOT_TAG_ = 0x536e, ILK_SNAPSHOT_REMOVED_ = 0x5253 };

#define ILK_SNAPSHOT_WRITING_ UINT64_MAX
#define ILK_SNAPSHOT_NOTHING_ UINT64_MAX

struct ilk_snapshot {
	uint64_t version;
	uint32_t wait;
	uint32_t tag;
	uint64_t bytes;
	uint32_t copies, pad;
	uint64_t staged ILK_ALIGNED_(64);
	uint64_t cut_off, lapped;
	struct ilk_mutex writer;
};

struct ilk_snapshot_copy_ {
	uint64_t stamp;
	uint64_t pad[7];
	uint64_t words[];
};

static inline uint64_t ilk_snapshot_room_(uint64_t bytes)
{
	return (bytes + 63) & ~UINT64_C(63);
}

/* Of the whole object. */
static inline uint64_t ilk_snapshot_size_(uint64_t bytes, uint32_t copies)
{
	uint64_t room = ilk_snapshot_room_(bytes);

	return sizeof(struct ilk_snapshot) + room +
	       copies * (sizeof(struct ilk_snapshot_copy_) + room);
}

/* Where copy I begins, from the start of the object. */
static inline uint64_t ilk_snapshot_copy_at_(uint64_t bytes, uint32_t i)
{
	return ilk_snapshot_size_(bytes, i);
}

static inline int ilk_snapshot_is_removed_(const struct ilk_snapshot *s)
{
	return ilk_load_relaxed_(&s->tag) == ILK_SNAPSHOT_REMOVED_;
}

#endif
