/*
 * transport_kernel.c - what the kernel has: a pipe, a POSIX message queue, a Unix socket (with whole
 * messages), and a word with a bare futex. All sleep.
 */
#include "bench/transport_loops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void close_both(struct transport_way *w)
{
	close(w->fd[0]);
	close(w->fd[1]);
}

/* --- a pipe; writes of up to PIPE_BUF are whole, and so is each read, all being of one size --- */

static int make_pipe(struct transport_way *w)
{
	_Static_assert(TRANSPORT_BIGGEST <= PIPE_BUF, "each write is whole");
	return pipe2(w->fd, O_CLOEXEC);
}

static inline int pipe_send(struct transport_way *w, const void *message, size_t n)
{
	return write(w->fd[1], message, n) == (ssize_t)n ? 1 : -1;
}

static inline int pipe_receive(struct transport_way *w, void *message, size_t n)
{
	return read(w->fd[0], message, n) == (ssize_t)n ? 1 : -1;
}

TRANSPORT_LOOPS(pipe, 1);

const struct transport transport_pipe = {
	NULL, make_pipe, close_both, NULL, NULL, pipe_send, pipe_receive, pipe_loops, NULL};

/* --- a Unix socket --- */

static int make_socket(struct transport_way *w)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->fd);
}

static inline int socket_send(struct transport_way *w, const void *message, size_t n)
{
	return send(w->fd[1], message, n, 0) == (ssize_t)n ? 1 : -1;
}

static inline int socket_receive(struct transport_way *w, void *message, size_t n)
{
	return recv(w->fd[0], message, n, 0) == (ssize_t)n ? 1 : -1;
}

TRANSPORT_LOOPS(socket, 1);

const struct transport transport_socket = {
	NULL, make_socket, close_both, NULL, NULL, socket_send, socket_receive, socket_loops, NULL};

/* --- a POSIX message queue; how many messages it may hold, the system says --- */

static mqd_t open_mq(struct transport_way *w, long messages)
{
	struct mq_attr attr = {.mq_maxmsg = messages, .mq_msgsize = (long)w->bytes};
	char name[64];
	mqd_t queue;

	snprintf(name, sizeof(name), "/bench-mq-%ld", (long)getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
	if (queue >= 0)
		mq_unlink(name);
	return queue;
}

static int make_mq(struct transport_way *w)
{
	long usual = 10; /* what a system permits that was not told otherwise */

	w->fd[0] = (int)open_mq(w, w->capacity);
	if (w->fd[0] < 0)
		w->fd[0] = (int)open_mq(w, usual);
	return w->fd[0] < 0 ? -1 : 0;
}

static void unmake_mq(struct transport_way *w)
{
	mq_close(w->fd[0]);
}

static inline int posix_mq_send(struct transport_way *w, const void *message, size_t n)
{
	return mq_send(w->fd[0], (const char *)message, n, 0) == 0 ? 1 : -1;
}

static inline int posix_mq_receive(struct transport_way *w, void *message, size_t n)
{
	return mq_receive(w->fd[0], (char *)message, n, NULL) == (ssize_t)n ? 1 : -1;
}

TRANSPORT_LOOPS(posix_mq, 1);

const struct transport transport_mq = {NULL, make_mq, unmake_mq, NULL, NULL, posix_mq_send,
	posix_mq_receive, posix_mq_loops, NULL};

/* --- a bare futex: a place for one message, and a word that tells whether it is full --- */

struct slot {
	uint32_t full;
	uint64_t message;
};

static size_t slot_bytes(const struct transport_way *w)
{
	(void)w;
	return sizeof(struct slot);
}

static int make_slot(struct transport_way *w)
{
	return w->bytes <= sizeof(uint64_t) ? 0 : -1;
}

static int slot_send(struct transport_way *w, const void *message, size_t n)
{
	struct slot *s = (struct slot *)(void *)w->memory;

	if (ilk_load_acquire_(&s->full))
		return 0;
	memcpy(&s->message, message, n);
	ilk_store_release_(&s->full, 1);
	return syscall(SYS_futex, &s->full, FUTEX_WAKE, 1, NULL, NULL, 0) < 0 ? -1 : 1;
}

static int slot_receive(struct transport_way *w, void *message, size_t n)
{
	struct slot *s = (struct slot *)(void *)w->memory;

	while (!ilk_load_acquire_(&s->full))
		if (syscall(SYS_futex, &s->full, FUTEX_WAIT, 0, NULL, NULL, 0) < 0 &&
			errno != EAGAIN && errno != EINTR)
			return -1;
	memcpy(message, &s->message, n);
	ilk_store_release_(&s->full, 0);
	return 1;
}

/* For wake-ups alone: a flow of single messages would measure nothing but them. */
const struct transport transport_futex = {
	slot_bytes, make_slot, NULL, NULL, NULL, slot_send, slot_receive, NULL, NULL};
