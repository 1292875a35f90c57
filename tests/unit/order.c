/* order.c - which pairs of locks a segment with lock-order history remembers, and which not. */
#include "order_fixture.h"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* --- what makes a pair --- */

static void test_opposite_orders_that_never_met_are_both_seen(void **state)
{
	const struct ilk_order_info *o;

	(void)state;
	CHECK_RC(support_in_thread(lock_a_then_b, NULL), 0);
	CHECK_RC(support_in_thread(lock_b_then_a, NULL), 0);
	CHECK_RC(support_in_thread(lock_b_then_a, NULL), 0);
	look();
	assert_int_equal(in->order, 1);
	assert_int_equal(in->order_count, 2);
	o = order("a", "b");
	assert_non_null(o);
	assert_int_equal(o->count, 1);
	assert_int_equal(o->others, 0);
	assert_int_equal(o->pid, getpid());
	assert_true(o->tid != 0 && o->joined > 0 && o->first_seen >= o->joined);
	assert_int_equal(o->ways, ILK_ORDER_LOCK_LOCK);
	assert_string_equal(o->first_type, "mutex");
	assert_string_equal(o->then_type, "mutex");
	assert_string_equal(in->objects[o->first].name, "a");
	assert_string_equal(in->objects[o->then].name, "b");
	o = order("b", "a");
	assert_non_null(o);
	assert_int_equal(o->count, 2);
	/* The slot and its generation are the same, the thread is another. */
	assert_int_equal(o->others, 1);
}

static void child_locks(void *arg)
{
	struct ilk_segment *own = support_open(arg);

	lock_both(support_mutex(own, "b"), support_mutex(own, "a"));
	ilk_segment_close(own);
	ilk_segment_close(seg);
}

static void test_opposite_orders_of_processes_are_both_seen(void **state)
{
	char name[64];
	struct ilk_test_child *child;
	pid_t pid;

	(void)state;
	strcpy(name, ilk_test_name(""));
	lock_both(a, b);
	child = ilk_test_start(child_locks, name);
	pid = child->pid;
	ilk_test_join(child);
	look();
	assert_int_equal(order("a", "b")->pid, getpid());
	assert_int_equal(order("b", "a")->pid, pid);
	assert_int_equal(in->order_count, 2);
}

static void child_locks_as_it_is(void *arg)
{
	(void)arg;
	lock_both(b, a);
}

static void test_a_forked_child_holds_nothing_of_its_parents(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(c), 0);
	ilk_test_in_child(child_locks_as_it_is, NULL);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	assert_int_equal(times("b", "a"), 1);
	assert_int_equal(in->order_count, 1);
}

static void test_three_locks_make_three_pairs(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(a), 0);
	lock_both(b, c);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	assert_int_equal(times("a", "b"), 1);
	assert_int_equal(times("a", "c"), 1);
	assert_int_equal(times("b", "c"), 1);
	assert_int_equal(in->order_count, 3);
}

static void test_unlock_out_of_order_forgets_that_lock_only(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_mutex_lock(b), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	CHECK_RC(ilk_mutex_lock(c), 0);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	assert_int_equal(times("a", "b"), 1);
	assert_int_equal(times("b", "c"), 1);
	assert_int_equal(in->order_count, 2);
}

/* --- what makes none --- */

static void test_try_locks_are_held_but_ask_for_nothing(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_mutex_try_lock(b), 0);
	CHECK_RC(ilk_rwlock_try_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_try_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	look();
	assert_int_equal(in->order_count, 0);
	CHECK_RC(ilk_mutex_lock(c), 0);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	assert_int_equal(times("b", "c"), 1);
	assert_int_equal(in->order_count, 2);
}

static int hold_b_for_a_while(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(b), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	return 0;
}

static void *hold_b(void *arg)
{
	hold_b_for_a_while(arg);
	return NULL;
}

static void test_a_timed_lock_asks_even_in_vain(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, hold_b, NULL), 0);
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_mutex_lock_until(b, ILK_NOW), -ETIMEDOUT);
	assert_int_equal(times("a", "b"), 0);
	CHECK_RC(ilk_mutex_lock_until(b, ilk_after_ms(20)), -ETIMEDOUT);
	assert_int_equal(times("a", "b"), 1);
	assert_string_equal(held_by(gettid()), "a");
	CHECK_RC(ilk_mutex_unlock(a), 0);
	ilk_test_say(1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(in->order_count, 1);
}

static void test_locking_once_more_asks_for_nothing(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_lock(a), -EDEADLK);
	CHECK_RC(ilk_mutex_lock(b), 0);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	assert_int_equal(times("recursive", "a"), 1);
	assert_int_equal(times("recursive", "b"), 1);
	assert_int_equal(times("a", "b"), 1);
	assert_int_equal(in->order_count, 3);
}

/* --- rwlocks --- */

static void read_then(struct ilk_mutex *then)
{
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	lock_both(then, c);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

static void test_rwlocks_tell_reading_from_writing(void **state)
{
	const struct ilk_order_info *o;

	(void)state;
	read_then(a);
	look();
	o = order("l", "a");
	assert_int_equal(o->ways, ILK_ORDER_READ_LOCK);
	assert_string_equal(o->first_type, "rwlock");
	CHECK_RC(ilk_rwlock_write(l), 0);
	lock_both(a, c);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	look();
	assert_int_equal(order("l", "a")->ways, ILK_ORDER_READ_LOCK | ILK_ORDER_LOCK_LOCK);
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	look();
	assert_int_equal(order("a", "l")->ways, ILK_ORDER_LOCK_READ);
	assert_string_equal(order("a", "l")->then_type, "rwlock");
}

static void test_downgrade_goes_on_as_reading(void **state)
{
	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	look();
	assert_int_equal(in->held_count, 1);
	assert_string_equal(in->held[0].how, "writes");
	CHECK_RC(ilk_rwlock_downgrade(l), 0);
	look();
	assert_int_equal(in->held_count, 1);
	assert_string_equal(in->held[0].how, "reads");
	lock_both(a, c);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	look();
	assert_int_equal(in->held_count, 0);
	assert_int_equal(order("l", "a")->ways, ILK_ORDER_READ_LOCK);
}

static void test_two_reads_are_READ_READ(void **state)
{
	struct ilk_rwlock *other;

	(void)state;
	CHECK_RC(ilk_rwlock_open(seg, "other", NULL, &other), 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_read_until(other, ilk_after_ms(10)), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_unlock(other), 0);
	look();
	assert_int_equal(order("l", "other")->ways, ILK_ORDER_READ_READ);
	assert_int_equal(in->order_count, 1);
}

/* --- conditions --- */

static void test_a_condition_wait_asks_for_its_mutex_anew(void **state)
{
	struct ilk_condition *condition;

	(void)state;
	CHECK_RC(ilk_condition_open(seg, "condition", &condition), 0);
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_condition_wait_until(condition, a, ilk_after_ms(5)), ILK_TIMED_OUT);
	CHECK_RC(ilk_mutex_lock(b), 0);
	assert_int_equal(times("a", "b"), 1);
	assert_int_equal(times("b", "a"), 0);
	/* With b held: that is what hangs one day. */
	CHECK_RC(ilk_condition_wait_until(condition, a, ilk_after_ms(5)), ILK_TIMED_OUT);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	assert_int_equal(times("b", "a"), 1);
	assert_int_equal(in->order_count, 2);
}

/* --- who, and under what --- */

static void test_others_are_noted_and_one_alone_is_not(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		lock_both(a, b);
	assert_int_equal(times("a", "b"), 3);
	assert_int_equal(order("a", "b")->others, 0);
	CHECK_RC(support_in_thread(lock_a_then_b, NULL), 0);
	assert_int_equal(times("a", "b"), 4);
	assert_int_equal(order("a", "b")->others, 1);
	assert_int_equal(order("a", "b")->tid, gettid());
}

static void test_a_gate_is_what_is_held_each_time(void **state)
{
	(void)state;
	CHECK_RC(ilk_rwlock_read(l), 0); /* no gate: many can */
	CHECK_RC(ilk_mutex_lock(c), 0);
	lock_both(a, b);
	lock_both(b, a);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	look();
	assert_int_equal(
		order("a", "b")->gates[0], order("a", "b") ? order("c", "a")->first_offset : 0);
	assert_int_equal(order("a", "b")->gates[1], 0);
	assert_int_equal(order("b", "a")->gates[0], order("c", "a")->first_offset);
	lock_both(a, b);
	look();
	assert_int_equal(order("a", "b")->gates[0], 0);
	assert_int_equal(order("b", "a")->gates[0], order("c", "a")->first_offset);
	/* Once gone it does not come back. */
	CHECK_RC(ilk_mutex_lock(c), 0);
	lock_both(a, b);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	look();
	assert_int_equal(order("a", "b")->gates[0], 0);
}

/* --- without it --- */

static void test_segments_without_it_have_none(void **state)
{
	struct ilk_segment *plain = support_create(ilk_test_name("plain"), NULL);
	struct ilk_inspection *other;

	(void)state;
	lock_both(support_mutex(plain, "a"), support_mutex(plain, "b"));
	CHECK_RC(ilk_inspect(ilk_test_name("plain"), &other), 0);
	assert_int_equal(other->order, 0);
	assert_int_equal(other->order_count + other->held_count, 0);
	assert_null(other->orders);
	ilk_inspection_free(other);
	ilk_segment_close(plain);
	support_unlink(ilk_test_name("plain"));
}

static void test_asking_for_it_where_it_is_not_is_EEXIST(void **state)
{
	const struct ilk_segment_options asked = {.size = sizeof asked, .flags = ILK_SEGMENT_ORDER};
	struct ilk_segment *plain = support_create(ilk_test_name("plain"), NULL), *other;

	(void)state;
	CHECK_RC(ilk_segment_create(ilk_test_name("plain"), &asked, &other), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "order"));
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &asked, &other), 0);
	ilk_segment_close(other);
	ilk_segment_close(plain);
	support_unlink(ilk_test_name("plain"));
}

static void test_over_256_GiB_it_is_EINVAL(void **state)
{
	struct ilk_segment_options options = {.size = sizeof options,
		.bytes = ((size_t)1 << 38) + 1,
		.flags = ILK_SEGMENT_ORDER | ILK_SEGMENT_SPARSE};
	struct ilk_segment *huge;

	(void)state;
	CHECK_RC(ilk_segment_create(ilk_test_name("huge"), &options, &huge), -EINVAL);
	assert_non_null(strstr(ilk_last_error(), "256 GiB"));
}

static void test_a_read_only_attachment_adds_nothing(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY | ILK_SEGMENT_ORDER};
	struct ilk_segment *own;
	struct ilk_mutex *m;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &own), 0);
	CHECK_RC(ilk_mutex_open(own, "a", NULL, &m), 0);
	CHECK_RC(ilk_mutex_lock(b), 0);
	CHECK_RC(ilk_mutex_lock(m), -EROFS);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	look();
	assert_int_equal(in->order_count, 0);
	ilk_segment_close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ORDER_TEST(test_opposite_orders_that_never_met_are_both_seen),
		ORDER_TEST(test_opposite_orders_of_processes_are_both_seen),
		ORDER_TEST(test_a_forked_child_holds_nothing_of_its_parents),
		ORDER_TEST(test_three_locks_make_three_pairs),
		ORDER_TEST(test_unlock_out_of_order_forgets_that_lock_only),
		ORDER_TEST(test_try_locks_are_held_but_ask_for_nothing),
		ORDER_TEST(test_a_timed_lock_asks_even_in_vain),
		ORDER_TEST(test_locking_once_more_asks_for_nothing),
		ORDER_TEST(test_rwlocks_tell_reading_from_writing),
		ORDER_TEST(test_downgrade_goes_on_as_reading),
		ORDER_TEST(test_two_reads_are_READ_READ),
		ORDER_TEST(test_a_condition_wait_asks_for_its_mutex_anew),
		ORDER_TEST(test_others_are_noted_and_one_alone_is_not),
		ORDER_TEST(test_a_gate_is_what_is_held_each_time),
		ORDER_TEST(test_segments_without_it_have_none),
		ORDER_TEST(test_asking_for_it_where_it_is_not_is_EEXIST),
		ORDER_TEST(test_over_256_GiB_it_is_EINVAL),
		ORDER_TEST(test_a_read_only_attachment_adds_nothing),
	};

	return RUN_ORDER_TESTS(tests);
}
