/*
 * frame.c - starts the workers of a race, watches them, and counts what came out.
 *
 * The segment has a name of its own (with our pid), so that every worker opens it as any program
 * would. The name goes as soon as all have it open; until then the signals that would end us wait,
 * and so nothing is left behind. The workers are killed by the kernel when we die.
 *
 * Ordering: [W2] and [W3], explained in worker.c.
 */
#include "race/frame.h"
#include "race/worker.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	POLL_MS = 10,
	STALLED_POLLS = 1000, /* so many without a sign of life: a hang. Counted, not timed, so that
				 being stopped for a while with Ctrl-Z is none */
};

/* A run that is going on. */
struct run {
	struct race_job job;
	struct race_outcome *outcome;
	struct ilk_segment *seg;
	char name[64];
	int workers;
	size_t control_bytes;
	pid_t *pids; /* 0: not started, or gone */
	sigset_t mask;
	int is_named;
};

static int fail(struct run *r, const char *what, const char *why)
{
	snprintf(r->outcome->details, sizeof r->outcome->details, "%s: %s", what, why);
	return -1;
}

/* --- before --- */

static int allocate(struct run *r)
{
	const struct race_size *size = r->job.size;

	r->control_bytes =
		sizeof *r->job.control + (size_t)r->workers * sizeof r->job.control->cells[0];
	r->pids = calloc((size_t)size->processes, sizeof *r->pids);
	r->job.control = mmap(
		NULL, r->control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->pids && r->job.control != MAP_FAILED)
		return 0;
	r->job.control = NULL;
	return fail(r, "memory", strerror(ENOMEM));
}

/* Signals that would end us while the segment has a name. */
static void block_signals(struct run *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, &r->mask);
}

/* Makes the segment, and leaves it: workers are to open it, not to inherit it. */
static int make_segment(struct run *r)
{
	static int runs;
	const struct ilk_segment_options options = {
		.size = sizeof options,
		.bytes = (1u << 20) + (size_t)r->workers * 1024,
		.processes = (unsigned)r->job.size->processes + 1,
		.threads = (unsigned)r->workers + 1,
		.flags = ILK_SEGMENT_EXCLUSIVE,
	};
	int rc;

	snprintf(r->name, sizeof r->name, "race.%ld.%d", (long)getpid(), ++runs);
	rc = ilk_segment_create(r->name, &options, &r->seg);
	if (rc < 0)
		return fail(r, r->name, ilk_strerror(rc));
	r->is_named = 1;
	ilk_segment_close(r->seg);
	r->seg = NULL;
	return 0;
}

static int start_processes(struct run *r)
{
	fflush(NULL);
	for (int i = 0; i < r->job.size->processes; i++) {
		r->pids[i] = fork();
		if (r->pids[i] == 0) {
			sigprocmask(SIG_SETMASK, &r->mask, NULL);
			race_process(&r->job, i);
		}
		if (r->pids[i] < 0) {
			r->pids[i] = 0;
			return fail(r, "starting a process", strerror(errno));
		}
	}
	return 0;
}

/* Our own attachment, for the count at the end. */
static int open_segment(struct run *r)
{
	int rc = ilk_segment_open(r->name, NULL, &r->seg);

	if (rc == 0)
		rc = r->job.variant->open(r->seg);
	return rc < 0 ? fail(r, r->name, ilk_strerror(rc)) : 0;
}

static void drop_name(struct run *r)
{
	if (r->is_named)
		ilk_segment_unlink(r->name);
	r->is_named = 0;
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
}

/* --- meanwhile --- */

/* PID ended with STATUS. 1: as it should; 0: a crash. */
static int note_end(struct run *r, pid_t pid, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	r->outcome->verdict = RACE_CRASH;
	if (WIFSIGNALED(status))
		snprintf(r->outcome->details, sizeof r->outcome->details,
			"process %ld was killed by signal %d (%s)", (long)pid, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(r->outcome->details, sizeof r->outcome->details,
			"process %ld ended with exit code %d", (long)pid, WEXITSTATUS(status));
	return 0;
}

/* Takes notice of the processes that ended. How many go on; -1: one crashed. */
static int reap(struct run *r)
{
	int left = 0, status;

	for (int i = 0; i < r->job.size->processes; i++) {
		pid_t pid = r->pids[i];

		if (pid == 0)
			continue;
		if (waitpid(pid, &status, WNOHANG) == 0) {
			left++;
			continue;
		}
		r->pids[i] = 0;
		if (!note_end(r, pid, status))
			return -1;
	}
	return left;
}

static void end_processes(struct run *r)
{
	for (int i = 0; r->pids && i < r->job.size->processes; i++) {
		if (r->pids[i] == 0)
			continue;
		kill(r->pids[i], SIGKILL);
		waitpid(r->pids[i], NULL, 0);
		r->pids[i] = 0;
	}
}

/* What the cells say together. */
struct tally {
	int ready; /* workers that are ready or further */
	int64_t done;
	const char *error; /* of a worker that failed, or NULL */
};

static struct tally count(const struct run *r)
{
	struct tally t = {.ready = 0};

	for (int i = 0; i < r->workers; i++) {
		const struct race_cell *cell = &r->job.control->cells[i];
		uint32_t state = ilk_load_acquire_(&cell->state); /* [W2] */

		t.ready += state == RACE_READY || state == RACE_DONE;
		t.done += ilk_load_relaxed_(&cell->done);
		if (state == RACE_FAILED)
			t.error = cell->error;
	}
	return t;
}

/*
 * Waits until all are ready (TO_THE_END 0) or all processes have ended (1). 0; -1: a worker failed;
 * 1: a crash or a hang, in the outcome.
 */
static int watch(struct run *r, int to_the_end, race_progress *progress, void *arg)
{
	struct tally before = {.ready = -1};

	for (int stalled = 0; stalled < STALLED_POLLS; stalled++) {
		int left = reap(r);
		struct tally now = count(r);

		if (now.error)
			return fail(r, r->job.variant->name, now.error);
		if (left < 0)
			return 1;
		if (to_the_end ? left == 0 : now.ready == r->workers)
			return 0;
		if (now.done != before.done || now.ready != before.ready)
			stalled = 0;
		before = now;
		if (to_the_end && progress)
			progress(now.done, r->outcome->expected, arg);
		usleep(POLL_MS * 1000);
	}
	r->outcome->verdict = RACE_HANG;
	snprintf(r->outcome->details, sizeof r->outcome->details, "no worker got on for %d s",
		STALLED_POLLS * POLL_MS / 1000);
	return 1;
}

/* --- after --- */

static double ns_per_op(const struct run *r)
{
	const struct race_cell *cells = r->job.control->cells;
	ilk_time first = cells[0].began, last = cells[0].ended;

	for (int i = 1; i < r->workers; i++) {
		first = cells[i].began < first ? cells[i].began : first;
		last = cells[i].ended > last ? cells[i].ended : last;
	}
	return (double)(last - first) / (double)r->outcome->expected;
}

static void judge(struct run *r, int is_over)
{
	r->outcome->got = r->job.variant->result();
	if (!is_over)
		return; /* a crash or a hang: the verdict is there, and no time means anything */
	r->outcome->ns_per_op = ns_per_op(r);
	r->outcome->verdict = r->outcome->got == r->outcome->expected ? RACE_OK : RACE_SHOWN;
}

static int race(struct run *r, race_progress *progress, void *arg)
{
	int rc = start_processes(r);

	if (rc == 0)
		rc = open_segment(r);
	if (rc == 0)
		rc = watch(r, 0, NULL, NULL);
	drop_name(r);
	if (rc == 0) {
		ilk_store_release_(&r->job.control->go, 1u); /* [W3] */
		rc = watch(r, 1, progress, arg);
	}
	end_processes(r);
	if (rc >= 0)
		judge(r, rc == 0);
	return rc < 0 ? -1 : 0;
}

int race_run(const struct race_variant *variant, const struct race_size *size,
	race_progress *progress, void *arg, struct race_outcome *outcome)
{
	struct run r = {
		.job = {.variant = variant, .size = size, .segment = r.name, .parent = getpid()},
		.outcome = outcome,
		.workers = size->processes * size->threads,
	};
	int rc;

	*outcome =
		(struct race_outcome){.expected = r.workers * size->iterations, .ns_per_op = NAN};
	rc = allocate(&r);
	block_signals(&r);
	if (rc == 0)
		rc = make_segment(&r);
	if (rc == 0)
		rc = race(&r, progress, arg);
	drop_name(&r);
	ilk_segment_close(r.seg);
	if (r.job.control)
		munmap(r.job.control, r.control_bytes);
	free(r.pids);
	return rc;
}
