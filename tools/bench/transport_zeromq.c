/*
 * transport_zeromq.c - ZeroMQ, PUSH to PULL by ipc. It sleeps.
 *
 * Its context cannot be inherited, so that each process makes its own; the receiver's socket has a
 * name in the abstract namespace, which leaves no file. The library is loaded when it is measured,
 * so that the command does not depend on it.
 */
#include "bench/transport_loops.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

/* What we call of it. */
static struct {
	__typeof__(zmq_ctx_new) *ctx_new;
	__typeof__(zmq_ctx_term) *ctx_term;
	__typeof__(zmq_socket) *socket;
	__typeof__(zmq_close) *close;
	__typeof__(zmq_setsockopt) *setsockopt;
	__typeof__(zmq_bind) *bind;
	__typeof__(zmq_connect) *connect;
	__typeof__(zmq_send) *send;
	__typeof__(zmq_recv) *recv;
} zmq;

/* One process's end of a way. */
struct end {
	char address[64];
	void *context, *socket;
	int receives;
};

#define LOAD(library, member) \
	((zmq.member = (__typeof__(zmq.member))dlsym(library, "zmq_" #member)) != NULL)

static int load(void)
{
	void *z = dlopen(BENCH_ZEROMQ, RTLD_NOW);

	return z && LOAD(z, ctx_new) && LOAD(z, ctx_term) && LOAD(z, socket) && LOAD(z, close) &&
			       LOAD(z, setsockopt) && LOAD(z, bind) && LOAD(z, connect) &&
			       LOAD(z, send) && LOAD(z, recv)
		       ? 0
		       : -1;
}

/* A word: the receiver has all. */
static size_t memory(const struct transport_way *w)
{
	(void)w;
	return sizeof(uint32_t);
}

static int make(struct transport_way *w)
{
	struct end *e = (struct end *)calloc(1, sizeof(*e));

	w->own = e;
	if (!e || load() != 0)
		return -1;
	snprintf(e->address, sizeof(e->address), "ipc://@ilk-bench-%ld-%u", (long)getpid(),
		w->number);
	return 0;
}

static void unmake(struct transport_way *w)
{
	free(w->own);
}

static int join(struct transport_way *w, int roles)
{
	struct end *e = (struct end *)w->own;
	int receives = roles == TRANSPORT_RECEIVES, most = (int)w->capacity;
	int again_ms = 1; /* if it comes before the receiver */

	e->receives = receives;
	e->context = zmq.ctx_new();
	e->socket = e->context ? zmq.socket(e->context, receives ? ZMQ_PULL : ZMQ_PUSH) : NULL;
	if (!e->socket)
		return -1;
	zmq.setsockopt(e->socket, receives ? ZMQ_RCVHWM : ZMQ_SNDHWM, &most, sizeof(most));
	zmq.setsockopt(e->socket, ZMQ_RECONNECT_IVL, &again_ms, sizeof(again_ms));
	return receives ? zmq.bind(e->socket, e->address) : zmq.connect(e->socket, e->address);
}

/* A receiver with full hands drops the rest when the sender hangs up: so that waits. */
static void leave(struct transport_way *w)
{
	struct end *e = (struct end *)w->own;
	uint32_t *has_all = (uint32_t *)(void *)w->memory;

	if (e->receives)
		ilk_store_release_(has_all, 1);
	else
		bench_await(has_all, 1, 5.0);

	zmq.close(e->socket);
	zmq.ctx_term(e->context);
}

static inline int zeromq_send(struct transport_way *w, const void *message, size_t n)
{
	return zmq.send(((struct end *)w->own)->socket, message, n, 0) == (int)n ? 1 : -1;
}

static inline int zeromq_receive(struct transport_way *w, void *message, size_t n)
{
	return zmq.recv(((struct end *)w->own)->socket, message, n, 0) == (int)n ? 1 : -1;
}

TRANSPORT_LOOPS(zeromq, 1);

const struct transport transport_zeromq = {
	memory, make, unmake, join, leave, zeromq_send, zeromq_receive, zeromq_loops, NULL};
