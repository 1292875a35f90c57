/*
 * jobs.c - jobs for whoever is free; one worker is killed with a job in its hand, and none is lost.
 *
 * Who makes jobs registers: the queue closes itself when the last of them is done, or dead.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { JOBS = 1000, WORKERS = 3 };

static struct ilk_queue *jobs;
static struct ilk_counter *done, *again;

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

static void make_jobs(void)
{
	struct ilk_queue_handle h;
	int rc = ilk_queue_attach(jobs, &h);

	for (int i = 0; rc == 0 && i < JOBS; i++)
		rc = ilk_queue_put(&h, &i, sizeof i, ILK_FOREVER);
	/* Not even a last word: its death is the end of work. */
	raise(SIGKILL);
}

static void work(int dies)
{
	struct ilk_queue_handle h;
	struct ilk_queue_lease l;
	int rc = ilk_queue_attach(jobs, &h);

	while (rc == 0 && (rc = ilk_queue_lease(&h, &l, ILK_FOREVER)) == 0) {
		if (dies)
			raise(SIGKILL);
		ilk_counter_add(done, 1);
		ilk_counter_add(again, l.deliveries > 1);
		rc = ilk_queue_ack(&h, &l);
	}
	_exit(rc == -EPIPE ? 0 : 1);
}

static void make_registered(void)
{
	if (ilk_queue_produce_begin(jobs) == 0)
		make_jobs();
	_exit(1);
}

int main(void)
{
	const struct ilk_queue_options o = {
		.size = sizeof o, .capacity = 16, .message_bytes = sizeof(int)};
	struct ilk_segment *seg;
	int rc = ilk_segment_anonymous("jobs", NULL, &seg);

	if (rc == 0)
		rc = ilk_queue_open(seg, "jobs", &o, &jobs);
	if (rc == 0)
		rc = ilk_counter_open(seg, "done", &done);
	if (rc == 0)
		rc = ilk_counter_open(seg, "again", &again);
	if (rc < 0)
		return say(rc);
	if (fork() == 0)
		make_registered();
	/* The first one dies with its first job; the others come then. */
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			work(i == 0);
		if (i == 0)
			waitpid(pid, NULL, 0);
	}
	while (wait(NULL) > 0)
		continue;
	printf("%lld jobs done, %lld of them again\n", (long long)ilk_counter_read(done),
		(long long)ilk_counter_read(again));
	ilk_segment_close(seg);
	return 0;
}
