/* order_held.c - what threads hold, after deaths too; locks that are no more; tables that are full. */
#include "order_fixture.h"
#include <stdlib.h>
#include <unistd.h>

/* --- held --- */

static void test_held_locks_are_shown_oldest_first(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(b), 0);
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	assert_string_equal(held_by(gettid()), "b a l");
	assert_string_equal(in->held[0].how, "held");
	assert_string_equal(in->held[0].type, "mutex");
	assert_string_equal(in->objects[in->held[0].object].name, "b");
	assert_int_equal(in->held[0].offset, in->objects[in->held[0].object].offset);
	assert_true(in->held[0].since <= in->held[1].since && in->held[1].since <= in->taken);
	assert_string_equal(in->held[2].how, "reads");
	/* The free entry is filled with what is younger than the others. */
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_lock(c), 0);
	assert_string_equal(held_by(gettid()), "a l c");
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	assert_string_equal(held_by(gettid()), "");
}

static void hold_two(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_mutex_lock(b), 0);
	ilk_test_board()->value[0] = gettid();
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_the_dead_still_show_what_they_held(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_two, NULL);
	int32_t tid;

	(void)state;
	ilk_test_await(0);
	tid = (int32_t)ilk_test_board()->value[0];
	ilk_test_kill(child);
	assert_string_equal(held_by(tid), "a b");
	assert_int_equal(in->threads[in->held[0].thread].life, ILK_LIFE_DEAD);
	CHECK_RC(ilk_mutex_lock(a), ILK_RECOVERED);
	/* That is history: a is ours now, and was the dead one's. */
	assert_string_equal(held_by(tid), "a b");
	assert_string_equal(held_by(gettid()), "a");
	CHECK_RC(ilk_mutex_lock(b), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	assert_int_equal(times("a", "b"), 2);
	assert_int_equal(order("a", "b")->others, 1);
}

static int end_holding(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(a), 0);
	return gettid();
}

static int hold_nothing(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_try_lock(c), 0);
	CHECK_RC(ilk_mutex_unlock(c), 0);
	return *held_by(gettid()) == 0;
}

static void test_the_next_thread_of_a_slot_begins_with_nothing(void **state)
{
	int tid = support_in_thread(end_holding, NULL);

	(void)state;
	assert_string_equal(held_by(tid), "");
	assert_int_equal(in->held_count, 0);
	assert_true(support_in_thread(hold_nothing, NULL));
	CHECK_RC(ilk_mutex_lock(a), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(a), 0);
}

/* Fills all process slots but this one's with the dead, and comes again in one of those. */
static void test_the_next_member_of_a_slot_begins_with_nothing(void **state)
{
	const struct ilk_segment_options tight = {.size = sizeof tight,
		.processes = 2,
		.threads = 2,
		.flags = ILK_SEGMENT_ORDER | handshake};
	char name[64];

	(void)state;
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &tight);
	a = support_mutex(seg, "a");
	b = support_mutex(seg, "b");
	c = support_mutex(seg, "c");
	for (int i = 0; i < 3; i++) {
		struct ilk_test_child *child = ilk_test_start(hold_two, NULL);

		ilk_test_await(0);
		ilk_test_board()->step[0] = 0;
		look();
		assert_int_equal(in->held_count, 2);
		ilk_test_kill(child);
		CHECK_RC(ilk_mutex_lock(a), ILK_RECOVERED);
		CHECK_RC(ilk_mutex_repaired(a), 0);
		CHECK_RC(ilk_mutex_unlock(a), 0);
		CHECK_RC(ilk_mutex_lock(b), ILK_RECOVERED);
		CHECK_RC(ilk_mutex_repaired(b), 0);
		CHECK_RC(ilk_mutex_unlock(b), 0);
	}
	assert_int_equal(times("a", "b"), 3);
}

/* --- embedded ones --- */

struct two {
	struct ilk_mutex labelled, plain;
	struct ilk_rwlock l;
};

static struct two *embed(const char *name)
{
	struct two *two;
	void *block;

	CHECK_RC(ilk_block_open(seg, name, sizeof *two, &block), 0);
	two = block;
	CHECK_RC(ilk_mutex_init(seg, &two->labelled, "labelled", NULL), 0);
	CHECK_RC(ilk_mutex_init(seg, &two->plain, NULL, NULL), 0);
	CHECK_RC(ilk_rwlock_init(seg, &two->l, "inner", NULL), 0);
	return two;
}

static void test_embedded_locks_go_by_label_or_place(void **state)
{
	struct two *two = embed("two");
	char place[32];

	(void)state;
	CHECK_RC(ilk_rwlock_write(&two->l), 0);
	lock_both(&two->labelled, &two->plain);
	look();
	assert_string_equal(in->held[0].name, "inner");
	assert_int_equal(in->held[0].object, ILK_NO_INDEX);
	CHECK_RC(ilk_rwlock_unlock(&two->l), 0);
	look();
	for (size_t i = 0; i < in->order_count; i++)
		if (strcmp(in->orders[i].first_name, "labelled") == 0) {
			snprintf(place, sizeof place, "+%llx",
				(unsigned long long)in->orders[i].then_offset);
			assert_string_equal(in->orders[i].then_name, place);
			assert_int_equal(in->orders[i].then, ILK_NO_INDEX);
		}
	assert_non_null(order("inner", "labelled"));
	assert_non_null(order("labelled", place));
}

static void test_a_lock_made_anew_begins_without_history(void **state)
{
	struct two *two = embed("two");

	(void)state;
	lock_both(&two->labelled, a);
	lock_both(&two->plain, a);
	lock_both(b, a);
	look();
	assert_int_equal(in->order_count, 3);
	CHECK_RC(ilk_mutex_init(seg, &two->labelled, "new", NULL), 0);
	look();
	assert_int_equal(in->order_count, 2);
	assert_null(order("labelled", "a"));
	assert_null(order("new", "a"));
	assert_int_equal(times("b", "a"), 1);
}

static void test_memory_given_out_anew_begins_without_history(void **state)
{
	struct ilk_mutex *m;
	uint64_t offset;

	(void)state;
	m = support_mutex(seg, "short-lived");
	CHECK_RC(ilk_mutex_lock(m), 0);
	lock_both(a, b);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	look();
	offset = order("short-lived", "a")->first_offset;
	assert_int_equal(order("a", "b")->gates[0], offset);
	CHECK_RC(ilk_object_remove(seg, "short-lived"), 0);
	CHECK_RC(ilk_object_close(m), 0);
	/* History outlives the lock. */
	assert_int_equal(times("short-lived", "a"), 1);
	m = support_mutex(seg, "another");
	look();
	assert_int_equal((uintptr_t)m % 4096, offset % 4096);
	assert_null(order("another", "a"));
	assert_int_equal(in->order_count, 1);
	assert_int_equal(order("a", "b")->gates[0], 0);
}

static void test_what_is_freed_while_held_is_held_no_more(void **state)
{
	struct two *two;
	void *memory;

	(void)state;
	CHECK_RC(ilk_alloc(seg, sizeof *two, &memory), 0);
	two = memory;
	CHECK_RC(ilk_mutex_init(seg, &two->plain, "lost", NULL), 0);
	CHECK_RC(ilk_mutex_lock(&two->plain), 0);
	assert_string_equal(held_by(gettid()), "lost");
	CHECK_RC(ilk_free_alone(seg, memory), 0);
	assert_string_equal(held_by(gettid()), "");
	lock_both(a, b);
	look();
	assert_int_equal(in->order_count, 1);
}

/* --- of other kinds --- */

static void test_a_snapshots_writer_holds_the_snapshot(void **state)
{
	struct ilk_snapshot_handle handle;
	void *value;

	(void)state;
	CHECK_RC(ilk_snapshot_open(seg, "prices", 100, NULL, &handle), 0);
	CHECK_RC(ilk_mutex_lock(a), 0);
	assert_true(ilk_snapshot_begin(&handle, &value) >= 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
	assert_string_equal(held_by(gettid()), "prices");
	assert_string_equal(in->objects[in->held[0].object].type, "snapshot");
	lock_both(b, c);
	assert_true(ilk_snapshot_commit(&handle, NULL) >= 0);
	assert_int_equal(times("a", "prices"), 1);
	assert_int_equal(times("prices", "b"), 1);
	assert_string_equal(held_by(gettid()), "");
}

/* --- no room --- */

static void test_more_than_a_list_holds_is_counted(void **state)
{
	enum { MANY = 30, LISTED = 23 };
	struct ilk_mutex *m[MANY];
	char name[16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "m%d", i);
		m[i] = support_mutex(seg, name);
	}
	for (int i = 0; i < MANY; i++)
		CHECK_RC(ilk_mutex_lock(m[i]), 0);
	look();
	assert_int_equal(in->held_count, LISTED);
	assert_int_equal(in->held_lost, MANY - LISTED);
	assert_int_equal(times("m0", "m29"), 1);
	assert_int_equal(times("m25", "m29"), 0);
	for (int i = 0; i < MANY; i++)
		CHECK_RC(ilk_mutex_unlock(m[(i + 11) % MANY]), 0);
	look();
	assert_int_equal(in->held_count, 0);
	lock_both(m[28], m[29]);
	assert_int_equal(times("m28", "m29"), 1);
	assert_int_equal(in->held_lost, MANY - LISTED);
}

static void test_a_full_table_counts_what_it_cannot_keep(void **state)
{
	enum { MANY = 40 };
	const struct ilk_segment_options small = {.size = sizeof small,
		.bytes = 64 << 10,
		.processes = 4,
		.threads = 4,
		.flags = ILK_SEGMENT_ORDER | handshake};
	struct ilk_segment *other = support_create(ilk_test_name("small"), &small);
	struct ilk_mutex *m[MANY];
	struct ilk_inspection *picture;
	uint64_t seen = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "m%d", i);
		m[i] = support_mutex(other, name);
	}
	for (int i = 0; i < MANY; i++)
		for (int k = 0; k < i; k++)
			lock_both(m[k], m[i]);
	CHECK_RC(ilk_inspect(ilk_test_name("small"), &picture), 0);
	for (size_t i = 0; i < picture->order_count; i++)
		seen += picture->orders[i].count;
	assert_int_equal(picture->order_count, (64 << 10) / 2048);
	assert_int_equal(seen + picture->orders_lost, MANY * (MANY - 1) / 2);
	assert_true(picture->orders_lost > 0);
	ilk_inspection_free(picture);
	CHECK_RC(ilk_segment_valid(other), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("small"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ORDER_TEST(test_held_locks_are_shown_oldest_first),
		ORDER_TEST(test_the_dead_still_show_what_they_held),
		ORDER_TEST(test_the_next_thread_of_a_slot_begins_with_nothing),
		ORDER_TEST(test_the_next_member_of_a_slot_begins_with_nothing),
		ORDER_TEST(test_embedded_locks_go_by_label_or_place),
		ORDER_TEST(test_a_lock_made_anew_begins_without_history),
		ORDER_TEST(test_memory_given_out_anew_begins_without_history),
		ORDER_TEST(test_what_is_freed_while_held_is_held_no_more),
		ORDER_TEST(test_a_snapshots_writer_holds_the_snapshot),
		ORDER_TEST(test_more_than_a_list_holds_is_counted),
		ORDER_TEST(test_a_full_table_counts_what_it_cannot_keep),
	};

	return RUN_ORDER_TESTS(tests);
}
