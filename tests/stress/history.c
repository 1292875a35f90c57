/*
 * history.c - small runs, written down, and judged by a search for an order that makes sense.
 *
 * Three players use one object in each round, all kinds in turn: a lock, permits, a semaphore, an
 * event, a latch, versions, phases, a map. What each was told must be what it would have been told if all that
 * happened had happened one after the other (linear.h).
 */
#include "game.h"
#include "models.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PLAYERS = LINEAR_PLAYERS, MOVES = 6, KINDS = 8 };

enum { TO_COUNT = 12, KEYS = 2 }; /* by a latch; of a map */

/* One of each, as one process or thread sees them. */
struct things {
	struct ilk_segment *seg;
	struct ilk_mutex *lock;
	struct ilk_permits *permits;
	struct ilk_semaphore *semaphore;
	struct ilk_event *event;
	struct ilk_latch *latch;
	struct ilk_barrier *barrier;
	struct ilk_snapshot_handle latest;
	struct ilk_map_handle map;
};

static struct {
	struct game common;
	struct linear_history history;
	uint64_t first; /* the state in which the round begins */
	int64_t rounds[KINDS], in_vain[KINDS];
} * game;

static char name[64];
static struct ilk_segment *common;

/* --- writing down --- */

static uint64_t draw(void)
{
	return game_draw(&game->common);
}

static void note(unsigned player, enum action action, int64_t arg, uint64_t called, int64_t result)
{
	uint64_t *count = &game->history.count[player];

	CHECK(*count < LINEAR_STEPS);
	game->history.step[player][(*count)++] = (struct linear_step){
		.action = (int)action,
		.arg = arg,
		.result = result,
		.called = called,
		.returned = draw(),
	};
}

/* Where there are more players than cores, others must come in the midst of it. */
static void linger(unsigned player)
{
	if (random_below(player, 4) == 0)
		sched_yield();
	dawdle(player, 30);
}

static ilk_time soon(unsigned player)
{
	return ilk_after_ns((int64_t)random_below(player, 100000));
}

/* --- moves --- */

static void use_lock(struct things *t, unsigned player)
{
	uint64_t how = random_below(player, 4), called = draw();
	int rc = how == 0   ? ilk_mutex_try_lock(t->lock)
		 : how == 1 ? ilk_mutex_lock_until(t->lock, soon(player))
			    : ilk_mutex_lock(t->lock);

	note(player, TAKE, 1, called, rc);
	linger(player);
	if (rc == 0 || how == 0) {
		called = draw();
		note(player, GIVE, 1, called, ilk_mutex_unlock(t->lock));
	}
}

static void release(struct things *t, unsigned player, unsigned n)
{
	uint64_t called = draw();

	note(player, GIVE, n, called, ilk_permits_release(t->permits, n));
}

static void use_permits(struct things *t, unsigned player)
{
	unsigned n = 1 + (unsigned)random_below(player, 3);
	uint64_t how = random_below(player, 4), called = draw();
	int rc = how == 0   ? ilk_permits_try_acquire(t->permits, n)
		 : how == 1 ? ilk_permits_acquire_until(t->permits, n, soon(player))
			    : ilk_permits_acquire(t->permits, n);

	note(player, TAKE, n, called, rc);
	linger(player);
	if (how == 3)
		release(t, player, n + 1);
	if (rc == 0)
		release(t, player, n);
}

static void use_semaphore(struct things *t, unsigned player)
{
	uint64_t how = random_below(player, 4), called = draw();
	unsigned value = 0;
	int rc = how == 0   ? ilk_semaphore_try_wait(t->semaphore)
		 : how == 1 ? ilk_semaphore_wait_until(t->semaphore, soon(player))
			    : ilk_semaphore_wait(t->semaphore);

	note(player, TAKE, 1, called, rc);
	linger(player);
	if (rc == 0) {
		called = draw();
		note(player, GIVE, 1, called, ilk_semaphore_post(t->semaphore));
	}
	called = draw();
	CHECK_RC(ilk_semaphore_value(t->semaphore, &value), 0);
	note(player, LOOK, 0, called, value);
}

static void use_event(struct things *t, unsigned player)
{
	for (int i = 0; i < 3; i++) {
		uint64_t how = random_below(player, 5), called = draw();

		if (how == 0)
			note(player, LOOK, 0, called, ilk_event_is_set(t->event));
		else if (how == 1)
			note(player, CLEAR, 0, called, ilk_event_clear(t->event));
		else if (how == 2)
			note(player, GIVE, 0, called, ilk_event_set(t->event));
		else
			note(player, TAKE, 0, called, ilk_event_wait_until(t->event, soon(player)));
	}
}

static void use_latch(struct things *t, unsigned player)
{
	unsigned left = 0, n = (unsigned)random_below(player, 3);
	uint64_t called = draw();

	note(player, GIVE, n, called, ilk_latch_count_down(t->latch, n));
	called = draw();
	CHECK_RC(ilk_latch_left(t->latch, &left), 0);
	note(player, LOOK, 0, called, left);
	called = draw();
	note(player, TAKE, 0, called, ilk_latch_wait_until(t->latch, soon(player)));
}

static void use_versions(struct things *t, unsigned player)
{
	uint64_t value = random_below(player, UINT32_MAX), version, called = draw();

	CHECK_RC(ilk_snapshot_publish(&t->latest, &value, &version), 0);
	note(player, PUT, (int64_t)value, called, (int64_t)version);
	linger(player);
	called = draw();
	CHECK_RC(ilk_snapshot_read(&t->latest, &value, &version), 0);
	note(player, LOOK, 0, called, (int64_t)(version << 32 | value));
	called = draw();
	note(player, NUMBER, 0, called, (int64_t)ilk_snapshot_version(&t->latest));
}

static void use_phases(struct things *t, unsigned player)
{
	uint64_t how = random_below(player, 30), called = draw();
	int rc;

	if (how == 0) {
		note(player, ABORT, 0, called, ilk_barrier_abort(t->barrier));
		called = draw();
	}
	rc = ilk_barrier_wait_until(t->barrier, how == 1 ? ILK_NOW : ilk_after_ns(400000));
	note(player, ARRIVE, 0, called, 0);
	note(player, LEAVE, 0, called, rc);
	/* It has arrived and left at some moment between the two, of which nothing is known. */
	game->history.step[player][game->history.count[player] - 2].returned = draw();
	if (rc < 0) {
		called = draw();
		note(player, RESET, 0, called, ilk_barrier_reset(t->barrier));
	}
}

static int raise_value(void *value, size_t *bytes, void *got)
{
	uint8_t *v = value;

	*v = (uint8_t)((*bytes == ILK_MAP_ABSENT ? 0 : *v) % 200 + 1);
	*bytes = sizeof *v;
	*(uint8_t *)got = *v;
	return 0;
}

static void use_map(struct things *t, unsigned player)
{
	static const enum action actions[] = {PUT, ADD, REPLACE, RAISE, TAKE, LOOK};
	uint8_t key = (uint8_t)random_below(player, KEYS), got = 0;
	uint8_t value = (uint8_t)(1 + random_below(player, 3));
	uint8_t was = (uint8_t)(1 + random_below(player, 3));
	uint64_t how = random_below(player, 6), called = draw();
	int rc = how == 0   ? ilk_map_put(&t->map, &key, &value, 1)
		 : how == 1 ? ilk_map_add(&t->map, &key, &value, 1)
		 : how == 2 ? ilk_map_replace(&t->map, &key, &was, 1, &value, 1)
		 : how == 3 ? ilk_map_update(&t->map, &key, raise_value, &got)
		 : how == 4 ? ilk_map_take(&t->map, &key, &got, 1, NULL)
			    : ilk_map_get(&t->map, &key, &got, 1, NULL);

	note(player, actions[how], key | value << 8 | was << 16, called, rc < 0 ? rc : got);
}

static struct things mine; /* of this process; its threads share it */

static uint64_t begin_with_nothing(void)
{
	CHECK_RC(ilk_barrier_reset(mine.barrier), 0);
	return 0;
}

static uint64_t begin_with_value(void)
{
	unsigned value;

	CHECK_RC(ilk_semaphore_value(mine.semaphore, &value), 0);
	return value;
}

static uint64_t begin_with_event(void)
{
	return (uint64_t)ilk_event_is_set(mine.event);
}

/* It falls once: so it is a new one. */
static uint64_t begin_with_latch(void)
{
	const struct ilk_latch_options most = {.size = sizeof most, .count = TO_COUNT};

	CHECK_RC(ilk_latch_init(mine.seg, mine.latch, "latch", &most), 0);
	return TO_COUNT;
}

static uint64_t begin_with_version(void)
{
	uint64_t value, version;

	CHECK_RC(ilk_snapshot_read(&mine.latest, &value, &version), 0);
	return version << 32 | value;
}

static uint64_t begin_with_entries(void)
{
	uint64_t state = 0;

	for (uint8_t key = 0, got = 0; key < KEYS; key++, got = 0) {
		ilk_map_get(&mine.map, &key, &got, 1, NULL);
		state |= (uint64_t)got << 8 * key;
	}
	return state;
}

static const struct kind {
	const char *name;
	void (*move)(struct things *t, unsigned player);
	linear_model *model;
	uint64_t (*begin)(void);
} kinds[KINDS] = {
	{"locks", use_lock, model_lock, begin_with_nothing},
	{"permits", use_permits, model_permits, begin_with_nothing},
	{"semaphores", use_semaphore, model_semaphore, begin_with_value},
	{"events", use_event, model_event, begin_with_event},
	{"latches", use_latch, model_latch, begin_with_latch},
	{"versions", use_versions, model_versions, begin_with_version},
	{"phases", use_phases, model_phases, begin_with_nothing},
	{"maps", use_map, model_map, begin_with_entries},
};

/* --- rounds --- */

static unsigned kind_now(void)
{
	return (unsigned)(game->common.round % KINDS);
}

static void show(const struct linear_history *h)
{
	for (unsigned i = 0; i < PLAYERS; i++)
		for (uint64_t k = 0; k < h->count[i]; k++) {
			const struct linear_step *s = &h->step[i][k];

			fprintf(stderr, "%u: %llu-%llu action %d, %lld: %lld\n", i,
				(unsigned long long)s->called, (unsigned long long)s->returned,
				s->action, (long long)s->arg, (long long)s->result);
		}
}

static void judge(void)
{
	unsigned kind = kind_now();
	struct linear_history *h = &game->history;

	if (!linear_is_possible(h, game->first, kinds[kind].model)) {
		show(h);
		ilk_test_fail("these %s make no sense, from %llx", kinds[kind].name,
			(unsigned long long)game->first);
	}
	for (unsigned i = 0; i < PLAYERS; i++)
		for (uint64_t k = 0; k < h->count[i]; k++)
			game->in_vain[kind] += h->step[i][k].result < 0;
	game->rounds[kind]++;
}

/* What the next round, of the next kind, begins with. */
static void judge_and_begin(void)
{
	unsigned next = (kind_now() + 1) % KINDS;

	judge();
	memset(&game->history, 0, sizeof game->history);
	game->first = kinds[next].begin();
}

static void find(struct ilk_segment *seg, struct things *t)
{
	const struct ilk_permits_options some = {.size = sizeof some, .permits = PERMITS};
	const struct ilk_semaphore_options two = {.size = sizeof two, .value = 2};
	const struct ilk_event_options each = {.size = sizeof each, .flags = ILK_EVENT_AUTO};
	const struct ilk_barrier_options all = {.size = sizeof all, .parties = PLAYERS};
	const struct ilk_snapshot_options copies = {.size = sizeof copies, .copies = 2};
	const struct ilk_map_options one = {.size = sizeof one, .stripes = 1};

	t->seg = seg;
	CHECK_RC(ilk_mutex_open(seg, "lock", NULL, &t->lock), 0);
	CHECK_RC(ilk_permits_open(seg, "permits", &some, &t->permits), 0);
	CHECK_RC(ilk_semaphore_open(seg, "semaphore", &two, &t->semaphore), 0);
	CHECK_RC(ilk_event_open(seg, "event", &each, &t->event), 0);
	CHECK_RC(ilk_latch_open(seg, "latch", NULL, &t->latch), 0);
	CHECK_RC(ilk_barrier_open(seg, "barrier", &all, &t->barrier), 0);
	CHECK_RC(ilk_snapshot_open(seg, "latest", sizeof(uint64_t), &copies, &t->latest), 0);
	CHECK_RC(ilk_map_open(seg, "map", 1, 1, &one, &t->map), 0);
}

static void play_rounds(unsigned player)
{
	CHECK_RC(ilk_barrier_attach(mine.barrier), 0);
	game_meet(&game->common, PLAYERS, NULL);
	while (!ilk_load_relaxed_(&game->common.is_over)) {
		for (int i = 0; i < MOVES; i++)
			kinds[kind_now()].move(&mine, player);
		game_meet(&game->common, PLAYERS, judge_and_begin);
	}
	CHECK_RC(ilk_barrier_detach(mine.barrier), 0);
}

static void play_apart(unsigned player)
{
	struct ilk_segment *seg;

	if (player >= PLAYERS)
		return;
	seg = open_elsewhere(player, name);
	find(seg, &mine);
	play_rounds(player);
	ilk_segment_close(seg);
}

static void play_together(unsigned player)
{
	/* run_threads() begins again who returns: the game is over then. */
	if (player < PLAYERS && !ilk_load_relaxed_(&game->common.is_over))
		play_rounds(player);
	while (player >= PLAYERS && !time_is_over())
		ilk_test_sleep_ms(10);
}

static void check_game(unsigned flags, void (*run)(void (*)(unsigned)), void (*body)(unsigned))
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};

	game = mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(game, MAP_FAILED);
	strcpy(name, ilk_test_name(""));
	common = support_create(name, &options);
	find(common, &mine);
	game->common.round = KINDS - 1; /* the first to be played is of kind 0 */
	run(body);
	for (int i = 0; i < KINDS; i++) {
		print_message("%lld rounds of %s, %lld steps in vain\n", (long long)game->rounds[i],
			kinds[i].name, (long long)game->in_vain[i]);
		assert_true(game->rounds[i] > 0);
	}
	ilk_segment_close(common);
	support_unlink(name);
	munmap(game, sizeof *game);
}

static void test_history_of_processes(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_game(0, run_undisturbed, play_apart);
}

static void test_history_of_threads(void **state)
{
	(void)state;
	check_game(ILK_SEGMENT_FENCED, run_threads, play_together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_history_of_processes),
		STRESS_TEST(test_history_of_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
