/*
 * rows_waiting.c - the rows of barrier and snapshot: corrupt states named, the dead repaired, and what
 * a removal tells those who wait.
 */
#include "segment/types.h"
#include "support.h"
#include "sync/barrier.h"
#include "sync/snapshot.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { BYTES = 100 };

static struct ilk_segment *seg;
static struct ilk_barrier *b;
static struct ilk_snapshot_handle h;

static int rows_setup(void **state)
{
	const struct ilk_barrier_options two = {.size = sizeof two, .parties = 2};

	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0)
		return -1;
	if (ilk_barrier_open(seg, "b", &two, &b) < 0)
		return -1;
	return ilk_snapshot_open(seg, "s", BYTES, NULL, &h);
}

static int rows_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, rows_setup, rows_teardown)

static void check_wrong(const char *wrong, const char *part)
{
	CHECK(wrong != NULL);
	if (!strstr(wrong, part))
		ilk_test_fail("\"%s\" does not speak of \"%s\"", wrong, part);
}

/* --- barrier --- */

static const char *wrong_with_barrier(void)
{
	return ilk_type_(ILK_TYPE_BARRIER_)->valid(&seg->map, b, sizeof *b);
}

/* Puts VALUE into WORD, of which PART must be found wrong, and takes it back. */
#define CORRUPT(word, value, find, part)           \
	do {                                       \
		__typeof__(word) before_ = (word); \
		(word) = (value);                  \
		check_wrong(find(), part);         \
		(word) = before_;                  \
		CHECK(find() == NULL);             \
	} while (0)

static void test_valid_corrupt_barrier_says_what(void **state)
{
	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	CHECK(wrong_with_barrier() == NULL);
	CORRUPT(b->tag, 7, wrong_with_barrier, "tag");
	CORRUPT(b->parties, 200, wrong_with_barrier, "more places");
	CORRUPT(b->top, 200, wrong_with_barrier, "more places");
	CORRUPT(b->state, b->state | 7 << ILK_CAUSE_SHIFT_, wrong_with_barrier, "no known reason");
	CORRUPT(b->state, b->state | 0xff, wrong_with_barrier, "no known reason");
	CORRUPT(b->cell[1], 2, wrong_with_barrier, "neither free nor left");
	CORRUPT(b->cell[1], UINT64_C(5) << 32, wrong_with_barrier, "does not exist");
	CORRUPT(b->cell[1], (uint64_t)ilk_owner_word_(4000, 1) << 32, wrong_with_barrier,
		"does not exist");
	CORRUPT(b->cell[0], b->cell[0] | 5, wrong_with_barrier, "no possible round");
	CHECK(strstr(ilk_type_(ILK_TYPE_BARRIER_)->valid(&seg->map, b, 64), "size") != NULL);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* Words that make no sense lead nowhere outside. */
static void test_a_corrupt_barrier_is_used_without_a_crash(void **state)
{
	struct ilk_barrier_status status;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	b->state |= 0xff | 2 << ILK_CAUSE_SHIFT_;
	CHECK_RC(ilk_barrier_status(b, &status), 0);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	CHECK_RC(ilk_barrier_reset(b), 0);
	b->parties = 255;
	b->top = UINT32_MAX;
	memset(b->who, 0xff, sizeof b->who);
	CHECK_RC(ilk_barrier_status(b, &status), 0);
	CHECK(status.parties == ILK_BARRIER_MEMBERS);
	CHECK_RC(ilk_barrier_wait_until(b, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_barrier_status(b, &status), 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void join_and_die(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_barrier_attach(b), 0);
	raise(SIGKILL);
}

static void test_repair_of_a_barrier_breaks_it_for_the_dead(void **state)
{
	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	CHECK(ilk_type_(ILK_TYPE_BARRIER_)->repair(seg, b) == 0);
	ilk_test_join_killed(ilk_test_start(join_and_die, NULL));
	CHECK(ilk_type_(ILK_TYPE_BARRIER_)->repair(seg, b) == 1);
	CHECK(ilk_type_(ILK_TYPE_BARRIER_)->repair(seg, b) == 0);
	CHECK(ilk_barrier_cause_(b->state) == ILK_BARRIER_DEATH);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void *wait_for_removal(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_barrier_wait(b), -EIDRM);
	CHECK_RC(ilk_barrier_detach(b), 0);
	return NULL;
}

static void test_removal_of_a_barrier_is_EIDRM_for_all(void **state)
{
	pthread_t thread;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	CHECK(pthread_create(&thread, NULL, wait_for_removal, NULL) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_type_(ILK_TYPE_BARRIER_)->remove(seg, b);
	ilk_type_(ILK_TYPE_BARRIER_)->remove(seg, b);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_RC(ilk_barrier_wait(b), -EIDRM);
	CHECK_RC(ilk_barrier_attach(b), -EIDRM);
	CHECK_RC(ilk_barrier_abort(b), -EIDRM);
	CHECK_RC(ilk_barrier_reset(b), -EIDRM);
	CHECK(wrong_with_barrier() == NULL);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/*
 * The phase's 16 bits wrap, and so does the count that goes with them; one who died between a phase's
 * end and its count left the count behind.
 */
static void test_phases_are_counted_over_the_wrap_and_a_death(void **state)
{
	const struct ilk_barrier_options one = {.size = sizeof one, .parties = 1};
	struct ilk_barrier_status status;

	(void)state;
	CHECK_RC(ilk_barrier_open(seg, "one", &one, &b), 0);
	b->state = UINT64_C(0xfffe) << ILK_PHASE_SHIFT_;
	b->phases = 0x1fffd;
	CHECK_RC(ilk_barrier_status(b, &status), 0);
	CHECK(status.phases == 0x1fffe);
	for (uint64_t i = 0x1ffff; i < 0x20003; i++) {
		CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
		CHECK_RC(ilk_barrier_status(b, &status), 0);
		CHECK(status.phases == i);
	}
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- snapshot --- */

static uint64_t bytes_of_snapshot(void)
{
	return ilk_snapshot_size_(BYTES, ILK_SNAPSHOT_COPIES);
}

static const char *wrong_with_snapshot(void)
{
	return ilk_type_(ILK_TYPE_SNAPSHOT_)->valid(&seg->map, h.snapshot, bytes_of_snapshot());
}

static struct ilk_snapshot_copy_ *copy_at(uint32_t i)
{
	return (void *)((char *)h.snapshot + ilk_snapshot_copy_at_(BYTES, i));
}

static void test_valid_corrupt_snapshot_says_what(void **state)
{
	(void)state;
	CHECK_RC(ilk_snapshot_publish(&h, (char[BYTES]){1}, NULL), 0);
	CHECK(wrong_with_snapshot() == NULL);
	CORRUPT(h.snapshot->tag, 7, wrong_with_snapshot, "tag");
	CORRUPT(h.snapshot->bytes, 0, wrong_with_snapshot, "size");
	CORRUPT(h.snapshot->bytes, UINT64_MAX, wrong_with_snapshot, "size");
	CORRUPT(h.snapshot->copies, 3, wrong_with_snapshot, "size");
	CORRUPT(h.snapshot->copies, UINT32_MAX, wrong_with_snapshot, "size");
	CORRUPT(copy_at(2)->stamp, 3, wrong_with_snapshot, "another");
	CORRUPT(h.snapshot->writer.tag, 1, wrong_with_snapshot, "mutex");
	CHECK(ilk_type_(ILK_TYPE_SNAPSHOT_)->valid(&seg->map, h.snapshot, 64) != NULL);
}

static void test_a_latest_value_that_is_never_whole_is_EBADMSG(void **state)
{
	void *value;

	(void)state;
	copy_at(0)->stamp = ILK_SNAPSHOT_WRITING_;
	CHECK_RC(ilk_snapshot_read(&h, (char[BYTES]){0}, NULL), -EBADMSG);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	CHECK_RC(ilk_snapshot_read(&h, (char[BYTES]){0}, NULL), -EBADMSG);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), 0);
	CHECK_RC(ilk_snapshot_read(&h, (char[BYTES]){0}, NULL), 0);
}

static void *read_version_1(void *arg)
{
	char value[BYTES];
	uint64_t version;

	(void)arg;
	CHECK_RC(ilk_snapshot_read(&h, value, &version), 0);
	CHECK(version == 1 && value[0] == 'n');
	return NULL;
}

static int is_lapped(void *arg)
{
	(void)arg;
	return ilk_load_acquire_(&h.snapshot->lapped) != 0;
}

/* A reader that finds no whole value tries on while another writes, and gets what that commits. */
static void test_a_lapped_reader_is_not_stopped_by_a_writer(void **state)
{
	pthread_t reader;
	void *value;

	(void)state;
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	copy_at(0)->stamp = ILK_SNAPSHOT_WRITING_;
	CHECK(pthread_create(&reader, NULL, read_version_1, NULL) == 0);
	ilk_test_until(is_lapped, NULL);
	memset(value, 'n', BYTES);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), 0);
	CHECK(pthread_join(reader, NULL) == 0);
	CHECK_RC(ilk_snapshot_publish(&h, (char[BYTES]){0}, NULL), 0);
}

static void *await_removal(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_snapshot_wait_until(&h, 0, ILK_FOREVER, NULL), -EIDRM);
	return NULL;
}

static void *write_late(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_snapshot_publish(&h, (char[BYTES]){1}, NULL), -EIDRM);
	return NULL;
}

static void test_removal_of_a_snapshot_is_EIDRM_for_all(void **state)
{
	pthread_t waiter, writer;
	void *value;

	(void)state;
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	CHECK(pthread_create(&waiter, NULL, await_removal, NULL) == 0);
	CHECK(pthread_create(&writer, NULL, write_late, NULL) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	ilk_type_(ILK_TYPE_SNAPSHOT_)->remove(seg, h.snapshot);
	ilk_type_(ILK_TYPE_SNAPSHOT_)->remove(seg, h.snapshot);
	CHECK(pthread_join(waiter, NULL) == 0);
	CHECK(pthread_join(writer, NULL) == 0);
	CHECK_RC(ilk_snapshot_read(&h, value, NULL), -EIDRM);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), -EIDRM);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), -EPERM);
	CHECK_RC(ilk_snapshot_begin(&h, &value), -EIDRM);
	CHECK(wrong_with_snapshot() == NULL);
	CHECK(ilk_snapshot_version(&h) == 0);
}

/* Versions whose low bits are those of the bell and of the copies, across 2^31, 2^32 and 2^63. */
static void test_versions_go_on_over_the_wraps_of_their_parts(void **state)
{
	static const uint64_t before[] = {
		(UINT64_C(1) << 31) - 3, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3};

	(void)state;
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		uint64_t version = before[i], got;
		char value[BYTES] = {0};

		h.snapshot->version = version;
		copy_at(version & (ILK_SNAPSHOT_COPIES - 1))->stamp = version;
		for (int n = 0; n < 8; n++) {
			value[0] = (char)n;
			CHECK_RC(ilk_snapshot_wait_until(&h, version, ilk_now() + 1000, NULL),
				-ETIMEDOUT);
			CHECK_RC(ilk_snapshot_publish(&h, value, &got), 0);
			CHECK(got == ++version);
			CHECK_RC(ilk_snapshot_read(&h, value, &got), 0);
			CHECK(got == version && value[0] == n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS_TEST(test_valid_corrupt_barrier_says_what),
		ROWS_TEST(test_a_corrupt_barrier_is_used_without_a_crash),
		ROWS_TEST(test_repair_of_a_barrier_breaks_it_for_the_dead),
		ROWS_TEST(test_removal_of_a_barrier_is_EIDRM_for_all),
		ROWS_TEST(test_phases_are_counted_over_the_wrap_and_a_death),
		ROWS_TEST(test_valid_corrupt_snapshot_says_what),
		ROWS_TEST(test_a_latest_value_that_is_never_whole_is_EBADMSG),
		ROWS_TEST(test_a_lapped_reader_is_not_stopped_by_a_writer),
		ROWS_TEST(test_removal_of_a_snapshot_is_EIDRM_for_all),
		ROWS_TEST(test_versions_go_on_over_the_wraps_of_their_parts),
	};

	return cmocka_run_group_tests_name("rows_waiting", tests, NULL, NULL);
}
