/* transient_death.c - transient segments whose members died, and who stops while he removes one. */
#include "transient_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* --- death --- */

static void create_and_die(void *arg)
{
	(void)arg;
	use(create());
	ilk_test_say(IN);
	ilk_test_sleep_for_ever();
}

/* A transient segment all of whose members are dead. */
static void leave_a_dead_one(void)
{
	struct ilk_test_child *child = ilk_test_start(create_and_die, NULL);

	ilk_test_await(IN);
	ilk_test_kill(child);
	CHECK(is_there());
}

static void test_open_of_a_dead_one_is_ENOENT_and_removes_it(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	leave_a_dead_one();
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -ENOENT);
	CHECK(!is_there());
}

static void test_open_read_only_of_a_dead_one_is_ENOENT_and_leaves_it(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	leave_a_dead_one();
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &read_only, &seg), -ENOENT);
	CHECK(is_there());
	support_unlink(ilk_test_name(""));
}

static void check_fresh(const struct ilk_segment_options *options)
{
	struct ilk_segment *seg;

	leave_a_dead_one();
	CHECK_RC(ilk_segment_create(ilk_test_name(""), options, &seg), 0);
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 0);
	ilk_segment_close(seg);
	CHECK(!is_there());
}

static void test_create_over_a_dead_one_makes_a_new_one(void **state)
{
	(void)state;
	check_fresh(&transient);
}

static void test_create_exclusive_over_a_dead_one_makes_a_new_one(void **state)
{
	(void)state;
	check_fresh(&transient_new);
}

static void test_create_exclusive_beside_a_living_member_is_EEXIST(void **state)
{
	struct ilk_segment *seg = create(), *second;

	(void)state;
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &transient_new, &second), -EEXIST);
	ilk_segment_close(seg);
}

static void test_close_after_another_died_removes_the_name(void **state)
{
	struct ilk_segment *seg;
	struct ilk_test_child *child = ilk_test_start(create_and_die, NULL);

	(void)state;
	ilk_test_await(IN);
	seg = support_open(ilk_test_name(""));
	ilk_test_kill(child);
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 1);
	ilk_segment_close(seg);
	CHECK(!is_there());
}

static void test_a_zombie_is_no_member(void **state)
{
	struct ilk_test_child *child = ilk_test_start(create_and_die, NULL);
	struct ilk_segment *seg;

	(void)state;
	ilk_test_await(IN);
	ilk_test_kill_only(child);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -ENOENT);
	ilk_test_reap(child);
}

static void test_a_stopped_member_is_alive(void **state)
{
	struct ilk_test_child *child = ilk_test_start(create_and_die, NULL);
	struct ilk_segment *seg;

	(void)state;
	ilk_test_await(IN);
	ilk_test_stop(child);
	seg = support_open(ilk_test_name(""));
	ilk_segment_close(seg);
	CHECK(is_there());
	ilk_test_continue(child);
	ilk_test_kill(child);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -ENOENT);
}

static void be_refused(void *arg)
{
	struct ilk_segment *seg;

	(void)arg;
	support_become_nobody();
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -EACCES);
	CHECK(strstr(ilk_last_error(), "may not remove it") != NULL);
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &transient, &seg), -EACCES);
}

static void create_for_all_and_die(void *arg)
{
	struct ilk_segment_options options = transient;

	(void)arg;
	options.mode = 0666;
	use(support_create(ilk_test_name(""), &options));
	ilk_test_say(IN);
	ilk_test_sleep_for_ever();
}

static void test_a_dead_one_that_we_may_not_remove_is_EACCES(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	child = ilk_test_start(create_for_all_and_die, NULL);
	ilk_test_await(IN);
	ilk_test_kill(child);
	ilk_test_in_child(be_refused, NULL);
	support_unlink(ilk_test_name(""));
}

/* --- while another removes it --- */

/* What src/segment/layout.h says of the range: gate, then two bytes for each of 4095 slots. */
static void take_range(void *arg)
{
	struct flock lock = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = ((off_t)1 << 40) - 1,
		.l_len = 2 * 4095 + 1};
	int fd = open(support_path(ilk_test_name("")), O_RDWR | O_CLOEXEC);

	(void)arg;
	CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
	ilk_test_say(GO);
	ilk_test_sleep_for_ever();
}

static void test_while_a_remover_is_stopped_open_is_ENOENT_and_create_EBUSY(void **state)
{
	struct ilk_test_child *remover;
	struct ilk_inspection *in;
	struct ilk_segment *seg;

	(void)state;
	leave_a_dead_one();
	remover = ilk_test_start(take_range, NULL);
	ilk_test_await(GO);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -ENOENT);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &read_only, &seg), -ENOENT);
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &transient, &seg), -EBUSY);
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &transient_new, &seg), -EBUSY);
	/* The remover's locks look like nobody's life. */
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	CHECK(in->process_count == 1 && in->processes[0].life == ILK_LIFE_DEAD);
	ilk_inspection_free(in);
	ilk_test_kill(remover);
	/* He died in it: the next one does it. */
	seg = create();
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 0);
	ilk_segment_close(seg);
	CHECK(!is_there());
}

static void hold_for_a_while(off_t start, off_t length)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/self/fd/%d", (int)ilk_test_board()->value[0]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
	ilk_test_say(GO);
	ilk_test_sleep_ms(100);
}

static void hold_range_for_a_while(void *arg)
{
	(void)arg;
	hold_for_a_while(((off_t)1 << 40) - 1, 2 * 4095 + 1);
}

static void hold_range_for_ever(void *arg)
{
	hold_range_for_a_while(arg);
	ilk_test_sleep_for_ever();
}

/* What is met by who has seen the life byte of slot 0 free, before the remover came. */
static void hold_claim_for_a_while(void *arg)
{
	(void)arg;
	hold_for_a_while(((off_t)1 << 40) - 2, 3);
}

static void check_waits(void (*hold)(void *arg))
{
	const struct ilk_segment_options one = {
		.size = sizeof one, .processes = 1, .flags = ILK_SEGMENT_TRANSIENT};
	struct ilk_segment *seg, *received;
	struct ilk_test_child *remover;
	int ends[2], copy;

	seg = support_create(ilk_test_name(""), &one);
	copy = open(support_path(ilk_test_name("")), O_RDWR | O_CLOEXEC);
	ilk_test_board()->value[0] = copy;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK_RC(ilk_segment_send(seg, ends[0]), 0);
	ilk_segment_close(seg);
	ilk_test_board()->step[GO] = 0;
	remover = ilk_test_start(hold, NULL);
	ilk_test_await(GO);
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &received), 0);
	use(received);
	ilk_segment_close(received);
	ilk_test_join(remover);
	close(copy);
	close(ends[0]);
	close(ends[1]);
}

static void test_a_received_one_waits_for_a_remover(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_waits(hold_range_for_a_while);
	check_waits(hold_claim_for_a_while);
}

static void *be_refused_in_the_end(void *seg)
{
	void *memory;

	ilk_test_say(IN);
	CHECK_RC(ilk_block_open(seg, "b", 64, &memory), -EBUSY);
	ilk_test_say(MADE);
	return NULL;
}

static void go_on_beside_a_joiner(void *seg)
{
	struct ilk_segment *other;
	pthread_t joiner;

	/* All have left: a remover can have it. */
	ilk_test_await(GO);
	CHECK(pthread_create(&joiner, NULL, be_refused_in_the_end, seg) == 0);
	ilk_test_await(IN);
	ilk_test_sleep_ms(100);
	CHECK_RC(ilk_segment_anonymous("x", NULL, &other), 0);
	use(other);
	ilk_segment_close(other);
	CHECK(!ilk_test_was_said(MADE));
	CHECK(pthread_join(joiner, NULL) == 0);
}

static void test_who_waits_for_a_remover_holds_up_no_thread(void **state)
{
	struct ilk_test_child *child, *remover;
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	SKIP_UNDER_EMULATION("a child inherits the mapping that keeps its parent's life");
	seg = create();
	child = ilk_test_start(go_on_beside_a_joiner, seg);
	ilk_test_board()->value[0] = open(support_path(ilk_test_name("")), O_RDWR | O_CLOEXEC);
	ilk_segment_close(seg);
	remover = ilk_test_start(hold_range_for_ever, NULL);
	ilk_test_join(child);
	ilk_test_kill(remover);
	close((int)ilk_test_board()->value[0]);
}

static void take_removal_byte(void *arg)
{
	struct flock lock = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = ((off_t)1 << 40) - 2,
		.l_len = 1};
	int fd = open(support_path(ilk_test_name("")), O_RDWR | O_CLOEXEC);

	(void)arg;
	CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
	ilk_test_say(GO);
	ilk_test_sleep_for_ever();
}

static void test_unlink_while_another_removes_it_is_EBUSY(void **state)
{
	struct ilk_segment *seg = create();
	struct ilk_test_child *other = ilk_test_start(take_removal_byte, NULL);

	(void)state;
	ilk_test_await(GO);
	CHECK_RC(ilk_segment_unlink(ilk_test_name("")), -EBUSY);
	CHECK(is_there());
	ilk_test_kill(other);
	CHECK_RC(ilk_segment_unlink(ilk_test_name("")), 0);
	ilk_segment_close(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_open_of_a_dead_one_is_ENOENT_and_removes_it),
		ILK_TEST(test_open_read_only_of_a_dead_one_is_ENOENT_and_leaves_it),
		ILK_TEST(test_create_over_a_dead_one_makes_a_new_one),
		ILK_TEST(test_create_exclusive_over_a_dead_one_makes_a_new_one),
		ILK_TEST(test_create_exclusive_beside_a_living_member_is_EEXIST),
		ILK_TEST(test_close_after_another_died_removes_the_name),
		ILK_TEST(test_a_zombie_is_no_member),
		ILK_TEST(test_a_stopped_member_is_alive),
		ILK_TEST(test_a_dead_one_that_we_may_not_remove_is_EACCES),
		ILK_TEST(test_while_a_remover_is_stopped_open_is_ENOENT_and_create_EBUSY),
		ILK_TEST(test_a_received_one_waits_for_a_remover),
		ILK_TEST(test_who_waits_for_a_remover_holds_up_no_thread),
		ILK_TEST(test_unlink_while_another_removes_it_is_EBUSY),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
