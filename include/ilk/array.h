/*
 * ilk/array.h - an array of numbers, or of bytes, in a segment: typed, and bounds-checked.
 *
 *	struct ilk_array_handle done;
 *	int rc = ilk_array_open(seg, "done", ILK_ARRAY_I64, 100, &done);
 *	if (rc == 0)
 *		rc = ilk_array_add_i64(&done, worker, 1, NULL);         // one step, whoever adds
 *	if (rc < 0)
 *		...                                                     // -ERANGE: no such element
 *
 * several elements that belong together, under the lock that comes with it:
 *
 *	ILK_WITH_MUTEX(ilk_array_mutex(&done), rc) {
 *		int64_t *n = (int64_t *)ilk_array_at(&done, 0);
 *		n[from]--, n[to]++;
 *	}
 *
 * A single value is an array of one. The wrong pattern: a block, cast to what the other process is
 * hoped to have cast it to, and an index that nobody looks at; or n[i]++ by two processes at once,
 * which loses some.
 *
 * What is atomic. Getting, setting and adding to one element of a number type is one step each: it
 * is never seen half done, by others or after a death, and adds are never lost. A get that gives
 * what a set or an add wrote sees what came before that (acquire, release). Nothing else is atomic:
 * elements of bytes, and whatever is done to several elements, by ilk_array_read(),
 * ilk_array_write() or through ilk_array_at(), may be seen, and left by a death, half done. That is
 * what the lock is for: ilk_array_mutex(), whose owner's death the next is told of. Nothing in here
 * takes it by itself.
 *
 * Removing the name (ilk/object.h) ends the lock: -EIDRM. The elements are used on as they were.
 */
#ifndef ILK_ARRAY_H
#define ILK_ARRAY_H

#include <ilk/mutex.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an element is: its bytes in bits 31..8, its kind in the low ones. */
enum {
	ILK_ARRAY_I8 = 1 << 8 | 'i',
	ILK_ARRAY_U8 = 1 << 8 | 'u',
	ILK_ARRAY_I16 = 2 << 8 | 'i',
	ILK_ARRAY_U16 = 2 << 8 | 'u',
	ILK_ARRAY_I32 = 4 << 8 | 'i',
	ILK_ARRAY_U32 = 4 << 8 | 'u',
	ILK_ARRAY_I64 = 8 << 8 | 'i',
	ILK_ARRAY_U64 = 8 << 8 | 'u',
	ILK_ARRAY_F32 = 4 << 8 | 'f',
	ILK_ARRAY_F64 = 8 << 8 | 'f',
	ILK_ARRAY_MOST_BYTES = (1 << 23) - 1,
};
/* N bytes, 1 to ILK_ARRAY_MOST_BYTES, of which Ilk knows nothing: a struct, perhaps. 0, which is no type,
 * for any other N. */
#define ILK_ARRAY_BYTES(n) \
	((uint64_t)(n)-1 < (uint64_t)ILK_ARRAY_MOST_BYTES ? (uint32_t)(n) << 8 | 'b' : 0u)

/* In the segment: a lock, and the elements, end to end; the first is aligned to 64. */
struct ilk_array;

/*
 * A process's way to one: fill it by ilk_array_open(); it may be copied, used by any thread, and by
 * forked children, until the segment is closed. Fields private.
 */
struct ilk_array_handle {
	struct ilk_array *array;
	char *elements;
	size_t count;
	uint32_t type;
	uint32_t read_only;
};

/*
 * Finds or makes the array NAME of COUNT elements of TYPE (ILK_ARRAY_...), all zero. Results as
 * ilk_block_open's; -EEXIST also where it has another type or count: ilk_last_error() names which;
 * -EINVAL also for 0 elements or no such TYPE.
 */
ILK_API int ilk_array_open(struct ilk_segment *seg, const char *name, uint32_t type, size_t count,
	struct ilk_array_handle *h);

/* The lock that comes with it (ilk/mutex.h); it guards what its users say it does. */
ILK_API struct ilk_mutex *ilk_array_mutex(const struct ilk_array_handle *h);

/*
 * Copies COUNT elements, from the one at FIRST on, to VALUES, or from there. 0; -ERANGE not all of
 * them are in the array: nothing was copied; -EROFS writing to a read-only attachment. Wait-free;
 * not atomic; no order.
 */
ILK_API int ilk_array_read(
	const struct ilk_array_handle *h, size_t first, size_t count, void *values);
ILK_API int ilk_array_write(
	const struct ilk_array_handle *h, size_t first, size_t count, const void *values);

static inline size_t ilk_array_count(const struct ilk_array_handle *h)
{
	return h->count;
}

/* Bytes of an element. */
static inline size_t ilk_array_bytes(const struct ilk_array_handle *h)
{
	return h->type >> 8;
}

/*
 * The element at INDEX, with all that follow it, for bulk work; NULL: there is none. Through a
 * read-only attachment it must not be written to.
 */
static inline void *ilk_array_at(const struct ilk_array_handle *h, size_t index)
{
	return index < h->count ? h->elements + index * (h->type >> 8) : (char *)0;
}

/*
 * For each type T of i8 u8 i16 u16 i32 u32 i64 u64 f32 f64, V being int8_t ... double:
 *
 *	int ilk_array_get_T(const struct ilk_array_handle *h, size_t index, V *value);
 *	int ilk_array_set_T(const struct ilk_array_handle *h, size_t index, V value);
 *	int ilk_array_add_T(const struct ilk_array_handle *h, size_t index, V add, V *before);
 *	int ilk_array_replace_T(const struct ilk_array_handle *h, size_t index, V *was, V value);
 *
 * get: *VALUE is the element. set: it is VALUE from now on. add: it is more by ADD, wrapping around
 * where it is no float; BEFORE, if not NULL, gets what it was. replace: it becomes VALUE if it is
 * *WAS, bit for bit; if not, *WAS becomes what it is.
 *
 *   0        it was done
 *   -EAGAIN  replace: it is something else; *WAS is that
 *   -ERANGE  there is no element at INDEX
 *   -EINVAL  the array's elements are of another type
 *   -EROFS   of a read-only attachment, but for get
 *
 * Order: get acquire, set release, the others both. Progress: get and set are wait-free, adds of
 * integers too; adds of floats and replace lock-free. Death: each is one instruction, which has
 * happened or has not. Async-signal-safe.
 */

#ifdef __cplusplus
}
#endif

#include <ilk/array_inline.h>

#endif
