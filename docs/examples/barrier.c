/*
 * barrier.c - three workers in step, one of whom is killed: the others are told, and go on as two.
 *
 * The barrier has no fixed number of parties: whoever is attached is waited for. So the parent attaches
 * as long as the workers come, and lets go when all are there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { WORKERS = 3, STEPS = 10, FATAL = 4 };

/* Ends with 0 if the work was done. */
static int work(struct ilk_barrier *steps, int me)
{
	if (ilk_barrier_attach(steps) < 0)
		return 1;
	for (int step = 0; step < STEPS;) {
		int rc;

		if (me == 2 && step == FATAL)
			raise(SIGKILL);
		rc = ilk_barrier_wait(steps);
		if (rc >= 0)
			step++;
		else if (rc != -EPIPE || ilk_barrier_reset(steps) < 0)
			return 1;
		/* Else somebody died in this step: mended, it is done again without him. */
	}
	return ilk_barrier_detach(steps) < 0;
}

static int all_are_there(struct ilk_barrier *steps)
{
	struct ilk_barrier_status status;

	return ilk_barrier_status(steps, &status) < 0 || status.members == WORKERS + 1;
}

int main(void)
{
	struct ilk_barrier_status status;
	struct ilk_barrier *steps;
	struct ilk_segment *seg;
	int done = 0, killed = 0, how;
	int rc = ilk_segment_anonymous("in step", NULL, &seg);

	if (rc == 0)
		rc = ilk_barrier_open(seg, "steps", NULL, &steps);
	if (rc == 0)
		rc = ilk_barrier_attach(steps);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			_exit(work(steps, i));
	while (!all_are_there(steps))
		usleep(1000);
	ilk_barrier_detach(steps);

	while (wait(&how) > 0) {
		done += WIFEXITED(how) && WEXITSTATUS(how) == 0;
		killed += WIFSIGNALED(how);
	}
	ilk_barrier_status(steps, &status);
	printf("%d done, %d killed, %llu steps\n", done, killed, (unsigned long long)status.phases);
	ilk_segment_close(seg);
	return 0;
}
