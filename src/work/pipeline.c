/*
 * pipeline.c - a pipeline from outside: started, watched over, joined.
 *
 * A thread of the starting process watches over it. It is registered as one that puts into each queue, so
 * that a queue does not end when the only worker before it dies; when all workers of a stage have ended in
 * order, it ends that. That one has is what the worker itself said in the segment ([M7] of stage.c): an exit
 * code says nothing, since a body may call exit(), or be another program by then, and it may be lost, if the
 * program waits for any child. Whoever ends without is replaced, as often as it takes; after ten in a row
 * that did not come to their work the pipeline fails. If the process dies, the kernel ends its children
 * (spawn.c), and the queues close themselves: who else gets from them is told.
 */
#include "os/clock.h"
#include "os/process.h"
#include "os/thread.h"
#include "segment/error.h"
#include "sync/object.h"
#include "work/stage.h"
#include <ilk/spawn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { VAIN_MOST = 10, GRACE_MS = 1000 };

struct job {
	struct ilk_flow_ *flow;
	unsigned stage, place;
};

struct ilk_pipeline {
	struct ilk_flow_ flow;
	char name[ILK_NAME_BYTES_];
	pthread_t watcher;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int is_over, result;
	/* The watcher's. */
	struct ilk_child children[ILK_PIPELINE_WORKERS];
	struct job jobs[ILK_PIPELINE_WORKERS];
	unsigned running[ILK_PIPELINE_STAGES], vain[ILK_PIPELINE_STAGES];
	uint64_t seen[ILK_PIPELINE_STAGES];
	int signal[ILK_PIPELINE_STAGES]; /* by which the last one died that did; under `lock` */
	unsigned begun;                  /* queues it is registered with */
};

/* --- workers --- */

static int be_worker(void *arg)
{
	const struct job *job = arg;

	return ilk_stage_work_(job->flow, job->stage, job->place) < 0;
}

static int start_worker(struct ilk_pipeline *p, unsigned i)
{
	const struct ilk_spawn_options o = {
		.size = sizeof o, .name = p->flow.stages[p->jobs[i].stage].name};

	unsigned place = p->jobs[i].place;

	ilk_and_full_(
		&p->flow.shared[p->jobs[i].stage]->came[place / 64], ~(UINT64_C(1) << place % 64));
	return ilk_spawn(&p->children[i], be_worker, &p->jobs[i], &o);
}

/* All that a stage has done so far, added up. */
static uint64_t progress_of(const struct ilk_shared_stage_ *s)
{
	return ilk_load_relaxed_(&s->taken) + ilk_load_relaxed_(&s->again) +
	       ilk_load_relaxed_(&s->sent) + ilk_load_relaxed_(&s->skipped) +
	       ilk_load_relaxed_(&s->doubled);
}

/* Did worker I, which has died, come to its work, or its stage get on since the last one that did not? 1; 0: too
 * often neither. */
static int gets_on(struct ilk_pipeline *p, unsigned i)
{
	const struct job *job = &p->jobs[i];
	const struct ilk_shared_stage_ *s = p->flow.shared[job->stage];
	uint64_t done = progress_of(s);

	if (ilk_place_is_(s->came, job->place) || done != p->seen[job->stage])
		p->vain[job->stage] = 0;
	else
		p->vain[job->stage]++;
	p->seen[job->stage] = done;
	return p->vain[job->stage] < VAIN_MOST;
}

/* Worker I has died: another takes its place. 1; 0: none does. */
static int replace(struct ilk_pipeline *p, unsigned i)
{
	unsigned stage = p->jobs[i].stage;
	int rc = -EOWNERDEAD;

	if (ilk_flow_failure_(&p->flow))
		return 0;
	if (gets_on(p, i)) {
		rc = start_worker(p, i);
		ilk_add_relaxed_(&p->flow.shared[stage]->died, UINT64_C(1));
	}
	if (rc < 0)
		ilk_flow_fail_(&p->flow, stage, rc, 0);
	return rc == 0;
}

static void end_stage(struct ilk_pipeline *p, unsigned stage)
{
	if (stage + 1 < p->flow.count)
		ilk_queue_produce_end(p->flow.in[stage + 1]);
}

/* --- the watcher --- */

/* COUNT workers of STAGE more were started, or have ended; the inspector tells how many run. */
static unsigned note_running(struct ilk_pipeline *p, unsigned stage, int count)
{
	p->running[stage] += (unsigned)count;
	ilk_store_relaxed_(&p->flow.shared[stage]->running, p->running[stage]);
	return p->running[stage];
}

static int start_workers(struct ilk_pipeline *p)
{
	unsigned i = 0;
	int rc = 0;

	for (unsigned s = 0; s < p->flow.count; s++)
		for (unsigned n = 0; n < p->flow.stages[s].workers && rc == 0; n++, i++) {
			p->jobs[i] = (struct job){&p->flow, s, n};
			rc = start_worker(p, i);
			note_running(p, s, rc == 0);
		}
	return rc;
}

static int begin_queues(struct ilk_pipeline *p)
{
	int rc = 0;

	for (unsigned s = 1; s < p->flow.count && rc == 0; s++)
		rc = ilk_queue_produce_begin(p->flow.in[s]);
	return rc;
}

static void note_signal(struct ilk_pipeline *p, unsigned stage, int signal)
{
	pthread_mutex_lock(&p->lock);
	p->signal[stage] = signal;
	pthread_mutex_unlock(&p->lock);
}

/* Worker I is no more, by SIGNAL or 0. */
static void end_worker(struct ilk_pipeline *p, unsigned i, int signal)
{
	unsigned stage = p->jobs[i].stage;

	if (signal)
		note_signal(p, stage, signal);
	/* [M7] */
	if (!ilk_place_is_(p->flow.shared[stage]->ended, p->jobs[i].place) && replace(p, i))
		return;
	if (note_running(p, stage, -1) == 0)
		end_stage(p, stage);
}

static void *watch(void *arg)
{
	struct ilk_pipeline *p = arg;
	int rc = begin_queues(p);

	if (rc == 0)
		rc = start_workers(p);
	if (rc < 0)
		ilk_flow_fail_(&p->flow, 0, rc, 0);
	for (;;) {
		struct ilk_end end = {.signal = 0};
		unsigned which;

		rc = ilk_spawn_join_any(
			p->children, p->flow.total_workers, &which, &end, ILK_FOREVER);
		if (rc < 0 && which == p->flow.total_workers)
			break;
		end_worker(p, which, end.signal);
	}
	pthread_mutex_lock(&p->lock);
	p->is_over = 1;
	p->result = ilk_flow_failure_(&p->flow);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* --- from outside --- */

static void init_waiting(struct ilk_pipeline *p)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static int start(struct ilk_pipeline *p, struct ilk_segment *seg, const char *name)
{
	int rc = ilk_flow_make_(&p->flow, seg, name);

	if (rc < 0) {
		ilk_flow_remove_(&p->flow, name);
		return rc;
	}
	strcpy(p->name, name);
	init_waiting(p);
	rc = ilk_helper_start_(&p->watcher, watch, p);
	if (rc < 0)
		ilk_flow_remove_(&p->flow, name);
	return rc;
}

int ilk_pipeline_start(struct ilk_segment *seg, const char *name, const struct ilk_stage *stages,
	unsigned count, const struct ilk_pipeline_options *options, struct ilk_pipeline **made)
{
	struct ilk_pipeline *p;
	int rc;

	if (!name || strlen(name) >= sizeof p->name)
		return ilk_fail_(
			-EINVAL, "a pipeline has a name of up to %zu bytes", sizeof p->name - 1);
	p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	rc = ilk_flow_check_(&p->flow, stages, count, options);
	if (rc == 0)
		rc = start(p, seg, name);
	if (rc < 0)
		free(p);
	else
		*made = p;
	return rc;
}

enum { ROOM = 48 };

/* RC in words, of STAGE; AT: of a message, or 0. Perhaps in ROOM bytes at TO. */
static const char *why(const struct ilk_pipeline *p, uint64_t stage, int rc, uint64_t at, char *to)
{
	if (rc == -EINVAL)
		return "its body returned -EINVAL, or a positive number";
	if (rc != -EOWNERDEAD)
		return ilk_strerror(rc);
	if (!p->signal[stage])
		return at ? "its worker ended before it had done with it"
			  : "its workers ended before they came to their work";
	snprintf(to, ROOM, "its worker was killed by signal %d", p->signal[stage]);
	return to;
}

/* Where it failed. */
static int explain(const struct ilk_pipeline *p, int rc)
{
	const struct ilk_shared_stage_ *first = p->flow.shared[0];
	uint64_t stage = (ilk_load_relaxed_(&first->failure) >> 32) - 1;
	uint64_t at = ilk_load_acquire_(&first->failed_at);
	char which[40] = "", room[ROOM];

	if (rc == -ECANCELED || stage >= p->flow.count)
		return rc;
	if (at)
		snprintf(which, sizeof which, ", message %llu", (unsigned long long)at - 1);
	return ilk_fail_(rc, "stage %s%s: %s", p->flow.stages[stage].name, which,
		why(p, stage, rc, at, room));
}

int ilk_pipeline_join(struct ilk_pipeline *p, ilk_time deadline)
{
	struct timespec until = ilk_timespec_(deadline > 0 ? deadline : 0);
	int cancel = ilk_cancel_off_(), rc = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->is_over && rc == 0)
		rc = -pthread_cond_timedwait(&p->changed, &p->lock, &until);
	rc = p->is_over ? p->result : rc;
	if (p->is_over && rc < 0)
		explain(p, rc);
	pthread_mutex_unlock(&p->lock);
	ilk_cancel_on_(cancel);
	return rc;
}

int ilk_pipeline_stop(struct ilk_pipeline *p)
{
	if (ilk_pipeline_join(p, ILK_NOW) == -ETIMEDOUT)
		ilk_flow_fail_(&p->flow, 0, -ECANCELED, 0);
	return 0;
}

/* Those that do not end by themselves. The watcher joins them. */
static void kill_workers(struct ilk_pipeline *p)
{
	for (unsigned i = 0; i < p->flow.total_workers; i++)
		ilk_spawn_signal(&p->children[i], SIGKILL);
}

void ilk_pipeline_end(struct ilk_pipeline *p)
{
	ilk_pipeline_stop(p);
	if (ilk_pipeline_join(p, ilk_after_ms(GRACE_MS)) == -ETIMEDOUT)
		kill_workers(p);
	pthread_join(p->watcher, NULL);
	ilk_flow_remove_(&p->flow, p->name);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int ilk_stage_info(const struct ilk_pipeline *p, unsigned stage, struct ilk_stage_info *info)
{
	const struct ilk_shared_stage_ *s;

	if (stage >= p->flow.count || info->size != sizeof *info)
		return -EINVAL;
	s = p->flow.shared[stage];
	*info = (struct ilk_stage_info){
		.size = sizeof *info,
		.taken = ilk_load_relaxed_(&s->taken),
		.sent = ilk_load_relaxed_(&s->sent),
		.again = ilk_load_relaxed_(&s->again),
		.skipped = ilk_load_relaxed_(&s->skipped),
		.doubled = ilk_load_relaxed_(&s->doubled),
		.busy_ns = ilk_load_relaxed_(&s->busy_ns),
		.died = ilk_load_relaxed_(&s->died),
	};
	return 0;
}
