/*
 * work.c - starts, ties down and ends the processes that are measured.
 *
 * Each dies with us (PR_SET_PDEATHSIG), and is killed, by its pid, when it does not end in time.
 */
#include "bench/rows.h"
#include "bench/work.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int bench_fail(struct bench_sample *sample, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sample->why, sizeof(sample->why), format, args);
	va_end(args);
	return BENCH_FAILED;
}

int bench_place_open_sized(struct bench_place *place, size_t bytes, struct bench_sample *sample)
{
	struct ilk_segment_options options = {
		.size = sizeof(options), .bytes = bytes, .threads = 512};
	void *block = NULL;
	int rc = ilk_segment_anonymous("bench", &options, &place->seg);

	if (rc < 0)
		return bench_fail(sample, "no segment: %s", ilk_strerror(rc));
	rc = ilk_block_open(place->seg, "arena", sizeof(struct bench_arena), &block);
	place->arena = (struct bench_arena *)block;
	if (rc == 0)
		return BENCH_OK;
	bench_place_close(place);
	return bench_fail(sample, "no memory in the segment: %s", ilk_strerror(rc));
}

int bench_place_open(struct bench_place *place, struct bench_sample *sample)
{
	return bench_place_open_sized(place, 0, sample);
}

void bench_place_close(struct bench_place *place)
{
	ilk_segment_close(place->seg);
	*place = (struct bench_place){0};
}

int bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

pid_t bench_spawn(int cpu, int (*body)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Our parent may have died before the line above. */
	if (getppid() != parent || (cpu >= 0 && bench_pin(cpu) != 0))
		_exit(2);
	_exit(body(arg) == 0 ? 0 : 1);
}

void bench_hold_back_signals(sigset_t *before)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGPIPE);
	sigprocmask(SIG_BLOCK, &ending, before);
}

void bench_sleep(double seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

int bench_await(const uint32_t *word, uint32_t value, double seconds)
{
	ilk_time end = ilk_after_ns((int64_t)(seconds * 1e9));

	while (ilk_load_acquire_(word) < value) {
		if (ilk_now() > end)
			return -1;
		bench_sleep(0.0002);
	}
	return 0;
}

void bench_kill(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Waits for one. 0: it ended with 0; else what is wrong with it. */
static const char *reap(pid_t pid, ilk_time deadline)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (ilk_now() > deadline) {
			bench_kill(pid);
			return "a process did not end in time and was killed";
		}
		bench_sleep(0.0005);
	}
	if (WIFSIGNALED(status))
		return strsignal(WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? NULL : "a call failed in a process that was measured";
}

int bench_reap(const pid_t *pids, unsigned n, ilk_time deadline, struct bench_sample *sample)
{
	int rc = BENCH_OK;

	for (unsigned i = 0; i < n; i++) {
		const char *wrong = pids[i] > 0 ? reap(pids[i], deadline) : "fork failed";

		if (wrong)
			rc = bench_fail(sample, "%s", wrong);
	}
	return rc;
}
