/*
 * ring_calls.c - the calls of include/ilk/ring_inline.h as functions, for who needs an address, or speaks
 * another language. In parentheses: they are macros, too.
 */
#include <ilk/ring.h>

int(ilk_ring_put)(struct ilk_ring_writer *w, const void *message, size_t n)
{
	return ilk_ring_put(w, message, n);
}

int(ilk_ring_try_put)(struct ilk_ring_writer *w, const void *message, size_t n)
{
	return ilk_ring_try_put(w, message, n);
}

int(ilk_ring_put_until)(struct ilk_ring_writer *w, const void *message, size_t n, ilk_time deadline)
{
	return ilk_ring_put_until(w, message, n, deadline);
}

int(ilk_ring_reserve)(struct ilk_ring_writer *w, size_t n, void **message)
{
	return ilk_ring_reserve(w, n, message);
}

int(ilk_ring_try_reserve)(struct ilk_ring_writer *w, size_t n, void **message)
{
	return ilk_ring_try_reserve(w, n, message);
}

int(ilk_ring_reserve_until)(struct ilk_ring_writer *w, size_t n, ilk_time deadline, void **message)
{
	return ilk_ring_reserve_until(w, n, deadline, message);
}

int(ilk_ring_commit)(struct ilk_ring_writer *w, size_t n)
{
	return ilk_ring_commit(w, n);
}

int(ilk_ring_peek)(struct ilk_ring_reader *r, const void **message, size_t *n)
{
	return ilk_ring_peek(r, message, n);
}

int(ilk_ring_try_peek)(struct ilk_ring_reader *r, const void **message, size_t *n)
{
	return ilk_ring_try_peek(r, message, n);
}

int(ilk_ring_peek_until)(
	struct ilk_ring_reader *r, ilk_time deadline, const void **message, size_t *n)
{
	return ilk_ring_peek_until(r, deadline, message, n);
}

int(ilk_ring_release)(struct ilk_ring_reader *r)
{
	return ilk_ring_release(r);
}

int(ilk_ring_get)(struct ilk_ring_reader *r, void *buffer, size_t room, size_t *n)
{
	return ilk_ring_get(r, buffer, room, n);
}

int(ilk_ring_try_get)(struct ilk_ring_reader *r, void *buffer, size_t room, size_t *n)
{
	return ilk_ring_try_get(r, buffer, room, n);
}

int(ilk_ring_get_until)(
	struct ilk_ring_reader *r, void *buffer, size_t room, ilk_time deadline, size_t *n)
{
	return ilk_ring_get_until(r, buffer, room, deadline, n);
}
