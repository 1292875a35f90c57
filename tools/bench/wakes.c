/*
 * wakes.c - the benches `condition`, `event` and `latch-wake`: a turn that goes to another process and
 * back, asleep.
 *
 * Two processes on two cores hand a turn to and fro; each sleeps until it is its own. The figure is
 * the time of a round trip: two wake-ups, and the falling asleep in between.
 */
#include "bench/rows.h"
#include "bench/work.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIDES = 2 };

/* What a peer does; each 0, or else it failed. */
struct wake_peer {
	int (*init)(const struct bench_place *place);
	/* Waits until the turn is ME's, or the contest is over; then hands it on. */
	int (*take_and_give)(struct bench_arena *a, unsigned me);
	/* The contest is over: lets the other go, who may sleep and not know it. */
	int (*finish)(struct bench_arena *a, unsigned me);
};

static int is_mine(const struct bench_arena *a, unsigned me)
{
	return a->guarded == me || ilk_load_relaxed_(&a->stop);
}

/* --- Ilk's condition, with its mutex --- */

static struct ilk_condition *ilk_condition_of(struct bench_arena *a, unsigned side)
{
	return (struct ilk_condition *)(void *)&a->nodes[side];
}

static int ilk_init(const struct bench_place *place)
{
	struct bench_arena *a = place->arena;
	int rc = ilk_mutex_init(place->seg, (struct ilk_mutex *)(void *)&a->object, "bench", NULL);

	for (unsigned i = 0; i < SIDES && rc == 0; i++)
		rc = ilk_condition_init(place->seg, ilk_condition_of(a, i), "turn");
	return rc;
}

static int ilk_take_and_give(struct bench_arena *a, unsigned me)
{
	struct ilk_mutex *m = (struct ilk_mutex *)(void *)&a->object;

	if (ilk_mutex_lock(m) != 0)
		return -1;
	if (ILK_WAIT_UNTIL(ilk_condition_of(a, me), m, ILK_FOREVER, is_mine(a, me)) != 0)
		return -1;
	a->guarded = !me;
	return ilk_mutex_unlock(m) || ilk_condition_signal(ilk_condition_of(a, !me));
}

static const struct wake_peer ilk_peer = {ilk_init, ilk_take_and_give, ilk_take_and_give};

/* --- Ilk's event, of auto reset: one for each side --- */

static struct ilk_event *ilk_event_of(struct bench_arena *a, unsigned side)
{
	return (struct ilk_event *)(void *)&a->nodes[side];
}

static int ilk_event_begin(const struct bench_place *place)
{
	struct ilk_event_options options = {.size = sizeof(options), .flags = ILK_EVENT_AUTO};
	int rc = 0;

	for (unsigned i = 0; i < SIDES && rc == 0; i++)
		rc = ilk_event_init(place->seg, ilk_event_of(place->arena, i), "turn", &options);
	return rc == 0 ? ilk_event_set(ilk_event_of(place->arena, 0)) : rc;
}

static int ilk_event_take_and_give(struct bench_arena *a, unsigned me)
{
	return ilk_event_wait(ilk_event_of(a, me)) || ilk_event_set(ilk_event_of(a, !me));
}

/* One who has waited for this turn then sees that it is over: nobody need wait for him. */
static int ilk_event_finish(struct bench_arena *a, unsigned me)
{
	return ilk_event_set(ilk_event_of(a, !me));
}

static const struct wake_peer ilk_event_peer = {
	ilk_event_begin, ilk_event_take_and_give, ilk_event_finish};

/*
 * --- Ilk's latch: two for each side, by turns ---
 *
 * Side 0 takes first. Who has its turn makes the latch of the turn before new, for the next one: the
 * other's call on it has returned, since it has waited itself meanwhile.
 */

static struct ilk_segment *segment;
static unsigned turn; /* so many were taken by this process */

static struct ilk_latch *ilk_latch_of(struct bench_arena *a, unsigned side, unsigned number)
{
	return (struct ilk_latch *)(void *)&a->nodes[2 * side + number % 2];
}

static int make_latch(struct bench_arena *a, unsigned side, unsigned number)
{
	return ilk_latch_init(segment, ilk_latch_of(a, side, number), "turn", NULL);
}

static int ilk_latch_begin(const struct bench_place *place)
{
	int rc = 0;

	segment = place->seg;
	for (unsigned i = 0; i < 2 * SIDES && rc == 0; i++)
		rc = make_latch(place->arena, i / 2, i);
	return rc == 0 ? ilk_latch_count_down(ilk_latch_of(place->arena, 0, 0), 1) : rc;
}

/*
 * The next latch of the other falls. When the contest is over it may not have been made new, or be in
 * the making: then nobody will wait for it.
 */
static int ilk_latch_finish(struct bench_arena *a, unsigned me)
{
	int rc = ilk_latch_count_down(ilk_latch_of(a, !me, turn + me), 1);

	return ilk_load_relaxed_(&a->stop) ? 0 : rc;
}

static int ilk_latch_take_and_give(struct bench_arena *a, unsigned me)
{
	if (ilk_latch_wait(ilk_latch_of(a, me, turn)) != 0 || make_latch(a, me, turn + 1) != 0 ||
		ilk_latch_finish(a, me) != 0)
		return -1;
	turn++;
	return 0;
}

static const struct wake_peer ilk_latch_peer = {
	ilk_latch_begin, ilk_latch_take_and_give, ilk_latch_finish};

/* --- a bare futex(2) for each side --- */

static uint32_t *futex_of(struct bench_arena *a, unsigned side)
{
	return (uint32_t *)(void *)&a->nodes[side];
}

static int futex_give(struct bench_arena *a, unsigned side)
{
	ilk_exchange_(futex_of(a, side), 1u);
	return syscall(SYS_futex, futex_of(a, side), FUTEX_WAKE, INT_MAX, NULL, NULL, 0) < 0;
}

static int futex_begin(const struct bench_place *place)
{
	return futex_give(place->arena, 0);
}

static int futex_take_and_give(struct bench_arena *a, unsigned me)
{
	while (ilk_exchange_(futex_of(a, me), 0u) == 0)
		syscall(SYS_futex, futex_of(a, me), FUTEX_WAIT, 0, NULL, NULL, 0);
	return futex_give(a, !me);
}

static int futex_finish(struct bench_arena *a, unsigned me)
{
	return futex_give(a, !me);
}

static const struct wake_peer futex_peer = {futex_begin, futex_take_and_give, futex_finish};

/* --- the C library's condition and mutex, process-shared --- */

static pthread_cond_t *pthread_condition_of(struct bench_arena *a, unsigned side)
{
	return (pthread_cond_t *)(void *)&a->nodes[side];
}

static int pthread_init(const struct bench_place *place)
{
	struct bench_arena *a = place->arena;
	pthread_mutexattr_t for_mutex;
	pthread_condattr_t for_condition;
	int rc;

	pthread_mutexattr_init(&for_mutex);
	pthread_mutexattr_setpshared(&for_mutex, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&for_condition);
	pthread_condattr_setpshared(&for_condition, PTHREAD_PROCESS_SHARED);
	rc = pthread_mutex_init((pthread_mutex_t *)(void *)&a->object, &for_mutex);
	for (unsigned i = 0; i < SIDES && rc == 0; i++)
		rc = pthread_cond_init(pthread_condition_of(a, i), &for_condition);
	return rc;
}

static int pthread_take_and_give(struct bench_arena *a, unsigned me)
{
	pthread_mutex_t *m = (pthread_mutex_t *)(void *)&a->object;

	if (pthread_mutex_lock(m) != 0)
		return -1;
	while (!is_mine(a, me))
		if (pthread_cond_wait(pthread_condition_of(a, me), m) != 0)
			return -1;
	a->guarded = !me;
	return pthread_mutex_unlock(m) || pthread_cond_signal(pthread_condition_of(a, !me));
}

static const struct wake_peer pthread_peer = {
	pthread_init, pthread_take_and_give, pthread_take_and_give};

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct bench_line), "the mutex fits its line");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(struct bench_line), "the condition, too");

/* --- the contest --- */

static int pass_turns(const struct bench_place *place, const void *what, unsigned me)
{
	const struct wake_peer *peer = (const struct wake_peer *)what;
	struct bench_arena *a = place->arena;

	for (uint64_t n = 1; !ilk_load_relaxed_(&a->stop); n++) {
		if (peer->take_and_give(a, me) != 0)
			return -1;
		ilk_store_relaxed_(&a->workers[me].count, n);
	}
	return peer->finish(a, me);
}

static int wakes(const struct bench_run *run, struct bench_sample *sample)
{
	const struct wake_peer *peer = (const struct wake_peer *)run->peer->what;
	struct bench_place place;
	uint64_t total;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (peer->init(&place) == 0)
		rc = bench_contest(run, &place, pass_turns, peer, sample, &total);
	else
		rc = bench_fail(sample, "it cannot be initialized");
	/* From millions of turns a second to microseconds for two of them. */
	if (rc == BENCH_OK)
		sample->value = SIDES / sample->value;
	bench_place_close(&place);
	return rc;
}

static const struct bench_peer condition_peers[] = {
	{"ilk", wakes, &ilk_peer, NULL},
	{"pthread", wakes, &pthread_peer, NULL},
};

const struct bench bench_condition = {
	.name = "condition",
	.unit = "us",
	.what = "a turn handed to another process, asleep on another core, and back",
	.reference = "pthread",
	.seconds = 0.3,
	.workers = SIDES,
	BENCH_PEERS(condition_peers),
};

static const struct bench_peer event_peers[] = {
	{"ilk", wakes, &ilk_event_peer, NULL},
	{"pthread-cond", wakes, &pthread_peer, NULL},
};

const struct bench bench_event = {
	.name = "event",
	.unit = "us",
	.what = "the same with an event of auto reset for each of both",
	.reference = "pthread-cond",
	.seconds = 0.3,
	.workers = SIDES,
	BENCH_PEERS(event_peers),
};

static const struct bench_peer latch_peers[] = {
	{"ilk", wakes, &ilk_latch_peer, NULL},
	{"futex", wakes, &futex_peer, NULL},
};

const struct bench bench_latch_wake = {
	.name = "latch-wake",
	.unit = "us",
	.what = "the same with two latches for each of both, made new by turns",
	.reference = "futex",
	.seconds = 0.3,
	.workers = SIDES,
	BENCH_PEERS(latch_peers),
};
