/* seeds.h - whole segments to be damaged: real ones, made when they are needed, never kept. */
#ifndef ILK_FUZZ_SEEDS_H
#define ILK_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_SEEDS = 8, FUZZ_SEED_BYTES = 32 << 10 };

struct seed {
	const char *name;
	size_t count;
	uint8_t bytes[FUZZ_SEED_BYTES];
};

/* Where the seeds' objects have these names, the kind of object stands before them. */
extern const char *const seed_object_names[];

/*
 * Makes them: the same each time but for pids, times and random ids, so that a case that damages
 * one is known by a number. Ends the program where one cannot be made.
 */
void seeds_make(struct seed seeds[FUZZ_SEEDS]);

#endif
