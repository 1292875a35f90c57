/*
 * inspect_file.c - inspecting changes nothing in the file, and bears what others do to it.
 *
 * Cut off while it is read, sparse, without a name, or with members that come and go.
 */
#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 700, HOLD_NS = 5000 };

static const struct ilk_object_info *find(const struct ilk_inspection *in, const char *name)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, name) == 0)
			return &in->objects[i];
	return NULL;
}

/* --- cut off --- */

enum { PAGE = 4096 };

/* Cuts the file off behind its header, then puts it right again, each time at another page. */
static void cut_and_restore(void *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END), at = PAGE;
	char *bytes = malloc((size_t)size);

	CHECK(bytes && pread(fd, bytes, (size_t)size, 0) == size);
	for (;;) {
		CHECK(ftruncate(fd, at) == 0);
		CHECK(ftruncate(fd, size) == 0);
		CHECK(pwrite(fd, bytes + at, (size_t)(size - at), at) == size - at);
		at = at + PAGE < size ? at + PAGE : PAGE;
		ilk_test_say(0);
	}
}

/* Whole pictures and refusals: until there were some of each, or time is over. */
static void inspect_some_times(const char *name)
{
	ilk_time deadline = ilk_after_ms(PATIENCE_MS);
	int whole = 0, refused = 0;

	while (ilk_now() < deadline && (whole < 300 || refused < 300)) {
		struct ilk_inspection *in = NULL;
		int rc = ilk_inspect(name, &in);

		if (rc < 0)
			CHECK_RC(rc, -EBADMSG);
		CHECK((rc < 0) == (in == NULL));
		whole += rc == 0;
		refused += rc < 0;
		ilk_inspection_free(in);
	}
	print_message("%d pictures, %d refusals\n", whole, refused);
}

/* A segment of long tables with some mutexes, attached nowhere. */
static void leave_behind(const char *name)
{
	const struct ilk_segment_options large = {
		.size = sizeof large, .bytes = 2 << 20, .processes = 4095, .threads = 4095};
	struct ilk_segment *own = support_create(name, &large);

	for (int i = 0; i < 20; i++) {
		char object[16];

		snprintf(object, sizeof object, "m%d", i);
		support_mutex(own, object);
	}
	ilk_segment_close(own);
}

static void test_inspect_of_a_file_that_is_cut_off_meanwhile_is_EBADMSG(void **state)
{
	struct ilk_test_child *cutter;
	char name[64], path[96];

	(void)state;
	strcpy(name, ilk_test_name(""));
	strcpy(path, support_path(name));
	leave_behind(name);
	cutter = ilk_test_start(cut_and_restore, path);
	ilk_test_await(0);
	inspect_some_times(name);
	ilk_test_kill(cutter);
	support_unlink(name);
}

/* --- sparse --- */

static blkcnt_t blocks_of(const char *name)
{
	struct stat file;

	assert_int_equal(stat(support_path(name), &file), 0);
	return file.st_blocks;
}

static void test_inspect_of_a_sparse_segment_fills_no_hole(void **state)
{
	const struct ilk_segment_options sparse = {.size = sizeof sparse,
		.bytes = 64 << 20,
		.processes = 4095,
		.threads = 4095,
		.flags = ILK_SEGMENT_SPARSE};
	struct ilk_segment *holes = support_create(ilk_test_name("b"), &sparse);
	struct ilk_inspection *in;
	blkcnt_t before;

	(void)state;
	support_mutex(holes, "m");
	before = blocks_of(ilk_test_name("b"));
	CHECK_RC(ilk_inspect(ilk_test_name("b"), &in), 0);
	assert_non_null(find(in, "m"));
	assert_string_equal(in->damage, "");
	assert_int_equal(blocks_of(ilk_test_name("b")), before);
	ilk_inspection_free(in);
	ilk_segment_close(holes);
	support_unlink(ilk_test_name("b"));
}

/* --- without a name --- */

/* The place in /proc of this process's descriptor of a memfd. */
static void find_memfd(char *path, size_t size)
{
	for (int fd = 3; fd < 200; fd++) {
		char target[100] = "";

		snprintf(path, size, "/proc/%d/fd/%d", getpid(), fd);
		if (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "/memfd:"))
			return;
	}
	ilk_test_fail("no descriptor of a memfd");
}

static void hold_for_ever(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static enum ilk_holder_life holder_seen_through(const char *path)
{
	enum ilk_holder_life holder;
	struct ilk_inspection *in;

	CHECK_RC(ilk_inspect(path, &in), 0);
	assert_string_equal(in->name, "nameless");
	assert_string_equal(in->damage, "");
	assert_int_equal(in->liveness, ILK_LIFE_ALIVE);
	assert_non_null(find(in, "m"));
	holder = find(in, "m")->holder;
	ilk_inspection_free(in);
	return holder;
}

static void test_inspect_of_an_anonymous_segment_works_through_proc(void **state)
{
	struct ilk_segment *nameless;
	struct ilk_test_child *holder;
	char path[64];

	(void)state;
	CHECK_RC(ilk_segment_anonymous("nameless", NULL, &nameless), 0);
	support_mutex(nameless, "m");
	find_memfd(path, sizeof path);
	assert_int_equal(holder_seen_through(path), ILK_HOLDER_NONE);
	holder = ilk_test_start(hold_for_ever, support_mutex(nameless, "m"));
	ilk_test_await(0);
	assert_int_equal(holder_seen_through(path), ILK_HOLDER_ALIVE);
	ilk_test_kill(holder);
	assert_int_equal(holder_seen_through(path), ILK_HOLDER_DEAD);
	ilk_segment_close(nameless);
}

/* --- in good order --- */

/* Lets go of "m" in good order, and then leaves "kept" behind: the slot gets a new generation. */
static void come_and_go(void *name)
{
	ilk_segment_close(seg); /* inherited: what comes below is then the only attachment */
	for (;;) {
		struct ilk_segment *own = support_open(name);
		struct ilk_mutex *m = support_mutex(own, "m");
		ilk_time until;

		CHECK(ilk_mutex_lock(support_mutex(own, "kept")) >= 0);
		CHECK_RC(ilk_mutex_lock(m), 0);
		for (until = ilk_after_ns(HOLD_NS); ilk_now() < until;)
			ilk_pause_();
		CHECK_RC(ilk_mutex_unlock(m), 0);
		ilk_segment_close(own);
		ilk_test_say(0);
	}
}

static void test_inspect_never_calls_one_dead_who_has_let_go(void **state)
{
	ilk_time deadline = ilk_after_ms(PATIENCE_MS);
	struct ilk_test_child *child;
	int held = 0, looks = 0;
	char name[64];

	(void)state;
	strcpy(name, ilk_test_name(""));
	support_mutex(seg, "m");
	child = ilk_test_start(come_and_go, name);
	ilk_test_await(0);
	for (; ilk_now() < deadline; looks++) {
		struct ilk_inspection *in;

		CHECK_RC(ilk_inspect(name, &in), 0);
		assert_non_null(find(in, "m"));
		assert_int_not_equal(find(in, "m")->holder, ILK_HOLDER_DEAD);
		held += find(in, "m")->holder != ILK_HOLDER_NONE;
		ilk_inspection_free(in);
	}
	print_message("%d looks, held in %d\n", looks, held);
	ilk_test_kill(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_inspect_of_a_file_that_is_cut_off_meanwhile_is_EBADMSG),
		ILK_TEST(test_inspect_of_a_sparse_segment_fills_no_hole),
		ILK_TEST(test_inspect_of_an_anonymous_segment_works_through_proc),
		SEGMENT_TEST(test_inspect_never_calls_one_dead_who_has_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
