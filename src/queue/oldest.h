/*
 * oldest.h - since when the oldest lease is held, for people to read.
 *
 * State      oldest: which lease that is; 0 = none was noted. oldest_since: since when it is held at
 *            least, in 52 bits, and 12 that tell of which lease that is: of another it counts
 *            nothing. Stored by anyone who is on a slow path anyway: who leased there and finds that
 *            what is noted is over; and who looks through all cells for the dead's, and sees an
 *            older one. So a lease that lasts is noted soon, where anybody waits; and no lease is
 *            slower for it.
 * Death      What is noted of a lease that is over is nobody's.
 */
#ifndef ILK_QUEUE_OLDEST_H
#define ILK_QUEUE_OLDEST_H

#include "queue/queue.h"

enum { ILK_LEASE_TAG_BITS_ = 12, ILK_LEASE_SERIAL_AT_ = 6, ILK_LEASE_NUMBER_AT_ = 33 };
#define ILK_LEASE_TAG_ ((UINT64_C(1) << ILK_LEASE_TAG_BITS_) - 1)
#define ILK_LEASE_IS_NOTED_ (UINT64_C(1) << 63)

/* The lease of the message SERIAL in the cell NUMBER, of WORD; 0: it is not leased. */
static inline uint64_t ilk_lease_name_(uint64_t number, uint64_t word, uint32_t serial)
{
	if (ilk_cell_state_(word) != ILK_CELL_TAKEN_ || !ilk_cell_owner_(word))
		return 0;
	return ILK_LEASE_IS_NOTED_ | number << ILK_LEASE_NUMBER_AT_ |
	       (uint64_t)(serial & ILK_LAPS_) << ILK_LEASE_SERIAL_AT_ | ilk_cell_deliveries_(word);
}
static inline uint64_t ilk_lease_number_(uint64_t name)
{
	return (name & ~ILK_LEASE_IS_NOTED_) >> ILK_LEASE_NUMBER_AT_;
}

static inline uint64_t ilk_lease_tag_(uint64_t name)
{
	return name * UINT64_C(0x9e3779b97f4a7c15) >> (64 - ILK_LEASE_TAG_BITS_);
}

/* SINCE is told of the lease NAME? Since when; 0: of another. */
static inline ilk_time ilk_lease_since_(uint64_t name, uint64_t since)
{
	return name && (since & ILK_LEASE_TAG_) == ilk_lease_tag_(name)
		       ? (ilk_time)(since & ~ILK_LEASE_TAG_)
		       : 0;
}

/* Notes that NAME was a lease at NOW. */
static inline void ilk_lease_note_(struct ilk_queue *q, uint64_t name, ilk_time now)
{
	uint64_t since = ((uint64_t)now + ILK_LEASE_TAG_) & ~ILK_LEASE_TAG_;

	ilk_store_relaxed_(&q->oldest_since, since | ilk_lease_tag_(name));
	ilk_store_release_(&q->oldest, name);
}

#endif
