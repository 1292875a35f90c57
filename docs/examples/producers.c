/*
 * producers.c - several put, several get, each message goes to one; and everybody knows when it is over.
 *
 * No sentinels: the queue closes itself when the last registered producer has finished, or died.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { PRODUCERS = 3, CONSUMERS = 2, EACH = 1000 };

static struct ilk_queue *numbers;
static struct ilk_counter *count, *sum;

static int produce(int first)
{
	struct ilk_queue_handle h;
	int rc = ilk_queue_produce_begin(numbers);

	if (rc == 0)
		rc = ilk_queue_attach(numbers, &h);
	for (int i = first; rc == 0 && i < first + EACH; i++)
		rc = ilk_queue_put(&h, &i, sizeof i, ILK_FOREVER);
	return rc == 0 ? ilk_queue_produce_end(numbers) : rc;
}

static int consume(void)
{
	struct ilk_queue_handle h;
	int number, rc = ilk_queue_attach(numbers, &h);

	while (rc == 0 &&
		(rc = ilk_queue_get(&h, &number, sizeof number, NULL, ILK_FOREVER)) == 0) {
		ilk_counter_add(count, 1);
		ilk_counter_add(sum, number);
	}
	return rc == -EPIPE ? 0 : 1; /* closed, and empty */
}

static int open_all(struct ilk_segment *seg)
{
	const struct ilk_queue_options o = {
		.size = sizeof o, .capacity = 64, .message_bytes = sizeof(int)};
	int rc = ilk_queue_open(seg, "numbers", &o, &numbers);

	if (rc == 0)
		rc = ilk_counter_open(seg, "count", &count);
	return rc == 0 ? ilk_counter_open(seg, "sum", &sum) : rc;
}

int main(void)
{
	struct ilk_segment *seg;
	int failed = 0, how, rc = ilk_segment_anonymous("numbers", NULL, &seg);

	if (rc == 0)
		rc = open_all(seg);
	/* As long as this process is registered, too, none is the last one too early. */
	if (rc == 0)
		rc = ilk_queue_produce_begin(numbers);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	for (int i = 0; i < PRODUCERS; i++)
		if (fork() == 0)
			_exit(produce(1 + i * EACH) != 0);
	for (int i = 0; i < CONSUMERS; i++)
		if (fork() == 0)
			_exit(consume());
	/* The producers: consumers do not end before this process has. */
	for (int i = 0; i < PRODUCERS; i++)
		if (wait(&how) > 0)
			failed += how != 0;
	ilk_queue_produce_end(numbers);
	while (wait(&how) > 0)
		failed += how != 0;
	printf("%lld numbers, their sum is %lld; %d failed\n", (long long)ilk_counter_read(count),
		(long long)ilk_counter_read(sum), failed);
	return ilk_segment_close(seg);
}
