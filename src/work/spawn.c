/*
 * spawn.c - children of a process, forked by a thread that lasts as long as the process. How they end:
 * spawn_join.c.
 *
 * State      forker: the thread's, in a page that the kernel wipes in every child, so that each process
 *            has its own, or none yet. first..last: what starters ask for, on their stacks; under
 *            `lock`. runs: the thread is there. joining: spawn_join.c's, in the same page.
 * Invariant  [S1] Only the forker forks: the kernel tells children of the death of the thread that
 *            forked them, and this one ends with the process, or by exec().
 *            [S2] A starter waits until its request is answered: the child's copy of it is whole.
 *            [S3] A child reads its request from the forker's stack, which is its own; the C library
 *            may give the other threads' stacks to threads of the child.
 * Ordering   All by the two mutexes; a child's memory is of the moment of the fork.
 * Death      Nothing here is shared. os/process.c says how a child learns of its parent's end.
 */
#include "os/facts.h"
#include "os/process.h"
#include "os/shm.h"
#include "os/thread.h"
#include "segment/error.h"
#include "segment/registry.h"
#include "work/children.h"
#include <errno.h>
#include <ilk/spawn.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

_Static_assert(sizeof((struct ilk_facts_){0}.name) >= ILK_COMM_BYTES_, "names are short");

struct request {
	struct ilk_birth_ birth; /* first: what its `live` gets */
	struct request *next;
	int (*body)(void *arg);
	void *arg;
	int32_t pid;
	int result; /* a descriptor, or -E... */
	int is_answered;
};

/* All zero: there is none yet. */
struct forker {
	pthread_mutex_t lock, joining;
	pthread_cond_t asked, answered;
	struct request *first, **last;
	int runs;
};

static struct forker forker_without_page;
static struct forker *forker = &forker_without_page;

/* --- stdio --- */

/*
 * Only the two that every program has. fflush(NULL) waits for all streams' locks, with that of their
 * list: one thread that reads a pipe would stop the caller, and then everybody who opens a file.
 */
static void flush_if_free(FILE *stream)
{
	if (ftrylockfile(stream) != 0)
		return;
	fflush(stream);
	funlockfile(stream);
}

/* --- the child --- */

/* What the parent had printed, and not written, is the parent's to write. */
static void forget_output(void)
{
	__fpurge(stdout);
	__fpurge(stderr);
}

static void live(const struct ilk_birth_ *birth)
{
	const struct request *r = (const struct request *)(const void *)birth;
	int code;

	forget_output();
	code = r->body(r->arg);
	/* Others may have in them what is the parent's: fclose() is the body's to call. */
	fflush(stdout);
	fflush(stderr);
	ilk_registry_leave_();
	ilk_process_end_(code);
}

/* --- the forker --- */

static struct request *take_request(struct forker *f)
{
	struct request *r;

	while (!f->first)
		pthread_cond_wait(&f->asked, &f->lock);
	r = f->first;
	f->first = r->next;
	return r;
}

static void *serve(void *arg)
{
	struct forker *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct request *r = take_request(f), mine = *r;

		pthread_mutex_unlock(&f->lock);
		mine.result = ilk_process_fork_(&mine.birth, &mine.pid); /* [S1], [S3] */
		pthread_mutex_lock(&f->lock);
		r->pid = mine.pid;
		r->result = mine.result;
		r->is_answered = 1;
		pthread_cond_broadcast(&f->answered);
	}
	return NULL;
}

/* With all signals blocked, for good. 0; -E... */
static int start_forker(struct forker *f)
{
	pthread_t thread;
	int rc = ilk_helper_start_(&thread, serve, f);

	if (rc < 0)
		return rc;
	pthread_detach(thread);
	f->runs = 1;
	return 0;
}

/* [S2] */
static int ask(struct forker *f, struct request *r)
{
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = f->runs ? 0 : start_forker(f);
	if (rc == 0) {
		if (f->first)
			*f->last = r;
		else
			f->first = r;
		f->last = &r->next;
		pthread_cond_signal(&f->asked);
		while (!r->is_answered)
			pthread_cond_wait(&f->answered, &f->lock);
		rc = r->result;
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

/* A system without MADV_WIPEONFORK (an emulator): a child has the parent's forker, and not it. */
static void child_of_fork(void)
{
	memset(forker, 0, sizeof *forker);
}

__attribute__((constructor(102))) static void start(void)
{
	void *page = ilk_shm_fork_page_();

	if (page)
		forker = page;
	pthread_atfork(NULL, NULL, child_of_fork);
}

pthread_mutex_t *ilk_spawn_joining_(void)
{
	return &forker->joining;
}

/* --- starting --- */

static int check(int (*body)(void *arg), const struct ilk_spawn_options *options)
{
	if (!body)
		return ilk_fail_(-EINVAL, "no body");
	if (options && (options->size != sizeof *options ||
			       options->flags & ~(unsigned)ILK_SPAWN_OUTLIVES))
		return ilk_fail_(-EINVAL, "spawn options: wrong size or unknown flags");
	return 0;
}

static int refused(int rc)
{
	switch (rc) {
	case -EAGAIN:
		return ilk_fail_(rc, "no more processes, or threads: see ulimit -u");
	case -ENOSYS:
		return ilk_fail_(rc, "the kernel has no pidfd_open(2)");
	default:
		return ilk_fail_(rc, "a child could not be started");
	}
}

int ilk_spawn(struct ilk_child *child, int (*body)(void *arg), void *arg,
	const struct ilk_spawn_options *options)
{
	struct request r = {.birth.live = live, .body = body, .arg = arg};
	int rc = check(body, options), cancel;

	if (rc < 0)
		return rc;
	r.birth.outlives = options && options->flags & ILK_SPAWN_OUTLIVES;
	ilk_thread_name_(r.birth.name, sizeof r.birth.name);
	if (options && options->name)
		snprintf(r.birth.name, sizeof r.birth.name, "%s", options->name);
	ilk_helper_mask_(&r.birth.mask);
	cancel = ilk_cancel_off_();
	flush_if_free(stdout);
	flush_if_free(stderr);
	rc = ask(forker, &r);
	ilk_cancel_on_(cancel);
	if (rc < 0)
		return refused(rc);
	*child = (struct ilk_child){.pid = r.pid, .fd = rc};
	return 0;
}
