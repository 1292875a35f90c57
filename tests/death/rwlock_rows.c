/*
 * rwlock_rows.c - the rwlock's row of the type table, and the marks beneath it: looked at from
 * inside.
 */
#include "segment/marks.h"
#include "segment/member.h"
#include "segment/types.h"
#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { DAMAGED = 1, QUIET = 2, FENCED = 4, IN = 8 }; /* as in src/sync/rwlock.h */

static struct ilk_segment *seg;
static struct ilk_rwlock *l;
static struct ilk_rwlock_options kind = {.size = sizeof kind};

static void open_lock(unsigned flags)
{
	kind.flags = flags;
	CHECK_RC(ilk_segment_create(ilk_test_name("rows"), NULL, &seg), 0);
	CHECK_RC(ilk_rwlock_open(seg, "l", &kind, &l), 0);
}

static void close_all(void)
{
	ilk_segment_unlink(ilk_segment_name(seg));
	ilk_segment_close(seg);
}

static const struct ilk_type_ *row(void)
{
	return ilk_type_(ILK_TYPE_RWLOCK_);
}

static void check_wrong(uint32_t state, const char *text)
{
	const char *wrong;

	l->state = state;
	wrong = row()->valid(&seg->map, l, sizeof *l);
	if (!text)
		CHECK(wrong == NULL);
	else if (!wrong || !strstr(wrong, text))
		ilk_test_fail("%x: \"%s\" does not say %s", state, wrong ? wrong : "", text);
}

static void test_valid_corrupt_rwlock_says_what(void **state)
{
	(void)state;
	open_lock(0);
	check_wrong(QUIET, NULL);
	check_wrong(0, NULL);
	check_wrong(FENCED | DAMAGED, NULL);
	check_wrong(ilk_owner_word_(3, 1), NULL);
	check_wrong(ilk_owner_word_(3, 1) | QUIET | IN, NULL);
	check_wrong(ilk_owner_word_(3, 1) | IN, "with readers");
	check_wrong(QUIET | IN, "neither free nor an owner");
	check_wrong(77 << 4, "neither free nor an owner");
	check_wrong(ilk_owner_word_(4000, 1), "neither free nor an owner");
	check_wrong(QUIET | FENCED, "not of its kind");
	l->cells[3] = ilk_owner_word_(0, 1);
	check_wrong(QUIET, "cell");
	l->cells[3] = 0;
	l->flags = 8;
	check_wrong(QUIET, "flags");
	l->flags = ILK_RWLOCK_WRITES;
	check_wrong(QUIET, "not of its kind");
	check_wrong(QUIET | FENCED, NULL);
	l->cells[7] = 5;
	check_wrong(QUIET | FENCED, "cell");
	l->cells[7] = ilk_owner_word_(9, 1);
	check_wrong(QUIET | FENCED, NULL);
	l->tag ^= 1;
	check_wrong(QUIET | FENCED, "tag");
	CHECK(row()->valid(&seg->map, l, sizeof *l - 1) != NULL);
	close_all();
}

/* --- repair --- */

static int write_and_end(void *arg)
{
	(void)arg;
	return ilk_rwlock_write(l);
}

static int read_and_end(void *arg)
{
	(void)arg;
	return ilk_rwlock_read(l);
}

static void check_repair_of_a_writer(unsigned flags)
{
	open_lock(flags);
	CHECK(row()->ready(seg, l) == 1);
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK(row()->repair(seg, l) == 0 && row()->ready(seg, l) == 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(support_in_thread(write_and_end, NULL), 0);
	CHECK(row()->ready(seg, l) == 1);
	CHECK(row()->repair(seg, l) == 1);
	CHECK(row()->repair(seg, l) == 0);
	CHECK(l->state == (DAMAGED | QUIET | (flags ? FENCED : 0)));
	CHECK_RC(ilk_rwlock_read(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	close_all();
}

static void test_repair_dead_writer_leaves_free_and_damaged(void **state)
{
	(void)state;
	check_repair_of_a_writer(0);
	check_repair_of_a_writer(ILK_RWLOCK_WRITES);
}

static void test_repair_frees_the_cells_of_the_dead_only(void **state)
{
	(void)state;
	open_lock(ILK_RWLOCK_WRITES);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(support_in_thread(read_and_end, NULL), 0);
	CHECK(row()->repair(seg, l) == 1);
	CHECK(row()->repair(seg, l) == 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	for (int i = 0; i < ILK_RWLOCK_CELLS_; i++)
		CHECK(l->cells[i] == 0);
	close_all();
}

/* --- remove --- */

static void *read_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_rwlock_read(l), -EIDRM);
	return NULL;
}

static void *write_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_rwlock_write(l), -EIDRM);
	return NULL;
}

/* With it held for WRITING or reading, and others asleep in it. */
static void check_remove(unsigned flags, int writing)
{
	pthread_t threads[2];

	open_lock(flags);
	CHECK_RC(writing ? ilk_rwlock_write(l) : ilk_rwlock_read(l), 0);
	CHECK(pthread_create(&threads[0], NULL, write_in_vain, NULL) == 0);
	ilk_test_await_sleepers(ilk_segment_name(seg), 1);
	CHECK(pthread_create(&threads[1], NULL, read_in_vain, NULL) == 0);
	ilk_test_await_sleepers(ilk_segment_name(seg), 2);
	row()->remove(seg, l);
	row()->remove(seg, l);
	CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
	CHECK_RC(ilk_rwlock_try_read(l), -EIDRM);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(10)), -EIDRM);
	if (writing) {
		CHECK_RC(ilk_rwlock_repaired(l), 0);
		CHECK_RC(ilk_rwlock_downgrade(l), 0);
	}
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
	CHECK_RC(ilk_rwlock_read(l), -EIDRM);
	CHECK_RC(ilk_rwlock_write(l), -EIDRM);
	CHECK(row()->valid(&seg->map, l, sizeof *l) == NULL);
	close_all();
}

static void test_remove_is_EIDRM_to_sleepers_and_later_callers(void **state)
{
	(void)state;
	for (int writing = 0; writing < 2; writing++) {
		check_remove(0, writing);
		check_remove(ILK_RWLOCK_WRITES, writing);
	}
}

/* --- marks --- */

static void read_and_stay(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_rwlock_read(l), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

/* A dead reader's slot, whose generation is given as the dead one's; void only while it is that. */
static void test_marks_of_the_dead_are_void_for_their_generation(void **state)
{
	struct ilk_test_child *child;
	struct ilk_thread_slot_ *slot;
	uint32_t mark, dead;

	(void)state;
	open_lock(0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	child = ilk_test_start(read_and_stay, NULL);
	ilk_test_await(0);
	mark = ilk_mark_of_((uint64_t)((const char *)l - seg->map.base));
	dead = ilk_marks_next_(&seg->map, 0, ilk_threads_top_(&seg->map), mark);
	slot = ilk_thread_slot_(&seg->map, dead);
	CHECK(dead < ilk_threads_top_(&seg->map));
	CHECK(ilk_marks_reader_(&seg->map, dead, mark) != 0 && slot->marks_dead == 0);
	ilk_test_kill(child);
	CHECK(ilk_marks_reader_(&seg->map, dead, mark) != 0);
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK(slot->marks_dead == ilk_life_generation_(slot->life) + 1);
	CHECK(ilk_marks_reader_(&seg->map, dead, mark) == 0);
	/* The next one of the slot, as it would be with the same mark still there. */
	slot->life += UINT64_C(1) << 16;
	CHECK(ilk_marks_reader_(&seg->map, dead, mark) != 0);
	/* And a free slot's marks count for nothing. */
	slot->life &= ~UINT64_C(0xffff);
	CHECK(ilk_marks_reader_(&seg->map, dead, mark) == 0);
	close_all();
}

static int read_once(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_rwlock_read(l), 0);
	return ilk_rwlock_unlock(l);
}

static void test_marks_of_the_last_thread_are_gone_for_the_next(void **state)
{
	struct ilk_thread_slot_ *slot;

	(void)state;
	open_lock(0);
	/* Slot 0 is this thread's; the others take slot 1, and leave marks in it. */
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	slot = ilk_thread_slot_(&seg->map, 1);
	CHECK_RC(support_in_thread(read_and_end, NULL), 0);
	CHECK(!ilk_marks_any_(slot, 0) && slot->marks_top == 1);
	for (int i = 0; i < ILK_MARKS_; i++)
		slot->marks[i] = 77;
	slot->marks_top = ILK_MARKS_;
	CHECK_RC(support_in_thread(read_once, NULL), 0);
	CHECK(!ilk_marks_any_(slot, 0));
	slot->marks_top = 1000;
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	CHECK(strstr(ilk_last_error(), "marks") != NULL);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_valid_corrupt_rwlock_says_what),
		ILK_TEST(test_repair_dead_writer_leaves_free_and_damaged),
		ILK_TEST(test_repair_frees_the_cells_of_the_dead_only),
		ILK_TEST(test_remove_is_EIDRM_to_sleepers_and_later_callers),
		ILK_TEST(test_marks_of_the_dead_are_void_for_their_generation),
		ILK_TEST(test_marks_of_the_last_thread_are_gone_for_the_next),
	};

	return cmocka_run_group_tests_name("rwlock_rows", tests, NULL, NULL);
}
