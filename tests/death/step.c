/*
 * step.c - ptrace.
 *
 * A step is PTRACE_SINGLESTEP; the kernel reports it behind the instruction, and behind the whole
 * system call if it is one. A rep-prefixed string instruction is reported after each repetition:
 * death can fall there too, so each is a point. The vDSO, which only reads clocks, counts as one
 * instruction: its length depends on the time of day, and it changes nothing.
 */
#include "step.h"
#include "harness.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OPCODE_MARKER = 0xcc,    /* int3 */
	OPCODE_SYSCALL = 0x050f, /* 0f 05, little-endian */
	CALL_LIMIT_MS = 5000,    /* a system call that takes longer never ends */
	ASLEEP_AFTER_MS = 3,     /* one that takes so long and is in state S is a sleep */
	SETTLE_NS = 500 * 1000,
	CALL_STOP = SIGTRAP | 0x80, /* PTRACE_O_TRACESYSGOOD */
};

/* ---- the vDSO: mapped at the same place in every child ---- */

static uint64_t vdso_from, vdso_to;

static void find_vdso(void)
{
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof line, maps))
		if (strstr(line, "[vdso]"))
			sscanf(line, "%lx-%lx", &vdso_from, &vdso_to);
	if (maps)
		fclose(maps);
}

static bool in_vdso(uint64_t address)
{
	return address >= vdso_from && address < vdso_to;
}

/* ---- waiting with a limit ---- */

/* SIGCHLD is blocked in the harness, so that none is missed between look and sleep. */
static void await_child_signal(int64_t ns)
{
	struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &limit);
}

static bool ended(int status)
{
	return WIFEXITED(status) || WIFSIGNALED(status);
}

char run_state(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	const char *state;
	FILE *stat;
	size_t got;

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
	stat = fopen(path, "re");
	if (!stat)
		return '?';
	got = fread(text, 1, sizeof text - 1, stat);
	fclose(stat);
	text[got] = 0;
	state = strrchr(text, ')');
	return state && state[1] ? state[2] : '?';
}

/* ---- becoming traced ---- */

void traced_begin(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(126);
	raise(SIGSTOP);
}

int traced_adopt(struct traced *t, pid_t pid)
{
	long options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD;
	int status;

	*t = (struct traced){.pid = pid, .tid = pid};
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, options) < 0)
		return -1;
	return ptrace(PTRACE_CONT, pid, 0, 0) < 0 ? -1 : 0;
}

static void adopt_thread(struct traced *t, pid_t creator)
{
	unsigned long tid = 0;
	int status;

	ptrace(PTRACE_GETEVENTMSG, creator, 0, &tid);
	if (!tid || t->thread_count == STEP_THREADS)
		return;
	t->threads[t->thread_count++] = (pid_t)tid;
	if (waitpid((pid_t)tid, &status, __WALL) == (pid_t)tid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, tid, 0, 0);
}

static bool read_address(struct traced *t)
{
	long value;

	errno = 0;
	value = ptrace(PTRACE_PEEKUSER, t->tid, offsetof(struct user_regs_struct, rip), 0);
	t->address = (uint64_t)value;
	return errno == 0;
}

/* A stop of a running thread: 1 the marker; 0 something else, and it runs on; -1 it has ended. */
static int meet_stop(struct traced *t, pid_t tid, int status)
{
	int signal = WSTOPSIG(status);

	if (ended(status))
		t->gone |= tid == t->pid;
	if (ended(status))
		return t->gone ? -1 : 0;
	if (status >> 16 == PTRACE_EVENT_CLONE) {
		adopt_thread(t, tid);
		signal = 0;
	} else if (signal == SIGTRAP) {
		t->tid = tid;
		return read_address(t) ? 1 : -1;
	}
	return ptrace(PTRACE_CONT, tid, 0, signal == SIGSTOP ? 0 : signal) < 0 ? -1 : 0;
}

/* Looks once at each thread. 1 marker, 0 nothing, -1 ended. */
static int poll_stops(struct traced *t)
{
	for (int i = -1; i < t->thread_count; i++) {
		pid_t tid = i < 0 ? t->pid : t->threads[i];
		int status, met = 0;

		if (waitpid(tid, &status, WNOHANG | __WALL) == tid)
			met = meet_stop(t, tid, status);
		if (met)
			return met;
	}
	return 0;
}

int traced_await_marker(struct traced *t, int limit_ms)
{
	int64_t until = now_ns() + limit_ms * 1000000LL;

	while (now_ns() < until) {
		int met = poll_stops(t);

		if (met)
			return met > 0 ? 0 : -1;
		await_child_signal(SETTLE_NS);
	}
	return -1;
}

/* ---- one step ---- */

/* Waits for the end of a system call. 1: it has ended; 0: it sleeps; -1: lost. */
static int await_call(struct traced *t, bool sleepy, int *status)
{
	int64_t began = now_ns();

	for (;;) {
		pid_t got = waitpid(t->tid, status, WNOHANG | __WALL);
		int64_t waited = now_ns() - began;

		if (got == t->tid)
			return 1;
		if (got < 0 || waited > CALL_LIMIT_MS * 1000000LL)
			return -1;
		if (sleepy && waited > ASLEEP_AFTER_MS * 1000000LL &&
			run_state(t->pid, t->tid) == 'S')
			return 0;
		await_child_signal(SETTLE_NS);
	}
}

/* What a stop that follows a step means; STEP_PLAIN: go on. */
static enum step read_stop(struct traced *t, int status)
{
	if (ended(status)) {
		t->gone |= t->tid == t->pid;
		return !t->gone && WIFEXITED(status) ? STEP_GONE : STEP_LOST;
	}
	if (status >> 16 == PTRACE_EVENT_CLONE)
		adopt_thread(t, t->tid);
	else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != CALL_STOP)
		t->signal = WSTOPSIG(status);
	return read_address(t) ? STEP_PLAIN : STEP_LOST;
}

static enum step one_instruction(struct traced *t, bool call, bool sleepy)
{
	int status, got;

	if (ptrace(PTRACE_SINGLESTEP, t->tid, 0, t->signal) < 0)
		return STEP_LOST;
	t->signal = 0;
	if (!call)
		got = waitpid(t->tid, &status, __WALL) == t->tid ? 1 : -1;
	else
		got = await_call(t, sleepy, &status);
	if (got <= 0)
		return got == 0 ? STEP_ASLEEP : STEP_LOST;
	return read_stop(t, status);
}

enum step traced_step(struct traced *t, bool sleepy)
{
	unsigned long text;
	enum step step;
	bool call;

	errno = 0;
	text = (unsigned long)ptrace(PTRACE_PEEKTEXT, t->tid, t->address, 0);
	if (errno)
		return STEP_LOST;
	if ((text & 0xff) == OPCODE_MARKER)
		return STEP_END;
	call = (text & 0xffff) == OPCODE_SYSCALL;
	do
		step = one_instruction(t, call, sleepy);
	while (step == STEP_PLAIN && in_vdso(t->address));
	return step == STEP_PLAIN && call ? STEP_CALL : step;
}

/* To the entry of the next system call, or from there to its end. */
static enum step run_to_call(struct traced *t, bool sleepy)
{
	int status, got;

	do {
		if (ptrace(PTRACE_SYSCALL, t->tid, 0, t->signal) < 0)
			return STEP_LOST;
		t->signal = 0;
		got = await_call(t, sleepy, &status);
		if (got == 0)
			return STEP_ASLEEP;
		if (got < 0 || ended(status) || !read_address(t))
			return STEP_LOST;
		if (WSTOPSIG(status) == SIGTRAP)
			return STEP_END;
		if (WSTOPSIG(status) != CALL_STOP)
			t->signal = WSTOPSIG(status);
	} while (WSTOPSIG(status) != CALL_STOP);
	return STEP_CALL;
}

enum step traced_skip_calls(struct traced *t, long calls)
{
	enum step step = STEP_CALL;

	while (calls > 0 && step == STEP_CALL) {
		step = run_to_call(t, false);
		if (step == STEP_CALL)
			step = run_to_call(t, false);
		/* A clock that needs the kernel: no call of its own when stepped. */
		calls -= !in_vdso(t->address);
	}
	return step;
}

/* Of the four breakpoints of the processor the first: on, off. */
static bool set_breakpoint(const struct traced *t, uint64_t address, bool on)
{
	return ptrace(PTRACE_POKEUSER, t->tid, offsetof(struct user, u_debugreg[0]), address) ==
		       0 &&
	       ptrace(PTRACE_POKEUSER, t->tid, offsetof(struct user, u_debugreg[7]), on ? 1 : 0) ==
		       0;
}

/* To the breakpoint, or to where it is seen that it goes another way. */
static enum step run_to_breakpoint(struct traced *t, uint64_t address)
{
	int status;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, t->tid, 0, t->signal) < 0)
			return STEP_LOST;
		t->signal = 0;
		if (await_call(t, false, &status) != 1 || read_stop(t, status) != STEP_PLAIN)
			return STEP_LOST;
		if (WSTOPSIG(status) == SIGTRAP && status >> 16 == 0)
			return t->address == address ? STEP_PLAIN : STEP_END;
		if (WSTOPSIG(status) == CALL_STOP && !in_vdso(t->address))
			return STEP_CALL;
	}
}

enum step traced_run_to(struct traced *t, uint64_t address, long hits)
{
	enum step step = STEP_PLAIN;

	if (!set_breakpoint(t, address, true))
		return STEP_LOST;
	for (; hits > 0 && step == STEP_PLAIN; hits--)
		step = run_to_breakpoint(t, address);
	if (step != STEP_LOST && !set_breakpoint(t, 0, false))
		return STEP_LOST;
	return step;
}

enum step traced_run_to_sleep(struct traced *t)
{
	enum step step = STEP_CALL;

	for (bool inside = false; step == STEP_CALL; inside = !inside)
		step = run_to_call(t, inside);
	return step;
}

enum step traced_awake(struct traced *t)
{
	int status;
	enum step step;

	if (await_call(t, false, &status) != 1)
		return STEP_LOST;
	step = read_stop(t, status);
	return step == STEP_PLAIN ? STEP_CALL : step;
}

/* ---- the end ---- */

int traced_finish(struct traced *t)
{
	int status;

	for (int stops = 0; stops < 2; stops++) /* the marker itself, then the end */
		if (ptrace(PTRACE_CONT, t->tid, 0, 0) < 0 || await_call(t, false, &status) != 1)
			return -1;
	t->gone = ended(status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void traced_kill(struct traced *t, bool reap)
{
	siginfo_t info;
	int status;

	if (t->gone)
		return;
	kill(t->pid, SIGKILL);
	/* The tracer must see its threads end, before the kernel reports the end of the process. */
	for (int i = 0; i < t->thread_count; i++)
		while (waitpid(t->threads[i], &status, __WALL) > 0 && !ended(status))
			continue;
	while (waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		continue;
	if (reap)
		t->gone = waitpid(t->pid, &status, 0) == t->pid;
}

const char *step_unsupported(void)
{
	struct traced t;
	pid_t pid = fork();
	int bad;

	if (pid == 0) {
		traced_begin();
		MARKER();
		_exit(0);
	}
	bad = pid < 0 || traced_adopt(&t, pid) < 0 || traced_await_marker(&t, CALL_LIMIT_MS) < 0;
	if (pid > 0)
		traced_kill(&t, true);
	find_vdso();
	return bad ? "ptrace is not permitted here" : NULL;
}
