/*
 * rows_waits.c - what the rows of condition, event, latch and once say and do.
 *
 * Corrupt states are written straight into a segment, and the rows must name what is wrong. A removal
 * is what the row's function does: who sleeps and who comes is told -EIDRM.
 */
#include "segment/types.h"
#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

static struct ilk_segment *seg;
static struct ilk_mutex *m;
static struct ilk_condition *c;
static struct ilk_event *e;
static struct ilk_latch *l;
static struct ilk_once *o;

static int setup(void **state)
{
	const struct ilk_latch_options three = {.size = sizeof three, .count = 3};

	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0)
		return -1;
	return ilk_mutex_open(seg, "m", NULL, &m) < 0 || ilk_condition_open(seg, "c", &c) < 0 ||
			       ilk_event_open(seg, "e", NULL, &e) < 0 ||
			       ilk_latch_open(seg, "l", &three, &l) < 0 ||
			       ilk_once_open(seg, "o", &o) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* --- valid --- */

static void check_wrong(uint32_t type, const void *object, const char *what)
{
	const char *wrong = ilk_type_(type)->valid(&seg->map, object, 64);

	if (!what)
		CHECK(wrong == NULL);
	else
		CHECK(wrong != NULL && strstr(wrong, what) != NULL);
}

static void check_tag(uint32_t type, void *object, uint16_t *tag, const char *what)
{
	check_wrong(type, object, NULL);
	CHECK(ilk_type_(type)->valid(&seg->map, object, 63) != NULL);
	*tag ^= 1;
	check_wrong(type, object, what);
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	*tag ^= 1;
}

static void test_valid_corrupt_condition_says_what(void **state)
{
	(void)state;
	check_tag(ILK_TYPE_CONDITION_, c, &c->tag, "tag");
}

static void test_valid_corrupt_event_says_what(void **state)
{
	(void)state;
	check_tag(ILK_TYPE_EVENT_, e, &e->tag, "tag");
	e->word = 4;
	check_wrong(ILK_TYPE_EVENT_, e, "unknown bits");
}

static void test_valid_corrupt_latch_says_what(void **state)
{
	(void)state;
	check_tag(ILK_TYPE_LATCH_, l, &l->tag, "tag");
	l->word = 8;
	check_wrong(ILK_TYPE_LATCH_, l, "more is left");
}

static void test_valid_corrupt_once_says_what(void **state)
{
	(void)state;
	check_tag(ILK_TYPE_ONCE_, o, &o->tag, "tag");
	o->word = 77;
	check_wrong(ILK_TYPE_ONCE_, o, "neither a state nor an owner");
	o->word = ilk_owner_word_(4000, 1);
	check_wrong(ILK_TYPE_ONCE_, o, "does not exist");
	o->word = ilk_owner_word_(0, 1) | 8;
	check_wrong(ILK_TYPE_ONCE_, o, "unknown flags");
	o->word = ilk_owner_word_(0, 1) | 5;
	check_wrong(ILK_TYPE_ONCE_, o, NULL);
}

/* --- ready --- */

static int ready(uint32_t type, const void *object)
{
	return ilk_type_(type)->ready(seg, object);
}

static void begin_and_die(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	raise(SIGKILL);
}

static void test_ready_says_whether_a_wait_would_end_at_once(void **state)
{
	(void)state;
	CHECK(ready(ILK_TYPE_EVENT_, e) == 0);
	CHECK_RC(ilk_event_set(e), 0);
	CHECK(ready(ILK_TYPE_EVENT_, e) == 1);
	CHECK(ready(ILK_TYPE_LATCH_, l) == 0);
	CHECK_RC(ilk_latch_count_down(l, 3), 0);
	CHECK(ready(ILK_TYPE_LATCH_, l) == 1);
	CHECK(ready(ILK_TYPE_ONCE_, o) == 1);
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	CHECK(ready(ILK_TYPE_ONCE_, o) == 0);
	CHECK_RC(ilk_once_give_up(o), 0);
	ilk_test_join_killed(ilk_test_start(begin_and_die, NULL));
	CHECK(ready(ILK_TYPE_ONCE_, o) == 1);
}

/* --- repair --- */

static void test_repair_of_a_once_left_by_the_dead_lets_the_next_begin(void **state)
{
	const struct ilk_type_ *row = ilk_type_(ILK_TYPE_ONCE_);

	(void)state;
	CHECK(row->repair(seg, o) == 0);
	ilk_test_join_killed(ilk_test_start(begin_and_die, NULL));
	CHECK(row->repair(seg, o) == 1);
	CHECK(row->repair(seg, o) == 0);
	CHECK_RC(ilk_once_begin_until(o, ILK_NOW, NULL), ILK_ELECTED | ILK_RECOVERED);
	CHECK(row->repair(seg, o) == 0);
	CHECK_RC(ilk_once_done(o, 1), 0);
	CHECK(row->repair(seg, o) == 0);
}

/* --- removal --- */

static void begin_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_begin(o, NULL), -EIDRM);
}

static void wait_for_event_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_event_wait(e), -EIDRM);
}

static void wait_for_latch_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_latch_wait(l), -EIDRM);
}

/* The mutex is held in both cases. */
static void wait_for_condition_in_vain(void *arg)
{
	int rc;

	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	do
		rc = ilk_condition_wait(c, m);
	while (rc == 0);
	CHECK_RC(rc, -EIDRM);
	CHECK_RC(ilk_condition_wait(c, m), -EIDRM);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void wait_with_mutex_in_vain(void *arg)
{
	int rc;

	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	do
		rc = ilk_condition_wait(c, m);
	while (rc == 0);
	CHECK_RC(rc, -ENOTRECOVERABLE);
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
}

/* Removes OBJECT, twice, while two wait for it in BODY. */
static void remove_under(void (*body)(void *arg), uint32_t type, void *object)
{
	struct ilk_test_child *children[2];

	for (int i = 0; i < 2; i++)
		children[i] = ilk_test_start(body, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	for (int i = 0; i < 2; i++)
		ilk_type_(type)->remove(seg, object);
	for (int i = 0; i < 2; i++)
		ilk_test_join(children[i]);
	check_wrong(type, object, NULL);
}

static void test_removal_of_a_condition_ends_waits_with_the_mutex_held(void **state)
{
	(void)state;
	remove_under(wait_for_condition_in_vain, ILK_TYPE_CONDITION_, c);
	CHECK_RC(ilk_condition_signal(c), -EIDRM);
	CHECK_RC(ilk_condition_broadcast(c), -EIDRM);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_removal_of_the_mutex_ends_waits_without_it(void **state)
{
	(void)state;
	remove_under(wait_with_mutex_in_vain, ILK_TYPE_MUTEX_, m);
}

static void test_wait_with_a_removed_mutex_is_EIDRM_and_keeps_it(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_type_(ILK_TYPE_MUTEX_)->remove(seg, m);
	CHECK_RC(ilk_condition_wait(c, m), -EIDRM);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_removal_of_an_event_ends_waits(void **state)
{
	(void)state;
	remove_under(wait_for_event_in_vain, ILK_TYPE_EVENT_, e);
	CHECK_RC(ilk_event_set(e), -EIDRM);
	CHECK_RC(ilk_event_clear(e), -EIDRM);
	CHECK_RC(ilk_event_is_set(e), -EIDRM);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), -EIDRM);
}

static void test_removal_of_a_latch_ends_waits(void **state)
{
	unsigned left;

	(void)state;
	remove_under(wait_for_latch_in_vain, ILK_TYPE_LATCH_, l);
	CHECK_RC(ilk_latch_count_down(l, 1), -EIDRM);
	CHECK_RC(ilk_latch_left(l, &left), -EIDRM);
	CHECK_RC(ilk_latch_wait_until(l, ILK_NOW), -EIDRM);
}

static void test_removal_of_a_once_ends_waits_and_lets_who_is_at_it_end(void **state)
{
	(void)state;
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	remove_under(begin_in_vain, ILK_TYPE_ONCE_, o);
	CHECK_RC(ilk_once_begin(o, NULL), -EIDRM);
	CHECK_RC(ilk_once_done(o, 1), 0);
	CHECK_RC(ilk_once_value(o, NULL), -EIDRM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS_TEST(test_valid_corrupt_condition_says_what),
		ROWS_TEST(test_valid_corrupt_event_says_what),
		ROWS_TEST(test_valid_corrupt_latch_says_what),
		ROWS_TEST(test_valid_corrupt_once_says_what),
		ROWS_TEST(test_ready_says_whether_a_wait_would_end_at_once),
		ROWS_TEST(test_repair_of_a_once_left_by_the_dead_lets_the_next_begin),
		ROWS_TEST(test_removal_of_a_condition_ends_waits_with_the_mutex_held),
		ROWS_TEST(test_removal_of_the_mutex_ends_waits_without_it),
		ROWS_TEST(test_wait_with_a_removed_mutex_is_EIDRM_and_keeps_it),
		ROWS_TEST(test_removal_of_an_event_ends_waits),
		ROWS_TEST(test_removal_of_a_latch_ends_waits),
		ROWS_TEST(test_removal_of_a_once_ends_waits_and_lets_who_is_at_it_end),
	};

	return cmocka_run_group_tests_name("rows_waits", tests, NULL, NULL);
}
