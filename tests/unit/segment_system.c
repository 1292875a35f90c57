/*
 * segment_system.c - what the system refuses: permissions, descriptors, memory, room, membarrier.
 *
 * Each is arranged in a child, which loses what it must lose and then asks.
 */
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct ilk_segment *const untouched = (struct ilk_segment *)8;

/* --- permissions --- */

static void be_refused(void *name)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *seg = untouched;
	struct ilk_inspection *in;

	support_become_nobody();
	CHECK_RC(ilk_segment_open(name, NULL, &seg), -EACCES);
	CHECK(strstr(ilk_last_error(), name) != NULL);
	CHECK_RC(ilk_segment_open(name, &read_only, &seg), -EACCES);
	CHECK_RC(ilk_segment_create(name, NULL, &seg), -EACCES);
	CHECK_RC(ilk_segment_open_until(name, NULL, ILK_FOREVER, &seg), -EACCES);
	CHECK_RC(ilk_inspect(name, &in), -EACCES);
	CHECK_RC(ilk_segment_unlink(name), -EACCES);
	CHECK(seg == untouched);
}

/* Runs BODY in a child while a segment is there whose name BODY is given. */
static void run_beside_a_segment(void (*body)(void *name))
{
	struct ilk_segment *seg;
	char name[64];

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	ilk_test_in_child(body, name);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_anothers_private_segment_is_EACCES(void **state)
{
	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	run_beside_a_segment(be_refused);
}

static void read_only_is_allowed(void *name)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *seg = untouched;

	support_become_nobody();
	CHECK_RC(ilk_segment_open(name, NULL, &seg), -EACCES);
	CHECK_RC(ilk_segment_open(name, &read_only, &seg), 0);
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 7);
	ilk_segment_close(seg);
}

static void test_anothers_readable_segment_opens_read_only(void **state)
{
	const struct ilk_segment_options readable = {.size = sizeof readable, .mode = 0644};
	struct ilk_segment *seg;
	char name[64];

	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &readable);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 7), 0);
	ilk_test_in_child(read_only_is_allowed, name);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void use_as_nobody(void *name)
{
	struct ilk_segment *seg;

	support_become_nobody();
	seg = support_create(name, NULL);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	ilk_segment_close(seg);
}

static void test_a_user_without_rights_creates_and_others_join(void **state)
{
	struct ilk_test_child *child;
	struct ilk_segment *seg;
	char name[64];

	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	strcpy(name, ilk_test_name(""));
	child = ilk_test_start(use_as_nobody, name);
	ilk_test_await(0);
	seg = support_open(name);
	CHECK_RC(ilk_mutex_try_lock(support_mutex(seg, "m")), -EBUSY);
	ilk_test_say(1);
	ilk_test_join(child);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), ILK_RECOVERED);
	ilk_segment_close(seg);
	support_unlink(name);
}

/* --- descriptors and memory --- */

static void run_out_of_descriptors(void *name)
{
	const struct rlimit few = {200, 200};
	struct ilk_segment *seg = untouched;
	int fds[200], count = 0;

	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	while ((fds[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	/* With none, one, two, ... left: a clean refusal, until there are enough. */
	for (int rc = -EMFILE; rc == -EMFILE; close(fds[--count])) {
		int before = ilk_test_count_descriptors();

		rc = ilk_segment_open(name, NULL, &seg);
		if (rc == 0)
			ilk_segment_close(seg);
		else
			CHECK_RC(rc, -EMFILE);
		CHECK(rc == 0 || seg == untouched);
		CHECK(ilk_test_count_descriptors() == before);
	}
	for (int i = 0; i < 4; i++)
		fds[count++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	seg = untouched;
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
	CHECK_RC(ilk_segment_create(name, NULL, &seg), -EMFILE);
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), -EMFILE);
	CHECK(seg == untouched);
}

static void test_no_descriptors_left_is_EMFILE(void **state)
{
	(void)state;
	SKIP_UNDER_EMULATION("it needs descriptors of its own");
	run_beside_a_segment(run_out_of_descriptors);
}

static void run_out_of_address_space(void *name)
{
	const struct rlimit little = {64 << 20, 64 << 20};
	const struct ilk_segment_options big = {
		.size = sizeof big, .bytes = 256 << 20, .flags = ILK_SEGMENT_SPARSE};
	struct ilk_segment *seg = untouched;
	int descriptors = ilk_test_count_descriptors();

	CHECK(setrlimit(RLIMIT_AS, &little) == 0);
	CHECK_RC(ilk_segment_open(name, NULL, &seg), -ENOMEM);
	CHECK_RC(ilk_segment_create(name, NULL, &seg), -ENOMEM);
	CHECK_RC(ilk_segment_create(ilk_test_name("b"), &big, &seg), -ENOMEM);
	CHECK_RC(ilk_segment_anonymous("x", &big, &seg), -ENOMEM);
	CHECK(seg == untouched);
	CHECK(ilk_test_count_descriptors() == descriptors);
	CHECK_RC(ilk_segment_unlink(ilk_test_name("b")), -ENOENT);
}

static void test_no_address_space_left_is_ENOMEM(void **state)
{
	const struct ilk_segment_options big = {
		.size = sizeof big, .bytes = 256 << 20, .flags = ILK_SEGMENT_SPARSE};
	char name[64];

	(void)state;
	if (support_slow())
		SKIP("sanitizers and emulators need address space of their own");
	strcpy(name, ilk_test_name(""));
	ilk_segment_close(support_create(name, &big));
	ilk_test_in_child(run_out_of_address_space, name);
	support_unlink(name);
}

/* --- room --- */

/* Gives this process a /dev/shm of its own, of 1 MiB. 0: not permitted. */
static int have_a_small_shm(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("small", "/dev/shm", "tmpfs", 0, "size=1m") == 0;
}

enum { NOT_PERMITTED = 1, DONE = 2 };

static void run_out_of_room(void *name)
{
	const struct ilk_segment_options half = {.size = sizeof half, .bytes = 512 << 10};
	struct ilk_segment_options big = {.size = sizeof big, .bytes = 2 << 20};
	struct ilk_segment *seg = untouched, *sparse;
	struct stat file;

	if (!have_a_small_shm()) {
		ilk_test_say(NOT_PERMITTED);
		return;
	}
	CHECK_RC(ilk_segment_create(name, &big, &seg), -ENOSPC);
	CHECK(*ilk_last_error() != 0);
	CHECK(seg == untouched);
	CHECK(stat(support_path(name), &file) < 0 && errno == ENOENT);
	big.flags = ILK_SEGMENT_SPARSE;
	sparse = support_create(name, &big);
	ilk_segment_close(sparse);
	support_unlink(name);
	/* What was refused has left nothing: there is room for two halves, less the folder. */
	seg = support_create(name, &half);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	ilk_segment_close(seg);
	support_unlink(name);
	ilk_test_say(DONE);
}

static void test_no_room_is_ENOSPC_and_leaves_nothing(void **state)
{
	char name[64];

	(void)state;
	if (!support_is_root() || support_emulated())
		SKIP("a /dev/shm of its own needs root and no emulator");
	strcpy(name, ilk_test_name(""));
	ilk_test_in_child(run_out_of_room, name);
	if (ilk_test_was_said(NOT_PERMITTED))
		SKIP("mounting is not permitted here");
	assert_true(ilk_test_was_said(DONE));
}

/* --- membarrier --- */

/* Makes membarrier(2) fail with ENOSYS from here on, also after exec. */
static void lose_membarrier(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void run_without_membarrier(void *name)
{
	lose_membarrier();
	/* The library registered when it was loaded, and fork keeps that: only exec drops it. */
	execl("/proc/self/exe", "segment_system", "--without-membarrier", name, NULL);
	ilk_test_fail("exec failed");
}

/* After that exec, without a runner around it. The exit status says which step failed. */
static int use_without_membarrier(const char *name)
{
	const struct ilk_segment_options fenced = {
		.size = sizeof fenced, .flags = ILK_SEGMENT_FENCED};
	struct ilk_segment *seg = untouched;
	struct ilk_mutex *m;

	if (ilk_segment_open(name, NULL, &seg) != -ENOTSUP || seg != untouched)
		return 2;
	if (ilk_segment_create(name, NULL, &seg) != -ENOTSUP || seg != untouched)
		return 3;
	if (ilk_segment_anonymous("x", NULL, &seg) != -ENOTSUP || seg != untouched)
		return 4;
	if (ilk_segment_anonymous("x", &fenced, &seg) != 0)
		return 5;
	if (ilk_mutex_open(seg, "m", NULL, &m) != 0 || ilk_mutex_lock(m) != 0)
		return 6;
	return ilk_mutex_unlock(m) == 0 && ilk_segment_close(seg) == 0 ? 0 : 7;
}

static void test_no_membarrier_is_ENOTSUP_unless_fenced(void **state)
{
	(void)state;
	SKIP_UNDER_EMULATION("seccomp filters the emulator");
	run_beside_a_segment(run_without_membarrier);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_anothers_private_segment_is_EACCES),
		ILK_TEST(test_anothers_readable_segment_opens_read_only),
		ILK_TEST(test_a_user_without_rights_creates_and_others_join),
		ILK_TEST(test_no_descriptors_left_is_EMFILE),
		ILK_TEST(test_no_address_space_left_is_ENOMEM),
		ILK_TEST(test_no_room_is_ENOSPC_and_leaves_nothing),
		ILK_TEST(test_no_membarrier_is_ENOTSUP_unless_fenced),
	};

	if (argc == 3 && strcmp(argv[1], "--without-membarrier") == 0)
		return use_without_membarrier(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
