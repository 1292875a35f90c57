/*
 * places.h - where in a whole segment the words stand that mean something, so that damage can be
 * done to just them.
 */
#ifndef ILK_FUZZ_PLACES_H
#define ILK_FUZZ_PLACES_H

#include "segment/layout.h"
#include <stddef.h>

/* Offsets of places of one kind. */
struct places {
	unsigned count;
	uint32_t at[2048];
};

struct map_of_places {
	struct ilk_header_ header;
	struct places blocks;  /* block headers */
	struct places entries; /* directory entries */
	struct places links;   /* words of 8 bytes that lead somewhere */
	struct places sizes;   /* words of 8 bytes that count bytes or things */
	struct places owners;  /* words of 4 bytes that name threads */
	struct places lives;   /* words of 8 bytes that name processes */
	struct places keys;    /* of pairs of locks; what is told of one follows */
	struct places states; /* words of 4 bytes of what is in a room, or has messages or values */
	struct places names;  /* texts; the sizes of the fields follow in name_bytes */
	uint32_t name_bytes[256];
};

/* Of a segment that is whole. */
void places_find(const uint8_t *bytes, size_t count, struct map_of_places *places);

#endif
