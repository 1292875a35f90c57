/*
 * hash.h - SipHash-1-3: who does not know the seed cannot choose keys that collide.
 *
 * Source: J.-P. Aumasson, D. J. Bernstein, SipHash: a fast short-input PRF (2012).
 */
#ifndef ILK_DATA_HASH_H
#define ILK_DATA_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ilk_hash_ {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t ilk_rotated_(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void ilk_hash_round_(struct ilk_hash_ *h)
{
	h->v0 += h->v1;
	h->v2 += h->v3;
	h->v1 = ilk_rotated_(h->v1, 13) ^ h->v0;
	h->v3 = ilk_rotated_(h->v3, 16) ^ h->v2;
	h->v0 = ilk_rotated_(h->v0, 32);
	h->v2 += h->v1;
	h->v0 += h->v3;
	h->v1 = ilk_rotated_(h->v1, 17) ^ h->v2;
	h->v3 = ilk_rotated_(h->v3, 21) ^ h->v0;
	h->v2 = ilk_rotated_(h->v2, 32);
}

static inline void ilk_hash_word_(struct ilk_hash_ *h, uint64_t word)
{
	h->v3 ^= word;
	ilk_hash_round_(h);
	h->v0 ^= word;
}

static inline uint64_t ilk_hash_bytes_(const uint64_t seed[2], const void *bytes, size_t count)
{
	struct ilk_hash_ h = {
		seed[0] ^ UINT64_C(0x736f6d6570736575),
		seed[1] ^ UINT64_C(0x646f72616e646f6d),
		seed[0] ^ UINT64_C(0x6c7967656e657261),
		seed[1] ^ UINT64_C(0x7465646279746573),
	};
	const char *at = (const char *)bytes;
	uint64_t word, last = (uint64_t)count << 56;

	for (; count >= sizeof word; count -= sizeof word, at += sizeof word) {
		memcpy(&word, at, sizeof word);
		ilk_hash_word_(&h, word);
	}
	word = 0;
	memcpy(&word, at, count);
	ilk_hash_word_(&h, last | word);
	h.v2 ^= 0xff;
	ilk_hash_round_(&h);
	ilk_hash_round_(&h);
	ilk_hash_round_(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

#endif
