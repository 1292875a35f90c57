/*
 * ilk/ring_inline.h - the hot paths of ilk/ring.h, which includes it; private.
 *
 * The calls are functions of the library, too, with the same results: write (ilk_ring_put)(...), or
 * take their address. Here is what needs no waiting, and finds nothing unusual; all else is in
 * src/queue/ring.c, whose labels are used here, as are its words of the state.
 */
#ifndef ILK_RING_INLINE_H
#define ILK_RING_INLINE_H

#include <ilk/ring.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A deadline of the try forms. */
#define ILK_RING_TRY_ INT64_MIN

ILK_API int ilk_ring_reserve_slow_(
	struct ilk_ring_writer *w, size_t n, ilk_time deadline, void **message);
ILK_API int ilk_ring_put_slow_(
	struct ilk_ring_writer *w, const void *message, size_t n, ilk_time deadline);
ILK_API int ilk_ring_commit_slow_(struct ilk_ring_writer *w, size_t n);
ILK_API void ilk_ring_call_reader_(struct ilk_ring_writer *w);
ILK_API int ilk_ring_peek_slow_(
	struct ilk_ring_reader *r, ilk_time deadline, const void **message, size_t *n);
ILK_API int ilk_ring_get_slow_(
	struct ilk_ring_reader *r, void *buffer, size_t room, ilk_time deadline, size_t *n);
ILK_API int ilk_ring_release_slow_(struct ilk_ring_reader *r);
ILK_API void ilk_ring_call_writer_(struct ilk_ring_reader *r);

enum { ILK_RING_HEADER_ = 8 };

/* What a message of N bytes takes up. */
static inline uint64_t ilk_ring_record_(const struct ilk_ring_hold_ *h, uint64_t n)
{
	return h->stride ? h->stride : ILK_RING_HEADER_ + ((n + 7) & ~UINT64_C(7));
}

/* The header at OFFSET. */
static inline uint64_t *ilk_ring_header_(const struct ilk_ring_hold_ *h, uint64_t offset)
{
	return (uint64_t *)(void *)(h->data + offset);
}

/* A message's bytes at the handle's position. */
static inline char *ilk_ring_bytes_(const struct ilk_ring_hold_ *h)
{
	return h->data + h->offset + (h->stride ? 0 : ILK_RING_HEADER_);
}

static inline int ilk_ring_is_mine_(const struct ilk_ring_hold_ *h)
{
	return !ILK_UNLIKELY_(ilk_load_relaxed_(h->epoch_now) != h->epoch);
}

/* Moves the handle's position. */
static inline void ilk_ring_move_(struct ilk_ring_hold_ *h, uint64_t bytes, uint64_t messages)
{
	uint64_t offset = h->offset + bytes;

	h->at += bytes;
	h->number += messages;
	h->offset = offset >= h->bytes ? offset - h->bytes : offset;
}

/* --- the writer --- */

/* Is there room for N bytes, and nothing else to see to? */
static inline int ilk_ring_has_room_(const struct ilk_ring_writer *w, size_t n)
{
	const struct ilk_ring_hold_ *h = &w->hold;

	if (!ilk_ring_is_mine_(h) || ILK_UNLIKELY_(ilk_load_relaxed_(h->call)))
		return 0;
	if (h->stride)
		return n == h->most && w->until != h->at;
	return n <= h->most && w->until - h->at >= ilk_ring_record_(h, n);
}

/* Says where the writer is, and wakes a reader that sleeps. */
static inline void ilk_ring_announce_(struct ilk_ring_writer *w)
{
	struct ilk_ring_hold_ *h = &w->hold;

	if (!h->stride)
		ilk_store_release_(&h->line[1], h->number);
	/* [R1] of fixed ones: weaker, and the reader could miss a message's bytes. */
	ilk_store_release_(&h->line[0], h->at);
	/* [R5] */
	ilk_compiler_barrier_();
	if (h->fenced)
		ilk_fence_();
	if (ILK_UNLIKELY_(ilk_load_relaxed_(h->call)))
		ilk_ring_call_reader_(w);
}

/* Puts the N bytes that stand in their place. */
static inline void ilk_ring_publish_(struct ilk_ring_writer *w, size_t n)
{
	struct ilk_ring_hold_ *h = &w->hold;
	uint64_t here = h->offset, number = h->number;

	ilk_ring_move_(h, ilk_ring_record_(h, n), 1);
	if (!h->stride) {
		ilk_store_relaxed_(ilk_ring_header_(h, h->offset), UINT64_C(0)); /* [I2] */
		/* [R1] Weaker: the reader could miss the bytes, or that no message follows. */
		ilk_store_release_(ilk_ring_header_(h, here), number << 32 | (n + 1));
	}
	ilk_ring_announce_(w);
}

static inline int ilk_ring_put_inline_(
	struct ilk_ring_writer *w, const void *message, size_t n, ilk_time deadline)
{
	if (ILK_UNLIKELY_(!ilk_ring_has_room_(w, n)))
		return ilk_ring_put_slow_(w, message, n, deadline);
	if (n)
		memcpy(ilk_ring_bytes_(&w->hold), message, n);
	ilk_ring_publish_(w, n);
	return 0;
}

static inline int ilk_ring_reserve_inline_(
	struct ilk_ring_writer *w, size_t n, ilk_time deadline, void **message)
{
	if (ILK_UNLIKELY_(!ilk_ring_has_room_(w, n)))
		return ilk_ring_reserve_slow_(w, n, deadline, message);
	*message = ilk_ring_bytes_(&w->hold);
	w->reserved = n + 1;
	w->until = w->hold.at; /* so that nothing else finds room */
	return 0;
}

static inline int ilk_ring_commit_inline_(struct ilk_ring_writer *w, size_t n)
{
	if (ILK_UNLIKELY_(n >= w->reserved) || !ilk_ring_is_mine_(&w->hold) ||
		(w->hold.stride && n != w->hold.most))
		return ilk_ring_commit_slow_(w, n);
	w->reserved = 0;
	ilk_ring_publish_(w, n);
	/* Where the ring's end comes first, what is behind it is found by the slow path. */
	w->until = w->hold.at + (w->limit - w->hold.at < w->hold.bytes - w->hold.offset
						? w->limit - w->hold.at
						: w->hold.bytes - w->hold.offset);
	return 0;
}

#define ilk_ring_put(w, message, n) ilk_ring_put_inline_((w), (message), (n), ILK_FOREVER)
#define ilk_ring_try_put(w, message, n) ilk_ring_put_inline_((w), (message), (n), ILK_RING_TRY_)
#define ilk_ring_put_until(w, message, n, deadline) \
	ilk_ring_put_inline_((w), (message), (n), (deadline))
#define ilk_ring_reserve(w, n, message) ilk_ring_reserve_inline_((w), (n), ILK_FOREVER, (message))
#define ilk_ring_try_reserve(w, n, message) \
	ilk_ring_reserve_inline_((w), (n), ILK_RING_TRY_, (message))
#define ilk_ring_reserve_until(w, n, deadline, message) \
	ilk_ring_reserve_inline_((w), (n), (deadline), (message))
#define ilk_ring_commit(w, n) ilk_ring_commit_inline_((w), (n))

/* --- the reader --- */

/* Is a whole message there, and nothing unusual? *N: its bytes. */
static inline int ilk_ring_has_message_(const struct ilk_ring_reader *r, size_t *n)
{
	const struct ilk_ring_hold_ *h = &r->hold;
	uint64_t header;

	if (!ilk_ring_is_mine_(h))
		return 0;
	*n = h->most;
	if (h->stride)
		return r->seen != h->at;
	/* [R2] One load, then checked: it may be damaged. None, and the end, are too large. */
	header = ilk_load_acquire_(ilk_ring_header_(h, h->offset));
	*n = (uint32_t)header - UINT32_C(1);
	return *n <= h->most && *n <= h->bytes - h->offset - ILK_RING_HEADER_ &&
	       header >> 32 == (uint32_t)h->number;
}

/* Says where the reader is now, and wakes a writer that sleeps. */
static inline void ilk_ring_let_go_(struct ilk_ring_reader *r)
{
	struct ilk_ring_hold_ *h = &r->hold;

	r->shown = 0;
	if (!h->stride)
		ilk_store_release_(&h->line[1], h->number);
	ilk_store_release_(&h->line[0], h->at); /* [R3] */
	if (h->at - r->published >= r->lazy) {
		r->published = h->at;
		ilk_store_release_(r->tail, h->at); /* [R3] */
	}
	/* [R7] */
	ilk_compiler_barrier_();
	if (h->fenced)
		ilk_fence_();
	if (ILK_UNLIKELY_(ilk_load_relaxed_(h->call)))
		ilk_ring_call_writer_(r);
}

static inline int ilk_ring_peek_inline_(
	struct ilk_ring_reader *r, ilk_time deadline, const void **message, size_t *n)
{
	size_t bytes;

	if (ILK_UNLIKELY_(!ilk_ring_has_message_(r, &bytes)))
		return ilk_ring_peek_slow_(r, deadline, message, n);
	*message = ilk_ring_bytes_(&r->hold);
	if (n)
		*n = bytes;
	r->shown = bytes + 1;
	return 0;
}

static inline int ilk_ring_release_inline_(struct ilk_ring_reader *r)
{
	if (ILK_UNLIKELY_(!r->shown) || !ilk_ring_is_mine_(&r->hold))
		return ilk_ring_release_slow_(r);
	ilk_ring_move_(&r->hold, ilk_ring_record_(&r->hold, r->shown - 1), 1);
	ilk_ring_let_go_(r);
	return 0;
}

static inline int ilk_ring_get_inline_(
	struct ilk_ring_reader *r, void *buffer, size_t room, ilk_time deadline, size_t *n)
{
	size_t bytes;

	if (ILK_UNLIKELY_(!ilk_ring_has_message_(r, &bytes) || bytes > room))
		return ilk_ring_get_slow_(r, buffer, room, deadline, n);
	if (n)
		*n = bytes;
	if (bytes == room && bytes) /* where the compiler knows how many those are */
		memcpy(buffer, ilk_ring_bytes_(&r->hold), room);
	else if (bytes)
		memcpy(buffer, ilk_ring_bytes_(&r->hold), bytes);
	ilk_ring_move_(&r->hold, ilk_ring_record_(&r->hold, bytes), 1);
	ilk_ring_let_go_(r);
	return 0;
}

#define ilk_ring_peek(r, message, n) ilk_ring_peek_inline_((r), ILK_FOREVER, (message), (n))
#define ilk_ring_try_peek(r, message, n) ilk_ring_peek_inline_((r), ILK_RING_TRY_, (message), (n))
#define ilk_ring_peek_until(r, deadline, message, n) \
	ilk_ring_peek_inline_((r), (deadline), (message), (n))
#define ilk_ring_release(r) ilk_ring_release_inline_(r)
#define ilk_ring_get(r, buffer, room, n) \
	ilk_ring_get_inline_((r), (buffer), (room), ILK_FOREVER, (n))
#define ilk_ring_try_get(r, buffer, room, n) \
	ilk_ring_get_inline_((r), (buffer), (room), ILK_RING_TRY_, (n))
#define ilk_ring_get_until(r, buffer, room, deadline, n) \
	ilk_ring_get_inline_((r), (buffer), (room), (deadline), (n))

#ifdef __cplusplus
}
#endif

#endif
