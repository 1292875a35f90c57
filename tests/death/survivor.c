/*
 * survivor.c - the life of a trial's processes, from fork to _exit.
 *
 * They speak with the harness by single bytes over a socket: "done so far" one way, "go on" the
 * other; the end of a process closes it, and so is noticed at once. What went wrong is written on
 * the board, so that a process that is killed for being late has still said how far it came.
 */
#include "harness.h"
#include "step.h"
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

const char *role_name(enum role role)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_EARLY] = "survivor attached before",
		[ROLE_LATE] = "survivor attached after",
		[ROLE_PARTNER] = "partner",
		[ROLE_VICTIM] = "victim",
		[ROLE_SECOND] = "second victim",
	};

	return names[role];
}

int fail(struct stage *s, const char *format, ...)
{
	char *said = s->board->said[s->role];
	va_list arguments;

	if (*said)
		return -1;
	va_start(arguments, format);
	vsnprintf(said, SAID, format, arguments);
	va_end(arguments);
	return -1;
}

int expect(struct stage *s, const char *call, int rc, int wanted)
{
	if (rc == wanted)
		return 0;
	return fail(
		s, "%s gave %d (%s), not %d", call, rc, rc < 0 ? strerror(-rc) : "success", wanted);
}

static void tell(struct stage *s)
{
	if (write(s->socket, "!", 1) != 1)
		_exit(2);
}

static void hear(struct stage *s)
{
	char byte;

	if (read(s->socket, &byte, 1) != 1)
		_exit(2);
}

static int call(struct stage *s, int (*part)(struct stage *))
{
	return part ? part(s) : 0;
}

static int recover(struct stage *s)
{
	int64_t began = now_ns();
	int rc = s->first ? call(s, s->operation->look) : 0;

	/* Who looks is not late for that. */
	if (s->first)
		s->board->since += now_ns() - began;
	rc = rc < 0 ? rc : call(s, s->operation->recover);
	s->board->recovery[s->role] = now_ns() - s->board->since;
	return rc;
}

static int found(struct stage *s)
{
	if (call(s, s->operation->found) < 0)
		return -1;
	tell(s);
	hear(s);
	if (!s->operation->release)
		return 0;
	if (s->operation->release(s) < 0)
		return -1;
	tell(s);
	hear(s);
	return 0;
}

static int survive(struct stage *s)
{
	if (s->role == ROLE_EARLY) {
		if (found(s) < 0)
			return -1;
	} else if (call(s, s->operation->attach) < 0) {
		return -1;
	}
	if (recover(s) < 0)
		return -1;
	tell(s);
	hear(s);
	if (call(s, s->operation->check) < 0)
		return -1;
	tell(s);
	hear(s);
	return s->role == ROLE_EARLY ? call(s, s->operation->audit) : 0;
}

static int partner(struct stage *s)
{
	const struct operation *op = s->operation;
	bool sleeps = op->part == PART_SLEEPS || op->part == PART_SLEEPS_TOO;

	if (call(s, op->attach) < 0 || call(s, op->partner) < 0)
		return -1;
	tell(s);
	if (!sleeps)
		hear(s);
	if (call(s, op->partner_after) < 0)
		return -1;
	if (sleeps && s->board->since)
		s->board->recovery[s->role] = now_ns() - s->board->since;
	tell(s);
	return 0;
}

static void *end_in_thread(void *arg)
{
	struct stage *s = arg;

	if (call(s, s->operation->prepare) < 0)
		_exit(1);
	MARKER();
	call(s, s->operation->operate);
	return NULL;
}

static int victim(struct stage *s)
{
	pthread_t thread;
	int rc;

	if (s->operation->flags & IN_THREAD) {
		if (pthread_create(&thread, NULL, end_in_thread, s) != 0)
			return fail(s, "pthread_create");
		for (;;)
			pause();
	}
	if (call(s, s->operation->prepare) < 0)
		return -1;
	MARKER();
	rc = s->operation->operate(s);
	MARKER();
	return rc;
}

static int second(struct stage *s)
{
	bool stepped = s->operation->flags & STEP_ATTACH;

	if (s->early_second) {
		if (call(s, s->operation->attach) < 0)
			return -1;
		tell(s);
		hear(s);
	}
	if (!s->early_second && !stepped && call(s, s->operation->attach) < 0)
		return -1;
	MARKER();
	if (!s->early_second && stepped && call(s, s->operation->attach) < 0)
		return -1;
	if (recover(s) < 0)
		return -1;
	MARKER();
	return 0;
}

void role_live(struct stage *s, bool traced)
{
	static int (*const lives[ROLE_COUNT])(struct stage *) = {
		[ROLE_EARLY] = survive,
		[ROLE_LATE] = survive,
		[ROLE_PARTNER] = partner,
		[ROLE_VICTIM] = victim,
		[ROLE_SECOND] = second,
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (traced)
		traced_begin();
	_exit(lives[s->role](s) < 0);
}
