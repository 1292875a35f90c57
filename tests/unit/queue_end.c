/* queue_end.c - closing, and who puts; opening; lanes; what the inspector shows. */
#include "queue_fixture.h"
#include <stdio.h>

static void test_close_refuses_putters_and_lets_getters_drain(void **state)
{
	struct ilk_queue_handle other = attached(q);
	void *at;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_reserve(&other, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(put(&h, 2), -EPIPE);
	CHECK_RC(ilk_queue_put(&h, at, 8, ILK_FOREVER), -EPIPE);
	assert_int_equal(get(&h), 1);
	memcpy(at, &(uint64_t){3}, 8);
	CHECK_RC(ilk_queue_commit(&other, 8), 0);
	assert_int_equal(get(&h), 3);
	assert_int_equal(get(&h), -EPIPE);
	assert_int_equal(get_soon(&other), -EPIPE);
	CHECK_RC(put(&h, 2), -EPIPE);
	CHECK_RC(ilk_queue_produce_begin(q), -EPIPE);
	assert_int_equal(info_of(q).closed, 1);
	check_valid();
}

static void test_close_of_a_full_queue_lets_all_out(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(put(&h, 9), -EPIPE);
	for (uint64_t i = 0; i < FOUR; i++)
		assert_int_equal(get(&h), i);
	assert_int_equal(get(&h), -EPIPE);
}

static void get_the_end(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	assert_int_equal(get_soon(&mine), *(int64_t *)arg);
}

static void put_in_vain(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	(void)arg;
	CHECK_RC(ilk_queue_put(&mine, &mine, 8, ILK_FOREVER), -EPIPE);
}

static void test_close_wakes_all(void **state)
{
	int64_t pipe = -EPIPE;
	struct ilk_test_child *one = ilk_test_start(get_the_end, &pipe), *two;

	(void)state;
	two = ilk_test_start(get_the_end, &pipe);
	ilk_test_await_sleepers(name, 2);
	CHECK_RC(ilk_queue_close(q), 0);
	ilk_test_join(one);
	ilk_test_join(two);
}

static void test_close_wakes_who_waits_for_room(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	child = ilk_test_start(put_in_vain, NULL);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_queue_close(q), 0);
	ilk_test_join(child);
}

/* What is leased may come back: the end is not there before. */
static void test_the_end_waits_for_leases_of_others(void **state)
{
	struct ilk_queue_lease l;
	int64_t one = 1, pipe = -EPIPE;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	/* Not of one's own: that would be for ever. */
	assert_int_equal(get(&h), -EPIPE);
	child = ilk_test_start(get_the_end, &one);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_queue_nack(&h, &l), 0);
	ilk_test_join(child);
	child = ilk_test_start(get_the_end, &pipe);
	ilk_test_join(child);
}

static void test_the_end_comes_with_the_last_ack(void **state)
{
	struct ilk_queue_lease l;
	int64_t pipe = -EPIPE;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	child = ilk_test_start(get_the_end, &pipe);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
	ilk_test_join(child);
}

/* --- producers --- */

static void produce(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	CHECK_RC(ilk_queue_produce_begin(q), 0);
	CHECK_RC(ilk_queue_produce_begin(q), -EALREADY);
	CHECK_RC(put(&mine, 1), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	if (arg) {
		CHECK_RC(ilk_queue_produce_end(q), 0);
		CHECK_RC(ilk_queue_produce_end(q), -EPERM);
	}
	ilk_test_say(2);
	if (!arg)
		ilk_test_sleep_for_ever();
}

static void test_the_last_producers_end_closes(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_queue_produce_end(q), -EPERM);
	assert_int_equal(get(&h), -EAGAIN); /* nobody yet is not nobody any more */
	CHECK_RC(ilk_queue_produce_begin(q), 0);
	child = ilk_test_start(produce, &child);
	ilk_test_await(0);
	CHECK_RC(ilk_queue_produce_end(q), 0);
	assert_int_equal(info_of(q).closed, 0);
	ilk_test_say(1);
	ilk_test_join(child);
	assert_int_equal(info_of(q).closed, 1);
	assert_int_equal(get(&h), 1);
	assert_int_equal(get(&h), -EPIPE);
}

static void test_the_last_producers_death_closes(void **state)
{
	int64_t pipe = -EPIPE;
	struct ilk_test_child *child = ilk_test_start(produce, NULL), *getter;

	(void)state;
	ilk_test_await(0);
	ilk_test_say(1);
	ilk_test_await(2);
	assert_int_equal(get(&h), 1);
	assert_int_equal(get(&h), -EAGAIN);
	getter = ilk_test_start(get_the_end, &pipe);
	ilk_test_await_sleepers(name, 1);
	ilk_test_kill(child);
	ilk_test_join(getter);
	assert_int_equal(info_of(q).closed, 1);
}

static int begin_only(void *queue)
{
	return ilk_queue_produce_begin(queue);
}

static void test_the_end_of_a_producers_thread_closes(void **state)
{
	(void)state;
	CHECK_RC(support_in_thread(begin_only, q), 0);
	assert_int_equal(get_soon(&h), -EPIPE);
}

/* --- opening --- */

static void check_differs(struct ilk_queue_options o, const char *field)
{
	struct ilk_queue *found = NULL;

	CHECK_RC(ilk_queue_open(seg, "jobs", &o, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), field));
	assert_null(found);
}

static void test_open_otherwise_names_the_field(void **state)
{
	const struct ilk_queue_options same = {
		.size = sizeof same, .capacity = 3, .message_bytes = LONGEST};
	struct ilk_queue_options o = same;
	struct ilk_queue *found = NULL;

	(void)state;
	CHECK_RC(ilk_queue_open(seg, "jobs", &same, &found), 0);
	assert_ptr_equal(found, q);
	o.capacity = 5;
	check_differs(o, "capacity");
	o = same, o.message_bytes = 8;
	check_differs(o, "message_bytes");
	o = same, o.max_deliveries = 2;
	check_differs(o, "max_deliveries");
	o = same, o.lanes = 2, o.capacity = 8;
	check_differs(o, "lanes");
	o = same, o.dead_letter = "dead", o.max_deliveries = 0;
	CHECK_RC(ilk_queue_open(seg, "jobs", &o, &found), -EINVAL);
}

static void test_open_without_options_finds_what_is_there(void **state)
{
	struct ilk_queue *found = NULL;
	struct ilk_mutex *mutex;

	(void)state;
	CHECK_RC(ilk_queue_open(seg, "jobs", NULL, &found), 0);
	assert_ptr_equal(found, q);
	CHECK_RC(ilk_queue_open(seg, "none", NULL, &found), -ENOENT);
	CHECK_RC(ilk_mutex_open(seg, "mutex", NULL, &mutex), 0);
	CHECK_RC(ilk_queue_open(seg, "mutex", NULL, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "type"));
	CHECK_RC(ilk_queue_open(seg, "mutex",
			 &(struct ilk_queue_options){.size = sizeof(struct ilk_queue_options)},
			 &found),
		-EEXIST);
	assert_non_null(strstr(ilk_last_error(), "type"));
}

static void check_refused(struct ilk_queue_options o)
{
	struct ilk_queue *found = NULL;

	CHECK_RC(ilk_queue_open(seg, "new", &o, &found), -EINVAL);
	assert_null(found);
}

static void test_open_with_bad_options_is_EINVAL(void **state)
{
	const struct ilk_queue_options good = {.size = sizeof good};
	struct ilk_queue_options o = good;
	struct ilk_queue *found = NULL;

	(void)state;
	o.size = 1;
	check_refused(o);
	o = good, o.capacity = (size_t)ILK_QUEUE_MOST_CAPACITY + 1;
	check_refused(o);
	o = good, o.message_bytes = (size_t)ILK_QUEUE_MOST_BYTES + 1;
	check_refused(o);
	o = good, o.max_deliveries = ILK_QUEUE_MOST_DELIVERIES + 1;
	check_refused(o);
	o = good, o.lanes = 3;
	check_refused(o);
	o = good, o.dead_letter = "dead";
	check_refused(o);
	o = good, o.dead_letter = "new", o.max_deliveries = 1;
	check_refused(o);
	CHECK_RC(ilk_queue_open(seg, "", &good, &found), -EINVAL);
	CHECK_RC(ilk_queue_open(seg, "new", &good, &found), 0);
	assert_int_equal(info_of(found).capacity, ILK_QUEUE_CAPACITY);
	assert_int_equal(info_of(found).message_bytes, ILK_QUEUE_BYTES);
	o = good, o.capacity = (size_t)ILK_QUEUE_MOST_CAPACITY, o.message_bytes = 1 << 20;
	CHECK_RC(ilk_queue_open(seg, "huge", &o, &found), -ENOSPC);
}

/* --- lanes --- */

static void put_in_lane(struct ilk_segment *s, unsigned index, void *arg)
{
	struct ilk_queue_handle mine = attached(arg);

	(void)s;
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t value = (uint64_t)index << 32 | i;

		CHECK_RC(ilk_queue_put(&mine, &value, sizeof value, ILK_FOREVER), 0);
	}
}

static void drain_lanes(struct ilk_queue *lanes)
{
	struct ilk_queue_handle mine = attached(lanes);
	uint64_t next[3] = {0};

	for (int i = 0; i < 3000; i++) {
		uint64_t value = (uint64_t)get_soon(&mine);

		assert_in_range(value >> 32, 0, 2);
		assert_int_equal((uint32_t)value, next[value >> 32]++);
	}
}

static void in_lanes(struct ilk_segment *s, unsigned index, void *arg)
{
	if (index == 3)
		drain_lanes(arg);
	else
		put_in_lane(s, index, arg);
}

static void test_lanes_keep_the_order_of_each_putter(void **state)
{
	struct ilk_queue *lanes = queue_of("lanes", 16, 0, NULL, 4);
	struct ilk_queue_handle mine = attached(lanes);

	(void)state;
	ilk_test_run(4, seg, in_lanes, lanes, NULL);
	assert_int_equal(info_of(lanes).put, 3000);
	assert_int_equal(info_of(lanes).depth, 0);
	assert_int_equal(info_of(lanes).lanes, 4);
	CHECK_RC(put(&mine, 1), 0);
	CHECK_RC(ilk_queue_close(lanes), 0);
	assert_int_equal(get(&mine), 1);
	assert_int_equal(get(&mine), -EPIPE);
	check_valid();
}

/* --- the inspector --- */

static const struct ilk_object_info *find(const struct ilk_inspection *in, const char *object)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, object) == 0)
			return &in->objects[i];
	return NULL;
}

static void test_inspection_shows_depth_leases_and_counts(void **state)
{
	const struct ilk_object_info *o;
	struct ilk_inspection *in;
	struct ilk_queue_lease l;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(ilk_inspect(name, &in), 0);
	o = find(in, "jobs");
	assert_non_null(o);
	assert_string_equal(o->type, "queue");
	assert_string_equal(o->damage, "");
	assert_int_equal(o->depth, 2);
	assert_int_equal(o->capacity, FOUR);
	assert_int_equal(o->leases, 1);
	assert_int_equal(o->put, 3);
	assert_int_equal(o->got, 0);
	assert_int_equal(o->closed, 1);
	assert_string_equal(o->state, "2 of 4, closed, 1 leased");
	ilk_inspection_free(in);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
}

static void test_info_refuses_what_is_no_queue(void **state)
{
	struct ilk_queue_info info = {.size = sizeof info};
	struct ilk_queue_handle mine;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "zeros", 4096, &block), 0);
	CHECK_RC(ilk_queue_info(block, &info), -EINVAL);
	CHECK_RC(ilk_queue_attach(block, &mine), -EINVAL);
	CHECK_RC(ilk_queue_attach((void *)&info, &mine), -EINVAL);
	CHECK_RC(ilk_queue_close(block), -EINVAL);
	CHECK_RC(ilk_queue_join(block, ILK_NOW), -EINVAL);
	CHECK_RC(ilk_queue_produce_begin(block), -EINVAL);
	info.size = 1;
	CHECK_RC(ilk_queue_info(q, &info), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_close_refuses_putters_and_lets_getters_drain),
		QUEUE_TEST(test_close_of_a_full_queue_lets_all_out),
		QUEUE_TEST(test_close_wakes_all),
		QUEUE_TEST(test_close_wakes_who_waits_for_room),
		QUEUE_TEST(test_the_end_waits_for_leases_of_others),
		QUEUE_TEST(test_the_end_comes_with_the_last_ack),
		QUEUE_TEST(test_the_last_producers_end_closes),
		QUEUE_TEST(test_the_last_producers_death_closes),
		QUEUE_TEST(test_the_end_of_a_producers_thread_closes),
		QUEUE_TEST(test_open_otherwise_names_the_field),
		QUEUE_TEST(test_open_without_options_finds_what_is_there),
		QUEUE_TEST(test_open_with_bad_options_is_EINVAL),
		QUEUE_TEST(test_lanes_keep_the_order_of_each_putter),
		QUEUE_TEST(test_inspection_shows_depth_leases_and_counts),
		QUEUE_TEST(test_info_refuses_what_is_no_queue),
	};

	return RUN_QUEUE_TESTS(tests);
}
