/*
 * frame.h - what every scenario of the race lab shares.
 *
 * A scenario is a bug that shows when processes meet in shared memory, and the ways to put it
 * right: one file NAME.c with a struct race_scenario race_NAME, one page explain/NAME.txt, and its
 * name in CMakeLists.txt. Nothing is scripted: the frame starts real processes, each of which opens
 * a real segment by its name, lets them go at one moment, and counts what came out.
 *
 *	static int work(struct race_worker *me, int64_t times)
 *	{
 *		for (; times > 0; times--)
 *			...
 *		return 0;
 *	}
 *
 * What a worker opens it keeps in thread-local variables: the workers are processes, or threads of
 * one.
 */
#ifndef ILK_RACE_FRAME_H
#define ILK_RACE_FRAME_H

#include <ilk/segment.h>
#include <stddef.h>

struct race_control;
struct race_log;

/* One that takes part; its own alone. */
struct race_worker {
	int index, count;     /* which of how many */
	int process, thread;  /* of which process it is a thread, and which there */
	uint64_t random;      /* state of race_random() */
	struct race_log *log; /* NULL: nothing is noted in this run */
	struct race_control *control;
	uint32_t meetings;
};

/* What came of a run. */
struct race_count {
	int64_t expected; /* set before to the iterations that all workers did */
	int64_t got;
	int64_t failures; /* set before to -1: it is expected - got */
	int64_t of;       /* the percentage is of so many; set before to -1: of expected */
};

/* What a variant is to do. */
enum race_aim {
	RACE_FAILS,    /* the bug: it shows each time */
	RACE_MAY_FAIL, /* the bug, and rare: it need not show */
	RACE_HOLDS,    /* right */
	RACE_COSTS,    /* right, but takes longer than the first that holds */
};

struct race_variant {
	const char *name;
	const char *what; /* what it does, in a few words */
	enum race_aim aim;
	/* Once, before there are workers: what has to be made by one. 0, or -E... NULL: nothing */
	int (*prepare)(struct ilk_segment *seg);
	/* In each worker before the start, and in who counts at the end: finds what is shared. */
	int (*open)(struct ilk_segment *seg);
	/* In each worker: does it TIMES times. Called again and again. 0, or -E... */
	int (*work)(struct race_worker *me, int64_t times);
	/* After the end, also of a hang or a crash: must not wait for anybody. */
	void (*judge)(struct race_count *count);
	/* Why it cannot run here; NULL: it can. The function may be NULL. */
	const char *(*absent)(void);
};

/* What a worker noted. */
struct race_event {
	uint64_t at; /* race_clock() */
	int worker;
	const char *what; /* constant string */
	int64_t value;
};

struct race_scenario {
	const char *name;
	const char *bug, *breaks,
		*fix;         /* each a short line: the wrong code, what it does, the cure */
	const char *failures; /* what is counted: "updates lost" */
	const struct race_variant *variants;
	int variant_count;
	/* What it needs, and its defaults; 0: 2 workers or more; 2 processes; 1,000,000. */
	int least_workers, most_workers, processes;
	int64_t iterations;
	int only_processes; /* a worker dies or forks: a thread cannot do that alone */
	/*
	 * Workers call race_meet(): all do the same number of iterations, CHUNK of them at a time.
	 * CHUNK 0: 16384, or 1024 where they meet.
	 */
	int meets;
	int64_t chunk;
	int patience_ms; /* no worker got on for so long: a hang; 0: 10 s */
	int is_noted; /* every run is noted, since a bug here hangs or kills; else a small one more */
	/*
	 * Where in these COUNT events, sorted by time, is what shows the bug: sets *FROM and *TO,
	 * and returns 1; 0: nowhere. NULL: where is_noted, the last events of each; else there is
	 * no witness.
	 */
	int (*witness)(const struct race_event *events, int count, int *from, int *to);
};

/* Which there are; ends with NULL. Made by the build from the list in CMakeLists.txt. */
extern const struct race_scenario *const race_scenarios[];
/* The file of a scenario, and its page; in the same order. */
extern const char *const race_sources[], *const race_pages[];

/* --- for workers --- */

/*
 * Finds or makes the block NAME of BYTES zeroed bytes, and sets the pointer at WHERE to it. Results
 * as ilk_block_open's.
 */
int race_block(struct ilk_segment *seg, const char *name, size_t bytes, void *where);

/* How many workers race in this run; also for prepare(). */
int race_workers(void);

/* A number below LIMIT, of the run's seed. */
uint64_t race_random(struct race_worker *me, uint64_t limit);

/* Ticks of a clock that all processors share. */
uint64_t race_clock(void);

/*
 * Waits until all workers are here, and comes back in all of them at one moment, within some
 * nanoseconds if they have a processor each.
 */
void race_meet(struct race_worker *me);

/* kill -9 of the calling process, as planned. */
_Noreturn void race_die(struct race_worker *me);

/*
 * A child process of a worker, as fork(); it dies with the thread that calls this, so that nothing
 * is left behind.
 */
int race_fork(void);

void race_note_(struct race_worker *me, const char *what, int64_t value);

/* Notes that WHAT, a constant string, just happened; costs a branch where nothing is noted. */
static inline void race_note(struct race_worker *me, const char *what, int64_t value)
{
	if (__builtin_expect(me->log != NULL, 0))
		race_note_(me, what, value);
}

/* --- for who runs them --- */

/* Who races, and how long. */
struct race_size {
	int processes;
	int threads;        /* in each process; 1: the process itself is the worker */
	int64_t iterations; /* of each worker; 0: as many as it can in */
	int64_t nanoseconds;
	uint64_t seed;
};

enum race_verdict {
	RACE_OK,    /* nothing went wrong */
	RACE_SHOWN, /* something did */
	RACE_HANG,  /* no worker got on; they were ended */
	RACE_CRASH, /* a worker died, and not by race_die(); the others were ended */
};

enum { RACE_WITNESSES = 24 };

struct race_outcome {
	enum race_verdict verdict;
	struct race_count count;
	double ns_per_op;  /* from the first start to the last end, over all iterations of all; NAN
			     */
	char details[400]; /* of a crash, a hang, or of what kept it from running */
	/* The witness: what happened, in order; at is nanoseconds since the first of them. */
	int event_count;
	struct race_event events[RACE_WITNESSES];
};

/* Hears several times a second how far it is; EXPECTED is 0 where nobody knows. */
typedef void race_progress(int64_t done, int64_t expected, void *arg);

/*
 * Runs VARIANT, and where it failed looks for a witness. 0; -1: it could not be run,
 * OUTCOME->details says why. PROGRESS may be NULL.
 */
int race_run(const struct race_scenario *scenario, const struct race_variant *variant,
	const struct race_size *size, race_progress *progress, void *arg,
	struct race_outcome *outcome);

#endif
