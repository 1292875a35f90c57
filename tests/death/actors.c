/* actors.c - sockets to speak by, and what went wrong in words. */
#include "actors.h"
#include "setup.h"
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what went wrong ---- */

bool complain(struct run *r, const char *who, const char *what)
{
	struct verdict *v = r->verdict;

	if (!*v->said)
		snprintf(v->said, sizeof v->said, "%s: %s", who, what);
	return false;
}

bool complain_of(struct run *r, enum role role, const char *what)
{
	const char *said = r->stage.board->said[role];

	return complain(r, role_name(role), *said ? said : what);
}

/* ---- processes ---- */

static void start_role(struct run *r, enum role role, int socket, bool stepped)
{
	const struct trial *t = r->trial;
	struct stage *s = &r->stage;

	setup_child(stepped);
	s->role = role;
	s->socket = socket;
	/* A partner that sleeps is there before them. */
	if (t->victim && !t->second && t->operation->part != PART_SLEEPS &&
		t->operation->part != PART_SLEEPS_TOO)
		s->first = (t->order == EARLY_FIRST && role == ROLE_EARLY) ||
			   (t->order == LATE_FIRST && role == ROLE_LATE);
	role_live(s, stepped);
}

struct traced *traced_of(struct run *r, enum role role)
{
	return role == ROLE_VICTIM ? &r->victim : &r->second;
}

bool spawn(struct run *r, enum role role)
{
	bool stepped = role == ROLE_VICTIM || role == ROLE_SECOND;
	struct actor *a = &r->actors[role];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return complain(r, "harness", "socketpair failed");
	a->pid = fork();
	if (a->pid == 0)
		start_role(r, role, ends[1], stepped);
	close(ends[1]);
	a->socket = ends[0];
	a->traced = stepped;
	if (a->pid < 0 || (stepped && traced_adopt(traced_of(r, role), a->pid) < 0))
		return complain_of(r, role, "could not be started");
	return true;
}

void go(struct run *r, enum role role)
{
	(void)!write(r->actors[role].socket, "!", 1);
}

static bool complain_of_end(struct run *r, enum role role, const char *doing)
{
	struct actor *a = &r->actors[role];
	char what[128];
	int status = 0;

	if (!a->traced && waitpid(a->pid, &status, 0) == a->pid)
		a->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(what, sizeof what, "crashed (signal %d) while it %s", WTERMSIG(status),
			doing);
	else
		snprintf(what, sizeof what, "ended (%d) while it %s", WEXITSTATUS(status), doing);
	return complain_of(r, role, what);
}

/* Waits for a byte (1) or the end (0) of ROLE; -1 neither within the limit. */
static int await_byte(struct run *r, enum role role)
{
	struct pollfd p = {.fd = r->actors[role].socket, .events = POLLIN};
	char byte;

	if (poll(&p, 1, r->trial->limit_ms) <= 0)
		return -1;
	return read(p.fd, &byte, 1) == 1;
}

static bool complain_of_silence(struct run *r, enum role role, const char *doing)
{
	char what[128];

	snprintf(what, sizeof what, "no end in %d ms while it %s", r->trial->limit_ms, doing);
	return complain_of(r, role, what);
}

bool await_told(struct run *r, enum role role, const char *doing)
{
	int got = await_byte(r, role);

	if (got > 0)
		return true;
	return got < 0 ? complain_of_silence(r, role, doing) : complain_of_end(r, role, doing);
}

bool await_end(struct run *r, enum role role, const char *doing)
{
	struct actor *a = &r->actors[role];
	int status;

	if (await_byte(r, role) != 0)
		return complain_of_silence(r, role, doing);
	if (waitpid(a->pid, &status, 0) != a->pid)
		return complain_of(r, role, "is nobody's child");
	a->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return complain_of(r, role, doing);
}

void kill_role(struct run *r, enum role role)
{
	struct actor *a = &r->actors[role];
	struct traced plain = {.pid = a->pid};
	bool reap = !r->trial->zombie;

	traced_kill(a->traced ? traced_of(r, role) : &plain, reap);
	if (reap)
		a->pid = 0;
}
