/*
 * ilk/map.h - keys and values that all processes share: a dict, of bytes.
 *
 *	struct ilk_map_handle results;          // texts of up to 40 bytes lead to up to 64 bytes
 *	int rc = ilk_map_open(seg, "results", ILK_MAP_TEXT(40), 64, NULL, &results);
 *	if (rc == 0)
 *		rc = ilk_map_put(&results, "alpha", &sum, sizeof sum);
 *	...
 *	rc = ilk_map_get(&results, "alpha", &sum, sizeof sum, NULL);    // -ENOENT: not there
 *
 * and what others would write as results[key] += 1:
 *
 *	static int one_more(void *value, size_t *bytes, void *arg)
 *	{
 *		++*(uint64_t *)value;           // zero bytes where there was no such key
 *		*bytes = sizeof(uint64_t);
 *		return 0;
 *	}
 *	rc = ilk_map_update(&results, "alpha", one_more, NULL);
 *
 * and all there is, while others go on:
 *
 *	struct ilk_map_cursor cursor = {0, 0};
 *	char key[41];
 *	while (ilk_map_next(&results, &cursor, key, &sum, sizeof sum, NULL) == 0)
 *		printf("%s %g\n", key, sum);
 *
 * The wrong pattern: get, change, put. Of two processes that do so at once one has worked in vain.
 * And a server process that keeps the dict for all: each look costs two messages, and with the
 * server all is lost.
 *
 * The map is made of stripes, each a table of its own with a robust lock; a key's hash, which is
 * seeded with the segment's random id, says in which stripe it is. So calls for different keys
 * mostly do not meet. A stripe that is full doubles its room, from the segment's memory, which only
 * stops those who want that stripe. Room is given back by removing the map's name (ilk/object.h),
 * and by nothing else; what a removed entry leaves is used for the next.
 *
 * Each change of an entry, all of ilk_map_update() included, is one step: others see it whole or
 * not at all, and so does everybody after a death at any instruction. The one who next uses a
 * stripe whose user died in it finishes the change or takes it back; nobody is told, since nothing
 * is left half-done. Only ilk_map_clear() is a step for each stripe.
 *
 * Progress. Each call waits for who is in the same stripe, for the living only; that takes as long
 * as a copy of a value, a function of ilk_map_update(), or a stripe's growth. Each call has a form
 * with a deadline. What a call sees was put, and what came before that put, before the call.
 * Not async-signal-safe.
 *
 * Results that every call below may have, beside its own:
 *
 *   -ETIMEDOUT   the deadline has passed first
 *   -EDEADLK     called from within a function of ilk_map_update(), for the same stripe
 *   -EIDRM       its name was removed (ilk/object.h), before or while it waited
 *   -EBADMSG     the segment is damaged
 *   -ECANCELED   another thread of this process closes the segment
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EROFS       of a read-only attachment: who reads takes a lock, too
 *   -EINVAL      its segment was closed
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 */
#ifndef ILK_MAP_H
#define ILK_MAP_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As key_bytes: keys are texts of at most N bytes, and the zero that ends them. */
#define ILK_MAP_TEXT(n) ((uint32_t)(n) | ILK_MAP_IS_TEXT_)
#define ILK_MAP_IS_TEXT_ (UINT32_C(1) << 31)

enum {
	ILK_MAP_STRIPES = 16,
	ILK_MAP_MOST_STRIPES = 1024,
	ILK_MAP_MOST_KEY_BYTES = 4096,
};
/* As a length: there is no such entry, or there is to be none. */
#define ILK_MAP_ABSENT SIZE_MAX

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_map_options {
	size_t size;
	unsigned stripes; /* 1, 2, 4 ... ILK_MAP_MOST_STRIPES; 0: ILK_MAP_STRIPES */
	unsigned entries; /* how many are expected, so that it need not grow; only a hint, which is
			   * followed up to a half of the segment */
};

struct ilk_map;

/*
 * A process's way to one: fill it by ilk_map_open(); it may be copied, used by any thread, and by
 * forked children, until the segment is closed. Fields private.
 */
struct ilk_map_handle {
	struct ilk_segment *segment;
	struct ilk_map *map;
	uint64_t seed[2];
	uint32_t key, value_bytes; /* as asked for */
	uint32_t stripes, shift;   /* 2^shift slots are a stripe's first extent; */
	uint32_t most;             /* more extents than that have no room in the segment */
	uint32_t value_at, stride; /* of an entry: where its value is, and all its bytes */
};

/*
 * Finds or makes the map NAME: each key has KEY_BYTES bytes, of any value; or ILK_MAP_TEXT(n). A
 * value has as many bytes as it is put with, VALUE_BYTES at most. Results as ilk_block_open's;
 * -EEXIST also where its keys, values or stripes are others: ilk_last_error() says which; -EINVAL
 * also for such KEY_BYTES or OPTIONS as cannot be.
 *
 * The map itself is small; -ENOSPC may also come later, from what needs room for a new entry.
 */
ILK_API int ilk_map_open(struct ilk_segment *seg, const char *name, uint32_t key_bytes,
	uint32_t value_bytes, const struct ilk_map_options *options, struct ilk_map_handle *h);

/*
 * Copies KEY's value to VALUE, which has ROOM bytes; *BYTES, if not NULL, gets its length. VALUE
 * may be NULL: only asks. 0; -ENOENT there is no such entry; -EMSGSIZE it is longer than ROOM:
 * *BYTES is set, and nothing copied; -ENAMETOOLONG KEY is a longer text than the map's keys may be.
 */
ILK_API int ilk_map_get_until(const struct ilk_map_handle *h, const void *key, void *value,
	size_t room, size_t *bytes, ilk_time deadline);

/*
 * KEY leads to the BYTES bytes at VALUE, whatever was there. 0; -EMSGSIZE those are more than a
 * value may have; -ENAMETOOLONG as get; -ENOSPC there is no room for a new entry: nothing changed,
 * and entries that are there can be changed and removed still.
 */
ILK_API int ilk_map_put_until(const struct ilk_map_handle *h, const void *key, const void *value,
	size_t bytes, ilk_time deadline);

/* The same, unless KEY leads to something already: -EEXIST, and nothing changed. */
ILK_API int ilk_map_add_until(const struct ilk_map_handle *h, const void *key, const void *value,
	size_t bytes, ilk_time deadline);

/*
 * The same, if KEY leads to just the WAS_BYTES bytes at WAS. -EAGAIN it leads to something else,
 * -ENOENT to nothing: nothing changed.
 */
ILK_API int ilk_map_replace_until(const struct ilk_map_handle *h, const void *key, const void *was,
	size_t was_bytes, const void *value, size_t bytes, ilk_time deadline);

/* KEY leads to nothing any more. 0; -ENOENT it did not; -ENAMETOOLONG as get. */
ILK_API int ilk_map_remove_until(
	const struct ilk_map_handle *h, const void *key, ilk_time deadline);

/* Get and remove, in one step. Results as get's; where that is not 0, nothing changed. */
ILK_API int ilk_map_take_until(const struct ilk_map_handle *h, const void *key, void *value,
	size_t room, size_t *bytes, ilk_time deadline);

/*
 * Reads, changes and writes in one step. CHANGE(VALUE, BYTES, ARG) gets the value of KEY in memory
 * of VALUE_BYTES bytes, aligned to 8, and its length; or zeroed memory, and ILK_MAP_ABSENT. What
 * it leaves there is the new value, *BYTES its length; ILK_MAP_ABSENT removes the entry, or makes
 * none. If CHANGE returns less than 0, or dies, nothing has changed.
 *
 * The stripe is locked meanwhile: CHANGE should be short, and neither use the same map nor fork.
 *
 * What CHANGE returned; -EMSGSIZE *BYTES is more than a value may have, and nothing changed;
 * -ENOSPC there is no room for a new entry: then CHANGE was not called; -ENAMETOOLONG as get.
 */
typedef int ilk_map_change(void *value, size_t *bytes, void *arg);
ILK_API int ilk_map_update_until(const struct ilk_map_handle *h, const void *key,
	ilk_map_change *change, void *arg, ilk_time deadline);

/* A place in the map: begin with all zero. */
struct ilk_map_cursor {
	uint32_t stripe, slot;
};

/*
 * The next entry: its key to KEY, which has room for any key and, of a text, the zero that ends it;
 * its value to VALUE, as get does, or not, where it is NULL. In no particular order. Others may
 * change the map meanwhile, and the caller, too: an entry that is there from before the first call
 * until after the last is given once, and with what it leads to at that moment. What is added or
 * removed meanwhile may be given or not; removed and added again, twice.
 *
 * 0; -ENOENT there are no more; -EMSGSIZE the value is longer than ROOM: *BYTES is set, nothing
 * copied, and the next call gives the same entry again.
 */
ILK_API int ilk_map_next_until(const struct ilk_map_handle *h, struct ilk_map_cursor *cursor,
	void *key, void *value, size_t room, size_t *bytes, ilk_time deadline);

/*
 * Removes all entries, a stripe at a time: what others put meanwhile may stay. 0. Where it fails,
 * or the caller dies, some may be gone and others not.
 */
ILK_API int ilk_map_clear_until(const struct ilk_map_handle *h, ilk_time deadline);

/*
 * How many entries there are, or were a moment ago. Takes no lock, so it works through a read-only
 * attachment; what the dead left unfinished may be missing until somebody uses that stripe.
 * Wait-free, in time with the number of stripes.
 */
ILK_API uint64_t ilk_map_count(const struct ilk_map_handle *h);

/*
 * Is all in it as it should be? A stripe at a time, in time with the room of the map. 0; -EBADMSG:
 * ilk_last_error() says what is not.
 */
ILK_API int ilk_map_check_until(const struct ilk_map_handle *h, ilk_time deadline);

/* --- the same without a deadline --- */

static inline int ilk_map_get(
	const struct ilk_map_handle *h, const void *key, void *value, size_t room, size_t *bytes)
{
	return ilk_map_get_until(h, key, value, room, bytes, ILK_FOREVER);
}

static inline int ilk_map_put(
	const struct ilk_map_handle *h, const void *key, const void *value, size_t bytes)
{
	return ilk_map_put_until(h, key, value, bytes, ILK_FOREVER);
}

static inline int ilk_map_add(
	const struct ilk_map_handle *h, const void *key, const void *value, size_t bytes)
{
	return ilk_map_add_until(h, key, value, bytes, ILK_FOREVER);
}

static inline int ilk_map_replace(const struct ilk_map_handle *h, const void *key, const void *was,
	size_t was_bytes, const void *value, size_t bytes)
{
	return ilk_map_replace_until(h, key, was, was_bytes, value, bytes, ILK_FOREVER);
}

static inline int ilk_map_remove(const struct ilk_map_handle *h, const void *key)
{
	return ilk_map_remove_until(h, key, ILK_FOREVER);
}

static inline int ilk_map_take(
	const struct ilk_map_handle *h, const void *key, void *value, size_t room, size_t *bytes)
{
	return ilk_map_take_until(h, key, value, room, bytes, ILK_FOREVER);
}

static inline int ilk_map_update(
	const struct ilk_map_handle *h, const void *key, ilk_map_change *change, void *arg)
{
	return ilk_map_update_until(h, key, change, arg, ILK_FOREVER);
}

static inline int ilk_map_next(const struct ilk_map_handle *h, struct ilk_map_cursor *cursor,
	void *key, void *value, size_t room, size_t *bytes)
{
	return ilk_map_next_until(h, cursor, key, value, room, bytes, ILK_FOREVER);
}

static inline int ilk_map_clear(const struct ilk_map_handle *h)
{
	return ilk_map_clear_until(h, ILK_FOREVER);
}

static inline int ilk_map_check(const struct ilk_map_handle *h)
{
	return ilk_map_check_until(h, ILK_FOREVER);
}

#ifdef __cplusplus
}
#endif

#endif
