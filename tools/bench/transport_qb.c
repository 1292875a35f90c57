/*
 * transport_qb.c - the ring buffer of libqb, one to one: without its semaphore, and with it, by which
 * the reader sleeps.
 *
 * The library is loaded when it is measured, so that the command does not depend on it.
 */
#include "bench/transport_loops.h"

#include <dlfcn.h>
#include <errno.h>
#include <qb/qbrb.h>
#include <stdio.h>
#include <unistd.h>

/* What we call of it. */
static struct {
	__typeof__(qb_rb_open) *open;
	__typeof__(qb_rb_close) *close;
	__typeof__(qb_rb_chunk_write) *write;
	__typeof__(qb_rb_chunk_read) *read;
} qb;

static int load(void)
{
	void *library = qb.read ? NULL : dlopen(BENCH_QB, RTLD_NOW);

	if (library) {
		qb.open = (__typeof__(qb.open))dlsym(library, "qb_rb_open");
		qb.close = (__typeof__(qb.close))dlsym(library, "qb_rb_close");
		qb.write = (__typeof__(qb.write))dlsym(library, "qb_rb_chunk_write");
		qb.read = (__typeof__(qb.read))dlsym(library, "qb_rb_chunk_read");
	}
	return qb.open && qb.close && qb.write && qb.read ? 0 : -1;
}

/* Its two files are not needed by those who inherit the mapping. */
static void unlink_files(const char *name)
{
	static const char *const parts[] = {"header", "data"};
	char path[128];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/dev/shm/qb-%s-%s", name, parts[i]);
		unlink(path);
	}
}

static int make_as(struct transport_way *w, uint32_t flags)
{
	/* Before each message are two words. */
	size_t bytes = w->capacity * (w->bytes + 8);
	char name[64];

	if (load() != 0)
		return -1;
	snprintf(name, sizeof(name), "bench-%ld-%u", (long)getpid(), w->number);
	w->own = qb.open(name, bytes, QB_RB_FLAG_CREATE | QB_RB_FLAG_SHARED_PROCESS | flags, 0);
	unlink_files(name);
	return w->own ? 0 : -1;
}

static int make(struct transport_way *w)
{
	return make_as(w, QB_RB_FLAG_NO_SEMAPHORE);
}

static int make_blocking(struct transport_way *w)
{
	return make_as(w, 0);
}

static void unmake(struct transport_way *w)
{
	qb.close((qb_ringbuffer_t *)w->own);
}

static inline int qb_send(struct transport_way *w, const void *message, size_t n)
{
	ssize_t rc = qb.write((qb_ringbuffer_t *)w->own, message, n);

	return rc == (ssize_t)n ? 1 : rc == -EAGAIN ? 0 : -1;
}

static inline int receive(struct transport_way *w, void *message, size_t n, int32_t timeout)
{
	ssize_t rc = qb.read((qb_ringbuffer_t *)w->own, message, n, timeout);

	return rc == (ssize_t)n ? 1 : rc == -EAGAIN || rc == -ETIMEDOUT || rc == 0 ? 0 : -1;
}

static inline int qb_receive(struct transport_way *w, void *message, size_t n)
{
	return receive(w, message, n, 0);
}

static inline int qb_blocking_send(struct transport_way *w, const void *message, size_t n)
{
	return qb_send(w, message, n);
}

static inline int qb_blocking_receive(struct transport_way *w, void *message, size_t n)
{
	return receive(w, message, n, -1);
}

TRANSPORT_LOOPS(qb, 0);
TRANSPORT_LOOPS(qb_blocking, 1);

const struct transport transport_qb = {
	NULL, make, unmake, NULL, NULL, qb_send, qb_receive, qb_loops, NULL};
const struct transport transport_qb_blocking = {NULL, make_blocking, unmake, NULL, NULL,
	qb_blocking_send, qb_blocking_receive, qb_blocking_loops, NULL};
