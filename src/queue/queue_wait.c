/*
 * queue_wait.c - waiting in a queue: for room, for a message, for the end of all.
 *
 * State      asleep[kind]: 0 = nobody of that kind needs to be woken; each who is about to sleep
 *            adds 1, so that no two announcements look the same. bells[kind].bell: stepped with
 *            each wake-up; slept, waited_ns: statistics.
 * Invariant  [W1] Who sleeps has read the bell, then announced itself, then tried in vain, and
 *            sleeps on the bell it read.
 *            [W2] asleep is cleared by a waker that woke nobody, and only if nobody announced
 *            itself since before that wake-up: who did sleeps on a bell that was stepped. A wrap to
 *            0 hides sleepers until the next look of one of them.
 *            [W3] There is a wake-up for each change. One who is woken may still have to wait for
 *            an older claim; so whoever slept and then got something wakes the next if there is
 *            more.
 *            [W4] Who joins announces itself among its kind, and then among those who wait for
 *            room, too: who frees a cell looks at that word alone.
 * Ordering   [Q7] sleep: add to asleep; membarrier; load words <-> [Q6] of queue.c: change word;
 *                 load asleep. One of both sees the other. In a fenced segment both have a full
 *                 fence.
 *            [Q8] sleep: announce; load state <-> [Q9] close, remove: change state; step and wake
 * Death      Asleep, or woken, or about to wake: each sleep ends by itself, after 20 ms where an
 *            owner is waited for or something of the dead may come back, else after 50.
 */
#include "queue/waiting.h"
#include "os/futex.h"
#include "segment/types.h"
#include <limits.h>

void ilk_queue_wake_(struct ilk_queue *q, unsigned kind, int n)
{
	uint32_t seen = ilk_load_acquire_(&q->asleep[kind]);

	if (seen && ilk_futex_step_and_wake_(&q->bells[kind].bell, n) == 0)
		ilk_cas_full_(&q->asleep[kind], &seen, 0); /* [W2] */
}

void ilk_queue_wake_for_room_(struct ilk_queue *q)
{
	uint32_t seen = ilk_load_acquire_(&q->asleep[ILK_QUEUE_PUTTERS_]);
	uint32_t joining = ilk_load_acquire_(&q->asleep[ILK_QUEUE_JOINERS_]);
	int woken = ilk_futex_step_and_wake_(&q->bells[ILK_QUEUE_PUTTERS_].bell, 1);

	if (joining) {
		int joiners = ilk_futex_step_and_wake_(&q->bells[ILK_QUEUE_JOINERS_].bell, INT_MAX);

		if (joiners == 0)
			ilk_cas_full_(&q->asleep[ILK_QUEUE_JOINERS_], &joining, 0);
		woken += joiners;
	}
	if (woken == 0)
		ilk_cas_full_(&q->asleep[ILK_QUEUE_PUTTERS_], &seen, 0); /* [W2] */
}

/* [W4] */
static uint32_t announce(struct ilk_queue *q, uint32_t kind)
{
	uint32_t before = ilk_add_full_(&q->asleep[kind], 1u);

	if (kind != ILK_QUEUE_JOINERS_)
		return before;
	return ilk_add_full_(&q->asleep[ILK_QUEUE_PUTTERS_], 1u) && before;
}

int ilk_queue_enter_(const struct ilk_queue *q, uint32_t forbidden)
{
	int rc = ilk_here_(q);
	uint32_t state;

	if (rc < 0)
		return rc;
	if (ilk_load_relaxed_(&q->tag) != ILK_QUEUE_TAG_)
		return -EINVAL;
	state = ilk_load_acquire_(&q->state);
	if (state & ILK_QUEUE_REMOVED_)
		return -EIDRM;
	return state & forbidden ? -EPIPE : 0;
}

static int attempt(struct ilk_queue_wait_ *w)
{
	w->owner = 0;
	if (ilk_load_acquire_(&w->queue->state) & ILK_QUEUE_REMOVED_) /* [Q8] */
		return -EIDRM;
	return w->attempt(w);
}

static int is_to_wait(int rc)
{
	return rc == ILK_QUEUE_NONE_ || rc == ILK_QUEUE_BUSY_;
}

static int try_shallow(struct ilk_queue_wait_ *w)
{
	w->deep = 0;
	return attempt(w);
}

static int spin(struct ilk_queue_wait_ *w)
{
	unsigned look = 0;
	int rc;

	do
		rc = attempt(w);
	while (is_to_wait(rc) && ilk_spin_once_(&look));
	return rc;
}

/* May something come back, or come to an end, by a death that nobody is waited for? */
static uint32_t is_watching(const struct ilk_queue *q)
{
	return ilk_load_relaxed_(&q->leased) | ilk_load_relaxed_(&q->registered);
}

static int sleep_for(struct ilk_queue_wait_ *w, struct ilk_wait_ *sleep, ilk_time deadline)
{
	struct ilk_queue *q = w->queue;
	int rc, how = ILK_WOKEN_;
	uint32_t dead = 0; /* and what it left cannot be put right now */

	do {
		uint32_t bell, before;

		/* Woken: mostly it is there, and to say that one sleeps costs more. */
		rc = w->slept && how == ILK_WOKEN_ ? try_shallow(w) : ILK_QUEUE_NONE_;
		if (!is_to_wait(rc))
			return rc;
		bell = ilk_load_acquire_(&q->bells[w->kind].bell); /* [W1] */
		before = announce(q, w->kind);
		/* [Q7] Weaker: a change could miss all who sleep. At a tick others' will do. */
		if (before == 0 || how != ILK_TICK_)
			ilk_handshake_(ilk_thread_.segment);
		w->deep = how == ILK_TICK_ || how == -EOWNERDEAD || w->slept == 0;
		rc = attempt(w);
		if (!is_to_wait(rc))
			return rc;
		sleep->many = is_watching(q);
		w->slept = 1;
		how = ilk_wait_on_(sleep, &q->bells[w->kind].bell, bell, deadline,
			rc && w->owner != dead ? w->owner : 0);
		dead = how == -EOWNERDEAD ? w->owner : dead;
	} while (how >= 0 || how == -EOWNERDEAD);
	return how;
}

static int wait_asleep(struct ilk_queue_wait_ *w, ilk_time deadline)
{
	struct ilk_queue_bell_ *bell = &w->queue->bells[w->kind];
	struct ilk_wait_ sleep;
	int rc;

	ilk_wait_begin_(&sleep, w->queue, ILK_TYPE_QUEUE_);
	rc = sleep_for(w, &sleep, deadline);
	ilk_add_relaxed_(&bell->slept, 1u);
	ilk_add_relaxed_(&bell->waited_ns, (uint64_t)(ilk_now() - sleep.since));
	ilk_wait_end_(&sleep);
	return rc;
}

int ilk_queue_wait_for_(struct ilk_queue_wait_ *w, ilk_time deadline)
{
	int rc;

	if (deadline == ILK_NOW) {
		rc = attempt(w);
		w->deep = 1;
		rc = is_to_wait(rc) ? attempt(w) : rc;
	} else {
		rc = spin(w);
		rc = is_to_wait(rc) ? wait_asleep(w, deadline) : rc;
	}
	return is_to_wait(rc) ? -EAGAIN : rc == ILK_QUEUE_GOT_ ? 0 : rc;
}
