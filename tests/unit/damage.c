/*
 * damage.c - objects and tables overwritten with garbage: reported, never crashed or hung on.
 *
 * The garbage is written through public structs, and blindly behind the header.
 */
#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ilk_inspection *look(void)
{
	struct ilk_inspection *in = NULL;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	return in;
}

/* The one object there is reported as damaged, in words that have WORD. */
static void check_damaged(const char *word)
{
	struct ilk_inspection *in = look();

	assert_int_equal(in->object_count, 1);
	if (!strstr(in->objects[0].damage, word))
		fail_msg("\"%s\" does not say \"%s\"", in->objects[0].damage, word);
	ilk_inspection_free(in);
}

static void test_a_mutex_with_a_garbage_owner_is_reported(void **state)
{
	static const uint32_t garbage[] = {2, 12345, 0xfffff, 0xffffffff, 0xfff00000, 0x7ff00010};
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)state;
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		m->owner = garbage[i];
		check_damaged("owner");
	}
	m->owner = 0;
	check_damaged("");
}

static void test_a_mutex_with_a_garbage_tag_is_reported_and_EINVAL(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)state;
	damaged_on_purpose = 1;
	m->tag ^= 0x100;
	check_damaged("tag");
	CHECK_RC(ilk_mutex_lock(m), -EINVAL);
	CHECK_RC(ilk_mutex_unlock(m), -EINVAL);
}

static void test_lock_with_a_garbage_owner_ends(void **state)
{
	static const uint32_t garbage[] = {2, 12345, 0xfffff, 0xffffffff, 0xfff00000, 0x7ff00010,
		0x00100000, 0x001ffff0, 0x10000000};
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_mutex_owner owner;

	(void)state;
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		int rc;

		m->owner = garbage[i];
		CHECK_RC(ilk_mutex_owner(m, &owner), 0);
		rc = ilk_mutex_lock_until(m, ilk_after_ms(100));
		/* Nobody's, or taken for somebody who might live: but it ends. */
		assert_true(rc == 0 || rc == ILK_RECOVERED || rc == -ETIMEDOUT || rc == -EDEADLK);
	}
	m->owner = 0;
}

static void hold(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_lock_with_a_garbage_wait_word_sleeps(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_test_child *holder = ilk_test_start(hold, m);
	struct ilk_inspection *in;

	(void)state;
	ilk_test_await(0);
	m->wait = 77;
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(200)), -ETIMEDOUT);
	in = look();
	for (size_t i = 0; i < in->thread_count; i++)
		assert_in_range(in->threads[i].sleeps, 0, 30);
	ilk_inspection_free(in);
	ilk_test_kill(holder);
}

static void test_a_sharded_counter_with_a_garbage_tag_is_reported(void **state)
{
	struct ilk_sharded *sharded;

	(void)state;
	damaged_on_purpose = 1;
	CHECK_RC(ilk_sharded_open(seg, "s", &sharded), 0);
	memset(sharded, 0xa5, 8);
	check_damaged("tag");
	/* The sum is bounded by the checked header, not by what stands there. */
	ilk_sharded_read(sharded);
}

/* --- blindly --- */

enum { HEADER = 4096 / 4, ROUNDS = 60 };

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	return *seed ^= *seed << 17;
}

static void fill_with_objects(void)
{
	struct ilk_sharded *sharded;
	void *block;

	support_mutex(seg, "m");
	support_counter(seg, "c");
	CHECK_RC(ilk_sharded_open(seg, "s", &sharded), 0);
	CHECK_RC(ilk_block_open(seg, "b", 100, &block), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
}

/* Overwrites COUNT places of the file behind the fixed fields, with words of several kinds. */
static void scribble(int fd, uint64_t *seed, int count, off_t size)
{
	static const uint64_t kinds[] = {0, 1, UINT64_MAX, 0xffffffff, 1 << 20, 0x100000001};

	for (int i = 0; i < count; i++) {
		uint64_t kind = next_random(seed) % 8;
		uint64_t word = kind < 6 ? kinds[kind] : next_random(seed);
		off_t at = HEADER + (off_t)(next_random(seed) % (uint64_t)(size - HEADER - 8));

		assert_int_equal(pwrite(fd, &word, sizeof word, at & ~(off_t)7), sizeof word);
	}
}

/* Damage is met in a child: it may neither crash nor hang there. */
static void meet_damage(void *arg)
{
	const char *name = arg;
	struct ilk_inspection *in = NULL;
	struct ilk_segment *own = NULL;
	struct ilk_mutex *m;
	struct ilk_counter *c;
	struct ilk_sharded *s;
	void *block;

	if (ilk_inspect(name, &in) == 0)
		ilk_inspection_free(in);
	if (ilk_segment_open(name, NULL, &own) < 0)
		return;
	if (ilk_mutex_open(own, "m", NULL, &m) == 0)
		ilk_mutex_lock_until(m, ilk_after_ms(5));
	if (ilk_counter_open(own, "c", &c) == 0)
		ilk_counter_add(c, 1);
	if (ilk_sharded_open(own, "s", &s) == 0)
		ilk_sharded_read(s);
	ilk_block_open(own, "new", 1000, &block);
	ilk_segment_close(own);
}

/* Makes a copy of the segment's bytes, damages them ROUNDS times, and lets a child meet each. */
static void check_damage(int places, off_t up_to)
{
	const off_t size = (off_t)ilk_segment_bytes(seg);
	int rounds = support_slow() ? ROUNDS / 4 : ROUNDS;
	uint64_t seed = 0x9e3779b97f4a7c15u + (uint64_t)places;
	char name[64], *good = malloc((size_t)size);
	int fd;

	strcpy(name, ilk_test_name(""));
	fill_with_objects();
	fd = open(support_path(name), O_RDWR | O_CLOEXEC);
	ilk_segment_close(seg);
	seg = NULL;
	assert_int_equal(pread(fd, good, (size_t)size, 0), size);
	for (int i = 0; i < rounds; i++) {
		scribble(fd, &seed, places, up_to ? up_to : size);
		ilk_test_in_child(meet_damage, name);
		assert_int_equal(pwrite(fd, good, (size_t)size, 0), size);
	}
	close(fd);
	free(good);
}

static void test_a_few_scribbles_in_the_tables_crash_nobody(void **state)
{
	(void)state;
	check_damage(40, 64 << 10);
}

static void test_scribbles_all_over_crash_nobody(void **state)
{
	(void)state;
	check_damage(20000, 0);
}

static void meet_zeros(void *name)
{
	struct ilk_segment *own = support_open(name);
	struct ilk_counter *c = NULL;
	void *block = NULL;

	/* No name leads anywhere any more, and there is nothing to take memory from. */
	CHECK_RC(ilk_block_open(own, "new", 8, &block), -EBADMSG);
	CHECK(*ilk_last_error() != 0);
	CHECK_RC(ilk_counter_open(own, "c", &c), -EBADMSG);
	CHECK(block == NULL && c == NULL);
	ilk_segment_close(own);
}

static void test_zeros_all_over_are_EBADMSG(void **state)
{
	off_t size = (off_t)ilk_segment_bytes(seg);
	char name[64], *zeros = calloc(1, (size_t)size);
	int fd;

	(void)state;
	strcpy(name, ilk_test_name(""));
	fill_with_objects();
	fd = open(support_path(name), O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, zeros, (size_t)size - HEADER, HEADER), size - HEADER);
	ilk_test_in_child(meet_zeros, name);
	ilk_test_in_child(meet_damage, name);
	close(fd);
	free(zeros);
	/* Even its own member can leave it. */
	ilk_segment_close(seg);
	seg = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_a_mutex_with_a_garbage_owner_is_reported),
		SEGMENT_TEST(test_a_mutex_with_a_garbage_tag_is_reported_and_EINVAL),
		SEGMENT_TEST(test_lock_with_a_garbage_owner_ends),
		SEGMENT_TEST(test_lock_with_a_garbage_wait_word_sleeps),
		SEGMENT_TEST(test_a_sharded_counter_with_a_garbage_tag_is_reported),
		SEGMENT_TEST(test_a_few_scribbles_in_the_tables_crash_nobody),
		SEGMENT_TEST(test_scribbles_all_over_crash_nobody),
		SEGMENT_TEST(test_zeros_all_over_are_EBADMSG),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
