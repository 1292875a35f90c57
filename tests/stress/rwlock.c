/*
 * rwlock.c - readers see nothing half-written, books balance, and writers come in, under random
 * deaths.
 *
 * A writer notes in an undo record what it is about to change, changes two accounts and a count one
 * after the other, and strikes the record out: that is the commit. A reader finds the accounts
 * balanced, and the same at the end of its reading as at the start. Whoever is told ILK_RECOVERED
 * takes back, as a writer, what the dead had not committed.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

struct books {
	struct ilk_rwlock lock;
	uint64_t inside; /* the writer in it, + 1 */
	int64_t left, right;
	int64_t committed[WORKERS];
	int64_t recoveries;
	struct {
		uint32_t active, worker;
		int64_t left, right, committed;
	} undo;
};

static char name[64];
static struct ilk_rwlock_options kind = {.size = sizeof kind};

static struct books *books_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "books", sizeof(struct books), &block), 0);
	return block;
}

static void make_books(unsigned segment_flags, unsigned flags)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = segment_flags};
	struct ilk_segment *seg;

	kind.flags = flags;
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	CHECK_RC(ilk_rwlock_init(seg, &books_in(seg)->lock, "books", &kind), 0);
	ilk_segment_close(seg);
}

/* --- writing --- */

static void take_back(struct books *b)
{
	b->recoveries++;
	if (b->undo.active) {
		b->left = b->undo.left;
		b->right = b->undo.right;
		b->committed[b->undo.worker] = b->undo.committed;
		ilk_compiler_barrier_();
		b->undo.active = 0;
	}
	ilk_compiler_barrier_();
	b->inside = 0;
	CHECK_RC(ilk_rwlock_repaired(&b->lock), 0);
}

static void note(struct books *b, unsigned worker)
{
	b->undo.worker = worker;
	b->undo.left = b->left;
	b->undo.right = b->right;
	b->undo.committed = b->committed[worker];
	ilk_compiler_barrier_();
	b->undo.active = 1;
	ilk_compiler_barrier_();
}

/* The moments at which a worker that is a thread may end: never where it is a process. */
static unsigned end_one_in;

static int ends_here(unsigned worker)
{
	return end_one_in && random_below(worker, end_one_in) == 0;
}

/* 1: the worker ends in the middle of it. */
static int update(struct books *b, unsigned worker)
{
	CHECK(b->inside == 0 && b->left + b->right == 0);
	b->inside = worker + 1;
	note(b, worker);
	b->left++;
	if (ends_here(worker))
		return 1;
	dawdle(worker, 20);
	ilk_compiler_barrier_();
	b->committed[worker]++;
	ilk_compiler_barrier_();
	b->right--;
	if (ends_here(worker))
		return 1;
	ilk_compiler_barrier_();
	b->undo.active = 0;
	ilk_compiler_barrier_();
	CHECK(b->inside == worker + 1);
	b->inside = 0;
	return 0;
}

/* --- reading --- */

/* 1: the worker ends in the middle of it. */
static int look(const struct books *b, unsigned worker)
{
	int64_t left = b->left;

	CHECK(b->inside == 0 && left + b->right == 0);
	dawdle(worker, 60);
	ilk_compiler_barrier_();
	if (ends_here(worker))
		return 1;
	CHECK(b->inside == 0 && b->left == left && b->right == -left);
	return 0;
}

/* --- one transaction: a call of any kind, and what follows from its result --- */

typedef int call_until(struct ilk_rwlock *l, ilk_time deadline);

/* Without, with a little, or with all the time. */
static int acquire(
	struct books *b, unsigned worker, int (*now)(struct ilk_rwlock *), call_until *until)
{
	uint64_t how = random_below(worker, 8);
	ilk_time since = ilk_now();
	int rc;

	if (how == 0)
		return now(&b->lock);
	if (how == 1)
		return until(&b->lock, since + (int64_t)random_below(worker, 300000));
	rc = until(&b->lock, ILK_FOREVER);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	return rc;
}

static int finish(struct books *b, unsigned worker, int has_ended)
{
	if (has_ended) {
		tally_of(worker)->deaths++;
		return 1;
	}
	CHECK_RC(ilk_rwlock_unlock(&b->lock), 0);
	dawdle(worker, 40);
	return 0;
}

static int write_books(struct books *b, unsigned worker)
{
	int rc = acquire(b, worker, ilk_rwlock_try_write, ilk_rwlock_write_until), has_ended;

	if (rc == -EBUSY || rc == -ETIMEDOUT)
		return 0;
	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED)
		take_back(b);
	has_ended = update(b, worker);
	if (!has_ended)
		tally_of(worker)->done++;
	if (!has_ended && random_below(worker, 4) == 0) {
		CHECK_RC(ilk_rwlock_downgrade(&b->lock), 0);
		has_ended = look(b, worker);
	}
	return finish(b, worker, has_ended);
}

static int read_books(struct books *b, unsigned worker)
{
	int rc = acquire(b, worker, ilk_rwlock_try_read, ilk_rwlock_read_until);

	if (rc == -EBUSY || rc == -ETIMEDOUT)
		return 0;
	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED) {
		CHECK_RC(ilk_rwlock_unlock(&b->lock), 0);
		return write_books(b, worker);
	}
	if (random_below(worker, 16) == 0) {
		CHECK_RC(ilk_rwlock_read(&b->lock), 0);
		CHECK_RC(ilk_rwlock_unlock(&b->lock), 0);
	}
	return finish(b, worker, look(b, worker));
}

static int transact(struct books *b, unsigned worker)
{
	return random_below(worker, 5) ? read_books(b, worker) : write_books(b, worker);
}

/* --- crews --- */

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct books *b = books_in(seg);

	while (!time_is_over())
		transact(b, worker);
	ilk_segment_close(seg);
}

static struct books *common;

static void work_together(unsigned worker)
{
	while (!time_is_over() && !transact(common, worker))
		;
}

static void check_books(struct books *b)
{
	int64_t committed = 0, deaths = 0;
	int rc = ilk_rwlock_write(&b->lock);

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED)
		take_back(b);
	for (unsigned i = 0; i < WORKERS; i++) {
		const struct tally *t = tally_of(i);

		/* A death between the commit and the worker's own note costs the note one. */
		assert_in_range(b->committed[i], t->done, t->done + t->deaths);
		committed += b->committed[i];
		deaths += t->deaths;
	}
	assert_int_equal(b->left, committed);
	assert_int_equal(b->right, -committed);
	/* Nobody is told of a death that was none. */
	assert_in_range(b->recoveries, 0, deaths);
	print_message("%lld commits, %lld deaths, %lld of them while writing\n",
		(long long)committed, (long long)deaths, (long long)b->recoveries);
	CHECK_RC(ilk_rwlock_unlock(&b->lock), 0);
}

static void check_and_remove(void)
{
	struct ilk_segment *seg = support_open(name);

	check_books(books_in(seg));
	check_longest_stall();
	CHECK_RC(ilk_segment_valid(seg), 0);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void check_killed(unsigned segment_flags, unsigned flags)
{
	SKIP_UNDER_TSAN();
	make_books(segment_flags, flags);
	end_one_in = 0;
	run_processes(work_apart, NULL);
	check_and_remove();
}

static void test_books_of_killed_processes_balance(void **state)
{
	(void)state;
	check_killed(0, 0);
}

static void test_books_of_killed_processes_balance_with_cells(void **state)
{
	(void)state;
	check_killed(0, ILK_RWLOCK_WRITES);
}

static void test_books_of_killed_processes_balance_when_fenced(void **state)
{
	(void)state;
	check_killed(ILK_SEGMENT_FENCED, 0);
}

static void check_ending(unsigned flags)
{
	struct ilk_segment *seg;

	make_books(0, flags);
	seg = support_open(name);
	common = books_in(seg);
	end_one_in = 2000;
	run_threads(work_together);
	check_and_remove();
	ilk_segment_close(seg);
}

static void test_books_of_ending_threads_balance(void **state)
{
	(void)state;
	check_ending(0);
}

static void test_books_of_ending_threads_balance_with_cells(void **state)
{
	(void)state;
	check_ending(ILK_RWLOCK_WRITES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_books_of_killed_processes_balance),
		STRESS_TEST(test_books_of_killed_processes_balance_with_cells),
		STRESS_TEST(test_books_of_killed_processes_balance_when_fenced),
		STRESS_TEST(test_books_of_ending_threads_balance),
		STRESS_TEST(test_books_of_ending_threads_balance_with_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
