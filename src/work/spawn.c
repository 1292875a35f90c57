/*
 * spawn.c - children of a process, forked by a thread that lasts as long as the process.
 *
 * State      forker: the thread's, in a page that the kernel wipes in every child, so that each process
 *            has its own, or none yet. first..last: what starters ask for, on their stacks; under
 *            `lock`. runs: the thread is there.
 *            child.pollers: threads that look at its descriptor; joined: 1 it is reaped, and code,
 *            signal, core say how it ended; -ECHILD it is none of ours; -EBADF its descriptor was
 *            closed by others, and there was no new one. fd: -1 also: it is to be opened anew. Under
 *            `joining`, in the same page.
 * Invariant  [S1] Only the forker forks: the kernel tells children of the death of the thread that
 *            forked them, and this one ends with the process, or by exec().
 *            [S2] A starter waits until its request is answered: the child's copy of it is whole.
 *            [S3] A child reads its request from the forker's stack, which is its own; the C library
 *            may give the other threads' stacks to threads of the child.
 *            [S4] The descriptor is closed by who reaps, or by the last who looks at it: its number is
 *            nobody else's as long as somebody looks.
 *            [S5] Others may close it, as closefrom() does, and the number be another file's: it is
 *            asked whether it is this child's. Who finds one closed forgets those of all its siblings
 *            that are, before a new one gets the old number of one.
 * Ordering   All by the two mutexes; a child's memory is of the moment of the fork.
 * Death      Nothing here is shared. os/process.c says how a child learns of its parent's end.
 */
#include "os/facts.h"
#include "os/process.h"
#include "os/shm.h"
#include "os/thread.h"
#include "segment/error.h"
#include "segment/registry.h"
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

/* --- the end --- */

/* Children that are looked at, with the descriptors they had then. */
struct watch {
	unsigned count;
	struct ilk_child *child[ILK_SPAWN_MOST_ANY];
	int fd[ILK_SPAWN_MOST_ANY];
};

/* [S4] */
static void close_if_last(struct ilk_child *child)
{
	if (!child->joined || child->pollers || child->fd < 0)
		return;
	ilk_process_close_(child->fd);
	child->fd = -1;
}

/* [S5] */
static void forget_closed(struct ilk_child *children, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!children[i].joined && children[i].pid && !ilk_process_is_open_(children[i].fd))
			children[i].fd = -1;
}

/* What CHILD's descriptor, or another one if that is not its any more, says of its end. As below. */
static int ask_for_end(struct ilk_child *child, struct ilk_child *children, unsigned count,
	struct ilk_ended_ *ended)
{
	int rc = ilk_process_reap_(child->fd, child->pid, ended), fd;

	if (rc >= 0)
		return rc;
	if (rc == -EBADF) {
		child->fd = -1;
		forget_closed(children, count);
	}
	fd = ilk_process_reopen_(child->pid);
	if (fd < 0)
		return fd;
	child->fd = fd;
	return ilk_process_reap_(fd, child->pid, ended);
}

/*
 * Has CHILD, one of COUNT, ended? Under `joining`. 1: yes, and it is joined; 0; -ECHILD; -EBADF: that
 * is not to be known any more.
 */
static int look(struct ilk_child *child, struct ilk_child *children, unsigned count)
{
	struct ilk_ended_ ended;
	int rc = ask_for_end(child, children, count, &ended);

	if (rc == 0)
		return 0;
	child->joined = rc;
	if (rc == 1) {
		child->code = ended.code;
		child->signal = ended.signal;
		child->core = ended.core;
	}
	close_if_last(child);
	return rc;
}

/* The same of all of COUNT that are not joined, until one has: *WHICH. None has: they are in W. */
static int look_at_all(struct watch *w, struct ilk_child *children, unsigned count, unsigned *which)
{
	int rc = 0;

	w->count = 0;
	for (*which = 0; *which < count; ++*which) {
		struct ilk_child *child = &children[*which];

		if (child->joined || child->pid == 0)
			continue;
		rc = look(child, children, count);
		if (rc != 0)
			return rc;
		w->fd[w->count] = child->fd;
		w->child[w->count++] = child;
	}
	return w->count ? 0 : -ECHILD;
}

/* Waits without the lock. */
static int wait_for_any(struct watch *w, ilk_time deadline)
{
	int rc;

	for (unsigned i = 0; i < w->count; i++)
		w->child[i]->pollers++;
	pthread_mutex_unlock(&forker->joining);
	rc = ilk_process_watch_(w->fd, w->count, deadline);
	pthread_mutex_lock(&forker->joining);
	for (unsigned i = 0; i < w->count; i++) {
		w->child[i]->pollers--;
		close_if_last(w->child[i]);
	}
	return rc < 0 ? rc : 0;
}

static void tell(const struct ilk_child *child, struct ilk_end *end)
{
	if (end)
		*end = (struct ilk_end){child->code, child->signal, child->core};
}

static int join_any(struct ilk_child *children, unsigned count, unsigned *which,
	struct ilk_end *end, ilk_time deadline)
{
	struct watch w;
	int rc, waited = 0;

	do
		rc = look_at_all(&w, children, count, which);
	while (rc == 0 && (waited = wait_for_any(&w, deadline)) == 0);
	if (rc == 1)
		tell(&children[*which], end);
	return rc == 1 ? 0 : rc < 0 ? rc : waited;
}

int ilk_spawn_join_any(struct ilk_child *children, unsigned count, unsigned *which,
	struct ilk_end *end, ilk_time deadline)
{
	int cancel, rc;

	if (count == 0 || count > ILK_SPAWN_MOST_ANY)
		return -EINVAL;
	cancel = ilk_cancel_off_();
	pthread_mutex_lock(&forker->joining);
	rc = join_any(children, count, which, end, deadline);
	pthread_mutex_unlock(&forker->joining);
	ilk_cancel_on_(cancel);
	return rc;
}

int ilk_spawn_join(struct ilk_child *child, struct ilk_end *end, ilk_time deadline)
{
	int cancel = ilk_cancel_off_(), rc;
	unsigned which;

	pthread_mutex_lock(&forker->joining);
	rc = child->joined ? child->joined : join_any(child, 1, &which, end, deadline);
	/* Another thread may have been faster. */
	if (child->joined == 1) {
		tell(child, end);
		rc = 0;
	}
	pthread_mutex_unlock(&forker->joining);
	ilk_cancel_on_(cancel);
	return rc;
}

/* Under `joining`. By a descriptor for once, where its own was closed. */
static int tell_it(struct ilk_child *child, int signal)
{
	int rc, fd;

	if (child->joined || child->pid == 0)
		return -ESRCH;
	rc = ilk_process_signal_(child->fd, signal);
	if (rc != -EBADF)
		return rc;
	fd = ilk_process_reopen_(child->pid);
	if (fd < 0)
		return -ESRCH;
	rc = ilk_process_signal_(fd, signal);
	ilk_process_close_(fd);
	return rc;
}

int ilk_spawn_signal(struct ilk_child *child, int signal)
{
	int rc;

	pthread_mutex_lock(&forker->joining);
	rc = tell_it(child, signal);
	pthread_mutex_unlock(&forker->joining);
	return rc;
}

int ilk_spawn_terminate(struct ilk_child *child, struct ilk_end *end, ilk_time deadline)
{
	int rc = -ETIMEDOUT;

	if (deadline > ilk_now()) {
		ilk_spawn_signal(child, SIGTERM);
		rc = ilk_spawn_join(child, end, deadline);
	}
	if (rc != -ETIMEDOUT)
		return rc;
	ilk_spawn_signal(child, SIGKILL);
	return ilk_spawn_join(child, end, ILK_FOREVER);
}
