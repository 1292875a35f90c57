/*
 * harness.h - kill a real process at every instruction of an operation, and ask the others.
 *
 * One trial: fresh segment; a survivor that attaches BEFORE the death ("early"); perhaps a partner
 * (who holds, sleeps, or is dead already); the victim, single-stepped from its marker to the chosen
 * instruction and killed there; perhaps a second victim, single-stepped and killed in the middle of
 * its recovery; a survivor that attaches AFTER ("late"). Each of them is a process of its own,
 * forked from the harness, which never attaches to anything itself.
 *
 * A point is a place between two instructions. Point 0 is before the first; the last is behind the
 * last instruction, or in the operation's sleep. Between two instructions that change neither a
 * byte of the segment nor anything in the kernel, death is the same: such points have one "state".
 */
#ifndef DEATH_HARNESS_H
#define DEATH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum role { ROLE_EARLY, ROLE_LATE, ROLE_PARTNER, ROLE_VICTIM, ROLE_SECOND, ROLE_COUNT };

/* Which survivor meets the remains first; the second victim is of the same kind. */
enum order { EARLY_FIRST, LATE_FIRST, TOGETHER, ORDER_COUNT };

/* What the partner does while the victim works. */
enum part {
	PART_NONE,
	PART_HOLDS,  /* partner() before the operation, partner_after() once the victim is dead */
	PART_SLEEPS, /* is asleep in partner_after() when the victim begins */
	PART_DIES,   /* partner(), then it is killed before the victim begins */
	/*
	 * Falls asleep in partner_after() when the victim sleeps (FROM_SLEEP, WOKEN); what both
	 * wait for is then let go by the early survivor, in release().
	 */
	PART_SLEEPS_TOO,
};

enum {
	IN_THREAD = 1,    /* the operation is the end of a thread of the victim */
	ENDS_ASLEEP = 2,  /* the operation's end is its first sleep */
	FROM_SLEEP = 4,   /* it runs up to its first sleep: that is point 0 */
	WOKEN = 8,        /* then the partner is let go; with FROM_SLEEP */
	LATE_ONLY = 16,   /* no room for a second victim that attaches early */
	STEP_ATTACH = 32, /* the second victim is killed while it attaches, too */
};

enum { NO_OUTCOME = -1, OUTCOME_LOOSE = -2, SAID = 256, REFERENCES = 2 };

struct stage;

/* One row per operation; each function returns 0, or what fail() returned. */
struct operation {
	const char *name, *what;
	const void *setting;                   /* the scenario's own */
	int (*found)(struct stage *s);         /* early survivor: makes the segment, attaches */
	int (*attach)(struct stage *s);        /* late survivor, second victim, partner */
	enum part part;                        /* what the partner does */
	int (*partner)(struct stage *s);       /* see enum part */
	int (*partner_after)(struct stage *s); /* see enum part */
	int (*release)(struct stage *s);       /* see PART_SLEEPS_TOO */
	int (*prepare)(struct stage *s);       /* victim, before the marker */
	int (*operate)(struct stage *s);       /* victim: what is stepped */
	int (*look)(struct stage *s);          /* who is s->first, before anything else */
	int (*recover)(struct stage *s);       /* survivors: meet the remains */
	int (*check)(struct stage *s);         /* both survivors at once: is all as it was? */
	int (*audit)(struct stage *s);         /* early survivor, late one still attached */
	/*
	 * The outcome of a death at the first and at the last point. In between it changes once at
	 * most: the operation has happened, or it has not. NO_OUTCOME: there is none to see.
	 */
	long before, after;
	unsigned flags;
};

/* What the processes of a trial tell the harness and each other, outside of any segment. */
struct board {
	int64_t since; /* when the one who recovers now was let go; the death, for a sleeper */
	int64_t recovery[ROLE_COUNT];
	char said[ROLE_COUNT][SAID];
	long outcome;
	long reference[REFERENCES]; /* what a run without any death found */
	uint32_t finished;
};

/* One process's view of the trial; a copy in each. */
struct stage {
	const struct operation *operation;
	struct board *board;
	char segment[48];
	enum role role;
	enum order order;
	bool first;        /* this survivor alone meets the victim's remains, untouched by others */
	bool reference;    /* there is no victim in this run */
	bool second;       /* two processes are killed */
	bool early_second; /* the second victim attaches before the death */
	int socket;        /* to the harness */
};

/* A place to kill at, found by a survey. Ordinals of states bear small differences between runs. */
struct target {
	long point;
	uint32_t state, offset; /* the OFFSETth point of that state */
	uint64_t address;       /* its own */
	uint64_t entered;       /* address of the state's first point */
	/* Up to the last system call before it the victim can run at full speed. */
	long calls, call_point; /* system calls so far; the point behind the last one */
	uint32_t call_state;    /* its state */
	/* From there it can run on to a breakpoint: the HITS-th time it comes by an address. */
	long hits;   /* 0: it cannot, and is stepped */
	long anchor; /* the point it is at then: this one, or before it in the same repetition */
	uint64_t anchor_address, anchor_entered;
	uint32_t anchor_state, anchor_offset;
	bool by_count; /* other processes change the segment meanwhile: go by point alone */
};

/* The course of an operation from marker to end. */
struct survey {
	struct target *targets;
	uint64_t *addresses;
	long points, room;
	uint32_t states;
};

struct trial {
	const struct operation *operation;
	enum order order;
	bool zombie;         /* the dead are not reaped before the survivors have finished */
	bool victim, second; /* is there one? */
	const struct target *target;     /* NULL: the end */
	const struct target *target2;    /* of the second victim */
	struct survey *survey, *survey2; /* to be filled, or NULL */
	const long *reference;
	int limit_ms;
};

struct verdict {
	bool survived;
	bool strayed; /* the walk did not arrive where the survey said */
	bool missed;  /* one was to be asleep, and never slept */
	int64_t slowest;
	long outcome;
	uint64_t address;
	long point;
	char said[SAID + 64];
	long reference[REFERENCES];
};

/* harness.c: one trial. */
void trial_run(const struct trial *trial, struct verdict *verdict);
void survey_free(struct survey *survey);
int64_t now_ns(void);

/* survivor.c: the life of a trial's processes; ends in _exit. */
_Noreturn void role_live(struct stage *s, bool traced);
const char *role_name(enum role role);
/* Notes what went wrong, for the report; returns -1. The first note stays. */
int fail(struct stage *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* 0 where RC is WANTED; else notes the call. */
int expect(struct stage *s, const char *call, int rc, int wanted);

#endif
