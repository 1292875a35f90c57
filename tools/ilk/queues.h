/* queues.h - how `put`, `get` and `work` come to a queue. */
#ifndef ILK_TOOLS_QUEUES_H
#define ILK_TOOLS_QUEUES_H

#include "ilk/options.h"
#include <ilk/queue.h>

/* What was asked of a queue; 0 and NULL: nothing. */
struct queues_wish {
	int64_t capacity, bytes, deliveries;
	const char *dead_letter;
};

/* Their rows in a table of options. */
#define QUEUES_ROWS(wish)                                                                    \
	{.name = "capacity",                                                                 \
		.kind = OPTION_NUMBER,                                                       \
		.value = "N",                                                                \
		.low = 1,                                                                    \
		.high = ILK_QUEUE_MOST_CAPACITY,                                             \
		.help = "messages that a new queue holds (default 128)",                     \
		.target = &(wish)->capacity},                                                \
		{.name = "bytes",                                                            \
			.kind = OPTION_SIZE,                                                 \
			.value = "SIZE",                                                     \
			.low = 1,                                                            \
			.high = ILK_QUEUE_MOST_BYTES,                                        \
			.help = "longest message of a new queue (default 4K)",               \
			.target = &(wish)->bytes},                                           \
		{.name = "deliveries",                                                       \
			.kind = OPTION_NUMBER,                                               \
			.value = "N",                                                        \
			.low = 1,                                                            \
			.high = ILK_QUEUE_MOST_DELIVERIES,                                   \
			.help = "in a new queue: how often a message is delivered at most\n" \
				"(default: until it is done)",                               \
			.target = &(wish)->deliveries},                                      \
	{                                                                                    \
		.name = "dead-letter", .kind = OPTION_TEXT, .value = "QUEUE",                \
		.help = "and the queue that gets it then (default: it is dropped)",          \
		.target = &(wish)->dead_letter                                               \
	}

/* A queue that is open. */
struct queues {
	const char *command, *segment, *name;
	struct ilk_segment *seg;
	struct ilk_queue *queue;
	struct ilk_queue_handle handle; /* of who opened it */
};

/*
 * Opens the queue NAME in SEGMENT for COMMAND; with MAKE the segment and the queue are made, as WISH
 * says, where they are not there. EXIT_FINE, or what complain() returned: then nothing is open.
 */
int queues_open(struct queues *q, const char *command, const char *segment, const char *name,
	const struct queues_wish *wish, int make);
void queues_close(struct queues *q);

/* Tells of RESULT, which a call about Q's queue returned. EXIT_ERROR. */
int queues_complain(const struct queues *q, int result);

/*
 * For calls that would wait: the next moment to look whether a signal has come; DEADLINE, if that is
 * sooner.
 */
ilk_time queues_look_again(ilk_time deadline);

/*
 * From the first call on, signals that would end us no longer do, but interrupt a system call. What
 * each returns: the last that came, or 0.
 */
void queues_catch_signals(void);
int queues_caught(void);

#endif
