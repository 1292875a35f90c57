/*
 * columns.c - a column from three others, row by row, in two processes; one of them is killed in it.
 *
 * The columns lie in the segment: nothing is copied, and what a dead one had begun is done again.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <ilk.h>

enum { ROWS = 1000000 };

struct columns {
	double a[ROWS], b[ROWS], c[ROWS], sum[ROWS];
};

static struct ilk_event *begun; /* the other process has a part */
static pid_t first;             /* this one */
static int again;               /* parts that it does after one who died */

static int add(const struct ilk_part *part, void *arg)
{
	struct columns *all = arg;

	for (uint64_t i = part->begin; i < part->end; i++)
		all->sum[i] = all->a[i] * all->b[i] + all->c[i];
	if (getpid() != first) {
		ilk_event_set(begun);
		raise(SIGKILL);
	}
	again += part->again;
	/* A short loop: without this it could be over before the other process has begun. */
	return ilk_event_wait_until(begun, ilk_after_ms(5000));
}

static int sum_up(const struct ilk_part *part, void *arg)
{
	const struct columns *all = arg;
	double *sum = part->result;

	for (uint64_t i = part->begin; i < part->end; i++)
		*sum += all->sum[i];
	return 0;
}

static void add_results(void *into, const void *result, void *arg)
{
	(void)arg;
	*(double *)into += *(const double *)result;
}

int main(void)
{
	const struct ilk_segment_options o = {
		.size = sizeof o, .bytes = sizeof(struct columns) + (1 << 20)};
	struct ilk_segment *seg;
	struct columns *all;
	void *block;
	double total = 0;
	int rc = ilk_segment_anonymous("columns", &o, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "columns", sizeof *all, &block);
	if (rc == 0)
		rc = ilk_event_open(seg, "begun", NULL, &begun);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	all = block;
	first = getpid();
	for (int i = 0; i < ROWS; i++) {
		all->a[i] = i;
		all->b[i] = 2;
		all->c[i] = 1;
	}
	rc = ilk_parallel_for(seg, ROWS, 2, add, all);
	if (rc == 0)
		rc = ilk_parallel_reduce(
			seg, ROWS, 2, sum_up, all, &total, sizeof total, add_results);
	printf("%s %.0f; %d done again after a death\n", ilk_strerror(rc), total, again);
	ilk_segment_close(seg);
	return rc < 0;
}
