/*
 * peer_ilk.c - Ilk's mutex.
 */
#include "bench/lock_peer.h"

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
