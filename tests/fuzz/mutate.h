/*
 * mutate.h - damage to segments, by number: the same number is the same damage to the same seed.
 */
#ifndef ILK_FUZZ_MUTATE_H
#define ILK_FUZZ_MUTATE_H

#include "places.h"
#include "seeds.h"

enum { FUZZ_ROOM = 2 * FUZZ_SEED_BYTES };

/* A segment that is being damaged. */
struct victim {
	const struct seed *seed;
	const struct map_of_places *places; /* of the seed */
	uint64_t chance;                    /* state of the random numbers */
	size_t count;
	uint8_t bytes[FUZZ_ROOM];
};

/* A way to do damage. */
struct family {
	const char *name;
	void (*apply)(struct victim *v);
};

extern const struct family flip_families[], word_families[]; /* each ends with a NULL */

/* Takes the seeds, which stay, as what is damaged. */
void mutate_begin(const struct seed seeds[FUZZ_SEEDS]);

/* How many families there are, and what one is called. */
unsigned mutate_families(void);
const char *mutate_name(unsigned family);

/* Makes case NUMBER in V; its family. */
unsigned mutate(uint64_t number, struct victim *v);

/* A number below BELOW, which is not 0. */
uint64_t chance(struct victim *v, uint64_t below);

/* One of the places; 0 where there is none. */
uint32_t chance_place(struct victim *v, const struct places *p);

/* What stands there and what is to stand there; nothing where it is cut off. */
uint64_t get(const struct victim *v, uint64_t at);
void put(struct victim *v, uint64_t at, const void *bytes, size_t count);
void put32(struct victim *v, uint64_t at, uint32_t word);
void put64(struct victim *v, uint64_t at, uint64_t word);

#endif
