/*
 * worker.c - a program that serves a pool: started by whoever likes, as often and as late as he likes. Those
 * who have work for it, submit.c, know it by a name only; when it is killed, another does its task.
 *
 *	worker SEGMENT [PAUSE_MS]       prints each text that it begins with, and makes it capital
 *
 *	worker texts & worker texts & submit texts one two three; submit texts
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <ilk.h>

static unsigned pause_ms;

static int capitals(struct ilk_task *task, const void *argument, size_t bytes)
{
	const unsigned char *text = argument;
	size_t room;
	char *result = ilk_task_room(task, &room);

	if (bytes > room)
		return ilk_task_fail(task, -EMSGSIZE, "too long a text");
	printf("%.*s\n", (int)bytes, (const char *)text);
	fflush(stdout);
	usleep(pause_ms * 1000);
	for (size_t i = 0; i < bytes; i++)
		result[i] = (char)toupper(text[i]);
	return ilk_task_result(task, result, bytes);
}

static const struct ilk_task_function functions[] = {{"capitals", capitals}};

int main(int argc, char **argv)
{
	const struct ilk_segment_options transient = {
		.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
	const struct ilk_pool_options o = {.size = sizeof o, .retries = 1};
	struct ilk_segment *seg;
	struct ilk_pool *pool;
	int rc;

	if (argc < 2)
		return fprintf(stderr, "usage: worker SEGMENT [PAUSE_MS]\n"), 2;
	pause_ms = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	/* Made by who comes first, found by the others. */
	rc = ilk_segment_create(argv[1], &transient, &seg);
	if (rc == 0)
		rc = ilk_pool_open(seg, "texts", &o, &pool);
	/* Until the pool is closed. */
	if (rc == 0)
		rc = ilk_pool_serve(pool, functions, 1, NULL);
	if (rc < 0)
		return fprintf(stderr, "worker: %s (%s)\n", ilk_strerror(rc), ilk_last_error()), 1;
	return ilk_segment_close(seg) < 0;
}
