/*
 * rwlock_collide.c - a reader and a writer who come at the same moment, very often.
 *
 * What keeps them apart is a fence: the reader's own, or that of the writer's handshake. Where one
 * is missing, both are in at once perhaps once in a thousand meetings, if they are on two cores.
 */
#include "stress.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

struct pair {
	uint64_t first, second; /* the same, but while it is written */
	uint64_t pad[6];
};

static char name[64];
static struct ilk_rwlock_options kind = {.size = sizeof kind};
static int wants_bias; /* writes only what was read in peace */

static void go_to_core(unsigned worker)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)(worker % (unsigned)cores), &set);
	sched_setaffinity(0, sizeof set, &set);
}

static void pause_for(int n)
{
	for (int i = 0; i < n; i++)
		ilk_pause_();
}

/*
 * A try looks at the reader's mark before it takes the lock: so the reader's next mark is slow to
 * come out of his processor, and would be missed, were it not for the handshake. The state is
 * private, but nothing else tells that the lock is biased; 0: it was over before.
 */
static int begin_to_write(struct ilk_rwlock *l)
{
	int rc = -EBUSY;

	if (!wants_bias)
		rc = ilk_rwlock_write(l);
	while (rc == -EBUSY && !time_is_over())
		if (ilk_load_relaxed_(&l->state) == 0)
			rc = ilk_rwlock_try_write(l);
	CHECK(rc == 0 || rc == -EBUSY);
	return rc == 0;
}

static void write_pair(struct ilk_rwlock *l, struct pair *p, unsigned worker)
{
	if (!begin_to_write(l))
		return;
	ilk_store_relaxed_(&p->first, p->first + 1);
	pause_for(8);
	ilk_store_relaxed_(&p->second, p->second + 1);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	dawdle(worker, 8);
}

static void read_pair(struct ilk_rwlock *l, const struct pair *p)
{
	uint64_t second;

	CHECK_RC(ilk_rwlock_read(l), 0);
	second = ilk_load_relaxed_(&p->second);
	pause_for(8);
	CHECK(ilk_load_relaxed_(&p->first) == second);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

/* Worker 0 writes, worker 1 reads, each on a core of its own; the others are not needed. */
static void collide(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct tally *t = tally_of(worker);
	struct ilk_rwlock *l;
	void *block;

	CHECK_RC(ilk_rwlock_open(seg, "l", &kind, &l), 0);
	CHECK_RC(ilk_block_open(seg, "pair", sizeof(struct pair), &block), 0);
	go_to_core(worker);
	while (worker < 2 && !time_is_over())
		for (int i = 0; i < 100; i++, t->done++)
			if (worker == 0)
				write_pair(l, block, worker);
			else
				read_pair(l, block);
	ilk_segment_close(seg);
}

static void check_collisions(unsigned segment_flags, unsigned flags, int biased)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = segment_flags};
	struct ilk_segment *seg;

	SKIP_UNDER_TSAN();
	kind.flags = flags;
	wants_bias = biased;
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	run_undisturbed(collide);
	print_message("%lld writes, %lld reads\n", (long long)tally_of(0)->done,
		(long long)tally_of(1)->done);
	assert_true(tally_of(0)->done > 0 && tally_of(1)->done > 0);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_no_collision_with_fences(void **state)
{
	(void)state;
	check_collisions(0, 0, 0);
}

static void test_no_collision_when_the_bias_comes_and_goes(void **state)
{
	(void)state;
	check_collisions(0, 0, 1);
}

static void test_no_collision_in_a_fenced_segment(void **state)
{
	(void)state;
	check_collisions(ILK_SEGMENT_FENCED, 0, 0);
}

static void test_no_collision_with_cells(void **state)
{
	(void)state;
	check_collisions(0, ILK_RWLOCK_WRITES, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_no_collision_with_fences),
		STRESS_TEST(test_no_collision_when_the_bias_comes_and_goes),
		STRESS_TEST(test_no_collision_in_a_fenced_segment),
		STRESS_TEST(test_no_collision_with_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
