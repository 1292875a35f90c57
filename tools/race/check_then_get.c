/*
 * check_then_get.c - "while the queue is not empty, get": two consumers, one message.
 *
 * Between the question and the get the other one takes it; and then the get waits for a message
 * that will never come.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/object.h>
#include <ilk/queue.h>
#include <stdio.h>

enum { CAPACITY = 64, BATCH = 16, GIVE_UP_MS = 20 };

struct shared {
	int64_t put, got, missed;
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_queue *queue;
	struct ilk_queue_handle handle;
	struct ilk_segment *seg;
	char name[32];
	int64_t calls;
} my;

static int open_named(struct ilk_segment *seg, const char *name)
{
	const struct ilk_queue_options options = {
		.size = sizeof options, .capacity = CAPACITY, .message_bytes = sizeof(int64_t)};
	int rc = ilk_queue_open(seg, name, &options, &my.queue);

	return rc < 0 ? rc : ilk_queue_attach(my.queue, &my.handle);
}

static int open_queue(struct ilk_segment *seg)
{
	int rc = race_block(seg, "shared", sizeof *my.shared, &my.shared);

	return rc < 0 ? rc : open_named(seg, "queue");
}

/* The first worker puts some for all, each round; then all of them get until there are no more. */
static int put_some(struct race_worker *me)
{
	int rc = 0;

	for (int64_t i = 0; i < BATCH && rc == 0; i++)
		rc = ilk_queue_put(&my.handle, &i, sizeof i, ILK_FOREVER);
	race_note(me, "has put", BATCH);
	return rc;
}

/* --- broken: is it empty? no; so get one --- */

static int is_empty(void)
{
	struct ilk_queue_info info = {.size = sizeof info};

	return ilk_queue_info(my.queue, &info) < 0 || info.depth == 0;
}

/* Would wait for ever; so that one can count, it gives up after a while. */
static int get_all_asking(struct race_worker *me)
{
	int64_t message;

	while (!is_empty()) {
		int rc = ilk_queue_get(
			&my.handle, &message, sizeof message, NULL, ilk_after_ms(GIVE_UP_MS));

		if (rc == -ETIMEDOUT) {
			race_note(me, "was told that it is not empty, and waits in vain; all got",
				my.shared->got);
			ilk_add_relaxed_(&my.shared->missed, 1);
			return 0;
		}
		if (rc < 0)
			return rc;
		race_note(me, "is told that it is not empty, and gets number", message);
		ilk_add_relaxed_(&my.shared->got, 1);
	}
	return 0;
}

/* --- try: one call, which asks and takes --- */

static int get_all_trying(struct race_worker *me)
{
	int64_t message;
	int rc;

	(void)me;
	while ((rc = ilk_queue_get(&my.handle, &message, sizeof message, NULL, ILK_NOW)) == 0)
		ilk_add_relaxed_(&my.shared->got, 1);
	return rc == -EAGAIN ? 0 : rc;
}

static inline int work(
	struct race_worker *me, int64_t times, int (*get_all)(struct race_worker *me))
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		race_meet(me);
		if (me->index == 0) {
			rc = put_some(me);
			ilk_add_relaxed_(&my.shared->put, BATCH);
		}
		race_meet(me);
		if (rc == 0)
			rc = get_all(me);
	}
	return rc;
}

/* Told that there is one, and in vain. */
static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i < count; i++)
		if (e[i].what[0] == 'w') {
			*from = i > 5 ? i - 5 : 0;
			*to = i;
			return 1;
		}
	return 0;
}

static int work_asking(struct race_worker *me, int64_t times)
{
	return work(me, times, get_all_asking);
}

static int work_trying(struct race_worker *me, int64_t times)
{
	return work(me, times, get_all_trying);
}

/* --- end of work: nobody asks; the queue says when there will be no more --- */

static int open_shared(struct ilk_segment *seg)
{
	my.seg = seg;
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

/* A queue for this call, of which all workers are producers until they have put theirs. */
static int begin_work(struct race_worker *me)
{
	int rc;

	snprintf(my.name, sizeof my.name, "work%lld", (long long)my.calls++);
	rc = open_named(my.seg, my.name);
	if (rc == 0)
		rc = ilk_queue_produce_begin(my.queue);
	race_meet(me); /* nobody ends before all have begun */
	return rc;
}

static int get_until_the_end(void)
{
	int64_t message;
	int rc;

	while ((rc = ilk_queue_get(&my.handle, &message, sizeof message, NULL, ILK_FOREVER)) == 0)
		ilk_add_relaxed_(&my.shared->got, 1);
	return rc == -EPIPE ? 0 : rc;
}

static int work_to_the_end(struct race_worker *me, int64_t times)
{
	int rc = begin_work(me);

	for (; times > 0 && rc == 0; times--) {
		rc = ilk_queue_put(&my.handle, &times, sizeof times, ILK_FOREVER);
		ilk_add_relaxed_(&my.shared->put, 1);
		if (rc == 0 && times % 2 == 0)
			rc = get_all_trying(me);
	}
	if (rc == 0)
		rc = ilk_queue_produce_end(my.queue);
	if (rc == 0)
		rc = get_until_the_end();
	race_meet(me);
	if (me->index == 0)
		ilk_object_remove(my.seg, my.name);
	ilk_object_close(my.queue);
	return rc;
}

static void judge(struct race_count *count)
{
	count->expected = my.shared->put;
	count->got = my.shared->got;
	count->failures = my.shared->missed + (my.shared->put - my.shared->got);
}

static const struct race_variant variants[] = {
	{"asking", "while (!empty(queue)) get(queue)", RACE_FAILS, NULL, open_queue, work_asking,
		judge, NULL},
	{"try", "ilk_queue_get with ILK_NOW", RACE_HOLDS, NULL, open_queue, work_trying, judge,
		NULL},
	{"end-of-work", "gets until -EPIPE: the last producer has finished", RACE_HOLDS, NULL,
		open_shared, work_to_the_end, judge, NULL},
};

const struct race_scenario race_check_then_get = {
	.name = "check-then-get",
	.bug = "while the queue is not empty, gets a message",
	.breaks = "another gets it in between, and this one waits in vain",
	.fix = "try to get, or get until the queue says that it is the end",
	.failures = "waited in vain",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.iterations = 2000,
	.meets = 1,
	.chunk = 50,
	.witness = witness,
};
