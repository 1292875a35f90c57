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
#include <fcntl.h>
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
	PATIENCE_MS = 10000, /* without a sign of life: a hang. Counted in polls, not timed, so that
				being stopped for a while with Ctrl-Z is none */
	WITNESS_TRIES = 20,
};

/* A run that is going on. */
struct run {
	struct race_job job;
	struct race_outcome *outcome;
	struct ilk_segment *seg;
	char name[64];
	size_t control_bytes, log_bytes;
	pid_t *pids; /* 0: not started, or gone */
	sigset_t mask;
	int is_named;
	int fd; /* of the segment, for a look at who waits for what; -1 */
};

static int fail(struct run *r, const char *what, const char *why)
{
	snprintf(r->outcome->details, sizeof r->outcome->details, "%s: %s", what, why);
	return -1;
}

/* --- before --- */

static void *shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int allocate(struct run *r, int is_noted)
{
	size_t workers = (size_t)r->job.workers;

	r->control_bytes = sizeof *r->job.control + workers * sizeof r->job.control->cells[0];
	r->log_bytes = workers * sizeof *r->job.logs;
	r->pids = calloc((size_t)r->job.size->processes, sizeof *r->pids);
	r->job.control = shared_memory(r->control_bytes);
	r->job.logs = is_noted ? shared_memory(r->log_bytes) : NULL;
	if (r->pids && r->job.control && (r->job.logs || !is_noted))
		return 0;
	return fail(r, "memory", strerror(ENOMEM));
}

static void release(struct run *r)
{
	ilk_segment_close(r->seg);
	if (r->fd >= 0)
		close(r->fd);
	if (r->job.control)
		munmap(r->job.control, r->control_bytes);
	if (r->job.logs)
		munmap(r->job.logs, r->log_bytes);
	free(r->pids);
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
		.bytes = (1u << 20) + (size_t)r->job.workers * 1024,
		.processes = (unsigned)r->job.size->processes * 2 + 1,
		.threads = (unsigned)r->job.workers * 2 + 1,
		.flags = ILK_SEGMENT_EXCLUSIVE,
	};
	int rc;

	snprintf(r->name, sizeof r->name, "race.%ld.%d", (long)getpid(), ++runs);
	rc = ilk_segment_create(r->name, &options, &r->seg);
	if (rc < 0)
		return fail(r, r->name, ilk_strerror(rc));
	r->is_named = 1;
	rc = r->job.variant->prepare ? r->job.variant->prepare(r->seg) : 0;
	ilk_segment_close(r->seg);
	r->seg = NULL;
	return rc < 0 ? fail(r, "preparing", ilk_strerror(rc)) : 0;
}

/* So that the inspector finds the segment when its name is gone. */
static void keep_file(struct run *r)
{
	char path[96];

	snprintf(path, sizeof path, "/dev/shm/ilk.%s", r->name);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
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

/* Has a worker of process number I killed itself as planned? */
static int is_planned(const struct run *r, int i)
{
	const struct race_cell *cells = &r->job.control->cells[i * r->job.size->threads];

	for (int k = 0; k < r->job.size->threads; k++)
		if (ilk_load_acquire_(&cells[k].state) == RACE_DYING)
			return 1;
	return 0;
}

/* Process number I ended with STATUS. 1: as it should; 0: a crash. */
static int note_end(struct run *r, int i, int status)
{
	char *details = r->outcome->details;
	long pid = r->pids[i];

	if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
		(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && is_planned(r, i)))
		return 1;
	r->outcome->verdict = RACE_CRASH;
	if (WIFSIGNALED(status))
		snprintf(details, sizeof r->outcome->details,
			"process %ld was killed by signal %d (%s)", pid, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(details, sizeof r->outcome->details, "process %ld ended with exit code %d",
			pid, WEXITSTATUS(status));
	return 0;
}

/* Takes notice of the processes that ended. How many go on; -1: one crashed. */
static int reap(struct run *r)
{
	int left = 0, status;

	for (int i = 0; i < r->job.size->processes; i++) {
		if (r->pids[i] == 0)
			continue;
		if (waitpid(r->pids[i], &status, WNOHANG) == 0) {
			left++;
			continue;
		}
		if (!note_end(r, i, status))
			left = -1;
		r->pids[i] = 0;
		if (left < 0)
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

	for (int i = 0; i < r->job.workers; i++) {
		const struct race_cell *cell = &r->job.control->cells[i];
		uint32_t state = ilk_load_acquire_(&cell->state); /* [W2] */

		t.ready += state != RACE_STARTING;
		t.done += ilk_load_relaxed_(&cell->done);
		if (state == RACE_FAILED)
			t.error = cell->error;
	}
	return t;
}

/* Nobody has got on for PATIENCE ms. */
static void note_hang(struct run *r, int patience)
{
	char *details = r->outcome->details;
	size_t size = sizeof r->outcome->details;

	r->outcome->verdict = RACE_HANG;
	snprintf(details, size, "no worker got on for %.1f s", patience / 1000.0);
	race_tell_hang(r->fd, r->pids, r->job.size->processes, details, size);
}

/*
 * Waits until all are ready (TO_THE_END 0) or all processes have ended (1). 0; -1: a worker failed;
 * 1: a crash or a hang, in the outcome.
 */
static int watch(struct run *r, int to_the_end, race_progress *progress, void *arg)
{
	const struct race_size *size = r->job.size;
	int64_t all = size->iterations * r->job.workers;
	int patience = to_the_end && r->job.scenario->patience_ms ? r->job.scenario->patience_ms
								  : PATIENCE_MS;
	ilk_time began = ilk_now();
	struct tally before = {.ready = -1};

	for (int stalled = 0; stalled * POLL_MS < patience; stalled++) {
		int left = reap(r);
		struct tally now = count(r);

		if (left < 0)
			return 1;
		if (now.error)
			return fail(r, r->job.variant->name, now.error);
		if (to_the_end ? left == 0 : now.ready == r->job.workers)
			return 0;
		if (now.done != before.done || now.ready != before.ready)
			stalled = 0;
		before = now;
		if (size->iterations == 0 && ilk_now() - began >= size->nanoseconds)
			ilk_store_release_(&r->job.control->stop, 1u); /* [W3] */
		if (to_the_end && progress)
			progress(now.done, all, arg);
		usleep(POLL_MS * 1000);
	}
	note_hang(r, patience);
	return 1;
}

/* --- after --- */

static double ns_per_op(const struct run *r)
{
	const struct race_cell *cells = r->job.control->cells;
	ilk_time first = cells[0].began, last = cells[0].ended;
	int64_t done = 0;

	for (int i = 0; i < r->job.workers; i++) {
		first = cells[i].began < first ? cells[i].began : first;
		last = cells[i].ended > last ? cells[i].ended : last;
		done += cells[i].done;
	}
	return done > 0 && last > first ? (double)(last - first) / (double)done : NAN;
}

static void judge(struct run *r, int is_over)
{
	struct race_count *c = &r->outcome->count;

	*c = (struct race_count){.expected = count(r).done, .failures = -1, .of = -1};
	r->job.variant->judge(c);
	if (c->failures < 0)
		c->failures = c->expected - c->got;
	if (c->of < 0)
		c->of = c->expected;
	if (!is_over)
		return; /* a crash or a hang: the verdict is there, and no time means anything */
	r->outcome->ns_per_op = ns_per_op(r);
	r->outcome->verdict = c->failures ? RACE_SHOWN : RACE_OK;
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
	if (rc >= 0 && r->seg)
		judge(r, rc == 0);
	return rc < 0 ? -1 : 0;
}

static int workers; /* of the run that is going on; every process inherits it */

int race_workers(void)
{
	return workers;
}

/* One run; with IS_NOTED its events are looked through for a witness. */
static int run_once(struct race_job *job, int is_noted, race_progress *progress, void *arg,
	struct race_outcome *outcome)
{
	struct run r = {.job = *job, .outcome = outcome, .fd = -1};
	int rc;

	*outcome = (struct race_outcome){.ns_per_op = NAN};
	r.job.segment = r.name;
	workers = job->workers;
	rc = allocate(&r, is_noted);
	block_signals(&r);
	if (rc == 0)
		rc = make_segment(&r);
	if (rc == 0) {
		keep_file(&r);
		rc = race(&r, progress, arg);
	}
	drop_name(&r);
	if (rc == 0 && is_noted && outcome->verdict != RACE_OK)
		race_find_witness(&r.job, outcome);
	release(&r);
	return rc;
}

/*
 * A run that is noted is another than one that is not: noting takes time. So what is counted comes
 * from the one, and the witness from small ones after it.
 */
static void look_for_witness(const struct race_job *big, struct race_outcome *outcome)
{
	struct race_job job = *big;
	struct race_size small = *big->size;
	struct race_outcome other;

	small.iterations = RACE_EVENTS / 4;
	job.size = &small;
	for (int try = 0; try < WITNESS_TRIES && outcome->event_count == 0; try++) {
		small.seed++;
		if (run_once(&job, 1, NULL, NULL, &other) < 0)
			return;
		outcome->event_count = other.event_count;
		memcpy(outcome->events, other.events, sizeof other.events);
	}
}

int race_run(const struct race_scenario *scenario, const struct race_variant *variant,
	const struct race_size *size, race_progress *progress, void *arg,
	struct race_outcome *outcome)
{
	struct race_job job = {
		.scenario = scenario,
		.variant = variant,
		.size = size,
		.workers = size->processes * size->threads,
		.parent = getpid(),
	};
	int rc = run_once(&job, scenario->is_noted, progress, arg, outcome);

	if (rc == 0 && outcome->verdict == RACE_SHOWN && !scenario->is_noted && scenario->witness)
		look_for_witness(&job, outcome);
	return rc;
}
