/* transient.c - segments whose name goes with their last member: who is the last one. */
#include "transient_fixture.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- leaving in order --- */

static void test_close_by_the_only_member_removes_the_name(void **state)
{
	struct ilk_segment *seg = create();

	(void)state;
	use(seg);
	CHECK(is_there());
	ilk_segment_close(seg);
	CHECK(!is_there());
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -ENOENT);
}

static void open_and_stay(void *arg)
{
	struct ilk_segment *seg;

	(void)arg;
	ilk_test_await(MADE);
	seg = support_open(ilk_test_name(""));
	ilk_test_say(IN);
	ilk_test_await(GO);
	CHECK(is_there());
	use(seg);
	ilk_segment_close(seg);
	CHECK(!is_there());
}

static void test_close_beside_another_member_leaves_the_name_to_it(void **state)
{
	struct ilk_test_child *child = ilk_test_start(open_and_stay, NULL);
	struct ilk_segment *seg = create();

	(void)state;
	ilk_test_say(MADE);
	ilk_test_await(IN);
	ilk_segment_close(seg);
	CHECK(is_there());
	ilk_test_say(GO);
	ilk_test_join(child);
	CHECK(!is_there());
}

static void test_close_of_one_of_two_attachments_keeps_the_name(void **state)
{
	struct ilk_segment *seg = create(), *second = create(), *reader;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &read_only, &reader), 0);
	ilk_segment_close(seg);
	CHECK(is_there());
	ilk_segment_close(second);
	/* Who only reads is no member. */
	CHECK(!is_there());
	ilk_segment_close(reader);
}

static void exit_without_close(void *arg)
{
	(void)arg;
	use(create());
	ilk_test_say(IN);
	exit(0);
}

static void test_exit_without_close_removes_the_name(void **state)
{
	struct ilk_test_child *child = ilk_test_start(exit_without_close, NULL);

	(void)state;
	ilk_test_join(child);
	CHECK(ilk_test_was_said(IN));
	CHECK(!is_there());
}

static int close_in_thread(void *seg)
{
	return ilk_segment_close(seg);
}

static void test_close_in_another_thread_removes_the_name(void **state)
{
	struct ilk_segment *seg = create();

	(void)state;
	use(seg);
	CHECK_RC(support_in_thread(close_in_thread, seg), 0);
	CHECK(!is_there());
}

static void test_close_of_an_ordinary_segment_keeps_the_name(void **state)
{
	struct ilk_segment *seg = support_create(ilk_test_name(""), NULL);

	(void)state;
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &transient, &seg), -EEXIST);
	CHECK(strstr(ilk_last_error(), "transient differs") != NULL);
	ilk_segment_close(seg);
	CHECK(is_there());
	support_unlink(ilk_test_name(""));
}

/* --- children --- */

static struct ilk_segment *inherited;

static void use_inherited(void *arg)
{
	(void)arg;
	ilk_test_say(GO);
	ilk_test_await(IN);
	use(inherited);
	ilk_segment_close(inherited);
}

static void test_a_child_that_never_joined_does_not_count(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	SKIP_UNDER_TSAN();
	inherited = create();
	use(inherited);
	child = ilk_test_start(use_inherited, NULL);
	/* Under an emulator it inherits the proof of life, too, until it has begun. */
	ilk_test_await(GO);
	ilk_segment_close(inherited);
	CHECK(!is_there());
	/* It can use what it inherited all the same: a segment without a name. */
	ilk_test_say(IN);
	ilk_test_join(child);
}

static void join_and_stay(void *arg)
{
	(void)arg;
	use(inherited);
	ilk_test_say(IN);
	ilk_test_await(GO);
	ilk_segment_close(inherited);
	CHECK(!is_there());
}

static void test_a_child_that_joined_counts(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	SKIP_UNDER_TSAN();
	inherited = create();
	child = ilk_test_start(join_and_stay, NULL);
	ilk_test_await(IN);
	ilk_segment_close(inherited);
	CHECK(is_there());
	ilk_test_say(GO);
	ilk_test_join(child);
}

/* --- the name, meanwhile --- */

static void test_close_after_unlink_by_hand_leaves_a_new_one_alone(void **state)
{
	struct ilk_segment *old = create(), *new;

	(void)state;
	support_unlink(ilk_test_name(""));
	new = create();
	use(old);
	ilk_segment_close(old);
	CHECK(is_there());
	use(new);
	ilk_segment_close(new);
	CHECK(!is_there());
}

static void test_close_after_unlink_by_hand_is_quiet(void **state)
{
	struct ilk_segment *seg = create();

	(void)state;
	support_unlink(ilk_test_name(""));
	use(seg);
	CHECK_RC(ilk_segment_close(seg), 0);
}

static void test_a_received_one_counts_as_any_other(void **state)
{
	struct ilk_segment *seg = create(), *received;
	int ends[2];

	(void)state;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK_RC(ilk_segment_send(seg, ends[0]), 0);
	ilk_segment_close(seg);
	/* A descriptor on its way is nobody. */
	CHECK(!is_there());
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &received), 0);
	use(received);
	ilk_segment_close(received);
	close(ends[0]);
	close(ends[1]);
}

static void test_an_anonymous_one_has_nothing_to_remove(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	CHECK_RC(ilk_segment_anonymous("x", &transient, &seg), 0);
	use(seg);
	CHECK_RC(ilk_segment_close(seg), 0);
}

static void test_the_inspector_tells_it_is_transient(void **state)
{
	struct ilk_segment *seg = create();
	struct ilk_inspection *in;

	(void)state;
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	CHECK(in->transient == 1);
	ilk_inspection_free(in);
	ilk_segment_close(seg);
}

static void refuse_the_only_slot(void *arg)
{
	struct ilk_segment *seg;

	(void)arg;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -EUSERS);
}

static void test_a_full_one_is_EUSERS_and_keeps_its_name(void **state)
{
	struct ilk_segment_options one = transient;
	struct ilk_segment *seg;

	(void)state;
	one.processes = 1;
	seg = support_create(ilk_test_name(""), &one);
	ilk_test_in_child(refuse_the_only_slot, NULL);
	CHECK(is_there());
	ilk_segment_close(seg);
	CHECK(!is_there());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_close_by_the_only_member_removes_the_name),
		ILK_TEST(test_close_beside_another_member_leaves_the_name_to_it),
		ILK_TEST(test_close_of_one_of_two_attachments_keeps_the_name),
		ILK_TEST(test_exit_without_close_removes_the_name),
		ILK_TEST(test_close_in_another_thread_removes_the_name),
		ILK_TEST(test_close_of_an_ordinary_segment_keeps_the_name),
		ILK_TEST(test_a_child_that_never_joined_does_not_count),
		ILK_TEST(test_a_child_that_joined_counts),
		ILK_TEST(test_close_after_unlink_by_hand_leaves_a_new_one_alone),
		ILK_TEST(test_close_after_unlink_by_hand_is_quiet),
		ILK_TEST(test_a_received_one_counts_as_any_other),
		ILK_TEST(test_an_anonymous_one_has_nothing_to_remove),
		ILK_TEST(test_the_inspector_tells_it_is_transient),
		ILK_TEST(test_a_full_one_is_EUSERS_and_keeps_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
