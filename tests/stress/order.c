/*
 * order.c - lock-order history under load: it says just what was done, and of an order that nobody
 * ever violates no inversion.
 *
 * Each worker takes a random set of the locks, in the order of their numbers, some by trying, some of the
 * rwlocks to read, and lets them go in any order. It counts each pair that it asks for; in the end the
 * table must have the sums. Where workers are killed it may have one more for each pair and death.
 */
#include "stress.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { LOCKS = 8, FIRST_RWLOCK = 5, MOST_HELD = 5 };

static char name[64];
static struct ilk_segment *common;

/* What the workers have asked for, in memory that outlives them. */
struct model {
	uint64_t pairs[WORKERS][LOCKS][LOCKS];
};
static struct model *model;

/* One worker's view. */
struct locks {
	struct ilk_mutex *m[FIRST_RWLOCK];
	struct ilk_rwlock *l[LOCKS - FIRST_RWLOCK];
};

static void open_locks(struct ilk_segment *seg, struct locks *k)
{
	char lock[16];

	for (int i = 0; i < LOCKS; i++) {
		snprintf(lock, sizeof lock, "%d", i);
		if (i < FIRST_RWLOCK)
			k->m[i] = support_mutex(seg, lock);
		else
			CHECK_RC(ilk_rwlock_open(seg, lock, NULL, &k->l[i - FIRST_RWLOCK]), 0);
	}
}

static int took(int rc)
{
	if (rc != -EBUSY && rc != ILK_RECOVERED)
		CHECK_RC(rc, 0);
	return rc >= 0;
}

/* By HOW: 0 tries, 1 to read where that can be, else for itself. Has it been taken? */
static int take(struct locks *k, int i, uint64_t how)
{
	struct ilk_rwlock *l = i < FIRST_RWLOCK ? NULL : k->l[i - FIRST_RWLOCK];

	if (!l)
		return took(how ? ilk_mutex_lock(k->m[i]) : ilk_mutex_try_lock(k->m[i]));
	if (how == 1)
		return took(ilk_rwlock_read(l));
	return took(how ? ilk_rwlock_write(l) : ilk_rwlock_try_write(l));
}

static void let_go(struct locks *k, int i)
{
	if (i < FIRST_RWLOCK)
		CHECK_RC(ilk_mutex_unlock(k->m[i]), 0);
	else
		CHECK_RC(ilk_rwlock_unlock(k->l[i - FIRST_RWLOCK]), 0);
}

static void ask(unsigned worker, const int *held, int count, int i)
{
	for (int k = 0; k < count; k++)
		model->pairs[worker][held[k]][i]++;
}

static void take_some(struct locks *k, unsigned worker)
{
	int held[MOST_HELD], count = 0;

	for (int i = 0; i < LOCKS && count < MOST_HELD; i++) {
		uint64_t how = random_below(worker, 4);

		if (random_below(worker, 2))
			continue;
		if (how)
			ask(worker, held, count, i);
		if (take(k, i, how))
			held[count++] = i;
	}
	while (count) {
		int which = (int)random_below(worker, (uint64_t)count);

		let_go(k, held[which]);
		held[which] = held[--count];
	}
	tally_of(worker)->done++;
}

static void work_in(struct ilk_segment *seg, unsigned worker)
{
	struct locks k;

	open_locks(seg, &k);
	while (!time_is_over())
		take_some(&k, worker);
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	work_in(seg, worker);
	ilk_segment_close(seg);
}

static void work_together(unsigned worker)
{
	work_in(common, worker);
}

/* --- the end --- */

static uint64_t modelled(int first, int then)
{
	uint64_t sum = 0;

	for (int i = 0; i < WORKERS; i++)
		sum += model->pairs[i][first][then];
	return sum;
}

static uint64_t recorded(const struct ilk_inspection *in, int first, int then)
{
	char names[2][16];

	snprintf(names[0], sizeof names[0], "%d", first);
	snprintf(names[1], sizeof names[1], "%d", then);
	for (size_t i = 0; i < in->order_count; i++)
		if (strcmp(in->orders[i].first_name, names[0]) == 0 &&
			strcmp(in->orders[i].then_name, names[1]) == 0)
			return in->orders[i].count;
	return 0;
}

/* DEATHS: each can have left one pair counted here, and not there, or the other way round. */
static void check_table(uint64_t deaths)
{
	struct ilk_inspection *in;

	CHECK_RC(ilk_inspect(name, &in), 0);
	assert_int_equal(in->orders_lost + in->held_lost, 0);
	for (int first = 0; first < LOCKS; first++)
		for (int then = 0; then < LOCKS; then++) {
			uint64_t there = recorded(in, first, then), ours = modelled(first, then);

			if (first >= then && there)
				ilk_test_fail("%d before %d, %llu times: nobody did that", first,
					then, (unsigned long long)there);
			if (there > ours || ours - there > deaths)
				ilk_test_fail("%d before %d: %llu, and it was %llu times", first,
					then, (unsigned long long)there, (unsigned long long)ours);
		}
	ilk_inspection_free(in);
	CHECK_RC(ilk_segment_valid(common), 0);
}

static void begin(unsigned flags)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = flags | ILK_SEGMENT_ORDER};
	struct locks k;

	strcpy(name, ilk_test_name(""));
	common = support_create(name, &options);
	open_locks(common, &k);
	model = mmap(
		NULL, sizeof *model, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(model != MAP_FAILED);
}

static void end(uint64_t deaths)
{
	uint64_t done = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		done += (uint64_t)tally_of(i)->done;
	print_message("%llu rounds\n", (unsigned long long)done);
	check_table(deaths);
	munmap(model, sizeof *model);
	ilk_segment_close(common);
	support_unlink(name);
}

static void test_processes_leave_just_what_they_did(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	begin(0);
	run_undisturbed(work_apart);
	end(0);
}

static void test_threads_leave_just_what_they_did(void **state)
{
	(void)state;
	begin(ILK_SEGMENT_FENCED);
	run_threads(work_together);
	end(0);
}

static void test_killed_processes_leave_no_more_than_they_did(void **state)
{
	int killed;

	(void)state;
	SKIP_UNDER_TSAN();
	begin(0);
	killed = run_processes(work_apart, NULL);
	print_message("%d killed\n", killed);
	end((uint64_t)killed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_processes_leave_just_what_they_did),
		STRESS_TEST(test_threads_leave_just_what_they_did),
		STRESS_TEST(test_killed_processes_leave_no_more_than_they_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
