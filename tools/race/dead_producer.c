/*
 * dead_producer.c - kill -9 of the process that puts the jobs; and of one that is at a job.
 *
 * The consumers wait for what the dead producer was to put, or for the sentinel that was to tell
 * them of the end. And the job that a dead consumer had taken is gone with it.
 */
#include "race/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <ilk/atomics.h>
#include <ilk/queue.h>
#include <unistd.h>

enum { JOBS = 1000, CONSUMER_DIES_AT = 5, JOB_US = 20 };

struct shared {
	int64_t put;
	int64_t done[JOBS]; /* how often each job was done */
};

static int wire[2] = {-1, -1}; /* a pipe, made before there are workers; they inherit it */

static _Thread_local struct {
	struct shared *shared;
	struct ilk_queue *queue;
	struct ilk_queue_handle handle;
	int64_t jobs;
	int is_over;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static void do_job(int64_t job)
{
	usleep(JOB_US);
	if (job >= 0 && job < JOBS)
		ilk_add_relaxed_(&my.shared->done[job], 1);
}

/* The second worker is killed when it has taken its fifth job, and before it has done it. */
static void maybe_die(struct race_worker *me, int64_t job)
{
	if (me->index == 1 && ++my.jobs == CONSUMER_DIES_AT) {
		race_note(me, "is killed at job", job);
		race_die(me);
	}
}

/* The first worker puts the jobs, by PUT, and is killed before it could say that they are all. */
static int produce(struct race_worker *me, int (*put)(int64_t job))
{
	for (int64_t job = 0; job < JOBS; job++) {
		int rc = put(job);

		if (rc < 0)
			return rc;
		ilk_store_release_(&my.shared->put, job + 1);
	}
	race_note(me, "the producer is killed; has put", JOBS);
	race_die(me);
}

/* --- broken: a pipe, and a sentinel for each consumer --- */

static int prepare_pipe(struct ilk_segment *seg)
{
	(void)seg;
	for (int i = 0; i < 2; i++)
		if (wire[i] >= 0)
			close(wire[i]);
	return pipe2(wire, O_CLOEXEC) < 0 ? -errno : 0;
}

static int put_in_pipe(int64_t job)
{
	return write(wire[1], &job, sizeof job) == (ssize_t)sizeof job ? 0 : -EIO;
}

static int consume_pipe(struct race_worker *me)
{
	int64_t job;

	while (read(wire[0], &job, sizeof job) == (ssize_t)sizeof job && job >= 0) {
		race_note(me, "waits for the next job, or the sentinel, after", job);
		do_job(job);
	}
	return 0;
}

/* --- ilk_queue --- */

static int open_queue(struct ilk_segment *seg)
{
	const struct ilk_queue_options options = {
		.size = sizeof options, .capacity = 64, .message_bytes = sizeof(int64_t)};
	int rc = open_shared(seg);

	if (rc == 0)
		rc = ilk_queue_open(seg, "jobs", &options, &my.queue);
	return rc < 0 ? rc : ilk_queue_attach(my.queue, &my.handle);
}

static int put_in_queue(int64_t job)
{
	int rc = job == 0 ? ilk_queue_produce_begin(my.queue) : 0;

	return rc < 0 ? rc : ilk_queue_put(&my.handle, &job, sizeof job, ILK_FOREVER);
}

static int consume_by_get(struct race_worker *me)
{
	int64_t job;
	int rc;

	while ((rc = ilk_queue_get(&my.handle, &job, sizeof job, NULL, ILK_FOREVER)) == 0) {
		maybe_die(me, job);
		do_job(job);
	}
	return rc == -EPIPE ? 0 : rc;
}

static int consume_by_lease(struct race_worker *me)
{
	struct ilk_queue_lease lease;
	int rc;

	while ((rc = ilk_queue_lease(&my.handle, &lease, ILK_FOREVER)) == 0) {
		int64_t job = *(const int64_t *)lease.data;

		if (lease.deliveries > 1)
			race_note(me, "is given what a dead one had, job", job);
		maybe_die(me, job);
		do_job(job);
		ilk_queue_ack(&my.handle, &lease);
	}
	return rc == -EPIPE ? 0 : rc;
}

/* --- all there is to do is done in the first call --- */

static inline int work(
	struct race_worker *me, int (*put)(int64_t job), int (*consume)(struct race_worker *me))
{
	int rc = 0;

	if (!my.is_over)
		rc = me->index == 0 ? produce(me, put) : consume(me);
	my.is_over = 1;
	return rc;
}

static int work_pipe(struct race_worker *me, int64_t times)
{
	(void)times;
	return work(me, put_in_pipe, consume_pipe);
}

static int work_get(struct race_worker *me, int64_t times)
{
	(void)times;
	return work(me, put_in_queue, consume_by_get);
}

static int work_lease(struct race_worker *me, int64_t times)
{
	(void)times;
	return work(me, put_in_queue, consume_by_lease);
}

static void judge(struct race_count *count)
{
	count->expected = my.shared->put;
	count->got = 0;
	for (int i = 0; i < JOBS; i++)
		count->got += my.shared->done[i] == 1;
}

static const struct race_variant variants[] = {
	{"sentinel", "a pipe, and a last message for each consumer", RACE_FAILS, prepare_pipe,
		open_shared, work_pipe, judge, NULL},
	{"get", "ilk_queue_get, then the job; the producer registered", RACE_FAILS, NULL,
		open_queue, work_get, judge, NULL},
	{"lease", "ilk_queue_lease, the job, ilk_queue_ack", RACE_HOLDS, NULL, open_queue,
		work_lease, judge, NULL},
};

const struct race_scenario race_dead_producer = {
	.name = "dead-producer",
	.bug = "kill -9 of the one that puts the jobs, and of one that is at a job",
	.breaks = "the others wait for an end that nobody tells; a job is lost",
	.fix = "registered producers, and leases",
	.failures = "jobs lost",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 3,
	.processes = 4,
	.iterations = 1,
	.only_processes = 1,
	.chunk = 1,
	.patience_ms = 2000,
	.is_noted = 1,
};
