/* queue_open.c - finding and making queues; lanes; what the inspector shows. */
#include "queue_fixture.h"

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
	o = object_in(in, "jobs");
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

static struct ilk_object_info queue_seen(struct ilk_holder_info *holder)
{
	struct ilk_inspection *in;
	struct ilk_object_info seen;

	CHECK_RC(ilk_inspect(name, &in), 0);
	seen = *object_in(in, "jobs");
	for (size_t i = 0; i < in->holder_count && holder; i++)
		if (in->holders[i].since || i == 0)
			*holder = in->holders[i];
	ilk_inspection_free(in);
	return seen;
}

static void test_inspection_shows_since_when_the_oldest_lease_is_held(void **state)
{
	struct ilk_queue_handle other = attached(q);
	struct ilk_queue_lease first, second;
	struct ilk_holder_info holder;
	ilk_time begin, end;
	uint64_t value;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		CHECK_RC(put(&h, i), 0);
	assert_int_equal(queue_seen(NULL).lease_since, 0);
	begin = ilk_now();
	CHECK_RC(ilk_queue_lease(&h, &first, ILK_NOW), 0);
	end = ilk_now();
	assert_in_range(queue_seen(&holder).lease_since, begin, end + 4096);
	assert_string_equal(holder.how, "lease");
	assert_in_range(holder.since, begin, end + 4096);
	CHECK_RC(ilk_queue_lease(&h, &second, ILK_NOW), 0);
	assert_in_range(queue_seen(&holder).lease_since, begin, end + 4096);
	/* The next one was leased on the short way: nobody knows, until one waits. */
	CHECK_RC(ilk_queue_ack(&h, &first), 0);
	assert_int_equal(queue_seen(NULL).lease_since, 0);
	begin = ilk_now();
	assert_int_equal(get(&other), 2);
	CHECK_RC(ilk_queue_get(&other, &value, 8, NULL, ilk_after_ms(SOON)), -ETIMEDOUT);
	end = ilk_now();
	assert_in_range(queue_seen(NULL).lease_since, begin, end + 4096);
	CHECK_RC(ilk_queue_ack(&h, &second), 0);
	assert_int_equal(queue_seen(NULL).lease_since, 0);
}

/* Those who come and go do not hide who stays. */
static void test_the_oldest_lease_is_that_of_what_was_put_first(void **state)
{
	struct ilk_queue_handle other = attached(q);
	struct ilk_queue_lease stays, goes;
	uint64_t value;
	ilk_time since;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(put(&h, 2), 0);
	CHECK_RC(ilk_queue_lease(&h, &stays, ILK_NOW), 0);
	CHECK_RC(ilk_queue_ack(&h, &stays), 0);
	CHECK_RC(ilk_queue_lease(&h, &stays, ILK_NOW), 0);
	CHECK_RC(put(&h, 3), 0);
	CHECK_RC(ilk_queue_lease(&other, &goes, ILK_NOW), 0);
	CHECK_RC(ilk_queue_get(&other, &value, 8, NULL, ilk_after_ms(3 * SOON)), -ETIMEDOUT);
	since = queue_seen(NULL).lease_since;
	assert_true(since > 0);
	CHECK_RC(ilk_queue_ack(&other, &goes), 0);
	assert_int_equal(queue_seen(NULL).lease_since, since);
	CHECK_RC(ilk_queue_ack(&h, &stays), 0);
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
		QUEUE_TEST(test_open_otherwise_names_the_field),
		QUEUE_TEST(test_open_without_options_finds_what_is_there),
		QUEUE_TEST(test_open_with_bad_options_is_EINVAL),
		QUEUE_TEST(test_lanes_keep_the_order_of_each_putter),
		QUEUE_TEST(test_inspection_shows_depth_leases_and_counts),
		QUEUE_TEST(test_inspection_shows_since_when_the_oldest_lease_is_held),
		QUEUE_TEST(test_the_oldest_lease_is_that_of_what_was_put_first),
		QUEUE_TEST(test_info_refuses_what_is_no_queue),
	};

	return RUN_QUEUE_TESTS(tests);
}
