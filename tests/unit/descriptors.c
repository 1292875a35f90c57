/*
 * descriptors.c - closefrom(3): programs that close what is not theirs, and reuse the numbers.
 *
 * Who does that must not look dead to others, and must not take others for dead or for alive
 * because another file now has the number that the segment's had. Segments that have no name, or
 * no longer: descriptors_nameless.c.
 */
#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closes all descriptors but the standard ones. */
static void close_all(void)
{
	closefrom(3);
}

static void hold_and_close_all(void *arg)
{
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	close_all();
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_closefrom_while_holding_is_no_death(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_and_close_all, NULL);
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)state;
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(100)), -ETIMEDOUT);
	ilk_test_say(1);
	ilk_test_await(2);
	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	ilk_test_kill(child);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void hold_close_all_and_let_go(void *arg)
{
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	close_all();
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void wait_and_take(void *arg)
{
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_others_wait_for_one_who_closed_all_and_get_it(void **state)
{
	struct ilk_test_child *holder = ilk_test_start(hold_close_all_and_let_go, NULL), *waiter;

	(void)state;
	ilk_test_await(0);
	waiter = ilk_test_start(wait_and_take, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	/* Several looks at the holder's life. */
	ilk_test_sleep_ms(100);
	ilk_test_say(1);
	ilk_test_join(holder);
	ilk_test_join(waiter);
}

/* --- asking for others afterwards --- */

static void hold_other(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "other's")), 0);
	ilk_test_say(10);
	ilk_test_sleep_for_ever();
}

static enum ilk_holder holder_of(struct ilk_mutex *m)
{
	struct ilk_mutex_owner owner;

	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	return owner.holder;
}

/* Sees the living alive, then (once told that it was killed) the dead dead. */
static void judge(void)
{
	struct ilk_mutex *m = support_mutex(seg, "other's");

	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(60)), -ETIMEDOUT);
	CHECK(holder_of(m) == ILK_HELD_BY_LIVING);
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK(holder_of(m) == ILK_HELD_BY_DEAD);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(ilk_test_limit_ms() / 2)), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

/* Runs JUDGE_SO in a child, and kills the one it judges when it has said 0. */
static void check_judgement(void (*judge_so)(void *arg))
{
	struct ilk_test_child *holder = ilk_test_start(hold_other, NULL), *judging;

	ilk_test_await(10);
	judging = ilk_test_start(judge_so, NULL);
	ilk_test_await(0);
	ilk_test_kill(holder);
	ilk_test_say(1);
	ilk_test_join(judging);
}

static void close_all_and_judge(void *arg)
{
	(void)arg;
	/* A member before it closes all. */
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	close_all();
	judge();
}

static void test_who_closed_all_tells_living_from_dead(void **state)
{
	(void)state;
	check_judgement(close_all_and_judge);
}

static void reuse_numbers_and_judge(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "mine")), 0);
	close_all();
	for (int i = 0; i < 60; i++)
		CHECK(open(i % 2 ? "/dev/null" : "/proc/self/exe", O_RDONLY | O_CLOEXEC) >= 0);
	judge();
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "mine")), 0);
	/* Closing the segment leaves the others' files open. */
	CHECK(ilk_test_count_descriptors() > 60);
	ilk_segment_close(seg);
	for (int fd = 3; fd < 63; fd++)
		CHECK(fcntl(fd, F_GETFD) >= 0);
}

static void test_who_reused_the_numbers_tells_living_from_dead(void **state)
{
	(void)state;
	check_judgement(reuse_numbers_and_judge);
}

/* The first descriptor of this process that is open on the segment NAME. */
static int descriptor_of(const char *name)
{
	struct stat wanted, found;

	CHECK(stat(support_path(name), &wanted) == 0);
	for (int fd = 3; fd < 200; fd++)
		if (fstat(fd, &found) == 0 && found.st_ino == wanted.st_ino &&
			found.st_dev == wanted.st_dev)
			return fd;
	ilk_test_fail("no descriptor is open on %s", name);
}

static void reuse_number_for_another_segment_and_judge(void *arg)
{
	const struct ilk_segment_options many = {.size = sizeof many, .processes = 8};
	struct ilk_segment *other;
	int fd = descriptor_of(ilk_test_name(""));

	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "mine")), 0);
	close_all();
	for (int below = 3; below < fd; below++)
		CHECK(open("/dev/null", O_RDONLY) == below);
	other = support_create(ilk_test_name("b"), &many);
	CHECK(descriptor_of(ilk_test_name("b")) == fd);
	judge();
	ilk_segment_close(other);
}

/* One of those who make each process slot of "b" that of somebody alive. */
static void be_in_b(void *arg)
{
	const struct ilk_segment_options many = {.size = sizeof many, .processes = 8};

	support_create(ilk_test_name("b"), &many);
	ilk_test_say(*(unsigned *)arg);
	ilk_test_sleep_for_ever();
}

static void test_a_number_reused_for_another_segment_does_not_mislead(void **state)
{
	unsigned steps[7];

	(void)state;
	/* With 7 members in "b" and the judging one, each slot up to 7 is alive there. */
	for (unsigned i = 0; i < 7; i++) {
		steps[i] = 20 + i;
		ilk_test_start(be_in_b, &steps[i]);
		ilk_test_await(steps[i]);
	}
	check_judgement(reuse_number_for_another_segment_and_judge);
	support_unlink(ilk_test_name("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_closefrom_while_holding_is_no_death),
		SEGMENT_TEST(test_others_wait_for_one_who_closed_all_and_get_it),
		SEGMENT_TEST(test_who_closed_all_tells_living_from_dead),
		SEGMENT_TEST(test_who_reused_the_numbers_tells_living_from_dead),
		SEGMENT_TEST(test_a_number_reused_for_another_segment_does_not_mislead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
