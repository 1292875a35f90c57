/*
 * transport_boost.cpp - Boost: lockfree::spsc_queue and lockfree::queue, which never sleep, and
 * interprocess::message_queue, which does.
 */
#include "bench/transport_loops.h"

#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdio>
#include <new>
#include <unistd.h>

namespace ipc = boost::interprocess;
namespace lockfree = boost::lockfree;

namespace
{

template <size_t N> struct message {
	unsigned char bytes[N];
};

/* The capacity is part of the type: as many as transport.c asks for. */
template <size_t N> struct kinds {
	static constexpr size_t capacity = N > 64 ? 256 : 1024;
	using spsc = lockfree::spsc_queue<message<N>, lockfree::capacity<capacity>>;
	using queue = lockfree::queue<message<N>, lockfree::capacity<capacity>>;
};

template <template <size_t> class Kind> size_t memory(const struct transport_way *w)
{
	return w->bytes == 8    ? sizeof(typename Kind<8>::type)
	       : w->bytes == 64 ? sizeof(typename Kind<64>::type)
				: sizeof(typename Kind<1024>::type);
}

template <template <size_t> class Kind> int make(struct transport_way *w)
{
	if (w->capacity != (w->bytes > 64 ? 256 : 1024))
		return -1;
	if (w->bytes == 8)
		new (w->memory) typename Kind<8>::type;
	else if (w->bytes == 64)
		new (w->memory) typename Kind<64>::type;
	else
		new (w->memory) typename Kind<1024>::type;
	return 0;
}

template <size_t N> struct spsc_kind {
	using type = typename kinds<N>::spsc;
};

template <size_t N> struct queue_kind {
	using type = typename kinds<N>::queue;
};

/* All with the size as a constant, once the loops are inlined. */
template <template <size_t> class Kind, size_t N>
inline int push(struct transport_way *w, const void *m)
{
	auto *q = reinterpret_cast<typename Kind<N>::type *>(w->memory);

	return q->push(*static_cast<const message<N> *>(m));
}

template <template <size_t> class Kind, size_t N> inline int pop(struct transport_way *w, void *m)
{
	auto *q = reinterpret_cast<typename Kind<N>::type *>(w->memory);

	return q->pop(*static_cast<message<N> *>(m));
}

template <size_t N> inline int push_many(struct transport_way *w, const void *m, unsigned count)
{
	auto *q = reinterpret_cast<typename kinds<N>::spsc *>(w->memory);

	return static_cast<int>(q->push(static_cast<const message<N> *>(m), count));
}

template <size_t N> inline int pop_many(struct transport_way *w, void *m, unsigned count)
{
	auto *q = reinterpret_cast<typename kinds<N>::spsc *>(w->memory);

	return static_cast<int>(q->pop(static_cast<message<N> *>(m), count));
}

inline int spsc_send(struct transport_way *w, const void *m, size_t n)
{
	return n == 8    ? push<spsc_kind, 8>(w, m)
	       : n == 64 ? push<spsc_kind, 64>(w, m)
			 : push<spsc_kind, 1024>(w, m);
}

inline int spsc_receive(struct transport_way *w, void *m, size_t n)
{
	return n == 8    ? pop<spsc_kind, 8>(w, m)
	       : n == 64 ? pop<spsc_kind, 64>(w, m)
			 : pop<spsc_kind, 1024>(w, m);
}

inline int spsc_send_many(struct transport_way *w, const void *m, unsigned count, size_t n)
{
	return n == 8    ? push_many<8>(w, m, count)
	       : n == 64 ? push_many<64>(w, m, count)
			 : push_many<1024>(w, m, count);
}

inline int spsc_receive_many(struct transport_way *w, void *m, unsigned count, size_t n)
{
	return n == 8    ? pop_many<8>(w, m, count)
	       : n == 64 ? pop_many<64>(w, m, count)
			 : pop_many<1024>(w, m, count);
}

inline int queue_send(struct transport_way *w, const void *m, size_t n)
{
	return n == 8    ? push<queue_kind, 8>(w, m)
	       : n == 64 ? push<queue_kind, 64>(w, m)
			 : push<queue_kind, 1024>(w, m);
}

inline int queue_receive(struct transport_way *w, void *m, size_t n)
{
	return n == 8    ? pop<queue_kind, 8>(w, m)
	       : n == 64 ? pop<queue_kind, 64>(w, m)
			 : pop<queue_kind, 1024>(w, m);
}

/* It has a name, which is gone once it is made; the mapping is inherited. */
int make_mq(struct transport_way *w)
{
	char name[64];

	snprintf(name, sizeof(name), "bench-mq-%ld", static_cast<long>(getpid()));
	try {
		w->own = new ipc::message_queue(ipc::create_only, name, w->capacity, w->bytes);
	} catch (...) {
		return -1;
	}
	ipc::message_queue::remove(name);
	return 0;
}

void unmake_mq(struct transport_way *w)
{
	delete static_cast<ipc::message_queue *>(w->own);
}

inline int mq_send(struct transport_way *w, const void *m, size_t n)
{
	try {
		static_cast<ipc::message_queue *>(w->own)->send(m, n, 0);
		return 1;
	} catch (...) {
		return -1;
	}
}

inline int mq_receive(struct transport_way *w, void *m, size_t n)
{
	ipc::message_queue::size_type got;
	unsigned priority;

	try {
		static_cast<ipc::message_queue *>(w->own)->receive(m, n, got, priority);
		return got == n ? 1 : -1;
	} catch (...) {
		return -1;
	}
}

} /* namespace */

TRANSPORT_LOOPS(spsc, 0);
TRANSPORT_BULK_LOOPS(spsc);
TRANSPORT_LOOPS(queue, 0);
TRANSPORT_LOOPS(mq, 1);

extern "C" const struct transport transport_boost_spsc = {memory<spsc_kind>, make<spsc_kind>,
	nullptr, nullptr, nullptr, spsc_send, spsc_receive, spsc_loops, spsc_bulk_loops};
extern "C" const struct transport transport_boost_queue = {memory<queue_kind>, make<queue_kind>,
	nullptr, nullptr, nullptr, queue_send, queue_receive, queue_loops, nullptr};
extern "C" const struct transport transport_boost_mq = {
	nullptr, make_mq, unmake_mq, nullptr, nullptr, mq_send, mq_receive, mq_loops, nullptr};
