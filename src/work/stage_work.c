/*
 * stage_work.c - a worker of a stage: takes a message, lets it in, calls the body, sends on. Words,
 * invariants and what a death leaves: stage.c.
 */
#include "sync/object.h"
#include "work/stage.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

struct worker {
	struct ilk_flow_ *flow;
	struct ilk_shared_stage_ *shared;
	const struct ilk_stage *stage;
	unsigned index, place;
	int is_last, is_stale; /* begin found its message another's */
	struct ilk_queue_handle in, out;
	struct ilk_message_ *message;  /* what is sent: a head, and room for out_bytes */
	uint64_t failed;               /* the message of the last failure; 0 */
	struct ilk_queue_lease *waits; /* in order: those that came too early, by number */
};

static void count(uint64_t *figure, uint64_t by)
{
	ilk_add_relaxed_(figure, by);
}

int ilk_work_send(struct ilk_work *work, const void *data, size_t bytes)
{
	if (work->is_sent)
		return -EALREADY;
	if (bytes > work->room || !work->out)
		return -EMSGSIZE;
	memcpy(work->out, data, bytes);
	work->bytes = bytes;
	work->is_sent = 1;
	return 0;
}

/* --- one message --- */

/* Where the word of WORD's message is. */
static uint64_t *word_at(const struct worker *w, uint64_t word)
{
	uint64_t i = w->index ? ilk_message_number_(word) & (w->flow->window - 1) : w->place;

	return &w->shared->word[i];
}

/* Another beginning of the message, whose word is at AT: what is sent from here on is another copy. 0; -ESTALE
 * [M3]: the word is not as it was left, so the message is another's, or long done. */
static int begin(struct worker *w, uint64_t *at, uint64_t *word)
{
	uint64_t before = *word;

	if (ilk_message_begun_(*word) < ILK_MESSAGE_BEGINNINGS_)
		*word += UINT64_C(1) << 8;
	w->is_stale = !ilk_cas_full_(at, &before, *word);
	return w->is_stale ? -ESTALE : 0;
}

/* A body's RC: any that is none of its results is a failure, and each can be made positive. */
static int outcome_of(const struct worker *w, int rc)
{
	if (rc > 0 && (w->index || rc != ILK_STAGE_END))
		return -EINVAL;
	return rc < -INT_MAX ? -INT_MAX : rc;
}

/* Calls the body until it succeeds, or has failed often enough. What it returned; -ESTALE as begin. */
static int call_body(
	struct worker *w, struct ilk_work *work, uint64_t *word, const void *in, size_t bytes)
{
	uint64_t *at = word_at(w, *word);
	int rc = -EOWNERDEAD;

	/* Begun as often as may be already: who did the last died in it. */
	while (rc < 0 && ilk_message_begun_(*word) < w->stage->tries) {
		ilk_time since = ilk_now();

		if (begin(w, at, word) < 0)
			return -ESTALE;
		count(ilk_message_begun_(*word) > 1 ? &w->shared->again : &w->shared->taken, 1);
		*work = (struct ilk_work){
			.number = ilk_message_number_(*word) - 1,
			.tries = ilk_message_begun_(*word),
			.room = w->stage->out_bytes,
			.out = w->is_last ? NULL : w->message + 1,
		};
		rc = outcome_of(w, w->stage->body(work, in, bytes, w->stage->arg));
		count(&w->shared->busy_ns, (uint64_t)(ilk_now() - since));
	}
	w->failed = rc < 0 ? ilk_message_number_(*word) : 0;
	if (rc < 0 && w->stage->flags & ILK_STAGE_SKIP) {
		count(&w->shared->skipped, 1);
		work->is_sent = 0;
		rc = begin(w, at, word);
	}
	return rc;
}

/* Sends on what WORK says, or that there is nothing, as the copy that WORD tells. */
static int send_on(struct worker *w, const struct ilk_work *work, uint64_t word)
{
	size_t bytes = work->is_sent ? work->bytes : 0;
	int rc;

	*w->message = (struct ilk_message_){
		.number = ilk_message_number_(word),
		.copy = ilk_message_begun_(word) & ILK_MESSAGE_COPIES_,
		.is_nothing = !work->is_sent,
	};
	rc = ilk_queue_put(&w->out, w->message, sizeof *w->message + bytes, ILK_FOREVER);
	/* Closed by another than the pipeline. */
	return rc == -EPIPE && !ilk_flow_failure_(w->flow) ? -EBADMSG : rc;
}

/* Does the message whose word is WORD, of BYTES bytes at IN; NOTHING: there is none of that number any more.
 * 0; -ESTALE as begin; -E... */
static int do_message(struct worker *w, uint64_t word, const void *in, size_t bytes, int nothing)
{
	uint64_t *at = word_at(w, word);
	struct ilk_work work = {.is_sent = 0};
	int rc = 0;

	if (nothing)
		rc = begin(w, at, &word);
	else
		rc = call_body(w, &work, &word, in, bytes);
	if (rc < 0)
		return rc;
	if (!w->is_last)
		rc = send_on(w, &work, word);
	if (rc < 0)
		return rc;
	/* [M3] */
	ilk_cas_full_(at, &word, word + (ILK_MESSAGE_DONE_ - ILK_MESSAGE_IN_));
	if (!nothing)
		count(&w->shared->sent, 1);
	if (w->is_last) {
		ilk_fence_after_rmw_(); /* [M5] */
		ilk_flow_advance_(w->flow);
	}
	return 0;
}

/* [M2] Is this copy of M the one that is let in? 1, and *WORD; 0: it is to be dropped, or done already. */
static int let_in(struct worker *w, const struct ilk_message_ *m, uint64_t *word)
{
	uint64_t *at = &w->shared->word[m->number & (w->flow->window - 1)];
	uint64_t mine = ilk_message_word_(m->number, 0, m->copy, ILK_MESSAGE_IN_);

	*word = ilk_load_acquire_(at);
	while (ilk_message_number_(*word) < m->number)
		if (ilk_cas_full_(at, word, mine))
			*word = mine;
	if (ilk_message_number_(*word) == m->number && ilk_message_copy_(*word) == m->copy)
		return ilk_message_what_(*word) == ILK_MESSAGE_IN_;
	count(&w->shared->doubled, 1);
	return 0;
}

/* --- stages behind the first --- */

static int do_lease(struct worker *w, const struct ilk_queue_lease *l)
{
	struct ilk_message_ m;
	uint64_t word;
	int rc = 0;

	w->is_stale = 0;
	memcpy(&m, l->data, sizeof m);
	if (let_in(w, &m, &word))
		rc = do_message(w, word, (const char *)l->data + sizeof m, l->bytes - sizeof m,
			m.is_nothing != 0);
	return rc < 0 && !w->is_stale ? rc : ilk_queue_ack(&w->in, l);
}

static int is_in_order(const struct worker *w)
{
	return w->waits != NULL;
}

/* The last stage, in order: L's turn comes when all before it are done. */
static int do_in_turn(struct worker *w, const struct ilk_queue_lease *l)
{
	uint64_t low, mask = w->flow->window - 1;
	struct ilk_message_ m;
	int rc;

	/* Who died between DONE and this left it to us. */
	ilk_flow_advance_(w->flow);
	low = ilk_load_acquire_(&w->flow->shared[0]->low);
	memcpy(&m, l->data, sizeof m);
	if (m.number > low && m.number - low <= mask && !w->waits[m.number & mask].data) {
		w->waits[m.number & mask] = *l;
		return 0;
	}
	/* A copy of one that waits is dropped, as one of one that is done. */
	if (m.number > low) {
		count(&w->shared->doubled, 1);
		return ilk_queue_ack(&w->in, l);
	}
	rc = do_lease(w, l);
	while (rc == 0) {
		struct ilk_queue_lease *next;

		low = ilk_load_acquire_(&w->flow->shared[0]->low);
		next = &w->waits[low & mask];
		if (!next->data)
			break;
		rc = do_lease(w, next);
		next->data = NULL;
	}
	return rc;
}

/* In order: is there one whose turn did not come? */
static int is_one_left(const struct worker *w)
{
	for (uint64_t i = 0; is_in_order(w) && i < w->flow->window; i++)
		if (w->waits[i].data)
			return 1;
	return 0;
}

static int work_on(struct worker *w)
{
	int rc = 0;

	while (rc == 0 && !ilk_flow_failure_(w->flow)) {
		struct ilk_queue_lease l;

		rc = ilk_queue_lease(&w->in, &l, ILK_FOREVER);
		if (rc == 0 && l.bytes < sizeof(struct ilk_message_))
			rc = -EBADMSG;
		if (rc == 0)
			rc = is_in_order(w) ? do_in_turn(w, &l) : do_lease(w, &l);
	}
	/* The queue is closed: all is done, or the pipeline ends. */
	if (rc == -EPIPE)
		rc = is_one_left(w) && !ilk_flow_failure_(w->flow) ? -EBADMSG : 0;
	return rc;
}

/* --- the first stage --- */

/* Where the last one in this place stopped: it may have sent that, or not. */
static uint64_t first_word(struct worker *w)
{
	uint64_t word = 0, first = ilk_message_word_(1 + w->place, 0, 0, ILK_MESSAGE_IN_);

	return ilk_cas_full_(&w->shared->word[w->place], &word, first) ? first : word;
}

/* WORD becomes NEXT. 0; -ESTALE: another is in this place. */
static int step(struct worker *w, uint64_t *word, uint64_t next)
{
	if (!ilk_cas_full_(&w->shared->word[w->place], word, next))
		return -ESTALE;
	*word = next;
	return 0;
}

/* Asks for the message of WORD, and sends it on; at the end WORD is DONE. 0; -E... */
static int generate_one(struct worker *w, uint64_t *word)
{
	struct ilk_work work = {.is_sent = 0};
	int rc = call_body(w, &work, word, NULL, 0);

	if (rc == ILK_STAGE_END) {
		rc = step(w, word, *word + (ILK_MESSAGE_DONE_ - ILK_MESSAGE_IN_));
		count(&w->shared->taken, UINT64_MAX); /* it was no message */
		return rc;
	}
	/* Also where the body was not called any more. */
	if (rc == 0)
		rc = send_on(w, &work, *word);
	if (rc < 0)
		return rc;
	count(&w->shared->sent, 1);
	return step(w, word,
		ilk_message_word_(
			ilk_message_number_(*word) + w->stage->workers, 0, 0, ILK_MESSAGE_IN_));
}

static int generate(struct worker *w)
{
	uint64_t word = first_word(w);

	while (ilk_message_what_(word) != ILK_MESSAGE_DONE_) {
		int rc = ilk_flow_wait_(w->flow, ilk_message_number_(word));

		if (rc < 0 || ilk_flow_failure_(w->flow))
			return rc;
		rc = generate_one(w, &word);
		if (rc < 0)
			return rc == -EPIPE ? 0 : rc;
	}
	ilk_store_release_(&w->shared->over, 1u);
	return 0;
}

/* --- a worker --- */

static int open_worker(struct worker *w)
{
	struct ilk_flow_ *f = w->flow;
	int rc = 0;

	if (w->index > 0)
		rc = ilk_queue_attach(f->in[w->index], &w->in);
	if (rc == 0 && !w->is_last)
		rc = ilk_queue_attach(f->in[w->index + 1], &w->out);
	w->message = calloc(1, sizeof *w->message + w->stage->out_bytes);
	if (w->is_last && f->flags & ILK_PIPELINE_ORDERED)
		w->waits = calloc(f->window, sizeof *w->waits);
	if (rc == 0 &&
		(!w->message || (w->is_last && f->flags & ILK_PIPELINE_ORDERED && !w->waits)))
		rc = -ENOMEM;
	return rc;
}

int ilk_stage_work_(struct ilk_flow_ *f, unsigned stage, unsigned place)
{
	struct worker w = {
		.flow = f,
		.shared = f->shared[stage],
		.stage = &f->stages[stage],
		.index = stage,
		.place = place,
		.is_last = stage == f->count - 1,
	};
	int rc = open_worker(&w);

	if (rc == 0) {
		ilk_place_set_(w.shared->came, place);
		rc = stage ? work_on(&w) : generate(&w);
	}
	/* [M7] It has no message any more. */
	if (rc == 0)
		ilk_place_set_(w.shared->ended, place);
	else
		ilk_flow_fail_(f, stage, rc, w.failed);
	free(w.message);
	free(w.waits);
	return rc;
}
