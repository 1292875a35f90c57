/*
 * mutex.c - mutual exclusion and balanced books, under random deaths.
 *
 * Each worker locks, notes in an undo record what it is about to change, changes two accounts and a
 * count one after the other, strikes the record out (that is the commit), and unlocks. Whoever is
 * told ILK_RECOVERED takes back what the dead had not committed. In the end the accounts balance,
 * and every commit that a worker could speak of is there.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

struct books {
	struct ilk_mutex mutex;
	uint64_t inside; /* the worker in it, + 1 */
	int64_t left, right;
	int64_t committed[WORKERS];
	int64_t recoveries;
	struct {
		uint32_t active, worker;
		int64_t left, right, committed;
	} undo;
};

static char name[64];

static struct books *books_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "books", sizeof(struct books), &block), 0);
	return block;
}

static void make_books(unsigned flags)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	CHECK_RC(ilk_mutex_init(seg, &books_in(seg)->mutex, "books", NULL), 0);
	ilk_segment_close(seg);
}

/* --- one transaction --- */

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
	b->inside = 0;
	CHECK_RC(ilk_mutex_repaired(&b->mutex), 0);
}

/* By lock, try or deadline, as chance has it. The result of what got it, or why it did not. */
static int acquire(struct books *b, unsigned worker)
{
	uint64_t how = random_below(worker, 8);
	ilk_time since = ilk_now();
	int rc;

	if (how == 0)
		return ilk_mutex_try_lock(&b->mutex);
	if (how == 1)
		return ilk_mutex_lock_until(
			&b->mutex, since + (int64_t)random_below(worker, 300000));
	rc = ilk_mutex_lock(&b->mutex);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	return rc;
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

/* With the mutex held. 1: the worker ends in the middle of it. */
static int update(struct books *b, unsigned worker)
{
	CHECK(b->inside == 0);
	b->inside = worker + 1;
	CHECK(b->left + b->right == 0);
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

static int transact(struct books *b, unsigned worker)
{
	int rc = acquire(b, worker);

	if (rc == -EBUSY || rc == -ETIMEDOUT)
		return 0;
	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED)
		take_back(b);
	if (update(b, worker)) {
		tally_of(worker)->deaths++;
		return 1;
	}
	CHECK_RC(ilk_mutex_unlock(&b->mutex), 0);
	tally_of(worker)->done++;
	dawdle(worker, 40);
	return 0;
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
	int rc = ilk_mutex_lock(&b->mutex);

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
	print_message("%lld commits, %lld deaths, %lld of them while holding\n",
		(long long)committed, (long long)deaths, (long long)b->recoveries);
	CHECK_RC(ilk_mutex_unlock(&b->mutex), 0);
}

static void check_and_remove(void)
{
	struct ilk_segment *seg = support_open(name);

	check_books(books_in(seg));
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_books_of_killed_processes_balance(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_books(0);
	end_one_in = 0;
	run_processes(work_apart, NULL);
	check_and_remove();
}

static void test_books_of_killed_processes_balance_when_fenced(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_books(ILK_SEGMENT_FENCED);
	end_one_in = 0;
	run_processes(work_apart, NULL);
	check_and_remove();
}

static void test_books_of_ending_threads_balance(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	make_books(0);
	seg = support_open(name);
	common = books_in(seg);
	end_one_in = 2000;
	run_threads(work_together);
	check_and_remove();
	ilk_segment_close(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_books_of_killed_processes_balance),
		STRESS_TEST(test_books_of_killed_processes_balance_when_fenced),
		STRESS_TEST(test_books_of_ending_threads_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
