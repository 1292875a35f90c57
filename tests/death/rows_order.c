/*
 * rows_order.c - lock-order history from inside: states that a death leaves, or a hostile hand, written
 * straight into a segment; what checks and inspections make of them.
 */
#include "segment/member.h"
#include "segment/order.h"
#include "support.h"
#include <errno.h>
#include <string.h>

static struct ilk_segment *seg;
static struct ilk_mutex *a, *b;

static int setup(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_ORDER};

	if (ilk_test_setup(state) < 0)
		return -1;
	seg = support_create(ilk_test_name(""), &options);
	a = support_mutex(seg, "a");
	b = support_mutex(seg, "b");
	return 0;
}

static int teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

static void lock_both(void)
{
	CHECK_RC(ilk_mutex_lock(a), 0);
	CHECK_RC(ilk_mutex_lock(b), 0);
	CHECK_RC(ilk_mutex_unlock(b), 0);
	CHECK_RC(ilk_mutex_unlock(a), 0);
}

/* Which place of the table is used, from FROM on. */
static struct ilk_pair_ *used(uint32_t from)
{
	for (uint32_t i = from; i < seg->map.header.order_pairs; i++)
		if (ilk_pairs_(&seg->map)[i].key > ILK_PAIR_DROPPED_)
			return &ilk_pairs_(&seg->map)[i];
	return NULL;
}

static struct ilk_held_list_ *my_list(void)
{
	return ilk_held_list_(&seg->map, ilk_owner_slot_(ilk_thread_.owner));
}

static struct ilk_inspection *look(size_t orders)
{
	struct ilk_inspection *in = NULL;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_int_equal(in->order_count, orders);
	return in;
}

static void test_a_pair_that_nobody_told_of_is_of_unknown_others(void **state)
{
	struct ilk_inspection *in;
	struct ilk_pair_ *p;

	(void)state;
	lock_both();
	p = used(0);
	p->told = 0;
	in = look(1);
	assert_int_equal(in->orders[0].count, 1);
	assert_int_equal(in->orders[0].tid + in->orders[0].pid, 0);
	assert_int_equal(in->orders[0].first_seen + in->orders[0].joined, 0);
	assert_string_equal(in->orders[0].thread_name, "");
	ilk_inspection_free(in);
	/* Whoever it was, it was not the one who sees it now. */
	assert_int_equal(p->others, 0);
	lock_both();
	assert_int_equal(p->others, 1);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_a_pair_of_which_there_is_a_key_alone_is_shown(void **state)
{
	struct ilk_inspection *in;
	struct ilk_pair_ *p;
	uint64_t key;

	(void)state;
	lock_both();
	p = used(0);
	key = p->key;
	memset(p, 0, sizeof *p);
	p->key = key;
	in = look(1);
	assert_string_equal(in->orders[0].first_name, "a");
	assert_string_equal(in->orders[0].then_name, "b");
	assert_string_equal(in->orders[0].first_type, "");
	assert_int_equal(in->orders[0].count, 0);
	ilk_inspection_free(in);
	lock_both();
	in = look(1);
	assert_string_equal(in->orders[0].first_type, "mutex");
	assert_int_equal(in->orders[0].count, 1);
	assert_int_equal(in->orders[0].gates[0], 0);
	ilk_inspection_free(in);
}

static void test_a_pair_in_two_places_is_added_up(void **state)
{
	struct ilk_inspection *in;
	struct ilk_pair_ *p, *twin;

	(void)state;
	lock_both();
	lock_both();
	p = used(0);
	p->gates[0] = 16000;
	p->gates[1] = 16001;
	twin = p + (p == ilk_pairs_(&seg->map) ? 1 : -1);
	*twin = *p;
	twin->first_seen -= 5;
	twin->tid = 7;
	twin->count = 40;
	twin->gates[0] = 16001;
	twin->gates[1] = ILK_PAIR_NO_GATE_;
	in = look(1);
	assert_int_equal(in->orders[0].count, 42);
	assert_int_equal(in->orders[0].tid, 7);
	assert_int_equal(in->orders[0].others, 1);
	assert_int_equal(in->orders[0].gates[0], 16001 * 64);
	assert_int_equal(in->orders[0].gates[1], 0);
	ilk_inspection_free(in);
}

static void test_a_place_that_was_dropped_is_used_again(void **state)
{
	struct ilk_pair_ *p;

	(void)state;
	lock_both();
	p = used(0);
	ilk_order_forget_(&seg->map, ilk_pair_first_(p->key), 1);
	assert_int_equal(p->key, ILK_PAIR_DROPPED_);
	assert_null(used(0));
	ilk_inspection_free(look(0));
	lock_both();
	assert_ptr_equal(used(0), p);
	assert_int_equal(p->count, 1);
	ilk_inspection_free(look(1));
}

static void test_the_list_of_another_generation_is_nobodys(void **state)
{
	struct ilk_inspection *in;

	(void)state;
	CHECK_RC(ilk_mutex_lock(a), 0);
	in = look(0);
	assert_int_equal(in->held_count, 1);
	ilk_inspection_free(in);
	my_list()->owner ^= 1u << 4;
	in = look(0);
	assert_int_equal(in->held_count, 0);
	ilk_inspection_free(in);
	my_list()->owner ^= 1u << 4;
	CHECK_RC(ilk_mutex_unlock(a), 0);
}

/* --- garbage --- */

static void check_wrong(const char *what)
{
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	assert_non_null(strstr(ilk_last_error(), what));
}

static void test_valid_names_what_is_wrong_with_lists_and_pairs(void **state)
{
	static const uint64_t wrong[] = {3, 64 | 1, UINT64_MAX & ~UINT64_C(63), 1 << 20 | 1};
	struct ilk_held_list_ *list;
	struct ilk_pair_ *p;
	uint64_t key;

	(void)state;
	lock_both();
	CHECK_RC(ilk_segment_valid(seg), 0);
	list = my_list();
	list->top = ILK_HELD_MOST_ + 1;
	check_wrong("longer");
	list->top = ILK_HELD_MOST_;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		list->held[ILK_HELD_MOST_ - 1].what = wrong[i];
		check_wrong("cannot be a lock");
	}
	list->held[ILK_HELD_MOST_ - 1].what = 0;
	p = used(0);
	key = p->key;
	p->key = 2;
	check_wrong("two locks");
	p->key = key >> 32 << 32 | key >> 32;
	check_wrong("two locks");
	p->key = UINT64_MAX;
	check_wrong("two locks");
	p->key = key;
	CHECK_RC(ilk_segment_valid(seg), 0);
}

/* Nothing of it is followed, and the locks are as good as ever. */
static void test_garbage_everywhere_leaves_the_locks_alone(void **state)
{
	size_t bytes = (size_t)(seg->map.header.arena_at - seg->map.header.order_at);
	struct ilk_inspection *in;

	(void)state;
	lock_both();
	for (int byte = 0; byte < 256; byte += 15) {
		memset(ilk_order_at_(&seg->map), byte, bytes);
		lock_both();
		CHECK_RC(ilk_mutex_init(seg, a, "a", NULL), 0);
		CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
		ilk_inspection_free(in);
		lock_both();
	}
	memset(ilk_order_at_(&seg->map), 0, bytes);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS_TEST(test_a_pair_that_nobody_told_of_is_of_unknown_others),
		ROWS_TEST(test_a_pair_of_which_there_is_a_key_alone_is_shown),
		ROWS_TEST(test_a_pair_in_two_places_is_added_up),
		ROWS_TEST(test_a_place_that_was_dropped_is_used_again),
		ROWS_TEST(test_the_list_of_another_generation_is_nobodys),
		ROWS_TEST(test_valid_names_what_is_wrong_with_lists_and_pairs),
		ROWS_TEST(test_garbage_everywhere_leaves_the_locks_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
