/*
 * ilk/pipeline.h - stages in a row, each with its workers: what one sends on the next gets.
 *
 *	static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
 *	{
 *		int i = (int)w->number;                       // 0, 1, ...
 *		return i < 100 ? ilk_work_send(w, &i, sizeof i) : ILK_STAGE_END;
 *	}
 *	static int twice(struct ilk_work *w, const void *in, size_t bytes, void *arg)
 *	{
 *		int i = 2 * *(const int *)in;
 *		return ilk_work_send(w, &i, sizeof i);
 *	}
 *	...
 *	const struct ilk_stage stages[] = {
 *		{.name = "generate", .body = generate, .out_bytes = sizeof(int)},
 *		{.name = "twice", .body = twice, .out_bytes = sizeof(int), .workers = 2, .tries = 3},
 *		{.name = "collect", .body = collect},
 *	};
 *	rc = ilk_pipeline_start(seg, "numbers", stages, 3, NULL, &p);
 *	rc = ilk_pipeline_join(p, ILK_FOREVER);               // 0, or the first failure
 *	ilk_pipeline_end(p);
 *
 * The wrong pattern it replaces: queues between processes, a sentinel for each consumer, and a counter of how
 * many have finished. One that dies takes its message along, its sentinel stays, and nobody ever ends.
 *
 * Messages. The first stage is asked for message 0, 1, ... until it says ILK_STAGE_END; so it can be asked
 * again. Of N workers there each is asked for every N-th, until it says so, too: who says END of a number is
 * to say it of all that follow. Each other stage gets each message and sends on one or none. A message that a
 * stage sends none for is not given to later ones. Between the stages are queues (NAME/STAGE.in in the segment):
 * a stage that is slow holds up those before it, and no more than `window` messages are on their way.
 *
 * Death, and errors. A body whose worker is killed in it, or that returns a negative number, is called again
 * with the same message, by another worker or the same, `tries` times in all. After that the pipeline ends,
 * with -EOWNERDEAD or what the body returned; with ILK_STAGE_SKIP the message is left out and all goes on.
 * Workers that are killed, or end in a body by exit(3) or exec(3), are replaced, as often as it takes. Only where
 * ten of a stage, one after the other, end before they have come to their work, the pipeline does, with -EOWNERDEAD.
 * How they end otherwise, and whether SIGCHLD is ignored or another call reaps them, does not matter.
 *
 * Exactly once. Whatever is killed wherever: a message is not lost, and of what a body sent in several tries
 * the next stage gets one. What a body does otherwise (a file that it writes, a counter) it does again when it is
 * called again: also if it was killed in the few instructions between its return and the mark that says so.
 *
 * Order. With ILK_PIPELINE_ORDERED the last stage gets messages in the order of their numbers; it has one
 * worker then. Without, in any.
 *
 * All workers are children of the process that starts the pipeline, and end with it. Not async-signal-safe.
 */
#ifndef ILK_PIPELINE_H
#define ILK_PIPELINE_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_PIPELINE_STAGES = 16,
	ILK_PIPELINE_WORKERS = 256, /* of all stages */
	ILK_PIPELINE_MOST_WINDOW = 1 << 16,
	ILK_PIPELINE_MOST_TRIES = 50,
	/* Of a stage. */
	ILK_STAGE_SKIP = 1,
	/* What the first stage's body returns. */
	ILK_STAGE_END = 1,
	/* Of a pipeline. */
	ILK_PIPELINE_ORDERED = 1,
};

/* A message in work; of the worker. */
struct ilk_work {
	uint64_t number; /* of the message: 0, 1, ... */
	unsigned tries;  /* 1: the first */
	/* Private. */
	unsigned is_sent;
	size_t room, bytes;
	void *out;
};

/* Does a message: the BYTES bytes at IN (NULL in the first stage), until it returns. 0; negative: failed;
 * ILK_STAGE_END, of the first stage. Any other positive number fails with -EINVAL. */
typedef int ilk_stage_body(struct ilk_work *work, const void *in, size_t bytes, void *arg);

/* Sends a message on, when the body has returned 0: DATA is copied. 0; -EMSGSIZE more than the stage's
 * out_bytes, or the last stage's; -EALREADY one was sent. */
ILK_API int ilk_work_send(struct ilk_work *work, const void *data, size_t bytes);

/* Zero means default. */
struct ilk_stage {
	const char *name; /* with the pipeline's, at most 58 bytes */
	ilk_stage_body *body;
	void *arg;
	unsigned workers; /* default 1; the last stage of an ordered pipeline has one */
	unsigned tries;   /* default 1: neither errors nor deaths are tried again */
	unsigned flags;   /* ILK_STAGE_... */
	size_t out_bytes; /* of the longest message that it sends on; with 16 more, a queue's most */
	size_t capacity;  /* of the queue behind it; default 64 */
};

struct ilk_pipeline_options {
	size_t size;
	unsigned flags;  /* ILK_PIPELINE_... */
	unsigned window; /* messages on their way at most; a power of two; default 256 */
};

/* Private memory, of the process that started it. */
struct ilk_pipeline;

/*
 * Starts the pipeline NAME of COUNT stages, 2 at least. STAGES is copied; their bodies' ARG is what the children
 * see of it.
 *
 *   0        *P is running
 *   -EINVAL  COUNT, names, workers, tries, flags, window, out_bytes, capacity are out of range; a body is missing; two
 *            stages have one name; the first has more workers than the window messages
 *   -EBUSY   a living process has a pipeline of that name in SEG, or starts one, that has one of these stages;
 *            what a dead one left of them is removed first
 *   -EEXIST  also: NAME/STAGE.in is a queue that is no stage's
 *   -EAGAIN, -ENOMEM; and as ilk_queue_open
 *
 * Where a worker cannot be started ilk_pipeline_join says why.
 */
ILK_API int ilk_pipeline_start(struct ilk_segment *seg, const char *name,
	const struct ilk_stage *stages, unsigned count, const struct ilk_pipeline_options *options,
	struct ilk_pipeline **p);

/* Waits until all is done. 0; -ETIMEDOUT; what a body failed with, -EOWNERDEAD a worker ended in it,
 * -ECANCELED it was stopped; -EBADMSG what lies between its stages cannot be: some is missing. Of a failure
 * ilk_last_error() tells the stage, the message, and by which signal a worker died. */
ILK_API int ilk_pipeline_join(struct ilk_pipeline *p, ilk_time deadline);

/* Makes it end as soon as the bodies that run have returned. 0. */
ILK_API int ilk_pipeline_stop(struct ilk_pipeline *p);

/* Stops it if it is not done, kills what does not end within a second, removes what is of it. */
ILK_API void ilk_pipeline_end(struct ilk_pipeline *p);

/* A stage, as it is; `size` is to be set. Who is killed beside a count may leave it out. */
struct ilk_stage_info {
	size_t size;
	uint64_t taken, sent; /* messages begun for the first time; of these, done with */
	uint64_t again;       /* tries beyond the first */
	uint64_t skipped;     /* left out */
	uint64_t doubled;     /* messages that came twice, and were dropped */
	uint64_t busy_ns;     /* in its bodies */
	uint64_t died;        /* workers that were replaced */
};

/* 0; -EINVAL no such stage. */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_stage_info(
	const struct ilk_pipeline *p, unsigned stage, struct ilk_stage_info *info);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#endif
