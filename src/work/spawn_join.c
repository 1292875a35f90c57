/*
 * spawn_join.c - the end of children: waited for, asked for, told. Their beginning: spawn.c.
 *
 * State      child.pollers: threads that look at its descriptor; joined: 1 it is reaped, and code,
 *            signal, core say how it ended; -ECHILD it is none of ours; -EBADF its descriptor was
 *            closed by others, and there was no new one. fd: -1 once joined; below, it is to be
 *            opened anew, and had the number -2 - fd. Under ilk_spawn_joining_().
 * Invariant  [S4] The descriptor is closed by who reaps, or by the last who looks at it: its number is
 *            nobody else's as long as somebody looks.
 *            [S5] Others may close it, as closefrom() does, and the number be another file's, or
 *            another process's: who signals, and who hears of an end, asks whose it is. Opened
 *            anew it gets its old number, if that is free, and so none that another child had; who
 *            finds one closed forgets those of all siblings that are.
 * Death      Nothing here is shared.
 */
#include "os/process.h"
#include "os/thread.h"
#include "work/children.h"
#include <errno.h>

/* Children that are looked at, with the descriptors they had then. */
struct watch {
	unsigned count;
	struct ilk_child *child[ILK_SPAWN_MOST_ANY];
	int fd[ILK_SPAWN_MOST_ANY];
};

/* [S4] */
static void close_if_last(struct ilk_child *child)
{
	if (!child->joined || child->pollers)
		return;
	if (child->fd >= 0)
		ilk_process_close_(child->fd);
	child->fd = -1;
}

/* [S5] CHILD's descriptor is not its any more. */
static void forget(struct ilk_child *child)
{
	child->fd = child->fd < 0 ? child->fd : -2 - child->fd;
}

/* Of its descriptor, or of the one that it had. */
static int number_of(const struct ilk_child *child)
{
	return child->fd < 0 ? -2 - child->fd : child->fd;
}

static void forget_closed(struct ilk_child *children, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!children[i].joined && children[i].pid && !ilk_process_is_open_(children[i].fd))
			forget(&children[i]);
}

/* What CHILD's descriptor, or another one if that is not its any more, says of its end. As below. */
static int ask_for_end(struct ilk_child *child, struct ilk_child *children, unsigned count,
	struct ilk_ended_ *ended)
{
	int rc = ilk_process_reap_(child->fd, child->pid, ended), fd;

	if (rc >= 0)
		return rc;
	if (rc == -EBADF) {
		forget(child);
		forget_closed(children, count);
	}
	fd = ilk_process_reopen_(child->pid, number_of(child));
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
	pthread_mutex_unlock(ilk_spawn_joining_());
	rc = ilk_process_watch_(w->fd, w->count, deadline);
	pthread_mutex_lock(ilk_spawn_joining_());
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
	pthread_mutex_lock(ilk_spawn_joining_());
	rc = join_any(children, count, which, end, deadline);
	pthread_mutex_unlock(ilk_spawn_joining_());
	ilk_cancel_on_(cancel);
	return rc;
}

int ilk_spawn_join(struct ilk_child *child, struct ilk_end *end, ilk_time deadline)
{
	int cancel = ilk_cancel_off_(), rc;
	unsigned which;

	pthread_mutex_lock(ilk_spawn_joining_());
	rc = child->joined ? child->joined : join_any(child, 1, &which, end, deadline);
	/* Another thread may have been faster. */
	if (child->joined == 1) {
		tell(child, end);
		rc = 0;
	}
	pthread_mutex_unlock(ilk_spawn_joining_());
	ilk_cancel_on_(cancel);
	return rc;
}

/* Under `joining`. Not by a descriptor that may be another process's by now: [S5]. */
static int tell_it(struct ilk_child *child, int signal)
{
	int rc, fd;

	if (child->joined || child->pid == 0)
		return -ESRCH;
	fd = ilk_process_reopen_(child->pid, 0);
	if (fd == -ECHILD)
		return -ESRCH;
	if (fd < 0)
		return ilk_process_signal_(child->fd, signal);
	if (!ilk_process_is_same_(fd, child->fd))
		forget(child);
	rc = ilk_process_signal_(fd, signal);
	ilk_process_close_(fd);
	return rc;
}

int ilk_spawn_signal(struct ilk_child *child, int signal)
{
	int rc;

	pthread_mutex_lock(ilk_spawn_joining_());
	rc = tell_it(child, signal);
	pthread_mutex_unlock(ilk_spawn_joining_());
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
