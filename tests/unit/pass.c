/* pass.c - a segment goes to another process over a socket. */
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct ilk_segment_options sealed = {
	.size = sizeof sealed, .flags = ILK_SEGMENT_SEALED};
static const struct ilk_segment_options read_only = {
	.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};

/* The ends of a connection: ours, and the child's. */
static int ends[2];

static int connect_ends(void **state)
{
	return ilk_test_setup(state) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int disconnect_ends(void **state)
{
	close(ends[0]);
	close(ends[1]);
	return ilk_test_teardown(state);
}

static void receive_and_add(void *options)
{
	struct ilk_segment *seg = NULL;

	CHECK_RC(ilk_segment_receive(ends[1], options, &seg), 0);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 5), 0);
	CHECK_RC(ilk_segment_close(seg), 0);
}

static void test_an_anonymous_one_is_the_same_there(void **state)
{
	struct ilk_test_child *child = ilk_test_start(receive_and_add, (void *)&sealed);
	struct ilk_segment *seg;

	(void)state;
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), 0);
	CHECK_RC(ilk_segment_send(seg, ends[0]), 0);
	ilk_test_join(child);
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), 5);
	ilk_segment_close(seg);
}

static void receive_as_nobody(void *arg)
{
	struct ilk_segment *seg = NULL;

	support_become_nobody();
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &seg), -EACCES);
	CHECK(seg == NULL);
	receive_and_add(arg);
}

static void test_the_receiver_must_be_permitted_to_open_it(void **state)
{
	const struct ilk_segment_options open_to_all = {.size = sizeof open_to_all, .mode = 0666};
	struct ilk_segment *closed, *open;
	struct ilk_test_child *child;

	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	child = ilk_test_start(receive_as_nobody, NULL);
	CHECK_RC(ilk_segment_anonymous("x", NULL, &closed), 0);
	CHECK_RC(ilk_segment_anonymous("x", &open_to_all, &open), 0);
	CHECK_RC(ilk_segment_send(closed, ends[0]), 0);
	CHECK_RC(ilk_segment_send(open, ends[0]), 0);
	ilk_test_join(child);
	assert_int_equal(ilk_counter_read(support_counter(open, "c")), 5);
	ilk_segment_close(open);
	ilk_segment_close(closed);
}

static void receive_and_hold(void *arg)
{
	struct ilk_segment *seg = NULL;

	(void)arg;
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &seg), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_the_receivers_death_is_its_own(void **state)
{
	struct ilk_test_child *child = ilk_test_start(receive_and_hold, NULL);
	struct ilk_segment *seg;

	(void)state;
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), 0);
	CHECK_RC(ilk_segment_send(seg, ends[0]), 0);
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_try_lock(support_mutex(seg, "m")), -EBUSY);
	ilk_test_kill(child);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), ILK_RECOVERED);
	ilk_segment_close(seg);
}

static void test_receive_read_only_changes_nothing(void **state)
{
	struct ilk_segment *seg, *seen;
	struct ilk_counter *c;

	(void)state;
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), 0);
	support_counter(seg, "c");
	CHECK_RC(ilk_segment_send(seg, ends[0]), 0);
	CHECK_RC(ilk_segment_receive(ends[1], &read_only, &seen), 0);
	CHECK_RC(ilk_counter_open(seen, "c", &c), 0);
	CHECK_RC(ilk_counter_add(c, 1), -EROFS);
	ilk_segment_close(seen);
	ilk_segment_close(seg);
}

static void test_one_that_is_not_sealed_is_EPERM_where_that_was_asked(void **state)
{
	struct ilk_segment *seg = support_create(ilk_test_name(""), NULL), *seen = NULL;

	(void)state;
	CHECK_RC(ilk_segment_send(seg, ends[0]), 0);
	CHECK_RC(ilk_segment_receive(ends[1], &sealed, &seen), -EPERM);
	assert_non_null(strstr(ilk_last_error(), "sealed"));
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &sealed, &seen), -EPERM);
	assert_null(seen);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

static void send_descriptor(int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof fd)];
		struct cmsghdr header;
	} control = {.header = {.cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS,
			     .cmsg_len = CMSG_LEN(sizeof fd)}};
	char byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	assert_int_equal(sendmsg(ends[0], &message, 0), 1);
}

static void test_what_is_no_segment_is_EMEDIUMTYPE(void **state)
{
	int before = ilk_test_count_descriptors(), fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct ilk_segment *seg = NULL;

	(void)state;
	send_descriptor(fd);
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &seg), -EMEDIUMTYPE);
	assert_int_equal(send(ends[0], "x", 1, 0), 1);
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &seg), -EMEDIUMTYPE);
	close(fd);
	assert_int_equal(ilk_test_count_descriptors(), before);
	assert_null(seg);
}

static void test_receive_from_one_who_has_closed_is_ENODATA(void **state)
{
	struct ilk_segment *seg = NULL;

	(void)state;
	shutdown(ends[0], SHUT_RDWR);
	CHECK_RC(ilk_segment_receive(ends[1], NULL, &seg), -ENODATA);
	assert_null(seg);
}

static void test_send_to_nobody_is_EPIPE_and_no_signal(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), 0);
	shutdown(ends[1], SHUT_RDWR);
	CHECK_RC(ilk_segment_send(seg, ends[0]), -EPIPE);
	CHECK_RC(ilk_segment_send(seg, -1), -EBADF);
	ilk_segment_close(seg);
}

static void *send_once_more(void *seg)
{
	ilk_test_say(0);
	CHECK_RC(ilk_segment_send(seg, ends[0]), -EPIPE);
	return NULL;
}

static void fill_socket(struct ilk_segment *seg)
{
	int flags = fcntl(ends[0], F_GETFL), rc = 0;

	CHECK(fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) == 0);
	while (rc == 0)
		rc = ilk_segment_send(seg, ends[0]);
	CHECK_RC(rc, -EAGAIN);
	CHECK(fcntl(ends[0], F_SETFL, flags) == 0);
}

/* In a child, which can be ended where it gets stuck. */
static void go_on_beside_a_sender(void *unused)
{
	struct ilk_segment *seg;
	pthread_t sender;
	void *memory;

	(void)unused;
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), 0);
	fill_socket(seg);
	CHECK(pthread_create(&sender, NULL, send_once_more, seg) == 0);
	ilk_test_await(0);
	for (int i = 0; i < 100; i++) {
		CHECK_RC(ilk_block_open(seg, "b", 64, &memory), 0);
		ilk_test_sleep_ms(1);
	}
	shutdown(ends[0], SHUT_RDWR);
	CHECK(pthread_join(sender, NULL) == 0);
	ilk_segment_close(seg);
}

static void test_who_sends_to_one_that_does_not_read_holds_up_no_thread(void **state)
{
	(void)state;
	ilk_test_in_child(go_on_beside_a_sender, NULL);
}

#define PASS_TEST(test) cmocka_unit_test_setup_teardown(test, connect_ends, disconnect_ends)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PASS_TEST(test_an_anonymous_one_is_the_same_there),
		PASS_TEST(test_the_receiver_must_be_permitted_to_open_it),
		PASS_TEST(test_the_receivers_death_is_its_own),
		PASS_TEST(test_receive_read_only_changes_nothing),
		PASS_TEST(test_one_that_is_not_sealed_is_EPERM_where_that_was_asked),
		PASS_TEST(test_what_is_no_segment_is_EMEDIUMTYPE),
		PASS_TEST(test_receive_from_one_who_has_closed_is_ENODATA),
		PASS_TEST(test_send_to_nobody_is_EPIPE_and_no_signal),
		PASS_TEST(test_who_sends_to_one_that_does_not_read_holds_up_no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
