/*
 * worker.c - a process of a race, and its threads.
 *
 * Ordering   [W1] state:    store, release <-> [W2] in frame.c  what stands in the cell is complete
 *            [W3] go:       store in frame.c, release <-> [W4]
 *            [W5] arrived:  add, full                 <-> [W6]
 */
#include "race/worker.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	CHUNK = 16384,          /* iterations between two signs of life */
	LOOK_EVERY_US = 200,    /* for the frame's word to go */
	PAUSES_PER_YIELD = 256, /* where workers are more than processors */
};

/* One worker: a process, or a thread of one. */
struct worker {
	const struct race_job *job;
	struct ilk_segment *seg;
	struct race_cell *cell;
	pthread_t thread;
};

static void set_state(struct race_cell *cell, enum race_state state)
{
	ilk_store_release_(&cell->state, (uint32_t)state); /* [W1] */
}

static void fail(struct race_cell *cell, const char *what, int rc)
{
	snprintf(cell->error, sizeof cell->error, "%s: %s %s", what, ilk_strerror(rc),
		ilk_last_error());
	set_state(cell, RACE_FAILED);
}

/*
 * Gives each worker a processor of its own, as far as they reach: left to itself the scheduler
 * often keeps two that were just born on one, and there they take turns instead of racing.
 */
static void pin(int worker)
{
	cpu_set_t allowed, mine;
	int skip;

	if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
		return;
	skip = worker % CPU_COUNT(&allowed);
	CPU_ZERO(&mine);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && skip-- == 0)
			CPU_SET(cpu, &mine);
	sched_setaffinity(0, sizeof mine, &mine);
}

/* All leave here at one moment: when the last of them runs. */
static void wait_for_start(struct race_control *control, int workers)
{
	while (!ilk_load_acquire_(&control->go)) /* [W4] */
		usleep(LOOK_EVERY_US);
	ilk_add_full_(&control->arrived, 1u);                                            /* [W5] */
	for (int n = 1; ilk_load_acquire_(&control->arrived) < (uint32_t)workers; n++) { /* [W6] */
		ilk_pause_();
		if (n % PAUSES_PER_YIELD == 0)
			sched_yield();
	}
}

static int iterate(const struct worker *w)
{
	int64_t left = w->job->size->iterations;
	int rc = 0;

	while (left > 0 && rc == 0) {
		int64_t times = left < CHUNK ? left : CHUNK;

		rc = w->job->variant->work(times);
		left -= times;
		ilk_store_relaxed_(&w->cell->done, w->job->size->iterations - left);
	}
	return rc;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct race_size *size = w->job->size;
	int rc;

	pin((int)(w->cell - w->job->control->cells));
	rc = w->job->variant->open(w->seg);
	if (rc < 0) {
		fail(w->cell, "opening", rc);
		return NULL;
	}
	set_state(w->cell, RACE_READY);
	wait_for_start(w->job->control, size->processes * size->threads);
	w->cell->began = ilk_now();
	rc = iterate(w);
	w->cell->ended = ilk_now();
	if (rc < 0)
		fail(w->cell, "working", rc);
	else
		set_state(w->cell, RACE_DONE);
	return NULL;
}

static void run_threads(struct worker *workers, int n)
{
	int started = 0;

	for (; started < n; started++)
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) {
			fail(workers[started].cell, "starting a thread", -ENOMEM);
			break;
		}
	for (int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

_Noreturn void race_process(const struct race_job *job, int process)
{
	int threads = job->size->threads;
	struct race_cell *cells = &job->control->cells[process * threads];
	struct worker *workers = calloc((size_t)threads, sizeof *workers);
	struct ilk_segment *seg = NULL;
	int rc = workers ? 0 : -ENOMEM;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != job->parent)
		_exit(1); /* nobody is there to count */
	if (rc == 0)
		rc = ilk_segment_open(job->segment, NULL, &seg);
	if (rc < 0) {
		fail(cells, "opening the segment", rc);
		_exit(0);
	}
	for (int i = 0; i < threads; i++)
		workers[i] = (struct worker){.job = job, .seg = seg, .cell = &cells[i]};
	if (threads == 1)
		work(workers);
	else
		run_threads(workers, threads);
	ilk_segment_close(seg);
	_exit(0);
}
