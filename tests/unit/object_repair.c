/* object_repair.c - what the dead left in an object, put right by its name. */
#include "segment_fixture.h"
#include <errno.h>
#include <string.h>

static const struct ilk_permits_options five = {.size = sizeof five, .permits = 5};

static struct ilk_permits *permits(void)
{
	struct ilk_permits *p = NULL;

	CHECK_RC(ilk_permits_open(seg, "p", &five, &p), 0);
	return p;
}

static void hold_and_die(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_permits_acquire(permits(), 3), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static struct ilk_test_child *start_holder(void)
{
	struct ilk_test_child *child = ilk_test_start(hold_and_die, NULL);

	ilk_test_await(0);
	return child;
}

static void test_repair_of_a_mutex_of_the_dead_frees_it_and_keeps_the_news(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_test_child *holder = start_holder();
	struct ilk_mutex_owner owner;

	(void)state;
	CHECK_RC(ilk_object_repair(seg, "m"), 0);
	ilk_test_kill(holder);
	CHECK_RC(ilk_object_repair(seg, "m"), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	CHECK(owner.holder == ILK_HELD_BY_NOBODY && owner.damaged);
	CHECK_RC(ilk_object_repair(seg, "m"), 0);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_object_repair(seg, "m"), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_repair_brings_the_permits_of_the_dead_back(void **state)
{
	struct ilk_permits *p = permits();
	struct ilk_test_child *holder = start_holder();
	unsigned before = p->recovered;

	(void)state;
	CHECK_RC(ilk_object_repair(seg, "p"), 0);
	ilk_test_kill(holder);
	CHECK_RC(ilk_object_repair(seg, "p"), ILK_RECOVERED);
	CHECK(p->recovered == before + 3);
	CHECK_RC(ilk_object_repair(seg, "p"), 0);
	CHECK_RC(ilk_permits_try_acquire(p, 5), 0);
	CHECK_RC(ilk_permits_release(p, 5), 0);
}

static void test_repair_of_a_kind_that_the_dead_leave_nothing_in_is_0(void **state)
{
	(void)state;
	support_counter(seg, "c");
	CHECK_RC(ilk_object_repair(seg, "c"), 0);
}

static void test_repair_of_what_cannot_be_repaired_says_why(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *reader;
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_mutex before = *m;

	(void)state;
	CHECK_RC(ilk_object_repair(seg, "nobody's"), -ENOENT);
	CHECK_RC(ilk_object_repair(seg, ""), -EINVAL);
	CHECK_RC(ilk_object_repair(seg, NULL), -EINVAL);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &reader), 0);
	CHECK_RC(ilk_object_repair(reader, "m"), -EROFS);
	ilk_segment_close(reader);
	m->tag = 0x1234;
	CHECK_RC(ilk_object_repair(seg, "m"), -EBADMSG);
	CHECK(strstr(ilk_last_error(), "tag") != NULL);
	*m = before;
	CHECK_RC(ilk_object_repair(seg, "m"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_repair_of_a_mutex_of_the_dead_frees_it_and_keeps_the_news),
		SEGMENT_TEST(test_repair_brings_the_permits_of_the_dead_back),
		SEGMENT_TEST(test_repair_of_a_kind_that_the_dead_leave_nothing_in_is_0),
		SEGMENT_TEST(test_repair_of_what_cannot_be_repaired_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
