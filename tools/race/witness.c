/* witness.c - the events of all workers in one order, and the few of them that show the bug. */
#include "race/worker.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAST = 4 };

static int earlier(const void *a, const void *b)
{
	uint64_t x = ((const struct race_event *)a)->at, y = ((const struct race_event *)b)->at;

	return x < y ? -1 : x > y;
}

/* The last MOST events of each log; how many there are in all. */
static int gather(const struct race_job *job, struct race_event *all, uint64_t most)
{
	int n = 0;

	for (int i = 0; i < job->workers; i++) {
		const struct race_log *log = &job->logs[i];
		uint64_t kept = log->count < most ? log->count : most;

		for (uint64_t k = log->count - kept; k < log->count; k++)
			all[n++] = log->events[k % RACE_EVENTS];
	}
	qsort(all, (size_t)n, sizeof *all, earlier);
	return n;
}

static int64_t ns_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nanoseconds of a tick of race_clock(). */
static double tick_ns(void)
{
	const struct timespec nap = {.tv_nsec = 10000000};
	int64_t began = ns_now();
	uint64_t clock = race_clock();

	nanosleep(&nap, NULL);
	clock = race_clock() - clock;
	return clock ? (double)(ns_now() - began) / (double)clock : 1;
}

static void keep(const struct race_event *from, int count, struct race_outcome *outcome)
{
	double tick = tick_ns();

	if (count > RACE_WITNESSES) {
		from += count - RACE_WITNESSES;
		count = RACE_WITNESSES;
	}
	memcpy(outcome->events, from, (size_t)count * sizeof *from);
	for (int i = 0; i < count; i++)
		outcome->events[i].at = (uint64_t)((double)(from[i].at - from->at) * tick);
	outcome->event_count = count;
}

void race_find_witness(const struct race_job *job, struct race_outcome *outcome)
{
	int (*find)(const struct race_event *events, int count, int *from, int *to) =
		outcome->verdict == RACE_SHOWN ? job->scenario->witness : NULL;
	struct race_event *all = calloc((size_t)job->workers * RACE_EVENTS, sizeof *all);
	int from = 0, to, n;

	if (!all)
		return;
	/* Where nobody knows what to look for: what each did last. */
	n = gather(job, all, find ? RACE_EVENTS : LAST);
	to = n - 1;
	if (n > 0 && (!find || find(all, n, &from, &to)))
		keep(&all[from], to - from + 1, outcome);
	free(all);
}
