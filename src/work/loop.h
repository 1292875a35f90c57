/*
 * loop.h - what the files of the loop share: its bytes, its words, and what they mean. How they
 * change, and what a death leaves: loop.c.
 */
#ifndef ILK_WORK_LOOP_H
#define ILK_WORK_LOOP_H

#include "segment/registry.h"
#include <ilk/loop.h>

enum { ILK_LOOP_TAG_ = 0x6c6f };

/* In `flags`; in a bell. */
enum { ILK_LOOP_CLOSED_ = 1, ILK_LOOP_SOMEBODY_ = 1 };

/*
 * The state, and the word of a part: round 63..34, what 33..32, value 31..0 (an owner word; of a
 * failure: what the body returned, made positive; of a free part: 1, one who died had begun it).
 */
enum { ILK_ROUND_AT_ = 34, ILK_WHAT_AT_ = 32, ILK_ROUND_BITS_ = 30 };

/* What of the state. */
enum {
	ILK_LOOP_IDLE_ = 0,   /* round 0: none was begun */
	ILK_LOOP_BEGINS_ = 1, /* owner writes what the round is of */
	ILK_LOOP_OPEN_ = 2,
};

/* And of a part. */
enum {
	ILK_PART_FREE_ = 0,
	ILK_PART_TAKEN_ = 1, /* by owner */
	ILK_PART_DONE_ = 2,
	ILK_PART_FAILED_ = 3, /* or left out, since another had failed */
};

/* What a round is of: written before it is open, by who begins it. */
struct ilk_loop_range_ {
	uint64_t count, least, job;
	uint32_t workers, parts;
};

struct ilk_loop {
	/* Fixed, but for `failure`. */
	uint16_t tag, pad;
	uint32_t result_bytes;
	char label[24];
	uint64_t failure[2]; /* by round & 1, as a part's word: the first of that round */
	/* By who begins a round, closes, fails. */
	uint64_t state ILK_ALIGNED_(64);
	struct ilk_loop_range_ range;
	uint32_t flags;
	/* Bells: SOMEBODY may sleep on it. For a round to begin; for one to be over. */
	uint32_t begun, over;
	/* Counts. */
	uint64_t done ILK_ALIGNED_(64);
	uint64_t waited_ns;
	uint32_t again, slept;
	uint64_t part[ILK_LOOP_PARTS] ILK_ALIGNED_(64);
} ILK_ALIGNED_(64);

static inline uint32_t ilk_loop_round_(uint64_t word)
{
	return (uint32_t)(word >> ILK_ROUND_AT_);
}
static inline uint32_t ilk_loop_what_(uint64_t word)
{
	return (uint32_t)(word >> ILK_WHAT_AT_) & 3;
}
static inline uint64_t ilk_loop_word_(uint32_t round, uint32_t what, uint32_t value)
{
	return (uint64_t)round << ILK_ROUND_AT_ | (uint64_t)what << ILK_WHAT_AT_ | value;
}
static inline uint32_t ilk_loop_after_(uint32_t round)
{
	return (round + 1) & ((UINT32_C(1) << ILK_ROUND_BITS_) - 1);
}
/* How many rounds A is after B; one before it is more than half of all after it. */
static inline uint32_t ilk_rounds_since_(uint32_t a, uint32_t b)
{
	return (a - b) & ((UINT32_C(1) << ILK_ROUND_BITS_) - 1);
}
static inline int ilk_round_is_later_(uint32_t a, uint32_t b)
{
	return ilk_rounds_since_(a, b) - 1 < (UINT32_C(1) << (ILK_ROUND_BITS_ - 1)) - 1;
}
/* What WORD says of a part of ROUND: one of another round is over. */
static inline uint32_t ilk_part_what_(uint64_t word, uint32_t round)
{
	return ilk_loop_round_(word) == round ? ilk_loop_what_(word) : ILK_PART_DONE_;
}
static inline int ilk_part_is_over_(uint64_t word, uint32_t round)
{
	return ilk_part_what_(word, round) >= ILK_PART_DONE_;
}

static inline uint64_t ilk_loop_stride_(uint32_t result_bytes)
{
	return ((uint64_t)result_bytes + 15) / 16 * 16;
}
static inline uint64_t ilk_loop_bytes_(uint32_t result_bytes)
{
	return sizeof(struct ilk_loop) +
	       (ilk_loop_stride_(result_bytes) * ILK_LOOP_PARTS + 63) / 64 * 64;
}
static inline void *ilk_loop_result_(struct ilk_loop *l, uint32_t result_bytes, uint32_t part)
{
	return (char *)(l + 1) + ilk_loop_stride_(result_bytes) * part;
}

/* A round, as it was copied and checked. */
struct ilk_round_ {
	struct ilk_loop *loop;
	struct ilk_loop_range_ range;
	uint32_t number;
	uint32_t low;  /* all parts before it are over */
	uint32_t from; /* none before it is free */
};

/* Copies L's round, if one is open. 1; 0; -EINVAL what it is of cannot be. */
int ilk_loop_look_(const struct ilk_loop *l, struct ilk_round_ *r);

/* Are all parts of R over? */
int ilk_loop_is_over_(struct ilk_round_ *r);

/* How many parts R is cut into; where part K lies. */
uint64_t ilk_loop_parts_(const struct ilk_loop_range_ *r);
void ilk_loop_part_(const struct ilk_loop_range_ *r, uint32_t k, uint64_t *begin, uint64_t *end);
/* Completes R's workers and least, so that it has no more parts than there can be. 0; -EINVAL. */
int ilk_loop_cut_(struct ilk_loop_range_ *r);

/* Is L a loop, and not removed? 0; -EINVAL; -EIDRM; of ilk_here_. */
int ilk_loop_enter_(const struct ilk_loop *l);

/* Where the calling thread is: how long L's results are, all of which lie inside. 0; -EINVAL. */
int ilk_loop_results_(const struct ilk_loop *l, uint32_t *bytes);

/* The first failure of ROUND, or 0; -EBUSY where it cannot be told: one two or more rounds later has failed. */
int ilk_loop_outcome_(const struct ilk_loop *l, uint32_t round);

/* Notes RC as ROUND's, unless it has one; a later round's stays. */
void ilk_loop_note_failure_(struct ilk_loop *l, uint32_t round, int rc);

/* As ilk_loop_cancel, if ROUND is L's; where the calling thread has entered. */
void ilk_loop_cancel_round_(struct ilk_loop *l, uint32_t round);

/* Wakes all who sleep on BELL. */
void ilk_loop_ring_(uint32_t *bell);

/* Makes a loop that nobody can find: it is freed when neither this process has it open, nor a child that
 * it forks. As ilk_loop_open. */
int ilk_loop_make_nameless_(struct ilk_segment *seg, const char *label,
	const struct ilk_loop_options *options, struct ilk_loop **l);

#endif
