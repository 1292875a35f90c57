/* attach.c - two attachments of one process, closing under sleepers, attaching again. */
#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char name[64];
static struct ilk_segment *one, *two;

static int attach_setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	two = NULL;
	return ilk_segment_create(name, NULL, &one);
}

static int attach_teardown(void **state)
{
	ilk_segment_close(one);
	ilk_segment_close(two);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define ATTACH_TEST(f) cmocka_unit_test_setup_teardown(f, attach_setup, attach_teardown)

/* --- twice --- */

static void test_two_attachments_are_one_identity(void **state)
{
	struct ilk_mutex *first, *second;
	struct ilk_mutex_owner owner;

	(void)state;
	two = support_open(name);
	first = support_mutex(one, "m");
	second = support_mutex(two, "m");
	assert_ptr_not_equal(first, second);
	CHECK_RC(ilk_mutex_lock(first), 0);
	CHECK_RC(ilk_mutex_lock(second), -EDEADLK);
	CHECK_RC(ilk_mutex_owner(second, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_ME);
	CHECK_RC(ilk_mutex_unlock(second), 0);
	CHECK_RC(ilk_mutex_unlock(first), -EPERM);
	CHECK_RC(ilk_mutex_lock(second), 0);
	CHECK_RC(ilk_mutex_unlock(first), 0);
}

static int count_processes(void)
{
	struct ilk_inspection *in;
	int count;

	CHECK_RC(ilk_inspect(name, &in), 0);
	count = (int)in->process_count;
	ilk_inspection_free(in);
	return count;
}

static void test_two_attachments_take_one_process_slot(void **state)
{
	(void)state;
	two = support_open(name);
	assert_int_equal(count_processes(), 1);
	ilk_segment_close(two);
	two = NULL;
	assert_int_equal(count_processes(), 1);
	ilk_segment_close(one);
	one = NULL;
	assert_int_equal(count_processes(), 0);
}

static void test_close_of_one_keeps_what_is_held_through_both(void **state)
{
	struct ilk_mutex *first, *second;

	(void)state;
	two = support_open(name);
	first = support_mutex(one, "m");
	second = support_mutex(two, "n");
	CHECK_RC(ilk_mutex_lock(first), 0);
	CHECK_RC(ilk_mutex_lock(second), 0);
	ilk_segment_close(one);
	one = NULL;
	first = support_mutex(two, "m");
	CHECK_RC(ilk_mutex_lock(first), -EDEADLK);
	CHECK_RC(ilk_mutex_unlock(first), 0);
	CHECK_RC(ilk_mutex_unlock(second), 0);
}

static void *share_through_two(void *arg)
{
	struct ilk_mutex *m = support_mutex(two, "m");
	uint64_t *value = arg;

	for (int i = 0; i < 20000; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		++*value;
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
	return NULL;
}

static void test_two_attachments_exclude_each_other(void **state)
{
	struct ilk_mutex *m = support_mutex(one, "m");
	uint64_t value = 0;
	pthread_t thread;

	(void)state;
	two = support_open(name);
	/* ThreadSanitizer takes one memory at two addresses for two mutexes. */
	SKIP_UNDER_TSAN();
	assert_int_equal(pthread_create(&thread, NULL, share_through_two, &value), 0);
	for (int i = 0; i < 20000; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		value++;
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(value, 40000);
}

/* --- close under sleepers --- */

static void *lock_until_cancelled(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), -ECANCELED);
	ilk_test_say(1);
	return NULL;
}

static void hold_for_ever(void *arg)
{
	struct ilk_segment *own = support_open(arg);

	CHECK_RC(ilk_mutex_lock(support_mutex(own, "m")), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_close_while_threads_sleep_is_ECANCELED_for_them(void **state)
{
	enum { SLEEPERS = 4 };
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, name);
	struct ilk_mutex *m = support_mutex(one, "m");
	pthread_t threads[SLEEPERS];

	(void)state;
	ilk_test_await(0);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, lock_until_cancelled, m), 0);
	ilk_test_await_sleepers(name, SLEEPERS);
	ilk_segment_close(one);
	one = NULL;
	/* None is inside any more: the mapping is gone, and they have not touched it since. */
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	one = support_open(name);
	CHECK_RC(ilk_mutex_try_lock(support_mutex(one, "m")), -EBUSY);
	ilk_test_kill(holder);
	CHECK_RC(ilk_mutex_lock(support_mutex(one, "m")), ILK_RECOVERED);
}

static void *lock_in_two(void *arg)
{
	CHECK_RC(ilk_mutex_lock(arg), 0);
	CHECK_RC(ilk_mutex_unlock(arg), 0);
	return NULL;
}

static void test_close_of_one_attachment_lets_sleepers_in_the_other_sleep(void **state)
{
	struct ilk_mutex *m = support_mutex(one, "m");
	pthread_t thread;

	(void)state;
	two = support_open(name);
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(pthread_create(&thread, NULL, lock_in_two, support_mutex(two, "m")), 0);
	ilk_test_await_sleepers(name, 1);
	ilk_segment_close(one);
	one = NULL;
	CHECK_RC(ilk_mutex_unlock(support_mutex(two, "m")), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* --- one is used while another is closed --- */

static struct ilk_mutex *offered; /* of the segment that will be closed; NULL: it was used */

static void *use_offered_and_look_at(void *mutex)
{
	struct ilk_mutex_owner owner;

	while (!ilk_test_was_said(0)) {
		struct ilk_mutex *m = ilk_load_acquire_(&offered);

		if (m) {
			CHECK_RC(ilk_mutex_lock(m), 0);
			CHECK_RC(ilk_mutex_unlock(m), 0);
			ilk_store_release_(&offered, NULL);
		}
		CHECK_RC(ilk_mutex_owner(mutex, &owner), 0);
		CHECK(owner.holder == ILK_HELD_BY_LIVING);
		for (int i = 0; i < 20; i++)
			ilk_pause_(); /* so that the other one gets on, too */
	}
	return NULL;
}

static void open_offer_and_close(const char *other)
{
	struct ilk_segment *seg = support_open(other);

	ilk_store_release_(&offered, support_mutex(seg, "m"));
	while (ilk_load_acquire_(&offered))
		usleep(20);
	ilk_segment_close(seg);
}

static void test_owner_while_another_segment_is_closed_is_right(void **state)
{
	const ilk_time deadline = ilk_after_ms(400);
	struct ilk_mutex *m = support_mutex(one, "m");
	pthread_t thread;
	char other[64];
	int rounds = 0;

	(void)state;
	strcpy(other, ilk_test_name("b"));
	ilk_segment_close(support_create(other, NULL));
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(pthread_create(&thread, NULL, use_offered_and_look_at, m), 0);
	for (; ilk_now() < deadline; rounds++)
		open_offer_and_close(other);
	ilk_test_say(0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("%d rounds\n", rounds);
	support_unlink(other);
}

/* --- again --- */

static void be_a_member(void *arg)
{
	struct ilk_segment *own = support_open(arg);

	CHECK_RC(ilk_mutex_lock(support_mutex(own, "taken")), 0);
	CHECK_RC(ilk_counter_add(support_counter(own, "c"), 1), 0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

/* SEG's mutex "m", made after the same objects in each segment: it lies at the same place. */
static struct ilk_mutex *mutex_at_the_same_place(struct ilk_segment *seg)
{
	support_counter(seg, "c");
	return support_mutex(seg, "m");
}

static void check_mutex_is_mine(struct ilk_mutex *m)
{
	struct ilk_mutex_owner owner;

	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_ME);
	assert_int_equal(owner.pid, getpid());
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_another_segment_at_the_same_address_is_another(void **state)
{
	struct ilk_mutex *m = mutex_at_the_same_place(one), *again;
	struct ilk_test_child *member;
	char other[64];

	(void)state;
	check_mutex_is_mine(m);
	strcpy(other, ilk_test_name("b"));
	two = support_create(other, NULL);
	mutex_at_the_same_place(two);
	ilk_segment_close(two);
	/* There, another has the slots that were ours here. */
	member = ilk_test_start(be_a_member, other);
	ilk_test_await(2);
	ilk_segment_close(one);
	one = support_open(other);
	again = mutex_at_the_same_place(one);
	two = NULL;
	if (again != m)
		print_message("not at the same address: %p, before %p\n", (void *)again, (void *)m);
	check_mutex_is_mine(again);
	ilk_test_kill(member);
	CHECK_RC(ilk_mutex_lock(support_mutex(one, "taken")), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(support_mutex(one, "taken")), 0);
	support_unlink(other);
}

static void test_the_same_segment_again_at_the_same_address_works(void **state)
{
	struct ilk_mutex *m;

	(void)state;
	for (int i = 0; i < 100; i++) {
		m = support_mutex(one, "m");
		CHECK_RC(ilk_mutex_lock(m), 0);
		CHECK_RC(ilk_mutex_unlock(m), 0);
		ilk_segment_close(one);
		one = support_open(name);
	}
	m = support_mutex(one, "m");
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_segment_close(one);
	one = support_open(name);
	/* Closed while holding: left as the dead do, though it was this very thread. */
	CHECK_RC(ilk_mutex_lock(support_mutex(one, "m")), ILK_RECOVERED);
}

static void test_10000_attach_and_close_leave_nothing_behind(void **state)
{
	const int rounds = support_slow() ? 500 : 10000;
	int descriptors, mappings;
	ilk_time began;

	(void)state;
	ilk_segment_close(support_open(name));
	descriptors = ilk_test_count_descriptors();
	mappings = ilk_test_count_mappings();
	began = ilk_now();
	ilk_segment_close(one);
	one = NULL;
	for (int i = 0; i < rounds; i++) {
		struct ilk_segment *seg = support_open(name);

		CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
		ilk_segment_close(seg);
	}
	print_message("%d times attach and close: %.1f us each\n", rounds,
		(double)(ilk_now() - began) / 1000 / rounds);
	one = support_open(name);
	assert_int_equal(ilk_counter_read(support_counter(one, "c")), rounds);
	assert_int_equal(ilk_test_count_descriptors(), descriptors);
	assert_int_equal(ilk_test_count_mappings(), mappings);
	assert_int_equal(count_processes(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACH_TEST(test_two_attachments_are_one_identity),
		ATTACH_TEST(test_two_attachments_take_one_process_slot),
		ATTACH_TEST(test_close_of_one_keeps_what_is_held_through_both),
		ATTACH_TEST(test_two_attachments_exclude_each_other),
		ATTACH_TEST(test_close_while_threads_sleep_is_ECANCELED_for_them),
		ATTACH_TEST(test_close_of_one_attachment_lets_sleepers_in_the_other_sleep),
		ATTACH_TEST(test_owner_while_another_segment_is_closed_is_right),
		ATTACH_TEST(test_another_segment_at_the_same_address_is_another),
		ATTACH_TEST(test_the_same_segment_again_at_the_same_address_works),
		ATTACH_TEST(test_10000_attach_and_close_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
