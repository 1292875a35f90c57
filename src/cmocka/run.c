/* run.c - one body in N processes, or in N threads. */
#include "internal.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is run; static, for threads that do not end. */
static struct job {
	struct ilk_segment *seg;
	void (*body)(struct ilk_segment *seg, unsigned index, void *arg);
	void *arg;
	unsigned count, flags;
	int64_t limit_ms;
} job;

struct worker {
	const struct job *job;
	unsigned index;
	struct page *page;
	pthread_t thread;
};

static struct worker workers[MOST];

static void work(void *arg)
{
	const struct worker *w = arg;
	struct ilk_segment *seg = w->job->seg;

	if (w->job->flags & ILK_TEST_REOPEN)
		ilk_test_check_rc(ilk_segment_open(ilk_segment_name(w->job->seg), NULL, &seg), 0);
	w->job->body(seg, w->index, w->job->arg);
	if (w->job->flags & ILK_TEST_REOPEN)
		ilk_segment_close(seg);
}

/* --- processes --- */

static void run_processes(void)
{
	ilk_time deadline = ilk_after_ms(job.limit_ms);
	struct ilk_test_child *children[MOST];
	struct report r = {.used = 0};

	for (unsigned i = 0; i < job.count; i++) {
		children[i] = ilk_test_start(work, &workers[i]);
		children[i]->number = (int)i;
	}
	/* All are looked at before any is ended: what one waits for, another may hold. */
	for (unsigned i = 0; i < job.count; i++)
		if (ilk_test_await_end_(children[i], deadline) < 0)
			ilk_test_add_stuck_(&r, children[i], NULL);
	for (unsigned i = 0; i < job.count; i++)
		if (ilk_test_await_end_(children[i], ILK_NOW) == 0)
			ilk_test_add_end_(&r, children[i], 0);
		else
			ilk_test_end_child_(children[i]);
	ilk_test_raise_(&r);
}

/* --- threads --- */

static void *be_thread(void *arg)
{
	struct worker *w = arg;

	ilk_test_thread_page_ = w->page;
	work(w);
	return NULL;
}

static int await_thread(const struct worker *w, ilk_time deadline)
{
	while (pthread_tryjoin_np(w->thread, NULL) != 0) {
		if (ilk_now() >= deadline)
			return -ETIMEDOUT;
		ilk_test_sleep_ms(1);
	}
	return 0;
}

/* Joins a thread and adds what was wrong with it. Has it ended? */
static int add_thread(struct report *r, const struct worker *w, ilk_time deadline)
{
	char who[32];
	int ended = await_thread(w, deadline) == 0;

	snprintf(who, sizeof who, "thread %u", w->index);
	ilk_test_add_page_(r, w->page, who);
	if (!ended)
		ilk_test_add_line_(r, "%s did not end in time; its last point: %s", who,
			w->page->last[0] ? w->page->last : "none");
	else
		ilk_test_give_page_(w->page);
	return ended;
}

/* In the runner's process, where stuck threads cannot be ended: it ends with them. */
static void end_with_threads(const struct report *r)
{
	if (ilk_test_is_runner_())
		ilk_test_end_program_(r->text);
}

static void run_threads(void *unused)
{
	ilk_time deadline = ilk_after_ms(job.limit_ms);
	struct report r = {.used = 0};
	unsigned stuck = 0;

	(void)unused;
	for (unsigned i = 0; i < job.count; i++) {
		workers[i].page = ilk_test_take_page_();
		if (pthread_create(&workers[i].thread, NULL, be_thread, &workers[i]) != 0)
			ilk_test_fail_here_("pthread_create failed");
	}
	for (unsigned i = 0; i < job.count; i++)
		stuck += !add_thread(&r, &workers[i], deadline);
	if (stuck) {
		ilk_test_add_waits_(&r, getpid());
		end_with_threads(&r);
	}
	ilk_test_raise_(&r);
}

/* In a child the threads find out themselves that they are stuck: it gets a little longer. */
static void run_threads_in_child(void)
{
	int64_t limit = ilk_test_limit_ms();
	struct ilk_test_child *child;

	ilk_test_set_limit(job.limit_ms + 2000);
	child = ilk_test_start(run_threads, NULL);
	ilk_test_join(child);
	ilk_test_set_limit(limit);
}

void ilk_test_run(unsigned count, struct ilk_segment *seg,
	void (*body)(struct ilk_segment *seg, unsigned index, void *arg), void *arg,
	const struct ilk_test_options *options)
{
	struct ilk_test_options o = {.size = sizeof o};

	if (count > MOST)
		ilk_test_fail_here_("more than %d at once", MOST);
	if (options)
		memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
	job = (struct job){
		seg, body, arg, count, o.flags, o.limit_ms > 0 ? o.limit_ms : ilk_test_limit_ms()};
	for (unsigned i = 0; i < count; i++)
		workers[i] = (struct worker){.job = &job, .index = i};
	if (!(o.flags & ILK_TEST_THREADS))
		run_processes();
	else if (o.flags & ILK_TEST_IN_CHILD)
		run_threads_in_child();
	else
		run_threads(NULL);
}
