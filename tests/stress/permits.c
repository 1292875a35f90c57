/*
 * permits.c - never more than there are, and all back in the end, under random deaths.
 *
 * Each worker notes from when to when it held how many: from after an acquire until before the
 * release, or until it was killed. Laid over each other these never add up to more than there are:
 * else two held the same permit at once. In the end, with everybody gone, all are free.
 */
#include "stress.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIVE = 5, MOST = 3, ENTRIES = 20000 };

struct entry {
	int64_t from, to; /* to 0: still */
	int64_t count;
};

/* What one worker held, in memory that outlives it. */
struct history {
	uint64_t used;
	struct entry entries[ENTRIES];
};

static char name[64];
static struct ilk_permits_options five = {.size = sizeof five, .permits = FIVE};
static struct history *histories;

/* --- holding --- */

static struct entry *note_from(unsigned worker, unsigned count)
{
	struct history *h = &histories[worker];
	struct entry *e = &h->entries[h->used];

	if (h->used == ENTRIES)
		return NULL;
	e->count = count;
	e->from = ilk_now();
	ilk_store_release_(&h->used, h->used + 1);
	return e;
}

static void note_to(struct entry *e, int64_t now)
{
	if (e)
		e->to = now > e->from ? now : e->from;
}

/* It held what it held until it was killed. */
static void end_history(unsigned worker)
{
	struct history *h = &histories[worker];

	if (h->used && h->entries[h->used - 1].to == 0)
		note_to(&h->entries[h->used - 1], tally_of(worker)->killed);
}

static int acquire(struct ilk_permits *p, unsigned worker, unsigned n)
{
	uint64_t how = random_below(worker, 6);
	ilk_time since = ilk_now();
	int rc;

	if (how == 0)
		return ilk_permits_try_acquire(p, n);
	if (how == 1)
		return ilk_permits_acquire_until(
			p, n, since + (int64_t)random_below(worker, 300000));
	rc = ilk_permits_acquire_until(p, n, ilk_after_ms(ilk_test_limit_ms()));
	CHECK(rc != -ETIMEDOUT);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	return rc;
}

/* All at once, or one after the other. */
static void release(struct ilk_permits *p, unsigned worker, unsigned n)
{
	unsigned first = (unsigned)random_below(worker, n);

	if (first)
		CHECK_RC(ilk_permits_release(p, first), 0);
	CHECK_RC(ilk_permits_release(p, n - first), 0);
	/* Other threads of the process have some, perhaps. */
	if (!five.flags)
		CHECK_RC(ilk_permits_release(p, MOST), -EPERM);
}

static unsigned end_one_in; /* threads end in the midst of it; 0: never */

/* 1: the worker ends here. */
static int work_once(struct ilk_permits *p, unsigned worker)
{
	unsigned n = random_below(worker, 3) ? 1 : 1 + (unsigned)random_below(worker, MOST);
	int rc = acquire(p, worker, n);
	struct entry *e;

	if (rc == -EAGAIN || rc == -ETIMEDOUT)
		return 0;
	CHECK_RC(rc, 0);
	e = note_from(worker, n);
	dawdle(worker, 60);
	note_to(e, ilk_now());
	if (end_one_in && random_below(worker, end_one_in) == 0)
		return 1;
	release(p, worker, n);
	tally_of(worker)->done++;
	dawdle(worker, 30);
	return 0;
}

static struct ilk_permits *permits_in(struct ilk_segment *seg)
{
	struct ilk_permits *p;

	CHECK_RC(ilk_permits_open(seg, "permits", &five, &p), 0);
	return p;
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct ilk_permits *p = permits_in(seg);

	while (!time_is_over())
		work_once(p, worker);
	ilk_segment_close(seg);
}

static struct ilk_permits *common;

static void work_together(unsigned worker)
{
	while (!time_is_over() && !work_once(common, worker))
		continue;
}

/* --- was it ever too much? --- */

struct change {
	int64_t at, by;
};

static int compare(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	/* At the same moment, the end of one comes before the beginning of the next. */
	return x->at != y->at ? (x->at > y->at) - (x->at < y->at)
			      : (x->by > y->by) - (x->by < y->by);
}

static void check_histories(void)
{
	struct change *changes = calloc(2 * WORKERS * (size_t)ENTRIES, sizeof *changes);
	int64_t held = 0, most = 0;
	size_t n = 0;

	CHECK(changes != NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		for (uint64_t k = 0; k < histories[i].used; k++) {
			const struct entry *e = &histories[i].entries[k];

			changes[n++] = (struct change){e->from, e->count};
			changes[n++] = (struct change){e->to, -e->count};
		}
	qsort(changes, n, sizeof *changes, compare);
	for (size_t i = 0; i < n; i++) {
		held += changes[i].by;
		most = held > most ? held : most;
	}
	free(changes);
	print_message(
		"%zu holdings, %lld of %d held at a time at most\n", n / 2, (long long)most, FIVE);
	assert_int_equal(held, 0);
	assert_in_range(most, 1, FIVE);
}

/* --- crews --- */

static struct ilk_segment *begin(unsigned flags, unsigned segment_flags)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = segment_flags};

	if (!histories)
		histories = mmap(NULL, WORKERS * sizeof *histories, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(histories != MAP_FAILED);
	memset(histories, 0, WORKERS * sizeof *histories);
	five.flags = flags;
	strcpy(name, ilk_test_name(""));
	return support_create(name, &options);
}

static void check_and_remove(struct ilk_segment *seg)
{
	struct ilk_permits *p = permits_in(seg);
	long long done = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		done += tally_of(i)->done;
	print_message("%lld times released, %u back from the dead\n", done, p->recovered);
	check_histories();
	CHECK_RC(ilk_permits_try_acquire(p, FIVE), 0);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void run_storm(unsigned flags, unsigned segment_flags)
{
	struct ilk_segment *seg = begin(flags, segment_flags);

	end_one_in = 0;
	run_processes(work_apart, end_history);
	check_and_remove(seg);
}

static void test_permits_of_killed_processes_come_back(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	run_storm(0, 0);
}

static void test_permits_of_killed_owners_that_are_processes_come_back(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	run_storm(ILK_PERMITS_PROCESS, ILK_SEGMENT_FENCED);
}

static void test_permits_of_ending_threads_come_back(void **state)
{
	struct ilk_segment *seg = begin(0, 0);

	(void)state;
	common = permits_in(seg);
	end_one_in = 2000;
	run_threads(work_together);
	check_and_remove(seg);
}

static void test_permits_of_a_process_are_its_threads(void **state)
{
	struct ilk_segment *seg = begin(ILK_PERMITS_PROCESS, 0);

	(void)state;
	common = permits_in(seg);
	end_one_in = 0;
	run_threads(work_together);
	CHECK_RC(ilk_permits_release(common, 1), -EPERM);
	check_and_remove(seg);
}

/* --- at most two of five inside --- */

struct room {
	ILK_PERMITS(2) doors;
	int64_t inside, most;
};

static struct room *room;

static void go_in_and_out(struct ilk_segment *seg, unsigned index, void *arg)
{
	struct ilk_permits *doors = &room->doors.permits;
	int rounds = support_slow() ? 500 : 10000;

	(void)seg, (void)index, (void)arg;
	for (int i = 0; i < rounds; i++) {
		int64_t inside;

		CHECK_RC(ilk_permits_acquire(doors, 1), 0);
		inside = ilk_add_full_(&room->inside, 1) + 1;
		CHECK(inside <= 2);
		if (inside == 2)
			ilk_store_relaxed_(&room->most, inside);
		for (int k = 0; k < 20; k++)
			ilk_pause_();
		ilk_sub_full_(&room->inside, 1);
		CHECK_RC(ilk_permits_release(doors, 1), 0);
	}
}

static void test_at_most_two_of_five_are_inside(void **state)
{
	const struct ilk_permits_options two = {.size = sizeof two, .permits = 2};
	const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};
	struct ilk_segment *seg = begin(0, 0);
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "room", sizeof *room, &block), 0);
	room = block;
	CHECK_RC(ilk_permits_init(seg, &room->doors.permits, "doors", &two), 0);
	ilk_test_run(5, NULL, go_in_and_out, NULL, NULL);
	ilk_test_run(5, NULL, go_in_and_out, NULL, &threads);
	assert_int_equal(room->inside, 0);
	assert_true(room->most == 2 || support_slow());
	ilk_segment_close(seg);
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_permits_of_killed_processes_come_back),
		STRESS_TEST(test_permits_of_killed_owners_that_are_processes_come_back),
		STRESS_TEST(test_permits_of_ending_threads_come_back),
		STRESS_TEST(test_permits_of_a_process_are_its_threads),
		STRESS_TEST(test_at_most_two_of_five_are_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
