/* queues.c - see queues.h. */
#include "ilk/queues.h"
#include "ilk/report.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	CAPACITY = 128,
	MESSAGE = 4096,
	SEGMENT = 4 << 20, /* at least: there is room for some queues of that kind in it */
	LOOK_EACH_MS = 50,
};

/* --- opening --- */

static struct ilk_queue_options options_of(const struct queues_wish *wish)
{
	return (struct ilk_queue_options){
		.size = sizeof(struct ilk_queue_options),
		.capacity = wish->capacity ? (size_t)wish->capacity : CAPACITY,
		.message_bytes = wish->bytes ? (size_t)wish->bytes : MESSAGE,
		.max_deliveries = (unsigned)wish->deliveries,
		.dead_letter = wish->dead_letter,
	};
}

static int make_segment(struct queues *q, const struct ilk_queue_options *options)
{
	/* A queue for the dead letters, too; and what stands around each message. */
	size_t room = 3 * options->capacity * (options->message_bytes + 64);
	struct ilk_segment_options s = {
		.size = sizeof(s), .bytes = room > SEGMENT ? room : SEGMENT};
	int rc = ilk_segment_create(q->segment, &s, &q->seg);

	/* Another one made it meanwhile, and otherwise. */
	return rc == -EEXIST ? ilk_segment_open(q->segment, NULL, &q->seg) : rc;
}

static int open_segment(struct queues *q, const struct ilk_queue_options *options, int make)
{
	int rc = ilk_segment_open(q->segment, NULL, &q->seg);

	return rc == -ENOENT && make ? make_segment(q, options) : rc;
}

/* The queue that is there, however it was made, or a new one. */
static int open_queue(struct queues *q, const struct ilk_queue_options *options, int make)
{
	struct ilk_queue_options plain = *options;
	struct ilk_queue *letters;
	int rc = ilk_queue_open(q->seg, q->name, NULL, &q->queue);

	if (rc != -ENOENT || !make)
		return rc;
	plain.dead_letter = NULL;
	plain.max_deliveries = 0;
	if (options->dead_letter) {
		rc = ilk_queue_open(q->seg, options->dead_letter, NULL, &letters);
		if (rc == -ENOENT)
			rc = ilk_queue_open(q->seg, options->dead_letter, &plain, &letters);
		if (rc < 0)
			return rc;
	}
	rc = ilk_queue_open(q->seg, q->name, options, &q->queue);
	/* Another one made it meanwhile, and otherwise. */
	return rc == -EEXIST ? ilk_queue_open(q->seg, q->name, NULL, &q->queue) : rc;
}

static int complain_of_difference(const struct queues *q, const char *option, const char *is)
{
	return complain(q->command,
		"%s in %s was made with --%s %s, which cannot be changed; leave it out, or use "
		"another queue",
		q->name, q->segment, option, is);
}

/* Is it what was wished for? EXIT_FINE, or a complaint. */
static int compare(const struct queues *q, const struct queues_wish *wish)
{
	struct ilk_queue_info info = {.size = sizeof(info)};
	int rc = ilk_queue_info(q->queue, &info);
	const struct {
		const char *option;
		int64_t wish, is;
		int is_least; /* it may have been rounded up */
	} rows[] = {
		{"capacity", wish->capacity, (int64_t)info.capacity, 1},
		{"bytes", wish->bytes, (int64_t)info.message_bytes, 1},
		{"deliveries", wish->deliveries, info.max_deliveries, 0},
	};
	char is[32];

	if (rc < 0)
		return queues_complain(q, rc);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(is, sizeof is, "%lld", (long long)rows[i].is);
		if (rows[i].wish > rows[i].is ||
			(rows[i].wish && !rows[i].is_least && rows[i].wish != rows[i].is))
			return complain_of_difference(q, rows[i].option, is);
	}
	if (wish->dead_letter && strcmp(wish->dead_letter, info.dead_letter) != 0)
		return complain_of_difference(
			q, "dead-letter", info.dead_letter[0] ? info.dead_letter : "(none)");
	return EXIT_FINE;
}

static int complain_of_open(const struct queues *q, int result)
{
	if (result == -ENOENT)
		return complain(q->command, "there is no queue %s in %s; `ilk put %s %s` makes one",
			q->name, q->segment, q->segment, q->name);
	return complain_of_object(q->command, q->segment, q->name, "queue", result);
}

int queues_open(struct queues *q, const char *command, const char *segment, const char *name,
	const struct queues_wish *wish, int make)
{
	struct ilk_queue_options options = options_of(wish);
	int rc, code;

	*q = (struct queues){.command = command, .segment = segment, .name = name};
	rc = open_segment(q, &options, make);
	if (rc < 0)
		return complain_of(command, segment, rc);
	rc = open_queue(q, &options, make);
	if (rc == 0)
		rc = ilk_queue_attach(q->queue, &q->handle);
	code = rc < 0 ? complain_of_open(q, rc) : compare(q, wish);
	if (code != EXIT_FINE)
		queues_close(q);
	return code;
}

void queues_close(struct queues *q)
{
	ilk_segment_close(q->seg);
	q->seg = NULL;
}

int queues_complain(const struct queues *q, int result)
{
	if (result == -EPIPE)
		return complain(q->command,
			"%s in %s is closed: it takes nothing more; use another queue", q->name,
			q->segment);
	return complain_of_use(q->command, q->segment, q->name, result);
}

/* --- waiting --- */

ilk_time queues_look_again(ilk_time deadline)
{
	ilk_time soon = ilk_after_ms(LOOK_EACH_MS);

	return deadline == ILK_NOW || (deadline != ILK_FOREVER && deadline < soon) ? deadline
										   : soon;
}

static volatile sig_atomic_t caught;

static void note(int signal)
{
	caught = signal;
}

void queues_catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = note}, before;

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

int queues_caught(void)
{
	return caught;
}
