/* stage.h - what the files of the pipeline share. How words change, and what a death leaves: stage.c. */
#ifndef ILK_WORK_STAGE_H
#define ILK_WORK_STAGE_H

#include "segment/registry.h"
#include <ilk/pipeline.h>
#include <ilk/queue.h>

enum { ILK_STAGE_TAG_ = 0x7374, ILK_STAGE_SOMEBODY_ = 1 };

/* A stage in the segment; what is of the whole pipeline stands in the first. */
struct ilk_shared_stage_ {
	/* Fixed. */
	uint16_t tag, index;
	uint32_t window, workers, tries;
	/* Whose the pipeline is: generation 63..32, process slot + 1. By who makes it, and by who removes what a
	 * dead one left; under the directory's guard. */
	uint64_t owner;
	/* Of the pipeline. */
	uint64_t low ILK_ALIGNED_(64); /* all messages before it are done */
	uint64_t failure;              /* 0; stage + 1, and what it failed with, made positive */
	uint64_t failed_at;            /* the message of that, from 1 on; 0: none, or not known */
	uint32_t bell;                 /* SOMEBODY waits for `low` */
	uint32_t over;                 /* 1: the first stage has said END */
	/* Of the stage, by who watches over the pipeline: workers whose end it has not seen. */
	uint32_t running;
	/* Counts. */
	uint64_t taken ILK_ALIGNED_(64);
	uint64_t sent, again, skipped, doubled, busy_ns, died;
	/* Of its workers, a bit for each place: one came to its work, since who watches started it; there
	 * is nothing left for it, which is the last that it says. By the worker; `came` is cleared by who watches,
	 * while there is none. */
	uint64_t came[ILK_PIPELINE_WORKERS / 64] ILK_ALIGNED_(64);
	uint64_t ended[ILK_PIPELINE_WORKERS / 64];
	/* Of messages, by their number modulo the window; the first stage's: what each worker is at. */
	uint64_t word[];
};

/* A message's word: number 63..16, begun 15..8, copy 7..2, what 1..0. Numbers begin with 1. */
enum { ILK_MESSAGE_NEW_ = 0, ILK_MESSAGE_IN_ = 1, ILK_MESSAGE_DONE_ = 2 };
enum { ILK_MESSAGE_COPIES_ = 63, ILK_MESSAGE_BEGINNINGS_ = 255 };

static inline uint64_t ilk_message_word_(
	uint64_t number, uint32_t begun, uint32_t copy, uint32_t what)
{
	return number << 16 | (uint64_t)begun << 8 | (uint64_t)copy << 2 | what;
}
static inline uint64_t ilk_message_number_(uint64_t word)
{
	return word >> 16;
}
static inline uint32_t ilk_message_begun_(uint64_t word)
{
	return (uint32_t)(word >> 8) & 0xff;
}
static inline uint32_t ilk_message_copy_(uint64_t word)
{
	return (uint32_t)(word >> 2) & ILK_MESSAGE_COPIES_;
}
static inline uint32_t ilk_message_what_(uint64_t word)
{
	return (uint32_t)word & 3;
}
static inline uint64_t ilk_stage_bytes_(uint32_t window)
{
	return (sizeof(struct ilk_shared_stage_) + window * sizeof(uint64_t) + 63) / 64 * 64;
}

/* Is PLACE's bit set? Sets it. */
static inline int ilk_place_is_(const uint64_t *bits, unsigned place)
{
	return (int)(ilk_load_acquire_(&bits[place / 64]) >> place % 64 & 1);
}
static inline void ilk_place_set_(uint64_t *bits, unsigned place)
{
	ilk_or_full_(&bits[place / 64], UINT64_C(1) << place % 64);
}

/* What lies before a message's bytes in a queue. */
struct ilk_message_ {
	uint64_t number;
	uint32_t copy, is_nothing;
};

/* A pipeline as one process sees it. */
struct ilk_flow_ {
	struct ilk_segment *seg;
	struct ilk_stage stages[ILK_PIPELINE_STAGES];
	unsigned count;
	uint32_t window, flags;
	struct ilk_shared_stage_ *shared[ILK_PIPELINE_STAGES];
	struct ilk_queue *in[ILK_PIPELINE_STAGES]; /* before each stage; the first has none */
	uint32_t total_workers;
};

/* Checks and completes what is asked for. 0; -EINVAL. */
int ilk_flow_check_(struct ilk_flow_ *f, const struct ilk_stage *stages, unsigned count,
	const struct ilk_pipeline_options *options);

/* Opens the objects of the pipeline NAME, or makes them. 0; -E... */
int ilk_flow_open_(struct ilk_flow_ *f, struct ilk_segment *seg, const char *name);

/* Makes them, as the calling process's; none that is there is used. 0; -EBUSY; -E... */
int ilk_flow_make_(struct ilk_flow_ *f, struct ilk_segment *seg, const char *name);

/* Removes those that F has opened; each queue before its stage, which says whose they are. */
void ilk_flow_remove_(struct ilk_flow_ *f, const char *name);

/* The first failure, or 0; notes one, of message NUMBER, counted from 1, or 0: of none, and lets all end. */
int ilk_flow_failure_(const struct ilk_flow_ *f);
void ilk_flow_fail_(struct ilk_flow_ *f, unsigned stage, int rc, uint64_t number);

/* Waits until message NUMBER may be on its way. 0; -ECANCELED the pipeline ends; -E... */
int ilk_flow_wait_(struct ilk_flow_ *f, uint64_t number);

/* All up to the first that is not done are. */
void ilk_flow_advance_(struct ilk_flow_ *f);

/* Tells OUT the figures of S, a valid stage with so many WORDS. */
struct ilk_description_;
void ilk_stage_tell_(const struct ilk_map_ *map, const struct ilk_shared_stage_ *s, uint64_t words,
	struct ilk_description_ *out);

/* Works in STAGE, as its worker PLACE, until there is nothing more. 0; -E... */
int ilk_stage_work_(struct ilk_flow_ *f, unsigned stage, unsigned place);

#endif
