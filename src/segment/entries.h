/* entries.h - the lists of the directory: reading them, whoever may be changing them. */
#ifndef ILK_SEGMENT_ENTRIES_H
#define ILK_SEGMENT_ENTRIES_H

#include "segment/map.h"
#include <ilk/atomics.h>

/* A named object, as found. */
struct ilk_found_ {
	uint64_t offset;         /* of the object */
	uint64_t at;             /* of its entry */
	uint64_t from;           /* of the word that leads to the entry */
	struct ilk_entry_ entry; /* copied and checked, but for `open` */
};

/* A picture reads so much of an object with its entry. */
enum { ILK_ENTRY_AHEAD_ = 256 };

static inline struct ilk_entry_ *ilk_entry_at_(const struct ilk_map_ *map, uint64_t at)
{
	return (struct ilk_entry_ *)(void *)(map->base + at);
}

/* Is an entry in this state freed when no living process has it open? */
static inline int ilk_entry_is_kept_(uint16_t state)
{
	return state == ILK_ENTRY_REMOVED_ || state == ILK_ENTRY_NAMELESS_;
}

/* The word of the entry at AT with SLOT's bit. */
static inline uint64_t *ilk_open_word_(const struct ilk_map_ *map, uint64_t at, uint32_t slot)
{
	return (uint64_t *)(void *)(map->base + at + offsetof(struct ilk_entry_, open)) + slot / 64;
}

/* The bucket of names with this hash, and the offset of its first word. */
static inline uint32_t ilk_bucket_(const struct ilk_map_ *map, uint32_t hash)
{
	return hash & (map->header.buckets - 1);
}
static inline uint64_t ilk_bucket_at_(const struct ilk_map_ *map, uint32_t bucket)
{
	return map->header.buckets_at + bucket * sizeof(uint64_t);
}

/*
 * Calls EACH for every entry of one bucket, removed ones too, until it returns non-zero, which is
 * then the result; it may take the entry out. 0; -EBADMSG the list makes no sense. Without the
 * guard that may be because others change it: try again, in a picture with the bucket's word read
 * once more.
 */
int ilk_entries_in_(const struct ilk_map_ *map, uint32_t bucket,
	int (*each)(const struct ilk_found_ *found, void *arg), void *arg);

/* The same for all buckets; after one that makes no sense it goes on, and returns -EBADMSG. */
int ilk_entries_(const struct ilk_map_ *map, int (*each)(const struct ilk_found_ *found, void *arg),
	void *arg);

#endif
