/*
 * loop_work.c - working at a round: taking parts, doing them, waiting for others', taking over those of
 * the dead. Words, invariants and labels: loop.c.
 */
#include "segment/member.h"
#include "segment/types.h"
#include "sync/object.h"
#include "work/loop.h"

enum { SPINS = 4 };

/* --- one part --- */

struct work {
	struct ilk_round_ round;
	struct ilk_segment *segment;
	ilk_loop_body *body;
	void *arg;
	uint32_t owner, result_bytes;
};

/* [P1] Part K, whose word was WORD, becomes the calling thread's. 1; 0. */
static int take(struct work *w, uint32_t k, uint64_t word)
{
	uint64_t mine = ilk_loop_word_(w->round.number, ILK_PART_TAKEN_, w->owner);

	if (!ilk_cas_full_(&w->round.loop->part[k], &word, mine))
		return 0;
	ilk_hold_();
	return 1;
}

/* Takes the next one that is free: *K, which one who died had begun if *AGAIN. 1; 0: there is none. */
static int take_free(struct work *w, uint32_t *k, int *again)
{
	struct ilk_round_ *r = &w->round;

	for (; r->from < r->range.parts; r->from++) {
		uint64_t word = ilk_load_relaxed_(&r->loop->part[r->from]);

		if (ilk_part_what_(word, r->number) == ILK_PART_FREE_ && take(w, r->from, word)) {
			*k = r->from++;
			*again = (uint32_t)word != 0;
			return 1;
		}
	}
	return 0;
}

/* Takes one whose owner is dead, or that was given back: *K. 1; 0. */
static int take_left(struct work *w, uint32_t *k)
{
	struct ilk_living_ living = {.slots = {0}};
	struct ilk_round_ *r = &w->round;

	for (*k = r->low; *k < r->range.parts; ++*k) {
		uint64_t word = ilk_load_acquire_(&r->loop->part[*k]);
		uint32_t what = ilk_part_what_(word, r->number);

		if (what == ILK_PART_TAKEN_ && (uint32_t)word != w->owner &&
			ilk_owner_life_once_(w->segment, (uint32_t)word, &living) == ILK_LIFE_DEAD)
			what = ILK_PART_FREE_;
		if (what == ILK_PART_FREE_ && take(w, *k, word))
			return 1;
	}
	return 0;
}

/* [P7] */
static void finish(struct work *w, uint32_t k, uint32_t what)
{
	struct ilk_loop *l = w->round.loop;

	ilk_let_go_();
	ilk_exchange_(&l->part[k], ilk_loop_word_(w->round.number, what, 0));
	ilk_fence_after_rmw_();
	if (ilk_loop_is_over_(&w->round))
		ilk_loop_ring_(&l->over);
}

static int call_body(struct work *w, uint32_t k, int again)
{
	struct ilk_loop *l = w->round.loop;
	struct ilk_part part = {.job = w->round.range.job, .number = k, .again = again};

	ilk_loop_part_(&w->round.range, k, &part.begin, &part.end);
	if (w->result_bytes) {
		part.result = ilk_loop_result_(l, w->result_bytes, k);
		memset(part.result, 0, w->result_bytes);
	}
	return w->body(&part, w->arg);
}

/* Does part K, which is ours. 0; -EPERM this is a child that the body forked; -ECANCELED. */
static int do_part(struct work *w, uint32_t k, int again)
{
	struct ilk_loop *l = w->round.loop;
	uint32_t what = ILK_PART_DONE_;
	int rc = ilk_loop_outcome_(l, w->round.number); /* [P4] */

	if (rc == 0) {
		rc = call_body(w, k, again);
		/* The body may have been in other segments. */
		if (ilk_here_(l) < 0 || ilk_thread_.owner != w->owner)
			return -EPERM;
		ilk_add_relaxed_(&l->done, UINT64_C(1));
		ilk_add_relaxed_(&l->again, (uint32_t)again);
		if (rc < 0)
			ilk_loop_note_failure_(l, w->round.number, rc);
	}
	if (rc < 0)
		what = ILK_PART_FAILED_;
	finish(w, k, what);
	return ilk_is_closing_(w->segment) ? -ECANCELED : 0;
}

/* --- waiting --- */

/* Who has the first part that is not over; 0. */
static uint32_t owner_of_first(const struct ilk_round_ *r)
{
	uint64_t word = ilk_load_acquire_(&r->loop->part[r->low]);

	return ilk_part_what_(word, r->number) == ILK_PART_TAKEN_ ? (uint32_t)word : 0;
}

static int spin_until_over(struct ilk_round_ *r)
{
	for (int i = 0; i < SPINS; i++) {
		unsigned look = 0;

		do
			if (ilk_loop_is_over_(r))
				return 1;
		while (ilk_spin_once_(&look));
	}
	return 0;
}

/* 0: the round is over; 1: it is time to look for what is left; -E... */
static int sleep_until_over(struct work *w, struct ilk_wait_ *sleep, ilk_time deadline)
{
	struct ilk_round_ *r = &w->round;
	int how = ILK_WOKEN_;

	sleep->many = w->body != NULL;
	while (how == ILK_WOKEN_) {
		uint32_t bell = ilk_load_acquire_(&r->loop->over), owner;
		int rc = ilk_check_tag_(ilk_load_relaxed_(&r->loop->tag), ILK_LOOP_TAG_);

		if (rc < 0)
			return rc;
		if (ilk_loop_is_over_(r)) /* [P9] */
			return 0;
		owner = owner_of_first(r);
		if (owner == w->owner)
			return -EDEADLK;
		how = ilk_wait_flagged_(sleep, &r->loop->over, ILK_LOOP_SOMEBODY_, bell, deadline,
			w->body ? owner : 0);
	}
	return how == ILK_TICK_ || how == -EOWNERDEAD ? 1 : how;
}

static void count_wait(struct ilk_loop *l, const struct ilk_wait_ *sleep)
{
	ilk_add_relaxed_(&l->slept, 1u);
	ilk_add_relaxed_(&l->waited_ns, (uint64_t)(ilk_now() - sleep->since));
}

/* The same, first spinning. */
static int await_over(struct work *w, ilk_time deadline)
{
	struct ilk_wait_ sleep;
	int rc;

	if (ilk_loop_is_over_(&w->round) || (deadline != ILK_NOW && spin_until_over(&w->round)))
		return 0;
	ilk_wait_begin_(&sleep, w->round.loop, ILK_TYPE_LOOP_);
	rc = sleep_until_over(w, &sleep, deadline);
	count_wait(w->round.loop, &sleep);
	ilk_wait_end_(&sleep);
	return rc;
}

/* Is there a round to work at, other than LAST? 1; 0; -EPIPE: nor will there be; -E... */
static int find_round(struct ilk_loop *l, struct ilk_round_ *r, int64_t last)
{
	int rc = ilk_check_tag_(ilk_load_relaxed_(&l->tag), ILK_LOOP_TAG_);
	uint32_t flags = ilk_load_acquire_(&l->flags); /* [P11] */

	if (rc == 0)
		rc = ilk_loop_look_(l, r);
	if (rc == 1 && r->number == last)
		rc = 0;
	return rc == 0 && flags & ILK_LOOP_CLOSED_ ? -EPIPE : rc;
}

static int spin_for_round(struct ilk_loop *l, struct ilk_round_ *r, int64_t last)
{
	int rc = 0;

	for (int i = 0; i < SPINS; i++) {
		unsigned look = 0;

		do
			rc = find_round(l, r, last);
		while (rc == 0 && ilk_spin_once_(&look));
	}
	return rc;
}

static int sleep_for_round(
	struct ilk_loop *l, struct ilk_round_ *r, int64_t last, ilk_time deadline)
{
	struct ilk_wait_ sleep;
	int rc, how = ILK_WOKEN_;

	ilk_wait_begin_(&sleep, l, ILK_TYPE_LOOP_);
	do {
		uint32_t bell = ilk_load_acquire_(&l->begun);

		rc = find_round(l, r, last); /* [P9] */
		if (rc == 0)
			how = ilk_wait_flagged_(
				&sleep, &l->begun, ILK_LOOP_SOMEBODY_, bell, deadline, 0);
	} while (rc == 0 && how >= 0);
	count_wait(l, &sleep);
	ilk_wait_end_(&sleep);
	return rc == 0 ? how : rc;
}

/* Waits for a round other than LAST. 0; -E... */
static int await_round(struct ilk_loop *l, struct ilk_round_ *r, int64_t last, ilk_time deadline)
{
	int rc = find_round(l, r, last);

	if (rc == 0 && deadline != ILK_NOW)
		rc = spin_for_round(l, r, last);
	if (rc == 0)
		rc = sleep_for_round(l, r, last, deadline);
	return rc == 1 ? 0 : rc;
}

/* --- working --- */

/* Does what the dead have left. 0; RC: there was none; -E... */
static int do_left(struct work *w, int rc)
{
	uint32_t k;

	while (w->body && take_left(w, &k)) {
		rc = do_part(w, k, 1);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* 0: the round is over; -E... */
static int work_at(struct work *w, ilk_time deadline)
{
	uint32_t k;
	int rc = 0, again;

	while (w->body && rc == 0 && take_free(w, &k, &again))
		rc = do_part(w, k, again);
	while (rc == 0) {
		rc = await_over(w, deadline);
		if (rc == 0)
			return 0;
		if (rc == 1 || rc == -ETIMEDOUT)
			rc = do_left(w, rc == 1 ? 0 : rc);
	}
	return rc;
}

/* Works at a round other than *LAST, which becomes that. 0: it is over; -E... */
static int work_once(struct work *w, struct ilk_loop *l, int64_t *last, ilk_time deadline)
{
	int rc = ilk_loop_enter_(l);

	if (rc == 0)
		rc = ilk_loop_results_(l, &w->result_bytes);
	if (rc < 0)
		return rc;
	w->segment = ilk_thread_.segment;
	w->owner = ilk_thread_.owner;
	rc = ilk_inside_begin_(w->segment);
	if (rc < 0)
		return rc;
	rc = await_round(l, &w->round, *last, deadline);
	if (rc == 0) {
		*last = w->round.number;
		rc = work_at(w, deadline);
	}
	if (rc != -EPERM)
		ilk_inside_end_(w->segment);
	return rc;
}

int ilk_loop_run(struct ilk_loop *l, ilk_loop_body *body, void *arg, ilk_time deadline)
{
	struct work w = {.body = body, .arg = arg};
	int64_t none = -1;
	int rc = body ? work_once(&w, l, &none, deadline) : -EINVAL;

	return rc == 0 ? ilk_loop_outcome_(l, w.round.number) : rc;
}

int ilk_loop_wait(struct ilk_loop *l, ilk_time deadline)
{
	struct work w = {.body = NULL};
	int64_t none = -1;
	int rc = work_once(&w, l, &none, deadline);

	return rc == 0 ? ilk_loop_outcome_(l, w.round.number) : rc;
}

int ilk_loop_serve(struct ilk_loop *l, ilk_loop_body *body, void *arg, ilk_time deadline)
{
	struct work w = {.body = body, .arg = arg};
	int64_t last = -1;
	int rc = body ? 0 : -EINVAL;

	while (rc == 0)
		rc = work_once(&w, l, &last, deadline);
	return rc;
}

static int fail_nothing(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	return -ECANCELED;
}

/* The round that W has copied: notes the failure, and leaves out what is left. */
static void cancel(struct work *w)
{
	uint32_t k;

	ilk_loop_note_failure_(w->round.loop, w->round.number, -ECANCELED);
	while (take_left(w, &k))
		do_part(w, k, 0); /* [P4]: it is left out */
}

/* Copies the round that there is. 1; 0: it is over, or there is none; -EINVAL. */
static int find_to_cancel(struct work *w, struct ilk_loop *l)
{
	int rc = ilk_loop_look_(l, &w->round);

	w->segment = ilk_thread_.segment;
	w->owner = ilk_thread_.owner;
	return rc == 1 && ilk_loop_is_over_(&w->round) ? 0 : rc;
}

int ilk_loop_cancel(struct ilk_loop *l)
{
	struct work w = {.body = fail_nothing};
	int rc = ilk_loop_enter_(l);

	if (rc == 0)
		rc = find_to_cancel(&w, l);
	if (rc == 1)
		cancel(&w);
	return rc < 0 ? rc : 0;
}

void ilk_loop_cancel_round_(struct ilk_loop *l, uint32_t round)
{
	struct work w = {.body = fail_nothing};

	if (find_to_cancel(&w, l) == 1 && w.round.number == round)
		cancel(&w);
}
