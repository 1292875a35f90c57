/*
 * crew.c - workers, each a process on a processor of its own, with a /dev/shm of its own.
 *
 * Whoever is idle takes the next operation. What is tried does not depend on who tries it.
 */
#include "crew.h"
#include "setup.h"
#include "watch.h"
#include <ilk/atomics.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 128 };

/* Shared by the workers. */
struct ledger {
	uint32_t next;
	struct tally tallies[MOST];
};

static int select_operations(const struct crew *crew, const struct operation **selected)
{
	int count = 0;

	for (const struct operation *const *op = crew->operations; *op && count < MOST; op++)
		if (!crew->only || strcmp(crew->only, (*op)->name) == 0)
			selected[count++] = *op;
	return count;
}

/* The time that is left is shared by the operations that are left. */
static int64_t time_for_next(const struct crew *crew, int64_t end, uint32_t left)
{
	int64_t now = now_ns();

	if (!crew->seconds)
		return INT64_MAX;
	return left <= (uint32_t)crew->workers ? end : now + (end - now) * crew->workers / left;
}

static _Noreturn void work(const struct crew *crew, int worker, struct ledger *ledger)
{
	const struct operation *selected[MOST];
	uint32_t count = (uint32_t)select_operations(crew, selected), i;
	int64_t end = now_ns() + crew->seconds * 1000000000LL;
	struct options options = crew->options;
	bool all = true;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setup_worker(worker);
	shm_isolate();
	while ((i = ilk_add_full_(&ledger->next, 1u)) < count) {
		options.until = time_for_next(crew, end, count - i);
		all &= campaign_run(selected[i], &options, &ledger->tallies[i]);
		campaign_row(selected[i], &ledger->tallies[i]);
	}
	_exit(!all);
}

static bool await_workers(int workers)
{
	bool all = true;

	for (int i = 0; i < workers; i++) {
		int status;

		all &= wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return all;
}

static void add_up(const struct ledger *ledger, int count, struct tally *sum)
{
	for (int i = 0; i < count; i++) {
		const struct tally *t = &ledger->tallies[i];

		sum->points += t->points;
		sum->states += t->states;
		sum->tried += t->tried;
		sum->survived += t->survived;
		sum->left_out += t->left_out;
		if (t->slowest > sum->slowest)
			sum->slowest = t->slowest;
	}
}

bool crew_run(const struct crew *crew, struct tally *sum)
{
	const struct operation *selected[MOST];
	int count = select_operations(crew, selected), started;
	struct ledger *ledger = mmap(
		NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool all;

	*sum = (struct tally){0};
	if (ledger == MAP_FAILED)
		return false;
	fflush(stdout);
	for (started = 0; started < crew->workers && started < count; started++) {
		pid_t pid = fork();

		if (pid == 0)
			work(crew, started, ledger);
		if (pid < 0)
			break;
	}
	all = await_workers(started) && started > 0;
	add_up(ledger, count, sum);
	munmap(ledger, sizeof *ledger);
	return all;
}
