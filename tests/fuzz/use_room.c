/* use_room.c - what one waits for, damaged: it may fail, it may let through; it comes to an end. */
#include "seeds.h"
#include "use.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ilk_time soon(void)
{
	return ilk_after_ns(200000);
}

static void use_semaphore(struct ilk_semaphore *s)
{
	unsigned value;

	ilk_semaphore_value(s, &value);
	ilk_semaphore_post(s);
	ilk_semaphore_post_n(s, 3);
	ilk_semaphore_wait_until(s, soon());
	ilk_semaphore_wait_posix(&s->posix, soon());
	ilk_semaphore_post(s);
}

static void use_permits(struct ilk_permits *p)
{
	struct ilk_permits_holder holders[2 * FUZZ_PERMITS];
	size_t count = 0;
	unsigned left;

	ilk_permits_left(p, &left);
	ilk_permits_holders(p, holders, 2 * FUZZ_PERMITS, &count);
	for (size_t i = 0; i < count && i < 2 * FUZZ_PERMITS; i++)
		if (!memchr(holders[i].name, 0, sizeof holders[i].name))
			abort();
	if (ilk_permits_acquire_until(p, 1, soon()) == 0)
		ilk_permits_release(p, 1);
	if (ilk_permits_acquire_until(p, 3, soon()) == 0)
		ilk_permits_release(p, 2);
	ilk_permits_try_acquire(p, FUZZ_PERMITS);
	while (ilk_permits_release(p, 1) == 0)
		continue;
}

static void use_condition(struct ilk_condition *c, struct ilk_mutex *m)
{
	int rc = ilk_mutex_lock_until(m, soon());

	if (rc > 0)
		ilk_mutex_repaired(m);
	ilk_condition_signal(c);
	if (rc >= 0)
		ilk_condition_wait_until(c, m, soon());
	ilk_condition_broadcast(c);
	ilk_mutex_unlock(m);
}

static void use_event(struct ilk_event *e)
{
	ilk_event_is_set(e);
	ilk_event_wait_until(e, soon());
	ilk_event_set(e);
	ilk_event_wait_until(e, soon());
	ilk_event_clear(e);
}

static void use_latch(struct ilk_latch *l)
{
	unsigned left = 0;

	ilk_latch_wait_until(l, soon());
	ilk_latch_count_down(l, 1);
	ilk_latch_left(l, &left);
	ilk_latch_count_down(l, left);
	ilk_latch_wait_until(l, soon());
}

static void use_once(struct ilk_once *o)
{
	int64_t value;

	ilk_once_value(o, &value);
	if (ilk_once_begin_until(o, soon(), &value) > 0)
		ilk_once_give_up(o);
	if (ilk_once_begin_until(o, soon(), &value) > 0)
		ilk_once_done(o, 1);
	ilk_once_value(o, &value);
}

static void use_barrier(struct ilk_barrier *b)
{
	struct ilk_barrier_status status;

	if (ilk_barrier_status(b, &status) == 0 && !memchr(status.name, 0, sizeof status.name))
		abort();
	ilk_barrier_attach(b);
	ilk_barrier_wait_until(b, soon());
	ilk_barrier_reset(b);
	ilk_barrier_wait_until(b, ILK_NOW);
	ilk_barrier_abort(b);
	ilk_barrier_reset(b);
	ilk_barrier_detach(b);
}

void use_room(struct ilk_segment *seg)
{
	struct room *r;
	void *memory;

	if (ilk_block_open(seg, "room", sizeof *r, &memory) < 0)
		return;
	r = memory;
	use_semaphore(&r->semaphore);
	use_barrier(&r->barrier);
	use_barrier(&r->phaser);
	use_condition(&r->condition, &r->mutex);
	use_event(&r->event);
	use_event(&r->signal);
	use_latch(&r->latch);
	use_once(&r->once);
	use_permits(&r->permits.permits);
	use_permits(&r->of_process.permits);
}
