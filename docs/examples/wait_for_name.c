/*
 * wait_for_name.c - the consumer starts first, and waits for the segment to be there.
 *
 * A name appears when everything behind it is ready: whoever opens it never meets a half-made
 * segment. Here the two sides are one program's two processes; they share nothing but the name.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

static int fail(const char *who, int rc)
{
	fprintf(stderr, "%s: %s (%s)\n", who, ilk_strerror(rc), ilk_last_error());
	return 1;
}

static int consume(const char *name)
{
	struct ilk_segment *seg;
	struct ilk_counter *answer;
	ilk_time deadline = ilk_after_ms(5000);
	int rc = ilk_segment_open_until(name, NULL, deadline, &seg);

	if (rc == 0)
		rc = ilk_counter_open(seg, "answer", &answer);
	if (rc < 0)
		return fail("consumer", rc);
	while (ilk_counter_read(answer) == 0 && ilk_now() < deadline)
		usleep(1000);
	printf("the answer is %lld\n", (long long)ilk_counter_read(answer));
	fflush(stdout);
	ilk_segment_close(seg);
	return 0;
}

static int produce(const char *name)
{
	struct ilk_segment_options options = {.size = sizeof options, .mode = 0600};
	struct ilk_segment *seg;
	struct ilk_counter *answer;
	int rc = ilk_segment_create(name, &options, &seg);

	if (rc == 0)
		rc = ilk_counter_open(seg, "answer", &answer);
	if (rc < 0)
		return fail("producer", rc);
	ilk_counter_add(answer, 42);
	ilk_segment_close(seg);
	return 0;
}

int main(void)
{
	char name[64];
	int status = 0;
	pid_t child;

	snprintf(name, sizeof name, "wait-for-name-%d", (int)getpid());
	child = fork();
	if (child < 0)
		return 1;
	if (child == 0)
		_exit(consume(name));
	usleep(50000); /* let the consumer be first */
	int rc = produce(name);
	waitpid(child, &status, 0);
	ilk_segment_unlink(name);
	return rc || status ? 1 : 0;
}
