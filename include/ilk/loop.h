/*
 * ilk/loop.h - a range of numbers, worked off by many: parallel for, and reduce.
 *
 *	static int add(const struct ilk_part *part, void *arg)  // in any of the workers
 *	{
 *		struct columns *c = arg;                        // in the segment: nothing is copied
 *		for (uint64_t i = part->begin; i < part->end; i++)
 *			c->sum[i] = c->a[i] * c->b[i] + c->c[i];
 *		return 0;
 *	}
 *	...
 *	rc = ilk_parallel_for(seg, ROWS, 2, add, columns);      // in two processes
 *
 * The wrong pattern it replaces: a fixed share for each worker. The slowest decides how long it takes;
 * and if one dies, its share is missing and nobody knows which.
 *
 * A loop lies in the segment. A round of it is a range, 0 to count - 1, cut into at most
 * ILK_LOOP_PARTS parts: large ones first, then smaller ones (a half of what is left, shared by the
 * workers, at a time), so that all end at about the same time. The cut depends on count, workers and
 * least alone. Who works takes the next part by one instruction that names it, calls its own body, and
 * marks the part done.
 *
 * Death. A part whose worker died is done again, from its beginning, by another: within about 20 ms
 * after the kernel let go of the dead. So a body must be such that what it did to an index may be done
 * again: a store of what was computed from something else is, `x[i] += 1` is not. A part counts once:
 * its result lies in a place of its own, which is zeroed when it is begun, and belongs to the mark.
 *
 * Results. Each part has `result_bytes` bytes for what its body makes of it (a sum, a histogram);
 * ilk_loop_reduce() goes through them in their order, so that sums of floating point are the same each
 * time, whoever did which part.
 *
 * Teams. Starting processes takes longer than many a loop: a team's workers wait for round after round.
 *
 * Source: factoring, Hummel, Schonberg and Flynn 1992, for the cut. Not async-signal-safe.
 */
#ifndef ILK_LOOP_H
#define ILK_LOOP_H

#include <ilk/segment.h>
#include <ilk/spawn.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_LOOP_PARTS = 256, /* of a round, at most */
	ILK_LOOP_WORKERS = 64,
	ILK_LOOP_MOST_RESULT = 1 << 20,
};

/* In the segment. */
struct ilk_loop;

/* What a body is given. */
struct ilk_part {
	uint64_t begin, end; /* the indices from begin to end - 1 */
	uint64_t job;        /* as the round was begun with */
	void *result;        /* zeroed, for what it makes of them; NULL where there is none */
	unsigned number;     /* of the part, 0 ... */
	int again;           /* 1: one who died had begun it */
};

/* Does one part. 0; a negative number ends the round: its parts that nobody has begun are left out. */
typedef int ilk_loop_body(const struct ilk_part *part, void *arg);

struct ilk_loop_options {
	size_t size;
	size_t result_bytes; /* of each part, up to ILK_LOOP_MOST_RESULT; 0: none */
};

/*
 * Finds or makes the loop NAME. OPTIONS may be NULL: no results, or, if it is there, however it was made.
 * As ilk_block_open, less those of its SIZE; -EEXIST also: other result_bytes; -EINVAL OPTIONS.
 */
ILK_API int ilk_loop_open(struct ilk_segment *seg, const char *name,
	const struct ilk_loop_options *options, struct ilk_loop **l);

/* Makes a loop of ilk_loop_bytes(OPTIONS) bytes at L, in SEG, aligned to 64; once, before anybody uses
 * it. 0; -EINVAL it lies elsewhere, or OPTIONS; -EROFS. */
ILK_API size_t ilk_loop_bytes(const struct ilk_loop_options *options);
ILK_API int ilk_loop_init(struct ilk_segment *seg, struct ilk_loop *l, const char *label,
	const struct ilk_loop_options *options);

/* What a round is of. Zero means default; `size` is to be set. */
struct ilk_range {
	size_t size;
	uint64_t count; /* indices 0 to count - 1; 0: it is over at once */
	unsigned
		workers; /* for how many it is cut, up to ILK_LOOP_WORKERS; default 2; others may come */
	uint64_t
		least; /* indices in the smallest part but the last; default count / (32 workers) */
	uint64_t job;  /* for the bodies: which of several jobs, a place in the segment */
};

/*
 * Results that all of the following have, where nothing else is said:
 *
 *   -EIDRM       its name was removed
 *   -ECANCELED   another thread of this process closes the segment
 *   -EINVAL      L is no loop, or lies in no attachment; -EROFS
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 */

/* Begins a round. 0; -EBUSY the last one is not over, or another begins; -EPIPE L is closed, or was meanwhile:
 * then bodies may have been called for parts of the round, which is cancelled; -EINVAL RANGE. Killed in it:
 * begun, or not. Wait-free. */
ILK_API int ilk_loop_begin(struct ilk_loop *l, const struct ilk_range *range);

/*
 * Works at the round: waits until there is one, takes part after part, and then waits until those of
 * others are done, or does them again. DEADLINE limits the waiting.
 *
 *   0           the round is over, all is done
 *   negative    a body has returned that, here or elsewhere; -ECANCELED ilk_loop_cancel()
 *   -ETIMEDOUT  others are not done; or, no round was begun
 *   -EPIPE      closed, and no round was ever begun
 *   -EDEADLK    it is called by a body, whose part it would wait for
 *   -EBUSY      it is over, and so late is this call that a second round after it, or a later one, has failed
 *               since: how this one ended is not known any more
 *
 * Order: what came before the begin is seen by the bodies, what they wrote is seen after it.
 */
ILK_API int ilk_loop_run(struct ilk_loop *l, ilk_loop_body *body, void *arg, ilk_time deadline);

/* The same round after round: of failures of bodies the others are told. -EPIPE the loop was closed;
 * -ETIMEDOUT no round began until DEADLINE, or others were not done. */
ILK_API int ilk_loop_serve(struct ilk_loop *l, ilk_loop_body *body, void *arg, ilk_time deadline);

/* Waits until the round is over, without working; as run. Nobody else works: it waits. */
ILK_API int ilk_loop_wait(struct ilk_loop *l, ilk_time deadline);

/*
 * Calls COMBINE(into, result, arg) for the result of each part, in their order. 0; -EBUSY the round is
 * not over, or another was begun meanwhile: what is at INTO is undefined then; what it failed with;
 * -EINVAL also: L has no results.
 */
ILK_API int ilk_loop_reduce(struct ilk_loop *l, void *into,
	void (*combine)(void *into, const void *result, void *arg), void *arg);

/* Leaves out all parts that nobody has begun, and those of the dead. 0. The round is over when the living
 * are done with theirs. One that ends at the same moment can be said to be cancelled though no part of it
 * was left out. */
ILK_API int ilk_loop_cancel(struct ilk_loop *l);

/* No round is begun any more; who serves ends. 0. Idempotent. */
ILK_API int ilk_loop_close(struct ilk_loop *l);

/* --- with workers --- */

enum { ILK_TEAM_THREADS = 1 };

/* Zero means default; `size` is to be set. */
struct ilk_team_options {
	size_t size;
	size_t result_bytes;
	unsigned flags; /* ILK_TEAM_... */
};

/* A loop and who serves it. Private memory; fields private but for `loop`. For one thread, which is to
 * last as long: the children end with it. The loop's memory goes back when all of them have ended. */
struct ilk_team {
	struct ilk_loop *loop;
	struct ilk_segment *segment;
	ilk_loop_body *body;
	void *arg;
	unsigned flags, others;
	struct ilk_child children[ILK_LOOP_WORKERS];
	uint64_t threads[ILK_LOOP_WORKERS];
};

/*
 * Starts a team of WORKERS, the caller one of them: the others are children of this process
 * (ilk/spawn.h), which see ARG as it is now, or threads. 0; -EINVAL; of spawning, and of ilk_alloc.
 */
ILK_API int ilk_team_start(struct ilk_team *team, struct ilk_segment *seg, unsigned workers,
	ilk_loop_body *body, void *arg, const struct ilk_team_options *options);

/*
 * Does a round with it: as begin, then run without a deadline. Workers that have died since the last
 * one are replaced. RANGE's `workers` 0: the team's.
 */
ILK_API int ilk_team_run(struct ilk_team *team, const struct ilk_range *range);

/* Ends it: waits for the workers, kills those that have not ended after a second, frees the loop. */
ILK_API void ilk_team_stop(struct ilk_team *team);

/*
 * Calls BODY for the indices 0 to COUNT - 1 in WORKERS processes, the caller one of them, and waits for
 * all. Where no more processes can be started it goes with fewer. As run, and -ENOSPC no room for the
 * loop, 3 KiB and 256 results.
 */
ILK_API int ilk_parallel_for(
	struct ilk_segment *seg, uint64_t count, unsigned workers, ilk_loop_body *body, void *arg);

/* The same, and then combines the parts' results, of BYTES bytes each, into RESULT, which is zeroed. */
ILK_API int ilk_parallel_reduce(struct ilk_segment *seg, uint64_t count, unsigned workers,
	ilk_loop_body *body, void *arg, void *result, size_t bytes,
	void (*combine)(void *into, const void *result, void *arg));

#ifdef __cplusplus
}
#endif

#endif
