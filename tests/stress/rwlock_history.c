/*
 * rwlock_history.c - small runs, written down and judged; and writers in a storm of readers.
 *
 * Each operation draws tickets, from one counter, before and after its call, and before and after it
 * lets go. What it had lies between the inner two. A history is good if nobody has it together with
 * a writer, a reader sees the number of writes before it, and every try that failed was in
 * somebody's way while it was called.
 */
#include "stress.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

enum { PLAYERS = 3, MOVES = 8 };
enum action { READ, TRY_READ, WRITE, TRY_WRITE, DOWNGRADE, ACTIONS };

struct move {
	enum action action;
	int result;
	uint64_t called, in, down, out, gone; /* tickets; `down`: of a downgrade */
	uint64_t saw;                         /* the version */
};

struct game {
	uint64_t tickets, arrived, round;
	uint64_t version, again; /* guarded */
	uint32_t is_over;
	struct move moves[PLAYERS][MOVES];
	int64_t rounds, busy;
};

static char name[64];
static struct ilk_rwlock_options kind = {.size = sizeof kind};
static struct game *game;
static struct ilk_segment *common;

static uint64_t draw(void)
{
	uint64_t ticket = ilk_add_full_(&game->tickets, 1);

	ilk_fence_();
	return ticket;
}

/* --- playing --- */

static int call(struct ilk_rwlock *l, enum action action)
{
	switch (action) {
	case READ:
		return ilk_rwlock_read(l);
	case TRY_READ:
		return ilk_rwlock_try_read(l);
	case TRY_WRITE:
		return ilk_rwlock_try_write(l);
	default:
		return ilk_rwlock_write(l);
	}
}

static int is_reading(enum action action)
{
	return action == READ || action == TRY_READ;
}

static void use(struct ilk_rwlock *l, struct move *m)
{
	if (!is_reading(m->action)) {
		game->version++;
		game->again++;
	}
	CHECK(game->version == game->again);
	m->saw = game->version;
	m->down = draw();
	if (m->action == DOWNGRADE) {
		CHECK_RC(ilk_rwlock_downgrade(l), 0);
		CHECK(game->version == m->saw && game->again == m->saw);
	}
}

static void play(struct ilk_rwlock *l, struct move *m, unsigned worker)
{
	m->action = (enum action)random_below(worker, ACTIONS);
	m->called = draw();
	m->result = call(l, m->action);
	m->in = draw();
	if (m->result == 0) {
		use(l, m);
		/* Where there are more players than cores, others must come while it is held. */
		if (random_below(worker, 4) == 0)
			sched_yield();
		dawdle(worker, 30);
		m->out = draw();
		CHECK_RC(ilk_rwlock_unlock(l), 0);
	} else {
		CHECK_RC(m->result, -EBUSY);
	}
	m->gone = draw();
}

/* --- judging --- */

static int overlap(uint64_t from, uint64_t to, uint64_t other_from, uint64_t other_to)
{
	return from < other_to && other_from < to;
}

/* Who has it until when for himself alone. */
static uint64_t end_of_writing(const struct move *m)
{
	return m->action == DOWNGRADE ? m->down : m->out;
}

static void judge_two(const struct move *a, const struct move *b)
{
	if (a->result == 0 && b->result == 0 && !is_reading(a->action))
		CHECK(!overlap(a->in, end_of_writing(a), b->in, b->out));
}

static const struct move *move_number(int i)
{
	return &game->moves[i / MOVES][i % MOVES];
}

static void judge_version(const struct move *m)
{
	uint64_t writes = 0;

	for (int i = 0; i < PLAYERS * MOVES; i++) {
		const struct move *other = move_number(i);

		writes += other->result == 0 && !is_reading(other->action) && other->in <= m->in;
	}
	CHECK(m->saw == writes);
}

/* A try that failed: another call of the right kind was under way, or had it. */
static void judge_busy(const struct move *m)
{
	int in_the_way = 0;

	for (int i = 0; i < PLAYERS * MOVES; i++) {
		const struct move *other = move_number(i);

		if (other != m && (m->action == TRY_WRITE || !is_reading(other->action)))
			in_the_way |= overlap(m->called, m->in, other->called, other->gone);
	}
	CHECK(in_the_way);
	game->busy++;
}

static void judge(void)
{
	for (int i = 0; i < PLAYERS * MOVES; i++) {
		const struct move *m = move_number(i);

		for (int k = 0; k < PLAYERS * MOVES; k++)
			if (k != i)
				judge_two(m, move_number(k));
		if (m->result == 0)
			judge_version(m);
		else
			judge_busy(m);
	}
	game->rounds++;
	game->version = game->again = 0;
}

/* --- rounds --- */

/* All players have arrived; the last one judges what was played, if anything. */
static void meet(int is_judged)
{
	uint64_t round = ilk_load_acquire_(&game->round);

	if (ilk_add_full_(&game->arrived, 1) + 1 < PLAYERS) {
		while (ilk_load_acquire_(&game->round) == round)
			sched_yield();
		return;
	}
	if (is_judged)
		judge();
	ilk_store_relaxed_(&game->is_over, (uint32_t)time_is_over());
	ilk_store_relaxed_(&game->arrived, UINT64_C(0));
	ilk_store_release_(&game->round, round + 1);
}

static void play_rounds(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_rwlock *l;

	if (worker >= PLAYERS)
		return;
	CHECK_RC(ilk_rwlock_open(seg, "l", &kind, &l), 0);
	for (meet(0); !ilk_load_relaxed_(&game->is_over); meet(1))
		for (int i = 0; i < MOVES; i++)
			play(l, &game->moves[worker][i], worker);
}

static void play_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	play_rounds(seg, worker);
	ilk_segment_close(seg);
}

static void play_together(unsigned worker)
{
	/* run_threads() begins again who returns: the game is over then. */
	if (!ilk_load_relaxed_(&game->is_over))
		play_rounds(common, worker);
}

static void check_game(unsigned segment_flags, unsigned flags, void (*run)(void (*)(unsigned)),
	void (*body)(unsigned))
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = segment_flags};

	game = mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(game, MAP_FAILED);
	kind.flags = flags;
	strcpy(name, ilk_test_name(""));
	common = support_create(name, &options);
	run(body);
	print_message("%lld rounds, %lld tries in vain\n", (long long)game->rounds,
		(long long)game->busy);
	assert_true(game->rounds > 0 && game->busy > 0);
	ilk_segment_close(common);
	support_unlink(name);
	munmap(game, sizeof *game);
}

static void test_history_of_processes(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_game(0, 0, run_undisturbed, play_apart);
}

static void test_history_of_threads_with_cells(void **state)
{
	(void)state;
	check_game(0, ILK_RWLOCK_WRITES, run_threads, play_together);
}

static void test_history_of_threads_when_fenced(void **state)
{
	(void)state;
	check_game(ILK_SEGMENT_FENCED, 0, run_threads, play_together);
}

/* --- a storm --- */

/* Whether worker 0 writes, and the others do the other, so that at almost every moment somebody does. */
static int zero_writes;

static void storm(unsigned worker)
{
	int writes = (worker == 0) == zero_writes;
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct tally *t = tally_of(worker);
	struct ilk_rwlock *l;

	CHECK_RC(ilk_rwlock_open(seg, "l", NULL, &l), 0);
	while (!time_is_over()) {
		ilk_time since = ilk_now();

		CHECK_RC(writes ? ilk_rwlock_write(l) : ilk_rwlock_read(l), 0);
		if (ilk_now() - since > t->longest)
			t->longest = ilk_now() - since;
		if (worker)
			dawdle(worker, 2000);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		t->done++;
	}
	ilk_segment_close(seg);
}

static void check_storm(int writes, unsigned flags)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};

	strcpy(name, ilk_test_name(""));
	common = support_create(name, &options);
	zero_writes = writes;
	run_undisturbed(storm);
	print_message("%lld of the one, %lld of the next\n", (long long)tally_of(0)->done,
		(long long)tally_of(1)->done);
	assert_true(tally_of(0)->done > 10 && tally_of(1)->done > 10);
	check_longest_stall();
	ilk_segment_close(common);
	support_unlink(name);
}

static void test_a_writer_comes_in_through_a_storm_of_readers(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_storm(1, 0);
}

static void test_a_reader_comes_in_through_a_storm_of_writers(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_storm(0, 0);
}

static void test_a_reader_comes_in_through_a_storm_when_fenced(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_storm(0, ILK_SEGMENT_FENCED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_history_of_processes),
		STRESS_TEST(test_history_of_threads_with_cells),
		STRESS_TEST(test_history_of_threads_when_fenced),
		STRESS_TEST(test_a_writer_comes_in_through_a_storm_of_readers),
		STRESS_TEST(test_a_reader_comes_in_through_a_storm_of_writers),
		STRESS_TEST(test_a_reader_comes_in_through_a_storm_when_fenced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
