/*
 * get.c - ilk get: prints the messages of a queue.
 *
 * Each is leased, printed, flushed and then acked: killed at any instant, get has at worst printed a
 * message that another one gets as well, and lost none.
 */
#include "ilk/child.h"
#include "ilk/command.h"
#include "ilk/json.h"
#include "ilk/queues.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct queues_wish wish;
static int null, follow, json;
static int64_t most, wait_ns;

static const struct option_row rows[] = {
	{.name = "follow",
		.letter = 'f',
		.kind = OPTION_FLAG,
		.help = "go on waiting for messages until the queue is closed",
		.target = &follow},
	{.name = "number",
		.letter = 'n',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = INT64_MAX,
		.help = "end after so many (default: all that are there)",
		.target = &most},
	{.name = "wait",
		.letter = 'w',
		.kind = OPTION_SECONDS,
		.value = "SECONDS",
		.low = 0,
		.high = INT64_MAX,
		.help = "end when none came for so long (default: 0)",
		.target = &wait_ns},
	{.name = "null",
		.letter = '0',
		.kind = OPTION_FLAG,
		.help = "end each with a NUL, and not with a newline",
		.target = &null},
	OPTION_JSON(&json),
	QUEUES_ROWS(&wish),
	OPTION_END,
};

static const struct option_page page = {
	.command = "get",
	.operands = "NAME QUEUE",
	.min = 2,
	.max = 2,
	.summary = "print the messages of a queue, and take them out of it",
	.details =
		"Prints the messages of QUEUE in the segment NAME, oldest first, each on a line. A "
		"message\n"
		"leaves the queue when it is printed: if get is killed before, another one gets "
		"it.\n"
		"One who waits makes segment and queue, if it comes first.\n\n"
		"Exit code: 0 there was a message, or the queue is closed; 75 there was none; "
		"128 + N\n"
		"signal N came; 2 other errors.\n",
	.rows = rows,
};

/* 0; -1: there is no memory for it. */
static int print_json(const struct ilk_queue_lease *lease)
{
	char *bytes = malloc(lease->bytes + 1);
	struct json j;

	if (!bytes)
		return -1;
	memcpy(bytes, lease->data, lease->bytes);
	bytes[lease->bytes] = '\0';
	json_line(&j, stdout, page.command, 1);
	json_bytes(&j, "message", bytes, lease->bytes);
	json_integer(&j, "bytes", (int64_t)lease->bytes);
	json_integer(&j, "delivery", lease->deliveries);
	json_close(&j);
	free(bytes);
	return 0;
}

static int print_plain(const struct ilk_queue_lease *lease)
{
	fwrite(lease->data, 1, lease->bytes, stdout);
	return putchar(null ? '\0' : '\n') == EOF ? -1 : 0;
}

/* Prints one and finishes it. EXIT_FINE, or why not: then another one gets it. */
static int print(struct queues *q, const struct ilk_queue_lease *lease)
{
	int rc = json ? print_json(lease) : print_plain(lease);

	if (rc < 0 || fflush(stdout) != 0 || ferror(stdout)) {
		int error = errno;

		ilk_queue_nack(&q->handle, lease);
		clearerr(stdout); /* it is told here, and not once more by main() */
		return complain(page.command,
			"the output could not be written: %s; the message stays in %s",
			strerror(error), q->name);
	}
	ilk_queue_ack(&q->handle, lease);
	return EXIT_FINE;
}

/* As ilk_queue_lease(), but looks for signals, too. */
static int lease(struct queues *q, struct ilk_queue_lease *l)
{
	ilk_time deadline = follow ? ILK_FOREVER : ticks_deadline(wait_ns);
	int rc;

	do
		rc = ilk_queue_lease(&q->handle, l, queues_look_again(deadline));
	while (rc == -ETIMEDOUT && ilk_now() < deadline && !queues_caught());
	return rc;
}

static int get_all(struct queues *q)
{
	struct ilk_queue_lease l;
	int64_t got = 0;
	int rc = 0, code = EXIT_FINE;

	while (code == EXIT_FINE && !queues_caught() && (most == 0 || got < most) &&
		(rc = lease(q, &l)) == 0) {
		code = print(q, &l);
		got++;
	}
	if (queues_caught())
		return EXIT_BY_SIGNAL + queues_caught();
	if (rc == -ETIMEDOUT || rc == -EAGAIN)
		return got ? code : EXIT_TRY_LATER;
	return rc == 0 || rc == -EPIPE ? code : queues_complain(q, rc);
}

static int get_main(int argc, char **argv)
{
	struct queues q;
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	code = queues_open(&q, page.command, argv[0], argv[1], &wish, follow || wait_ns > 0);
	if (code != EXIT_FINE)
		return code;
	queues_catch_signals();
	code = get_all(&q);
	queues_close(&q);
	return code;
}

const struct command get_command = {.page = &page, .run = get_main};
