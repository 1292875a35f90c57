/* rows_work.c - loops and pipelines looked at from inside: what a late one, or a dead one, leaves. */
#include "support.h"
#include "work/loop.h"
#include <errno.h>

/* --- loops --- */

static struct ilk_segment *seg;

static void open_segment(void)
{
	CHECK_RC(ilk_segment_create(ilk_test_name("rows"), NULL, &seg), 0);
}

static void close_segment(void)
{
	ilk_segment_unlink(ilk_segment_name(seg));
	ilk_segment_close(seg);
}

/* A cancel that comes late takes no other round's failure away, also where numbers begin again. */
static void test_a_late_failure_leaves_later_ones_alone(void **state)
{
	const uint32_t last = (UINT32_C(1) << ILK_ROUND_BITS_) - 1;
	struct ilk_loop *l;

	(void)state;
	open_segment();
	CHECK_RC(ilk_loop_open(seg, "l", NULL, &l), 0);
	for (int i = 0; i < 3; i++) {
		const uint32_t round = i ? last - (uint32_t)i : 7;

		memset(l->failure, 0, sizeof l->failure);
		ilk_loop_note_failure_(l, ilk_loop_after_(round), -EDOM);
		ilk_loop_note_failure_(l, round, -ECANCELED);
		CHECK_RC(ilk_loop_outcome_(l, ilk_loop_after_(round)), -EDOM);
		CHECK_RC(ilk_loop_outcome_(l, round), -ECANCELED);
		ilk_loop_note_failure_(l, (round + 2) & last, -EXDEV);
		ilk_loop_note_failure_(l, (round + 2) & last, -EDOM);
		ilk_loop_note_failure_(l, round, -ECANCELED);
		CHECK_RC(ilk_loop_outcome_(l, (round + 2) & last), -EXDEV);
		CHECK_RC(ilk_loop_outcome_(l, round), -EBUSY);
	}
	close_segment();
}

/* A failure of half of all rounds ago is not taken for one to come. */
static void test_an_old_failure_is_forgotten(void **state)
{
	const struct ilk_range none = {.size = sizeof none};
	const uint32_t far = 3u << (ILK_ROUND_BITS_ - 2);
	struct ilk_loop *l;

	(void)state;
	open_segment();
	CHECK_RC(ilk_loop_open(seg, "l", NULL, &l), 0);
	l->failure[0] = ilk_loop_word_(8, ILK_PART_FAILED_, EDOM);
	l->state = ilk_loop_word_(far - 1, ILK_LOOP_IDLE_, 0);
	CHECK_RC(ilk_loop_begin(l, &none), 0);
	CHECK_RC(ilk_loop_outcome_(l, far), 0);
	ilk_loop_note_failure_(l, far, -EXDEV);
	CHECK_RC(ilk_loop_outcome_(l, far), -EXDEV);
	close_segment();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_a_late_failure_leaves_later_ones_alone),
		ILK_TEST(test_an_old_failure_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
