/*
 * peer_ck.c - two spin locks of ConcurrencyKit: ticket and mcs. They never sleep.
 */
#include "bench/lock_peer.h"

#include <ck_spinlock.h>

static int init_ticket(struct ilk_segment *seg, void *object)
{
	(void)seg;
	ck_spinlock_ticket_init((ck_spinlock_ticket_t *)object);
	return 0;
}

LOCK_PEER_LOOPS(ck_ticket, ck_spinlock_ticket_t, (ck_spinlock_ticket_lock(l), 0),
	(ck_spinlock_ticket_unlock(l), 0));

const struct lock_peer lock_peer_ck_ticket = {
	init_ticket, ck_ticket_pairs, ck_ticket_contend, NULL, NULL};

/* The queue holds pointers to nodes: good between processes only where, as here, all inherited the
 * mapping and so have it at one address. */
static int init_mcs(struct ilk_segment *seg, void *object)
{
	(void)seg;
	ck_spinlock_mcs_init((ck_spinlock_mcs_t *)object);
	return 0;
}

#define NODE ((ck_spinlock_mcs_context_t *)(void *)node)

LOCK_PEER_LOOPS(ck_mcs, ck_spinlock_mcs_t, (ck_spinlock_mcs_lock(l, NODE), 0),
	(ck_spinlock_mcs_unlock(l, NODE), 0));

const struct lock_peer lock_peer_ck_mcs = {init_mcs, ck_mcs_pairs, ck_mcs_contend, NULL, NULL};
