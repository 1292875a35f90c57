/*
 * hang.c - who waits for what, in a race that does not get on.
 *
 * Of Ilk's primitives the inspector tells. The standard ones tell nobody: there the kernel says in
 * which call a process is, and at which address; /proc/PID/maps says whose that is.
 */
#include "ilk/graph.h"
#include "race/worker.h"
#include <ilk/inspect.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BETWEEN_LOOKS_US = 100000 };

static void append(char *details, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *details, size_t size, const char *format, ...)
{
	size_t at = strlen(details);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(details + at, size - at, format, arguments);
	va_end(arguments);
}

/* --- Ilk's own --- */

static int pid_of(const struct ilk_inspection *in, int thread)
{
	int process = thread == ILK_NO_INDEX ? ILK_NO_INDEX : in->threads[thread].process;

	return process == ILK_NO_INDEX ? 0 : in->processes[process].pid;
}

/* 1: a thread that waits for one of Ilk's objects was told of. */
static int tell_waits(const struct ilk_inspection *in, char *details, size_t size)
{
	int told = 0;

	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];
		const struct ilk_object_info *o;
		int holder;

		if (t->waits_for == ILK_NO_INDEX || t->life == ILK_LIFE_DEAD)
			continue;
		o = &in->objects[t->waits_for];
		holder = pid_of(in, o->owner);
		append(details, size, "; %d waits for the %s '%s'", pid_of(in, (int)i), o->type,
			o->name);
		if (holder)
			append(details, size, ", held by %d%s", holder,
				o->holder == ILK_HOLDER_DEAD ? ", which is dead" : "");
		told = 1;
	}
	return told;
}

/* How many wait for each other in a circle, found in the way of `ilk deadlock`; 0: none do. */
static int circle(struct ilk_inspection *in, struct ilk_inspection *later)
{
	char name[] = "race";
	const struct graph_look look = {.name = name, .in = in, .later = later};
	struct graph g;
	int n = 0;

	graph_build(&g, &look, 1);
	graph_solve(&g);
	for (size_t i = 0; i < g.node_count; i++)
		n += g.cycles > 0 && g.nodes[i].cycle == 0;
	graph_free(&g);
	return n;
}

static int tell_segment(int fd, char *details, size_t size)
{
	struct ilk_inspection *in, *later;
	char path[32];
	int told, n;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || ilk_inspect(path, &in) < 0)
		return 0;
	told = tell_waits(in, details, size);
	usleep(BETWEEN_LOOKS_US);
	if (told && ilk_inspect(path, &later) == 0) {
		n = circle(in, later);
		if (n)
			append(details, size, "; these %d wait in a circle: a deadlock", n);
		ilk_inspection_free(later);
	}
	ilk_inspection_free(in);
	return told;
}

/* --- what the kernel says --- */

/* Which byte of the segment lies at ADDRESS of PID; -1: none of it. */
static long long in_segment(pid_t pid, unsigned long long address)
{
	char path[32], line[512];
	long long found = -1;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (maps && found < 0 && fgets(line, sizeof line, maps)) {
		unsigned long long begin, end, at;

		if (sscanf(line, "%llx-%llx %*s %llx", &begin, &end, &at) == 3 &&
			address >= begin && address < end && strstr(line, "/ilk.race."))
			found = (long long)(address - begin + at);
	}
	if (maps)
		fclose(maps);
	return found;
}

/* In which system call PID is, and its first argument; -1: it runs, or is not to be seen. */
static long call_of(pid_t pid, unsigned long long *argument)
{
	char path[32], line[256] = "";
	long call = -1;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
	file = fopen(path, "re");
	if (file && fgets(line, sizeof line, file))
		sscanf(line, "%ld 0x%llx", &call, argument);
	if (file)
		fclose(file);
	return call;
}

static void tell_call(pid_t pid, char *details, size_t size)
{
	unsigned long long argument = 0;
	long call = call_of(pid, &argument);
	long long at;

	if (call == SYS_wait4) {
		append(details, size, "; %d waits for its child %d", (int)pid, (int)argument);
		pid = (pid_t)argument;
		call = call_of(pid, &argument);
	}
	if (call != SYS_futex) {
		if (call == -1)
			append(details, size, "; %d is running, not asleep", (int)pid);
		return;
	}
	at = in_segment(pid, argument);
	if (at >= 0)
		append(details, size, "; %d sleeps in futex(2) on byte 0x%llx of the segment",
			(int)pid, at);
	else
		append(details, size, "; %d sleeps in futex(2) on its own memory", (int)pid);
}

void race_tell_hang(int fd, const pid_t *pids, int count, char *details, size_t size)
{
	if (tell_segment(fd, details, size))
		return;
	for (int i = 0; i < count; i++)
		if (pids[i])
			tell_call(pids[i], details, size);
}
