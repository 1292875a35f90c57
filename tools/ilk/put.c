/* put.c - ilk put: puts lines, or what stands between NULs, into a queue. */
#include "ilk/child.h"
#include "ilk/command.h"
#include "ilk/queues.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct queues_wish wish;
static const char *message;
static int null, closes;
static int64_t wait_ns = -1; /* for ever */

static const struct option_row rows[] = {
	{.name = "message",
		.letter = 'm',
		.kind = OPTION_TEXT,
		.value = "TEXT",
		.help = "put this one message, and read nothing",
		.target = &message},
	{.name = "null",
		.letter = '0',
		.kind = OPTION_FLAG,
		.help = "messages end with a NUL, and not with a newline",
		.target = &null},
	{.name = "wait",
		.letter = 'w',
		.kind = OPTION_SECONDS,
		.value = "SECONDS",
		.low = 0,
		.high = INT64_MAX,
		.help = "give up when there was no room for so long (default: wait for ever)",
		.target = &wait_ns},
	{.name = "close",
		.kind = OPTION_FLAG,
		.help = "then close the queue: it takes nothing more, and those who get\n"
			"from it end when it is empty",
		.target = &closes},
	QUEUES_ROWS(&wish),
	OPTION_END,
};

static const struct option_page page = {
	.command = "put",
	.operands = "NAME QUEUE",
	.min = 2,
	.max = 2,
	.summary = "put messages into a queue",
	.details =
		"Each line of the input becomes a message of QUEUE in the segment NAME, without its\n"
		"newline. Segment and queue are made on first use. Where the queue is full, put "
		"waits.\n"
		"Killed at any instant, it has put a message or not, and never a part of one.\n\n"
		"  printf '%s\\n' a b c | ilk put demo jobs\n"
		"  ilk work demo jobs -- sh -c 'echo \"$ILK_MESSAGE\"'\n\n"
		"Exit code: 0 all are in; 75 the time ran out; 128 + N signal N came; 2 other "
		"errors.\n",
	.rows = rows,
};

static int complain_of_size(const struct queues *q, size_t bytes)
{
	struct ilk_queue_info info = {.size = sizeof(info)};

	ilk_queue_info(q->queue, &info);
	return complain(page.command,
		"a message has %zu bytes, and %s takes up to %zu; put it into another queue, made "
		"with --bytes %zu",
		bytes, q->name, info.message_bytes, bytes);
}

/* EXIT_FINE, or why not. */
static int put(struct queues *q, const void *bytes, size_t n)
{
	ilk_time deadline = ticks_deadline(wait_ns);
	int rc;

	do
		rc = ilk_queue_put(&q->handle, bytes, n, queues_look_again(deadline));
	while (rc == -ETIMEDOUT && ilk_now() < deadline && !queues_caught());
	if (rc == 0)
		return EXIT_FINE;
	if (queues_caught())
		return EXIT_BY_SIGNAL + queues_caught();
	if (rc == -EMSGSIZE)
		return complain_of_size(q, n);
	if (rc != -ETIMEDOUT && rc != -EAGAIN)
		return queues_complain(q, rc);
	complain(page.command,
		"%s in %s is full, and the time is up; `ilk get` or `ilk work` makes room", q->name,
		q->segment);
	return EXIT_TRY_LATER;
}

static int put_input(struct queues *q)
{
	int end = null ? '\0' : '\n', code = EXIT_FINE;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while (code == EXIT_FINE && (n = getdelim(&line, &room, end, stdin)) >= 0)
		code = put(q, line, (size_t)n - (n > 0 && line[n - 1] == end));
	free(line);
	if (code == EXIT_FINE && queues_caught())
		return EXIT_BY_SIGNAL + queues_caught();
	if (code == EXIT_FINE && ferror(stdin))
		return complain(page.command, "the input could not be read: %s", strerror(errno));
	return code;
}

static int put_main(int argc, char **argv)
{
	struct queues q;
	int code = options_parse(&page, &argc, argv), rc;

	if (code != OPTIONS_GO)
		return code;
	code = queues_open(&q, page.command, argv[0], argv[1], &wish, 1);
	if (code != EXIT_FINE)
		return code;
	queues_catch_signals();
	code = message ? put(&q, message, strlen(message)) : put_input(&q);
	rc = code == EXIT_FINE && closes ? ilk_queue_close(q.queue) : 0;
	if (rc < 0)
		code = queues_complain(&q, rc);
	queues_close(&q);
	return code;
}

const struct command put_command = {.page = &page, .run = put_main};
