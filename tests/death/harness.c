/* harness.c - one trial: who is started when, who is killed where, who must answer. */
#include "actors.h"
#include "walk.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SETTLE_MS = 500,   /* for what the kernel does on its own time after a death */
	VICTIM_MS = 60000, /* for stepping through an operation */
	SLOW_STEPS = 4,    /* so many times longer may recovery take if it is stepped */
};

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

/* ---- before the death ---- */

static bool await_asleep(struct run *r, enum role role)
{
	pid_t pid = r->actors[role].pid;
	int seen = 0;

	for (int ms = 0; ms < r->trial->limit_ms && seen < 2; ms++) {
		sleep_ms(1);
		seen = run_state(pid, pid) == 'S' ? seen + 1 : 0;
	}
	/* It may not have got a processor: then another try says more. */
	r->verdict->missed |= seen < 2;
	return seen == 2 || complain_of(r, role, "does not fall asleep");
}

static bool bring_partner(struct run *r)
{
	enum part part = r->operation->part;

	if (!spawn(r, ROLE_PARTNER) || !await_told(r, ROLE_PARTNER, "made ready"))
		return false;
	if ((part == PART_SLEEPS && r->trial->victim) || part == PART_SLEEPS_TOO)
		return await_asleep(r, ROLE_PARTNER);
	if (part == PART_DIES)
		kill_role(r, ROLE_PARTNER);
	return true;
}

static bool bring_victim(struct run *r)
{
	if (!r->trial->victim)
		return true;
	if (!spawn(r, ROLE_VICTIM))
		return false;
	if (traced_await_marker(&r->victim, r->trial->limit_ms) < 0)
		return complain_of(r, ROLE_VICTIM, "did not come to its marker");
	return true;
}

static bool gather(struct run *r)
{
	if (!spawn(r, ROLE_EARLY) || !await_told(r, ROLE_EARLY, "made the segment"))
		return false;
	if (r->stage.early_second)
		if (!spawn(r, ROLE_SECOND) || !await_told(r, ROLE_SECOND, "attached"))
			return false;
	switch (r->operation->part) {
	case PART_NONE:
	case PART_SLEEPS_TOO:
		return bring_victim(r);
	case PART_SLEEPS:
		return bring_victim(r) && bring_partner(r);
	default:
		return bring_partner(r) && bring_victim(r);
	}
}

/* ---- the death ---- */

/* PART_SLEEPS_TOO, once only: another sleeper, and then the early survivor lets go. */
static bool release(struct run *r)
{
	if (r->released)
		return true;
	r->released = true;
	if (!bring_partner(r))
		return false;
	r->stage.board->since = now_ns();
	go(r, ROLE_EARLY);
	return await_told(r, ROLE_EARLY, "let go");
}

/* The partner, once only: let go, and gone. */
static bool end_partner(struct run *r)
{
	enum part part = r->operation->part;

	if (r->partner_went || part == PART_NONE || part == PART_DIES)
		return true;
	r->partner_went = true;
	if (part == PART_SLEEPS_TOO && !release(r))
		return false;
	if (part == PART_HOLDS)
		go(r, ROLE_PARTNER);
	return await_told(r, ROLE_PARTNER, part == PART_HOLDS ? "let go" : "slept") &&
	       await_end(r, ROLE_PARTNER, "ended");
}

/* The victim sleeps, and shall be woken. */
static bool wake_victim(void *arg)
{
	struct run *r = arg;

	return r->operation->part == PART_SLEEPS_TOO ? release(r) : end_partner(r);
}

/* A survey's process is not killed, but lets us know whether all went well. */
static bool end_survey(struct run *r, enum role role, enum step last)
{
	int status = 0;

	if (last == STEP_END)
		status = traced_finish(traced_of(r, role));
	return status == 0 || complain_of(r, role, "failed, though nobody killed it");
}

static bool look_for_leftovers(struct run *r, int pid)
{
	char left[64], what[128];

	if (!shm_leftover(r->stage.segment, pid, left, sizeof left))
		return true;
	snprintf(what, sizeof what, "left %s in /dev/shm", left);
	return complain(r, "the dead", what);
}

static bool step_and_kill(struct run *r, enum role role, struct walk *w)
{
	int pid = r->actors[role].pid;
	bool fine = walk(w, r->stage.segment);

	r->verdict->strayed |= walk_strayed(w);
	r->verdict->missed |= w->missed;
	if (!fine)
		complain_of(r, role, "died by itself, or does not come to an end");
	else if (w->survey)
		fine = end_survey(r, role, w->last);
	r->stage.board->since = now_ns();
	kill_role(r, role);
	return fine && look_for_leftovers(r, pid);
}

static bool kill_victim(struct run *r)
{
	struct walk w = {
		.traced = &r->victim,
		.target = r->trial->target,
		.survey = r->trial->survey,
		.limit_ms = VICTIM_MS,
		.flags = r->operation->flags,
		.wake = wake_victim,
		.arg = r,
	};
	bool fine;

	if (!r->trial->victim)
		return true;
	fine = step_and_kill(r, ROLE_VICTIM, &w);
	r->verdict->address = r->victim.address;
	r->verdict->point = w.at.point;
	return fine;
}

static bool kill_second(struct run *r)
{
	struct walk w = {
		.traced = &r->second,
		.target = r->trial->target2,
		.survey = r->trial->survey2,
		.limit_ms = SLOW_STEPS * r->trial->limit_ms,
	};

	if (!r->trial->second)
		return true;
	if (r->stage.early_second)
		go(r, ROLE_SECOND);
	else if (!spawn(r, ROLE_SECOND))
		return false;
	if (traced_await_marker(&r->second, r->trial->limit_ms) < 0)
		return complain_of(r, ROLE_SECOND, "did not come to its marker");
	return step_and_kill(r, ROLE_SECOND, &w);
}

/* ---- after it ---- */

static bool start_recovery(struct run *r, enum role role)
{
	if (role == ROLE_LATE)
		return spawn(r, ROLE_LATE);
	go(r, ROLE_EARLY);
	return true;
}

static bool recover_one(struct run *r, enum role role)
{
	r->stage.board->since = now_ns();
	return start_recovery(r, role) && await_told(r, role, "recovered");
}

static bool recover_all(struct run *r)
{
	switch (r->trial->order) {
	case EARLY_FIRST:
		return recover_one(r, ROLE_EARLY) && recover_one(r, ROLE_LATE);
	case LATE_FIRST:
		return recover_one(r, ROLE_LATE) && recover_one(r, ROLE_EARLY);
	default:
		r->stage.board->since = now_ns();
		return start_recovery(r, ROLE_EARLY) && start_recovery(r, ROLE_LATE) &&
		       await_told(r, ROLE_EARLY, "recovered") &&
		       await_told(r, ROLE_LATE, "recovered");
	}
}

static bool check_all(struct run *r)
{
	go(r, ROLE_EARLY);
	go(r, ROLE_LATE);
	if (!await_told(r, ROLE_EARLY, "checked") || !await_told(r, ROLE_LATE, "checked"))
		return false;
	go(r, ROLE_EARLY);
	if (!await_end(r, ROLE_EARLY, "audited"))
		return false;
	go(r, ROLE_LATE);
	return await_end(r, ROLE_LATE, "ended");
}

/* ---- the whole ---- */

static bool begin(struct run *r)
{
	static unsigned serial;
	struct stage *s = &r->stage;

	s->operation = r->operation;
	s->order = r->trial->order;
	s->reference = !r->trial->victim;
	s->second = r->trial->second;
	s->early_second = s->second && r->trial->order == EARLY_FIRST;
	snprintf(s->segment, sizeof s->segment, "death-%07d-%07u", getpid(), ++serial % 10000000);
	s->board = mmap(
		NULL, sizeof *s->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->board == MAP_FAILED)
		return complain(r, "harness", "mmap failed");
	s->board->outcome = NO_OUTCOME;
	if (r->trial->reference)
		memcpy(s->board->reference, r->trial->reference, sizeof s->board->reference);
	r->shm_before = shm_used();
	return true;
}

static void bury(struct run *r)
{
	for (enum role role = 0; role < ROLE_COUNT; role++) {
		struct actor *a = &r->actors[role];

		if (a->pid > 0 && a->traced)
			traced_kill(traced_of(r, role), true);
		else if (a->pid > 0 && kill(a->pid, SIGKILL) == 0)
			waitpid(a->pid, NULL, 0);
		if (a->socket > 0)
			close(a->socket);
	}
}

/* Everybody is gone: so must be the memory. */
static bool look_for_memory(struct run *r)
{
	shm_clean(r->stage.segment);
	for (int ms = 0; ms < SETTLE_MS && shm_used() > r->shm_before; ms++)
		sleep_ms(1);
	return shm_used() <= r->shm_before ||
	       complain(r, "the dead", "memory without a name stays");
}

static void conclude(struct run *r)
{
	const struct board *b = r->stage.board;

	for (enum role role = 0; role < ROLE_VICTIM; role++)
		if (b->recovery[role] > r->verdict->slowest)
			r->verdict->slowest = b->recovery[role];
	r->verdict->outcome = b->outcome;
	memcpy(r->verdict->reference, b->reference, sizeof r->verdict->reference);
	munmap(r->stage.board, sizeof *b);
}

void trial_run(const struct trial *trial, struct verdict *verdict)
{
	struct run r = {.trial = trial, .operation = trial->operation, .verdict = verdict};
	bool fine;

	*verdict = (struct verdict){.outcome = NO_OUTCOME};
	if (!begin(&r))
		return;
	fine = gather(&r) && kill_victim(&r);
	/* Who surveys wants to know of the victim alone. */
	if (!trial->survey)
		fine = fine && end_partner(&r) && kill_second(&r) && recover_all(&r) &&
		       check_all(&r);
	bury(&r);
	fine = look_for_memory(&r) && fine;
	verdict->survived = fine;
	conclude(&r);
}
