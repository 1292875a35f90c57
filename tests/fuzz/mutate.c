/* mutate.c - picks seed and families by the number of the case. */
#include "mutate.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_FAMILIES = 64, MOST_COMBINED = 4 };

static const struct seed *all_seeds;
static struct map_of_places places[FUZZ_SEEDS];
static const struct family *families[MOST_FAMILIES];
static unsigned count;

/* SplitMix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t chance(struct victim *v, uint64_t below)
{
	return next(&v->chance) % below;
}

uint32_t chance_place(struct victim *v, const struct places *p)
{
	return p->count ? p->at[chance(v, p->count)] : 0;
}

uint64_t get(const struct victim *v, uint64_t at)
{
	uint64_t word = 0;

	if (at <= v->count && v->count - at >= sizeof word)
		memcpy(&word, v->bytes + at, sizeof word);
	return word;
}

void put(struct victim *v, uint64_t at, const void *bytes, size_t n)
{
	if (at <= v->count && v->count - at >= n)
		memcpy(v->bytes + at, bytes, n);
}

void put32(struct victim *v, uint64_t at, uint32_t word)
{
	put(v, at, &word, sizeof word);
}

void put64(struct victim *v, uint64_t at, uint64_t word)
{
	put(v, at, &word, sizeof word);
}

static void combine(struct victim *v)
{
	unsigned n = 2 + (unsigned)chance(v, MOST_COMBINED - 1);

	/* The last family is this one. */
	for (unsigned i = 0; i < n; i++)
		families[chance(v, count - 1)]->apply(v);
}

static const struct family combination = {"several of these", combine};

static void take(const struct family *from)
{
	for (; from->name; from++)
		families[count++] = from;
}

void mutate_begin(const struct seed seeds[FUZZ_SEEDS])
{
	all_seeds = seeds;
	for (int i = 0; i < FUZZ_SEEDS; i++)
		places_find(seeds[i].bytes, seeds[i].count, &places[i]);
	count = 0;
	take(flip_families);
	take(word_families);
	families[count++] = &combination;
}

unsigned mutate_families(void)
{
	return count;
}

const char *mutate_name(unsigned family)
{
	return families[family]->name;
}

/* Families in turn, so that each gets its share; a third of all are combinations. */
unsigned mutate(uint64_t number, struct victim *v)
{
	uint64_t turn = number % (count + count / 2);
	unsigned family = turn < count ? (unsigned)turn : count - 1;
	unsigned seed;

	v->chance = number;
	seed = (unsigned)chance(v, FUZZ_SEEDS);
	v->seed = &all_seeds[seed];
	v->places = &places[seed];
	v->count = v->seed->count;
	memcpy(v->bytes, v->seed->bytes, v->count);
	families[family]->apply(v);
	return family;
}
