/*
 * stage.c - what stages have in the segment: words of messages, figures, the pipeline's end.
 *
 * State      word[n]   of message n modulo the window, at a stage's entry: number | how often its body was
 *                      begun | which copy was let in | IN, DONE. By who has that copy leased; by who lets in.
 *                      At the first stage word[i] is what its worker i is at, of its numbers 1 + i,
 *                      1 + i + workers ...: number | how often begun | IN, DONE: it said END of that; by
 *                      that worker, or who replaces it.
 *            low       the first message that is not done at the last stage; hint and limit: the first
 *                      stage sends n only if n < low + window.
 *            failure   the first one: stage + 1 | rc. failed_at: its message, by who set failure, later.
 *            over: a worker of the first stage has said END.
 *            came, ended  of each worker: it is at its work; nothing is left for it. stage.h.
 *            bell      SOMEBODY: the first stage may wait for low.
 *            owner     whose the pipeline is: stage.h. Who starts one takes over those of its stages that are a
 *            dead one's, all or none, and removes them, each after its queue; then it makes its own.
 * Words      let in  (older number) -> (n, 0, copy, IN), CAS: one copy of n, for good
 *            begin   begun + 1, CAS, before the body is called, and before anything is sent
 *            done    IN -> DONE, CAS, after what it sent is in the next queue (last stage: after the body)
 * Invariant  [M1] A queue gives a message to one worker at a time, and again when he dies.
 *            [M2] Of the copies of a message that come to a stage one is let in; all others are dropped.
 *            Copies come from a stage whose worker died between its put and DONE: each has another number
 *            of beginnings, so no two are the same.
 *            [M3] n + window is sent only when n is done at the last stage. So a word with a larger number
 *            says that this one is long done; and nobody who is late changes a word that is another's, for
 *            all changes are compare-and-swaps of the word as his message left it.
 *            [M4] No queue loses what is in it; DONE comes after the put, the ack after DONE. So each
 *            message that was sent is done in the end, or the pipeline fails.
 *            [M7] A worker's `ended` is set when its queue has come to its end, or its body said END, and it has
 *            no lease; or the pipeline ends. So a stage all of whose workers have it will send no more.
 * Ordering   What a stage wrote before it sent is seen by the next: queue.c. [M5] done at the last stage:
 *            CAS of the word, full; load low, and its word <-> advance: CAS low, full; load the next word: one
 *            of both sees the other, and moves low on. [M6] wait: flag in bell, full; load low, failure <->
 *            advance: swap low, fail: swap failure, full; load bell.
 * Death      Before begin: as if nothing was. In the body: begun stays; the next begins again, or gives up.
 *            After the put: the next sends another copy, which is dropped. After DONE: the next acks. After
 *            DONE, before low: the next who is done, or who waits, or whose turn it may be, moves it. Before
 *            `ended`: whoever takes its place finds nothing left, and says so.
 */
#include "work/stage.h"
#include "os/futex.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/types.h"
#include "sync/object.h"
#include <limits.h>
#include <stdio.h>

enum {
	CAPACITY = 64,
	WINDOW = 256,
	MOST_OUT = ILK_QUEUE_MOST_BYTES - (int)sizeof(struct ilk_message_),
};

/* --- the pipeline's end --- */

int ilk_flow_failure_(const struct ilk_flow_ *f)
{
	return -(int)((uint32_t)ilk_load_acquire_(&f->shared[0]->failure) & INT_MAX);
}

static void ring(struct ilk_shared_stage_ *first)
{
	if (ilk_load_acquire_(&first->bell) & ILK_STAGE_SOMEBODY_)
		ilk_futex_change_and_wake_(&first->bell, ILK_STORE_, 0, INT_MAX);
}

void ilk_flow_fail_(struct ilk_flow_ *f, unsigned stage, int rc, uint64_t number)
{
	uint64_t none = 0;

	if (ilk_cas_full_(
		    &f->shared[0]->failure, &none, (uint64_t)(stage + 1) << 32 | (uint32_t)-rc))
		ilk_store_release_(&f->shared[0]->failed_at, number);
	for (unsigned i = 1; i < f->count; i++)
		ilk_queue_close(f->in[i]);
	ilk_fence_after_rmw_(); /* [M6] */
	ring(f->shared[0]);
}

/* --- how far all is --- */

void ilk_flow_advance_(struct ilk_flow_ *f)
{
	struct ilk_shared_stage_ *first = f->shared[0], *last = f->shared[f->count - 1];
	uint64_t low = ilk_load_acquire_(&first->low);
	int moved = 0;

	for (;;) {
		uint64_t word = ilk_load_acquire_(&last->word[low & (f->window - 1)]); /* [M5] */

		if (ilk_message_number_(word) != low ||
			ilk_message_what_(word) != ILK_MESSAGE_DONE_)
			break;
		if (ilk_cas_full_(&first->low, &low, low + 1)) {
			ilk_fence_after_rmw_();
			moved = 1;
			low++;
		}
	}
	ilk_fence_(); /* [M6] */
	if (moved)
		ring(first);
}

static int may_go(struct ilk_flow_ *f, uint64_t number)
{
	return number < ilk_load_acquire_(&f->shared[0]->low) + f->window;
}

static int sleep_for_room(struct ilk_flow_ *f, uint64_t number, struct ilk_wait_ *w)
{
	struct ilk_shared_stage_ *first = f->shared[0];
	int rc = 0;

	while (rc >= 0) {
		uint32_t bell = ilk_load_acquire_(&first->bell);

		ilk_flow_advance_(f);
		if (ilk_check_tag_(ilk_load_relaxed_(&first->tag), ILK_STAGE_TAG_) < 0)
			return -EIDRM;
		if (ilk_flow_failure_(f) || may_go(f, number)) /* [M6] */
			return 0;
		rc = ilk_wait_flagged_(w, &first->bell, ILK_STAGE_SOMEBODY_, bell, ILK_FOREVER, 0);
	}
	return rc;
}

int ilk_flow_wait_(struct ilk_flow_ *f, uint64_t number)
{
	struct ilk_segment *seg;
	struct ilk_wait_ w;
	int rc = ilk_here_(f->shared[0]);

	if (rc < 0 || may_go(f, number))
		return rc;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	ilk_wait_begin_(&w, f->shared[0], ILK_TYPE_STAGE_);
	rc = sleep_for_room(f, number, &w);
	ilk_wait_end_(&w);
	ilk_inside_end_(seg);
	return rc;
}

/* --- what is asked for --- */

static int check_stage(struct ilk_stage *s, unsigned index, unsigned count, unsigned flags)
{
	if (!s->workers)
		s->workers = 1;
	if (!s->tries)
		s->tries = 1;
	if (!s->capacity)
		s->capacity = CAPACITY;
	if (!s->body || !s->name)
		return ilk_fail_(-EINVAL, "stage %u has no name, or no body", index);
	if (s->tries > ILK_PIPELINE_MOST_TRIES || s->flags & ~(unsigned)ILK_STAGE_SKIP)
		return ilk_fail_(-EINVAL, "stage %s: more than %d tries, or unknown flags", s->name,
			ILK_PIPELINE_MOST_TRIES);
	if (s->workers > ILK_PIPELINE_WORKERS)
		return ilk_fail_(
			-EINVAL, "stage %s: more than %d workers", s->name, ILK_PIPELINE_WORKERS);
	if (s->out_bytes > MOST_OUT || s->capacity > ILK_QUEUE_MOST_CAPACITY)
		return ilk_fail_(-EINVAL,
			"stage %s: out_bytes of more than %d, or capacity than %d", s->name,
			MOST_OUT, ILK_QUEUE_MOST_CAPACITY);
	if (s->workers > 1 && index == count - 1 && flags & ILK_PIPELINE_ORDERED)
		return ilk_fail_(
			-EINVAL, "stage %s gets messages in order: it has one worker", s->name);
	if (index == count - 1 && s->out_bytes)
		return ilk_fail_(-EINVAL, "stage %s is the last: it sends nothing on", s->name);
	return 0;
}

static int check_names(const struct ilk_flow_ *f)
{
	for (unsigned i = 1; i < f->count; i++)
		for (unsigned j = 0; j < i; j++)
			if (strcmp(f->stages[i].name, f->stages[j].name) == 0)
				return ilk_fail_(-EINVAL, "stages %u and %u are both called %s", j,
					i, f->stages[i].name);
	return 0;
}

int ilk_flow_check_(struct ilk_flow_ *f, const struct ilk_stage *stages, unsigned count,
	const struct ilk_pipeline_options *options)
{
	int rc = 0;

	if (options && (options->size != sizeof *options ||
			       options->flags & ~(unsigned)ILK_PIPELINE_ORDERED))
		return ilk_fail_(-EINVAL, "pipeline options: wrong size or unknown flags");
	f->flags = options ? options->flags : 0;
	f->window = options && options->window ? options->window : WINDOW;
	if (count < 2 || count > ILK_PIPELINE_STAGES)
		return ilk_fail_(-EINVAL, "a pipeline has 2 to %d stages", ILK_PIPELINE_STAGES);
	if (f->window < 2 || f->window > ILK_PIPELINE_MOST_WINDOW || f->window & (f->window - 1))
		return ilk_fail_(-EINVAL, "pipeline options: window is 2, 4, 8 ... %d",
			ILK_PIPELINE_MOST_WINDOW);
	f->count = count;
	for (unsigned i = 0; i < count && rc == 0; i++) {
		f->stages[i] = stages[i];
		rc = check_stage(&f->stages[i], i, count, f->flags);
		f->total_workers += f->stages[i].workers;
	}
	if (rc == 0 && f->stages[0].workers > f->window)
		rc = ilk_fail_(-EINVAL, "stage %s has more workers than the window of %u",
			f->stages[0].name, f->window);
	if (rc == 0 && f->total_workers > ILK_PIPELINE_WORKERS)
		rc = ilk_fail_(-EINVAL, "more than %d workers", ILK_PIPELINE_WORKERS);
	return rc == 0 ? check_names(f) : rc;
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_shared_stage_ *s = object;
	uint32_t window = ilk_load_relaxed_(&s->window);

	(void)map;
	if (bytes < sizeof *s ||
		ilk_check_tag_(ilk_load_relaxed_(&s->tag), ILK_STAGE_TAG_) == -EINVAL)
		return "its tag is not a stage's";
	if (window < 2 || window > ILK_PIPELINE_MOST_WINDOW || window & (window - 1) ||
		ilk_stage_bytes_(window) != bytes)
		return "its size does not match its window";
	for (uint32_t i = 0; i < window; i++)
		if (ilk_message_what_(ilk_load_relaxed_(&s->word[i])) > ILK_MESSAGE_DONE_)
			return "a message is in no state that there is";
	return NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_shared_stage_ *s = object;
	uint64_t taken = ilk_load_relaxed_(&s->taken), sent = ilk_load_relaxed_(&s->sent);

	snprintf(out->state, sizeof out->state, "%u workers, %llu in, %llu done, %llu again",
		ilk_load_relaxed_(&s->workers), (unsigned long long)taken, (unsigned long long)sent,
		(unsigned long long)ilk_load_relaxed_(&s->again));
	out->value = (int64_t)(taken - sent);
	out->acquired = sent;
	ilk_stage_tell_(map, s, (bytes - sizeof *s) / sizeof *s->word, out);
}

static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_shared_stage_ *s = object;

	(void)seg;
	ilk_store_release_(&s->tag, (uint16_t)(ILK_STAGE_TAG_ | ILK_GONE_));
	ilk_futex_change_and_wake_(&s->bell, ILK_STORE_, 0, INT_MAX);
}

const struct ilk_type_ ilk_type_stage_ = {
	.name = "stage",
	.align = ILK_LINE_,
	.valid = valid,
	.describe = describe,
	.remove = remove_for_good,
};
