/* seeds.h - whole segments to be damaged: real ones, made when they are needed, never kept. */
#ifndef ILK_FUZZ_SEEDS_H
#define ILK_FUZZ_SEEDS_H

#include <ilk.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_SEEDS = 17, FUZZ_SEED_BYTES = 32 << 10 };

struct seed {
	const char *name;
	size_t count;
	uint8_t bytes[FUZZ_SEED_BYTES];
};

/*
 * The block "room": what one waits for, one of each kind. In a block there is nothing before it that
 * would refuse damage.
 */
enum { FUZZ_PERMITS = 5 };
struct room {
	struct ilk_semaphore semaphore;
	struct ilk_barrier barrier, phaser;
	struct ilk_mutex mutex;
	struct ilk_condition condition;
	struct ilk_event event, signal;
	struct ilk_latch latch;
	struct ilk_once once;
	ILK_PERMITS(FUZZ_PERMITS) permits, of_process;
};

/* Rings, of those options, and the channel "talk". */
enum { FUZZ_RING_BYTES = 512 };
extern const struct ilk_ring_options seed_any, seed_fixed;
extern const char *const seed_ring_names[];

/* Where the seeds' objects have these names, the kind of object stands before them. */
extern const char *const seed_object_names[];

/*
 * Makes them: the same each time but for pids, times and random ids, so that a case that damages
 * one is known by a number. Ends the program where one cannot be made.
 */
void seeds_make(struct seed seeds[FUZZ_SEEDS]);

#endif
