/* rows_work.c - loops and pipelines looked at from inside: what a late one, or a dead one, leaves. */
#include "support.h"
#include "work/loop.h"
#include "work/stage.h"
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

/* --- pipelines --- */

enum { MESSAGES = 3 };

static int came[MESSAGES];

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	return w->number < MESSAGES ? ilk_work_send(w, "x", 1) : ILK_STAGE_END;
}

static int collect(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	came[w->number]++;
	return 0;
}

static const struct ilk_stage stages[2] = {
	{.name = "first", .body = generate, .out_bytes = 1},
	{.name = "last", .body = collect},
};

/* All is sent that there is. */
static void open_sent(struct ilk_flow_ *f, unsigned flags)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = flags, .window = 8};

	memset(f, 0, sizeof *f);
	memset(came, 0, sizeof came);
	CHECK_RC(ilk_flow_check_(f, stages, 2, &o), 0);
	CHECK_RC(ilk_flow_open_(f, seg, "p"), 0);
	CHECK_RC(ilk_stage_work_(f, 0, 0), 0);
	CHECK_RC(ilk_queue_close(f->in[1]), 0);
}

/* As by one who was killed between DONE and low. */
static void test_in_order_what_follows_one_done_by_the_dead_is_done(void **state)
{
	struct ilk_flow_ f;

	(void)state;
	open_segment();
	open_sent(&f, ILK_PIPELINE_ORDERED);
	f.shared[1]->word[1] = ilk_message_word_(1, 1, 1, ILK_MESSAGE_DONE_);
	CHECK_RC(ilk_stage_work_(&f, 1, 0), 0);
	CHECK(!came[0] && came[1] == 1 && came[2] == 1);
	close_segment();
}

/* As by one who was killed when its body had said END, which would have been its last try. */
static void test_who_follows_one_that_said_END_does_not_ask_again(void **state)
{
	struct ilk_flow_ f;

	(void)state;
	open_segment();
	open_sent(&f, 0);
	CHECK(ilk_place_is_(f.shared[0]->came, 0) && ilk_place_is_(f.shared[0]->ended, 0));
	f.shared[0]->ended[0] = 0;
	CHECK_RC(ilk_stage_work_(&f, 0, 0), 0);
	CHECK(ilk_place_is_(f.shared[0]->ended, 0));
	CHECK(!ilk_place_is_(f.shared[1]->came, 0));
	CHECK_RC(ilk_stage_work_(&f, 1, 0), 0);
	CHECK(came[0] == 1 && came[1] == 1 && came[2] == 1);
	close_segment();
}

/* Nor is it done if the queue that it sends to was closed by somebody else. */
static void test_who_cannot_send_on_has_not_ended(void **state)
{
	struct ilk_flow_ f;

	(void)state;
	open_segment();
	memset(&f, 0, sizeof f);
	CHECK_RC(ilk_flow_check_(&f, stages, 2, NULL), 0);
	CHECK_RC(ilk_flow_open_(&f, seg, "p"), 0);
	CHECK_RC(ilk_queue_close(f.in[1]), 0);
	CHECK_RC(ilk_stage_work_(&f, 0, 0), -EBADMSG);
	CHECK(!ilk_place_is_(f.shared[0]->ended, 0));
	close_segment();
}

/* Message 1 was taken away: those behind it never have their turn, and that is no success. */
static void test_in_order_a_tail_that_is_left_is_a_failure(void **state)
{
	struct ilk_queue_handle h;
	struct ilk_flow_ f;
	char message[sizeof(struct ilk_message_) + 1];
	size_t bytes;

	(void)state;
	open_segment();
	open_sent(&f, ILK_PIPELINE_ORDERED);
	CHECK_RC(ilk_queue_attach(f.in[1], &h), 0);
	CHECK_RC(ilk_queue_get(&h, message, sizeof message, &bytes, ILK_NOW), 0);
	CHECK_RC(ilk_stage_work_(&f, 1, 0), -EBADMSG);
	CHECK(!came[1] && !came[2]);
	close_segment();
}

/* As if it was stopped in the body for as long as the window takes to come round. */
static int fall_behind(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	struct ilk_flow_ *f = arg;

	(void)in, (void)bytes;
	came[w->number]++;
	if (w->number > 0)
		return 0;
	f->shared[1]->word[1] = ilk_message_word_(1 + f->window, 1, 1, ILK_MESSAGE_IN_);
	return -EDOM;
}

static void test_who_is_late_leaves_a_later_message_alone(void **state)
{
	struct ilk_flow_ f;

	(void)state;
	open_segment();
	open_sent(&f, 0);
	f.stages[1].body = fall_behind;
	f.stages[1].arg = &f;
	f.stages[1].tries = 2;
	CHECK_RC(ilk_stage_work_(&f, 1, 0), 0);
	CHECK(came[0] == 1 && came[1] == 1 && came[2] == 1);
	CHECK(f.shared[1]->word[1] == ilk_message_word_(1 + f.window, 1, 1, ILK_MESSAGE_IN_));
	close_segment();
}

/* Whose a pipeline is stands in it from its first moment: nobody takes it for a dead one's. */
static void test_what_another_starts_is_left_alone(void **state)
{
	struct ilk_flow_ theirs, f;

	(void)state;
	open_segment();
	open_sent(&theirs, 0);
	f = theirs;
	memset(f.shared, 0, sizeof f.shared);
	memset(f.in, 0, sizeof f.in);
	CHECK_RC(ilk_flow_make_(&f, seg, "p"), -EBUSY);
	ilk_flow_remove_(&f, "p");
	CHECK_RC(ilk_flow_open_(&f, seg, "p"), 0);
	CHECK(f.shared[0] == theirs.shared[0] && f.in[1] == theirs.in[1]);
	close_segment();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_a_late_failure_leaves_later_ones_alone),
		ILK_TEST(test_an_old_failure_is_forgotten),
		ILK_TEST(test_in_order_what_follows_one_done_by_the_dead_is_done),
		ILK_TEST(test_who_follows_one_that_said_END_does_not_ask_again),
		ILK_TEST(test_who_cannot_send_on_has_not_ended),
		ILK_TEST(test_in_order_a_tail_that_is_left_is_a_failure),
		ILK_TEST(test_what_another_starts_is_left_alone),
		ILK_TEST(test_who_is_late_leaves_a_later_message_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
