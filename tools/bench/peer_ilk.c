/*
 * peer_ilk.c - Ilk's mutex, and its rwlock of both kinds.
 */
#include "bench/lock_peer.h"
#include "bench/rwlock_peer.h"

static int init(struct ilk_segment *seg, void *object)
{
	return ilk_mutex_init(seg, (struct ilk_mutex *)object, "bench", NULL);
}

LOCK_PEER_LOOPS(ilk, struct ilk_mutex, ilk_mutex_lock(l) < 0, ilk_mutex_unlock(l) < 0);

static int lock(void *object)
{
	struct ilk_mutex *m = (struct ilk_mutex *)object;
	int rc = ilk_mutex_lock(m);

	if (rc < 0)
		return -1;
	if (rc & ILK_RECOVERED)
		ilk_mutex_repaired(m);
	return (rc & ILK_RECOVERED) != 0;
}

static int unlock(void *object)
{
	return ilk_mutex_unlock((struct ilk_mutex *)object);
}

const struct lock_peer lock_peer_ilk = {init, ilk_pairs, ilk_contend, lock, unlock};

static int init_rwlock(struct ilk_segment *seg, void *object)
{
	return ilk_rwlock_init(seg, (struct ilk_rwlock *)object, "bench", NULL);
}

static int init_rwlock_cells(struct ilk_segment *seg, void *object)
{
	const struct ilk_rwlock_options options = {
		.size = sizeof(options), .flags = ILK_RWLOCK_WRITES};

	return ilk_rwlock_init(seg, (struct ilk_rwlock *)object, "bench", &options);
}

RWLOCK_PEER_LOOPS(ilk, struct ilk_rwlock, ilk_rwlock_read(l) < 0, ilk_rwlock_unlock(l) < 0,
	ilk_rwlock_write(l) < 0, ilk_rwlock_unlock(l) < 0);

const struct rwlock_peer rwlock_peer_ilk = {init_rwlock, ilk_reads, ilk_writes, ilk_turns, ilk_mix};
const struct rwlock_peer rwlock_peer_ilk_cells = {
	init_rwlock_cells, ilk_reads, ilk_writes, ilk_turns, ilk_mix};
