/*
 * aba.c - a free list whose head is a bare index: pop reads the head's next, and exchanges.
 *
 * The exchange asks whether the head is still A. It is: but meanwhile A was taken, B was taken, and
 * A was put back; and the `next` that was read is B, which somebody has.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/mutex.h>

enum { NODES = 64, NONE = 0 }; /* nodes are numbered from 1 */

struct list {
	uint64_t head; /* number of the first node; in the tagged form a count above it */
	uint64_t bad;  /* pops that gave a node which somebody had, or none */
	struct {
		uint32_t next;
		uint32_t taken;
	} node[NODES + 1] ILK_ALIGNED_(64);
};

static _Thread_local struct {
	struct list *list;
	struct ilk_mutex *mutex;
} my;

static int open_list(struct ilk_segment *seg)
{
	return race_block(seg, "list", sizeof *my.list, &my.list);
}

static int prepare(struct ilk_segment *seg)
{
	int rc = open_list(seg);

	for (uint32_t i = 1; rc == 0 && i <= NODES; i++)
		my.list->node[i].next = i < NODES ? i + 1 : NONE;
	if (rc == 0)
		my.list->head = 1;
	return rc;
}

/* How many bits of the head are the node: the rest, if any, counts changes. */
static inline uint32_t pop(struct race_worker *me, int is_tagged)
{
	uint64_t seen = ilk_load_acquire_(&my.list->head), next;

	do {
		if ((uint32_t)seen == NONE || (uint32_t)seen > NODES)
			return NONE;
		next = ilk_load_relaxed_(&my.list->node[(uint32_t)seen].next);
		if (is_tagged)
			next |= ((seen >> 32) + 1) << 32;
		race_note(me, "pops: the head's next is", (uint32_t)next);
	} while (!ilk_cas_full_(&my.list->head, &seen, next));
	race_note(me, "has popped", (uint32_t)seen);
	return (uint32_t)seen;
}

static inline void push(struct race_worker *me, uint32_t node, int is_tagged)
{
	uint64_t seen = ilk_load_relaxed_(&my.list->head), head;

	race_note(me, "pushes", node);
	do {
		ilk_store_relaxed_(&my.list->node[node].next, (uint32_t)seen);
		head = is_tagged ? node | ((seen >> 32) + 1) << 32 : node;
	} while (!ilk_cas_full_(&my.list->head, &seen, head));
}

/* NODE was popped: does anybody else have it? */
static int is_mine(struct race_worker *me, uint32_t node)
{
	if (node != NONE && ilk_exchange_(&my.list->node[node].taken, 1u) == 0)
		return 1;
	race_note(me, "and somebody has it already (0: the list is empty):", node);
	ilk_add_relaxed_(&my.list->bad, 1u);
	return 0;
}

static void give_back(struct race_worker *me, uint32_t node, int is_tagged)
{
	ilk_store_release_(&my.list->node[node].taken, 0u);
	push(me, node, is_tagged);
}

/* Takes two, and gives back the first while it has the second: then the head is the first again. */
static inline int work(struct race_worker *me, int64_t times, int is_tagged)
{
	for (; times > 0; times--) {
		uint32_t a = pop(me, is_tagged), b = pop(me, is_tagged);
		int has_a = is_mine(me, a), has_b = is_mine(me, b);

		if (has_a)
			give_back(me, a, is_tagged);
		if (has_b)
			give_back(me, b, is_tagged);
	}
	return 0;
}

static int work_bare(struct race_worker *me, int64_t times)
{
	return work(me, times, 0);
}

static int work_tagged(struct race_worker *me, int64_t times)
{
	return work(me, times, 1);
}

/* --- mutex --- */

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_list(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

static int work_locked(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		work(me, 1, 0);
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->expected *= 2; /* pops */
	count->failures = (int64_t)my.list->bad;
	count->got = count->expected - count->failures;
}

static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i < count; i++)
		if (e[i].what[0] == 'a') {
			*from = i > 22 ? i - 22 : 0;
			*to = i;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{"bare", "compare-exchange of a bare index", RACE_FAILS, prepare, open_list, work_bare,
		judge, NULL},
	{"tagged", "the head has a count beside the index", RACE_HOLDS, prepare, open_list,
		work_tagged, judge, NULL},
	{"mutex", "the bare one while holding an ilk_mutex", RACE_HOLDS, prepare, open_mutex,
		work_locked, judge, NULL},
};

const struct race_scenario race_aba = {
	.name = "aba",
	.bug = "a free list whose head is a bare index or pointer",
	.breaks = "two get the same node, and nodes vanish",
	.fix = "a count beside the index, or a lock",
	.failures = "bad pops",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = 16,
	.iterations = 1000000,
	.witness = witness,
};
