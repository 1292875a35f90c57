/*
 * pool_programs.c - programs that know nothing of each other at one pool.
 *
 * They are executed, not forked: another binary, with the shared library, at other addresses. What
 * lies in the segment means the same to each.
 */
#include "pool_program.h"
#include "pool_fixture.h"

enum { CAPACITY = 32, FLIGHT = 12, ROUNDS = 12, RETRIES = 20 };

static unsigned char *weighed;

static void execute(void *role)
{
	execl(POOL_PROGRAM, "pool_program", name, role, (char *)NULL);
	ilk_test_fail(POOL_PROGRAM " cannot be executed");
}

static struct ilk_test_child *start(const char *role)
{
	return ilk_test_start(execute, (void *)(uintptr_t)role);
}

static void make_pool(void)
{
	CHECK_RC(ilk_object_remove(seg, "work"), 0);
	options.capacity = CAPACITY;
	options.workers = 6;
	options.retries = RETRIES;
	pool = pool_of("work");
	CHECK_RC(ilk_alloc(seg, PROGRAM_BYTES, (void **)&weighed), 0);
	for (int i = 0; i < PROGRAM_BYTES; i++)
		weighed[i] = (unsigned char)(i * 7);
}

static int is_named(void *function)
{
	int rc = ilk_pool_submit(pool, function, NULL, 0, NULL, ILK_NOW);

	CHECK(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

/* --- addresses --- */

static struct program_place place_of(const char *function)
{
	struct program_place place = {0, 0};
	struct ilk_future f = submitted(function, 0);

	CHECK_RC(ilk_future_get(&f, &place, sizeof place, NULL, ilk_after_ms(ilk_test_limit_ms())),
		0);
	return place;
}

static void end_all(struct ilk_test_child **child, int count)
{
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	for (int i = 0; i < count; i++)
		ilk_test_join(child[i]);
	/* The last of the killed may not have been missed yet. */
	CHECK(ilk_object_repair(seg, "work") >= 0);
	assert_int_equal(info_of(pool).workers, 0);
	check_valid();
}

/* One of each, who have said where they have the pool. */
static void start_both(struct ilk_test_child *child[2])
{
	child[0] = start("cube");
	child[1] = start("weigh");
	ilk_test_until(is_named, (void *)(uintptr_t) "where_cube");
	ilk_test_until(is_named, (void *)(uintptr_t) "where_weigh");
}

static void test_programs_see_the_pool_at_different_addresses(void **state)
{
	struct ilk_test_child *child[2];
	struct program_place one, other;

	(void)state;
	make_pool();
	start_both(child);
	one = place_of("where_cube");
	other = place_of("where_weigh");
	assert_true(one.pool && one.pool != (uintptr_t)pool);
	assert_true(other.pool && other.pool != (uintptr_t)pool);
	/* Nor are both where a fork of one would be. */
	assert_true(one.pool != other.pool || one.code != other.code);
	end_all(child, 2);
}

/* --- deaths --- */

struct flight {
	struct ilk_future f[FLIGHT];
	int64_t right[FLIGHT];
};

/* Every second one a cube; the others weigh a part each. */
static void submit_all(struct flight *a)
{
	for (int i = 0; i < FLIGHT; i++) {
		size_t part = PROGRAM_BYTES / FLIGHT, at = part * (size_t)i;

		if (i % 2 == 0) {
			a->f[i] = submitted("cube", i - 3);
			a->right[i] = cube_of(i - 3);
			continue;
		}
		CHECK_RC(ilk_pool_submit_in_place(
				 pool, "weigh", weighed + at, part, &a->f[i], ILK_NOW),
			0);
		a->right[i] = weight_of(weighed + at, part);
	}
}

static void get_all(struct flight *a)
{
	for (int i = 0; i < FLIGHT; i++)
		assert_int_equal(got(&a->f[i]), a->right[i]);
}

static int is_running(void *arg)
{
	return arg && info_of(pool).running > 0;
}

static void replace(struct ilk_test_child **child, const char *role)
{
	ilk_test_kill(*child);
	*child = start(role);
}

/* With the ROUND, another one is killed, or stands still for a while. */
static void disturb(struct ilk_test_child **child, int round, struct flight *a)
{
	static const char *const roles[] = {"cube", "weigh", "submit"};

	if (round % 4 < 3) {
		replace(&child[round % 4], roles[round % 4]);
		return;
	}
	/* The weights are not held up by that. */
	ilk_test_stop(child[0]);
	for (int i = 1; i < FLIGHT; i += 2)
		assert_int_equal(got(&a->f[i]), a->right[i]);
	ilk_test_continue(child[0]);
	for (int i = 0; i < FLIGHT; i += 2)
		assert_int_equal(got(&a->f[i]), a->right[i]);
}

static void test_programs_share_a_pool_whoever_of_them_is_killed(void **state)
{
	struct ilk_test_child *child[3];
	struct flight a;

	(void)state;
	make_pool();
	start_both(child);
	child[2] = start("submit");
	for (int round = 0; round < ROUNDS; round++) {
		submit_all(&a);
		ilk_test_until(is_running, pool);
		disturb(child, round, &a);
		if (round % 4 < 3)
			get_all(&a);
	}
	end_all(child, 3);
	assert_int_equal(info_of(pool).died, 0);
	assert_int_equal(info_of(pool).failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_programs_see_the_pool_at_different_addresses),
		POOL_TEST(test_programs_share_a_pool_whoever_of_them_is_killed),
	};

	return RUN_POOL_TESTS(tests);
}
