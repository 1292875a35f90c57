/* pages.c - how the pages of a mapping come: prefaulted, locked, huge. */
#include "support.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SMALL = 4096, BYTES = 8 << 20, HUGE = 2 << 20, FEW = 16 };

static struct ilk_segment *create_with(unsigned flags)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .bytes = BYTES, .flags = flags};

	return support_create(ilk_test_name(""), &options);
}

static void end(struct ilk_segment *seg)
{
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

/* Where the segment is mapped, by what the kernel says. */
static uintptr_t base_of(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t base = 0, at;
	char line[512];

	CHECK(maps != NULL);
	/* The anchor is mapped as well, without any access. */
	while (fgets(line, sizeof line, maps))
		if (strstr(line, support_path(name)) && strstr(line, " r") &&
			sscanf(line, "%" SCNxPTR "-", &at) == 1)
			base = at;
	fclose(maps);
	CHECK(base != 0);
	return base;
}

/* The faults it costs to read every page of the segment; without those of a sanitizer's own memory. */
__attribute__((no_sanitize("address", "thread"))) static long faults_of_reading(void)
{
	const volatile char *base = (const char *)base_of(ilk_test_name(""));
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (size_t at = 0; at < BYTES; at += SMALL)
		(void)base[at];
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt - before.ru_minflt;
}

/* --- prefault --- */

static void open_and_count(void *arg)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = *(const unsigned *)arg};
	struct ilk_segment *seg;

	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &seg), 0);
	ilk_test_board()->value[0] = faults_of_reading();
	ilk_segment_close(seg);
}

static int64_t faults_with(unsigned flags)
{
	ilk_test_in_child(open_and_count, &flags);
	return ilk_test_board()->value[0];
}

static void test_prefault_maps_all_pages(void **state)
{
	struct ilk_segment *seg;
	int64_t without, with;

	(void)state;
	SKIP_UNDER_EMULATION("it counts the emulator's faults");
	seg = create_with(0);
	without = faults_with(0);
	with = faults_with(ILK_SEGMENT_PREFAULT);
	print_message("faults without %" PRId64 ", with %" PRId64 "\n", without, with);
	CHECK(with < FEW && without > with);
	CHECK(faults_with(ILK_SEGMENT_PREFAULT | ILK_SEGMENT_READ_ONLY) < FEW);
	CHECK(faults_with(ILK_SEGMENT_LOCKED) < FEW);
	end(seg);
}

/* Makes madvise(2) refuse to populate, as kernels before 5.14 do. */
static void lose_populate(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 22, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 25, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void open_without_populate(void *arg)
{
	lose_populate();
	open_and_count(arg);
}

static void test_prefault_on_an_old_kernel_maps_all_pages_too(void **state)
{
	unsigned flags = ILK_SEGMENT_PREFAULT;
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_EMULATION("seccomp filters the emulator");
	seg = create_with(0);
	ilk_test_in_child(open_without_populate, &flags);
	CHECK(ilk_test_board()->value[0] < FEW);
	flags |= ILK_SEGMENT_READ_ONLY;
	ilk_test_in_child(open_without_populate, &flags);
	CHECK(ilk_test_board()->value[0] < FEW);
	end(seg);
}

static void test_prefault_of_a_sparse_one_fills_it(void **state)
{
	struct ilk_segment *seg;
	struct stat file;

	(void)state;
	SKIP_UNDER_EMULATION("it counts the emulator's faults");
	seg = create_with(ILK_SEGMENT_SPARSE);
	CHECK(stat(support_path(ilk_test_name("")), &file) == 0 &&
		file.st_blocks * 512 < BYTES / 2);
	CHECK(faults_with(ILK_SEGMENT_PREFAULT) < FEW);
	CHECK(stat(support_path(ilk_test_name("")), &file) == 0 && file.st_blocks * 512 >= BYTES);
	end(seg);
}

/* --- locked --- */

static long locked_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "VmLck:", 6) == 0)
			sscanf(line + 6, "%ld", &kib);
	if (status)
		fclose(status);
	return kib;
}

static void lock_some(void *arg)
{
	long before = locked_kib();
	struct ilk_segment *seg;

	(void)arg;
	seg = create_with(ILK_SEGMENT_LOCKED);
	CHECK(locked_kib() == before + BYTES / 1024);
	ilk_segment_close(seg);
	CHECK(locked_kib() == before);
}

static void test_locked_stays_in_memory_until_closed(void **state)
{
	struct rlimit limit;

	(void)state;
	SKIP_UNDER_EMULATION("the emulator's memory is not ours");
	if (SUPPORT_TSAN || SUPPORT_ASAN)
		SKIP("sanitizers leave mlock(2) out");
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (!support_is_root() && limit.rlim_cur < BYTES)
		SKIP("RLIMIT_MEMLOCK forbids it");
	ilk_test_in_child(lock_some, NULL);
	support_unlink(ilk_test_name(""));
}

static void be_limited(void *arg)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .bytes = BYTES, .flags = ILK_SEGMENT_LOCKED};
	const struct rlimit little = {64 << 10, 64 << 10}, none = {0, 0};
	struct ilk_segment *seg;
	int descriptors = ilk_test_count_descriptors();

	(void)arg;
	support_become_nobody();
	CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
	CHECK_RC(ilk_segment_create(ilk_test_name("-2"), &options, &seg), -ENOMEM);
	CHECK(strstr(ilk_last_error(), "RLIMIT_MEMLOCK is 65536") != NULL);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &seg), -ENOMEM);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &seg), -EPERM);
	CHECK(strstr(ilk_last_error(), "RLIMIT_MEMLOCK is 0") != NULL);
	CHECK_RC(ilk_segment_open(ilk_test_name("-2"), NULL, &seg), -ENOENT);
	CHECK(ilk_test_count_descriptors() == descriptors);
}

static void test_locked_over_the_limit_is_ENOMEM_or_EPERM_and_says_which(void **state)
{
	const struct ilk_segment_options open_to_all = {
		.size = sizeof open_to_all, .bytes = BYTES, .mode = 0666};
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_EMULATION("the emulator's memory is not ours");
	if (SUPPORT_TSAN || SUPPORT_ASAN)
		SKIP("sanitizers leave mlock(2) out");
	if (!support_is_root())
		SKIP("only root can become another user");
	seg = support_create(ilk_test_name(""), &open_to_all);
	ilk_test_in_child(be_limited, NULL);
	end(seg);
}

/* --- huge --- */

static void check_huge(struct ilk_segment *seg)
{
	size_t huge = ilk_segment_huge_bytes(seg);

	CHECK(huge <= BYTES && huge % HUGE == 0);
	print_message("%zu of %d bytes in huge pages\n", huge, BYTES);
}

static void test_huge_is_aligned_and_tells_what_it_got(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_HUGE | ILK_SEGMENT_PREFAULT};
	struct ilk_segment *seg;

	(void)state;
	ilk_segment_close(create_with(ILK_SEGMENT_HUGE));
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &seg), 0);
	CHECK(base_of(ilk_test_name("")) % HUGE == 0);
	CHECK(ilk_segment_bytes(seg) == BYTES);
	check_huge(seg);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	end(seg);
}

static void test_huge_on_opening_is_of_that_attachment(void **state)
{
	const struct ilk_segment_options flags[] = {
		{.size = sizeof *flags, .flags = ILK_SEGMENT_HUGE | ILK_SEGMENT_PREFAULT},
		{.size = sizeof *flags, .flags = ILK_SEGMENT_HUGE | ILK_SEGMENT_READ_ONLY},
	};
	struct ilk_segment *small = create_with(0), *seg;

	(void)state;
	CHECK_RC(ilk_counter_add(support_counter(small, "c"), 7), 0);
	for (size_t i = 0; i < 2; i++) {
		CHECK_RC(ilk_segment_open(ilk_test_name(""), &flags[i], &seg), 0);
		CHECK(ilk_counter_read(support_counter(seg, "c")) == 7);
		check_huge(seg);
		ilk_segment_close(seg);
	}
	CHECK(ilk_counter_read(support_counter(small, "c")) == 7);
	end(small);
}

static void test_huge_of_odd_sizes_leaves_no_mapping_behind(void **state)
{
	struct ilk_segment_options options = {.size = sizeof options, .flags = ILK_SEGMENT_HUGE};
	struct ilk_segment *seg;

	(void)state;
	for (options.bytes = HUGE - SMALL; options.bytes <= 2 * HUGE; options.bytes += 77 * SMALL) {
		CHECK_RC(ilk_segment_anonymous("odd", &options, &seg), 0);
		CHECK(ilk_segment_bytes(seg) == options.bytes);
		CHECK_RC(ilk_segment_valid(seg), 0);
		ilk_segment_close(seg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_prefault_maps_all_pages),
		ILK_TEST(test_prefault_on_an_old_kernel_maps_all_pages_too),
		ILK_TEST(test_prefault_of_a_sparse_one_fills_it),
		ILK_TEST(test_locked_stays_in_memory_until_closed),
		ILK_TEST(test_locked_over_the_limit_is_ENOMEM_or_EPERM_and_says_which),
		ILK_TEST(test_huge_is_aligned_and_tells_what_it_got),
		ILK_TEST(test_huge_on_opening_is_of_that_attachment),
		ILK_TEST(test_huge_of_odd_sizes_leaves_no_mapping_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
