/*
 * start.c - runners wait for the shot; who comes late runs at once, since an event remembers.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { RUNNERS = 3 };

static struct ilk_event *shot;
static struct ilk_latch *ready;
static struct ilk_counter *false_starts;
static int *fired; /* before the event is set: so it is seen by who is let through */

static int run(void)
{
	if (ilk_latch_count_down(ready, 1) < 0 || ilk_event_wait(shot) < 0)
		return 1;
	return ilk_counter_add(false_starts, *fired != 1);
}

int main(void)
{
	const struct ilk_latch_options runners = {.size = sizeof runners, .count = RUNNERS};
	struct ilk_segment *seg;
	int finished = 0, how, rc = ilk_segment_anonymous("race", NULL, &seg);
	void *memory = NULL;

	if (rc == 0)
		rc = ilk_event_open(seg, "shot", NULL, &shot);
	if (rc == 0)
		rc = ilk_latch_open(seg, "ready", &runners, &ready);
	if (rc == 0)
		rc = ilk_counter_open(seg, "false starts", &false_starts);
	if (rc == 0)
		rc = ilk_block_open(seg, "fired", sizeof *fired, &memory);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	fired = memory;
	for (int i = 0; i < RUNNERS; i++)
		if (fork() == 0)
			_exit(run());
	ilk_latch_wait(ready);
	*fired = 1;
	ilk_event_set(shot);
	if (fork() == 0)
		_exit(ilk_event_wait(shot) < 0); /* late */
	while (wait(&how) > 0)
		finished += how == 0;
	printf("%d finished, %lld false starts\n", finished,
		(long long)ilk_counter_read(false_starts));
	return ilk_segment_close(seg);
}
