/* permits_open.c - finding, making and embedding permits; who has them; what the inspector shows. */
#include "permits_fixture.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* --- opening --- */

static void test_open_with_other_parameters_is_EEXIST(void **state)
{
	const struct ilk_permits_options six = {.size = sizeof six, .permits = 6};
	struct ilk_permits *found = NULL;
	struct ilk_mutex *mutex = NULL;

	(void)state;
	CHECK_RC(ilk_permits_open(seg, "threads'", &six, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "number"));
	CHECK_RC(ilk_permits_open(seg, "threads'", &five_of_process, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "flags"));
	CHECK_RC(ilk_mutex_open(seg, "threads'", NULL, &mutex), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "permits"));
	assert_null(found);
	CHECK_RC(ilk_permits_open(seg, "threads'", &five, &found), 0);
	assert_ptr_equal(found, p);
}

static void test_open_with_bad_arguments_is_EINVAL(void **state)
{
	struct ilk_permits_options o = {.size = sizeof o};
	struct ilk_permits *found = NULL;

	(void)state;
	CHECK_RC(ilk_permits_open(seg, "new", NULL, &found), -EINVAL);
	CHECK_RC(ilk_permits_open(seg, "new", &o, &found), -EINVAL);
	o.permits = ILK_PERMITS_MAX + 1;
	CHECK_RC(ilk_permits_open(seg, "new", &o, &found), -EINVAL);
	o.permits = 1;
	o.flags = 0x80;
	CHECK_RC(ilk_permits_open(seg, "new", &o, &found), -EINVAL);
	o.flags = 0;
	o.size = 0;
	CHECK_RC(ilk_permits_open(seg, "new", &o, &found), -EINVAL);
	CHECK_RC(ilk_permits_open(seg, "", &five, &found), -EINVAL);
	assert_null(found);
}

struct office {
	ILK_PERMITS(FIVE) desks;
	int64_t after;
};

static void test_init_in_a_block_makes_permits(void **state)
{
	struct office *office;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "office", sizeof *office, &block), 0);
	office = block;
	office->after = 4711;
	CHECK_RC(ilk_permits_init(seg, &office->desks.permits, "desks", &five), 0);
	CHECK_RC(ilk_permits_acquire(&office->desks.permits, FIVE), 0);
	CHECK_RC(ilk_permits_acquire(&office->desks.permits, 1), -EDEADLK);
	CHECK_RC(ilk_permits_release(&office->desks.permits, FIVE), 0);
	assert_int_equal(office->after, 4711);
}

static void test_init_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_permits_options many = {.size = sizeof many, .permits = ILK_PERMITS_MAX};
	ILK_PERMITS(FIVE) outside;
	size_t bytes = ilk_segment_bytes(seg);
	char *end = (char *)p - (uintptr_t)p % 4096;

	(void)state;
	CHECK_RC(ilk_permits_init(seg, &outside.permits, "out", &five), -EINVAL);
	CHECK_RC(ilk_permits_init(seg, (struct ilk_permits *)((char *)p + 8), "odd", &five),
		-EINVAL);
	CHECK_RC(ilk_permits_init(seg, p, "none", NULL), -EINVAL);
	/* Room for its beginning alone. */
	CHECK_RC(ilk_permits_init(seg, (struct ilk_permits *)(end + bytes - 4096), "end", &many),
		-EINVAL);
}

static void test_as_many_as_there_can_be(void **state)
{
	const struct ilk_permits_options many = {.size = sizeof many, .permits = ILK_PERMITS_MAX};
	struct ilk_permits *all;

	(void)state;
	CHECK_RC(ilk_permits_open(seg, "many", &many, &all), 0);
	CHECK_RC(ilk_permits_acquire(all, ILK_PERMITS_MAX - 1), 0);
	CHECK_RC(ilk_permits_acquire(all, 1), 0);
	CHECK_RC(ilk_permits_release(all, 1), 0);
	CHECK_RC(ilk_permits_release(all, ILK_PERMITS_MAX), -EPERM);
	assert_int_equal(left_of(all), 1);
	CHECK_RC(ilk_permits_release(all, ILK_PERMITS_MAX - 1), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_read_only_attachment_tells_who_has_them(void **state)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_permits_holder holder;
	struct ilk_segment *reader;
	struct ilk_permits *seen;
	size_t count;

	(void)state;
	CHECK_RC(ilk_permits_acquire(p, 2), 0);
	CHECK_RC(ilk_segment_open(name, &read_only, &reader), 0);
	CHECK_RC(ilk_permits_open(reader, "threads'", &five, &seen), 0);
	assert_int_equal(left_of(seen), 3);
	CHECK_RC(ilk_permits_holders(seen, &holder, 1, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(holder.count, 2);
	CHECK_RC(ilk_permits_acquire(seen, 1), -EROFS);
	CHECK_RC(ilk_permits_release(seen, 1), -EROFS);
	CHECK_RC(ilk_permits_init(reader, seen, NULL, &five), -EROFS);
	CHECK_RC(ilk_permits_release(p, 2), 0);
	ilk_segment_close(reader);
}

/* --- who has them --- */

static const struct ilk_permits_holder *held_by(
	const struct ilk_permits_holder *holders, size_t count, int32_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (holders[i].pid == pid)
			return &holders[i];
	ilk_test_fail("%d has none", (int)pid);
}

static void test_holders_are_listed_once_each(void **state)
{
	struct holding two = {p, 2, 0};
	struct ilk_test_child *child = start_holder(&two);
	struct ilk_permits_holder holders[FIVE];
	const struct ilk_permits_holder *h;
	size_t count = 77;

	(void)state;
	CHECK_RC(ilk_permits_acquire(p, 3), 0);
	CHECK_RC(ilk_permits_holders(p, NULL, 0, &count), 0);
	assert_int_equal(count, 2);
	CHECK_RC(ilk_permits_holders(p, holders, FIVE, &count), 0);
	assert_int_equal(count, 2);
	h = held_by(holders, count, getpid());
	assert_true(h->holder == ILK_HELD_BY_ME && h->count == 3 && h->tid == gettid());
	h = held_by(holders, count, child->pid);
	assert_true(h->holder == ILK_HELD_BY_LIVING && h->count == 2 && h->tid == child->pid);
	assert_true(h->name[0]);
	CHECK_RC(ilk_permits_release(p, 3), 0);
	ilk_test_kill(child);
	CHECK_RC(ilk_permits_holders(p, holders, FIVE, &count), 0);
	assert_true(count == 1 && holders[0].holder == ILK_HELD_BY_DEAD && holders[0].count == 2);
}

static int count_mine_from_a_thread(void *permits)
{
	struct ilk_permits_holder holders[FIVE];
	size_t count;

	CHECK_RC(ilk_permits_holders(permits, holders, FIVE, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (holders[i].holder == ILK_HELD_BY_ME)
			return (int)holders[i].count;
	return 0;
}

static void test_holders_are_processes_where_these_own_them(void **state)
{
	struct holding two = {shared, 2, 0};
	struct ilk_test_child *child = start_holder(&two);
	struct ilk_permits_holder holders[FIVE];
	const struct ilk_permits_holder *h;
	int32_t pid = child->pid;
	size_t count;

	(void)state;
	CHECK_RC(ilk_permits_acquire(shared, 1), 0);
	CHECK_RC(ilk_permits_acquire(p, 1), 0);
	assert_int_equal(support_in_thread(count_mine_from_a_thread, shared), 1);
	assert_int_equal(support_in_thread(count_mine_from_a_thread, p), 0);
	CHECK_RC(ilk_permits_holders(shared, holders, FIVE, &count), 0);
	h = held_by(holders, count, child->pid);
	assert_true(count == 2 && h->holder == ILK_HELD_BY_LIVING && h->count == 2 && h->tid == 0);
	assert_true(h->name[0]);
	ilk_test_kill(child);
	CHECK_RC(ilk_permits_holders(shared, holders, FIVE, &count), 0);
	assert_int_equal(held_by(holders, count, pid)->holder, ILK_HELD_BY_DEAD);
}

static void test_inspector_shows_who_has_them(void **state)
{
	struct holding two = {shared, 2, 0};
	struct ilk_test_child *child = start_holder(&two);
	struct ilk_inspection *in;
	char expected[64];
	int seen = 0;

	(void)state;
	CHECK_RC(ilk_permits_acquire(p, 4), 0);
	CHECK_RC(ilk_inspect(name, &in), 0);
	for (size_t i = 0; i < in->object_count; i++) {
		const struct ilk_object_info *o = &in->objects[i];
		int ours = strcmp(o->name, "threads'") == 0;

		assert_string_equal(o->type, "permits");
		snprintf(expected, sizeof expected, "%d of 5 taken: %d has %d", ours ? 4 : 2,
			(int)(ours ? getpid() : child->pid), ours ? 4 : 2);
		assert_string_equal(o->state, expected);
		assert_int_equal(o->value, ours ? 1 : 3);
		assert_string_equal(o->damage, "");
		seen++;
	}
	assert_int_equal(seen, 2);
	ilk_inspection_free(in);
	CHECK_RC(ilk_permits_release(p, 4), 0);
	ilk_test_kill(child);
}

static void wait_for_desks(void *arg)
{
	struct office *office = arg;

	CHECK_RC(ilk_permits_acquire(&office->desks.permits, 2), 0);
	CHECK_RC(ilk_permits_release(&office->desks.permits, 2), 0);
}

static void test_inspector_shows_embedded_ones_that_are_waited_for(void **state)
{
	const struct ilk_object_info *seen = NULL;
	struct ilk_test_child *child;
	struct ilk_inspection *in;
	struct office *office;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "office", sizeof *office, &block), 0);
	office = block;
	CHECK_RC(ilk_permits_init(seg, &office->desks.permits, "desks", &five), 0);
	CHECK_RC(ilk_permits_acquire(&office->desks.permits, 4), 0);
	child = ilk_test_start(wait_for_desks, office);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_inspect(name, &in), 0);
	CHECK_RC(ilk_permits_release(&office->desks.permits, 4), 0);
	ilk_test_join(child);
	for (size_t i = 0; i < in->object_count; i++)
		if (in->objects[i].embedded)
			seen = &in->objects[i];
	assert_non_null(seen);
	assert_string_equal(seen->name, "desks");
	assert_int_equal(seen->bytes, ILK_PERMITS_BYTES(FIVE));
	assert_non_null(strstr(seen->state, "5 of 5 taken"));
	assert_int_equal(seen->waiters, 1);
	ilk_inspection_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PERMITS_TEST(test_open_with_other_parameters_is_EEXIST),
		PERMITS_TEST(test_open_with_bad_arguments_is_EINVAL),
		PERMITS_TEST(test_init_in_a_block_makes_permits),
		PERMITS_TEST(test_init_with_bad_arguments_is_EINVAL),
		PERMITS_TEST(test_as_many_as_there_can_be),
		PERMITS_TEST(test_read_only_attachment_tells_who_has_them),
		PERMITS_TEST(test_holders_are_listed_once_each),
		PERMITS_TEST(test_holders_are_processes_where_these_own_them),
		PERMITS_TEST(test_inspector_shows_who_has_them),
		PERMITS_TEST(test_inspector_shows_embedded_ones_that_are_waited_for),
	};

	return RUN_PERMITS_TESTS(tests);
}
