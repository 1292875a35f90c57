/*
 * peer_boost.cpp - Boost.Interprocess: interprocess_mutex, interprocess_sharable_mutex, attaching a
 * managed_shared_memory, and allocating in one.
 */
#include "bench/alloc_peer.h"
#include "bench/attach_peer.h"
#include "bench/lock_peer.h"
#include "bench/rwlock_peer.h"

#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <new>

namespace ipc = boost::interprocess;

static int init(struct ilk_segment *, void *object)
{
	new (object) ipc::interprocess_mutex;
	return 0;
}

/* Both return nothing and throw where they fail; that ends the process, and so is noticed. */
LOCK_PEER_LOOPS(boost, ipc::interprocess_mutex, (l->lock(), 0), (l->unlock(), 0));

extern "C" const struct lock_peer lock_peer_boost = {
	init, boost_pairs, boost_contend, nullptr, nullptr};

static int init_sharable(struct ilk_segment *, void *object)
{
	new (object) ipc::interprocess_sharable_mutex;
	return 0;
}

RWLOCK_PEER_LOOPS(boost, ipc::interprocess_sharable_mutex, (l->lock_sharable(), 0),
	(l->unlock_sharable(), 0), (l->lock(), 0), (l->unlock(), 0));

extern "C" const struct rwlock_peer rwlock_peer_boost = {
	init_sharable, boost_reads, boost_writes, boost_turns, boost_mix};

static int make(const char *name)
{
	try {
		ipc::managed_shared_memory(ipc::create_only, name, ATTACH_BYTES);
		return 0;
	} catch (...) {
		return -1;
	}
}

static int attach(const struct bench_place *, const void *name, unsigned n)
{
	try {
		for (unsigned i = 0; i < n; i++)
			ipc::managed_shared_memory(ipc::open_only, static_cast<const char *>(name));
		return 0;
	} catch (...) {
		return -1;
	}
}

static void unlink_name(const char *name)
{
	ipc::shared_memory_object::remove(name);
}

extern "C" const struct attach_peer attach_peer_boost = {make, attach, unlink_name};

static void *make_memory(const char *name)
{
	try {
		auto *memory = new ipc::managed_shared_memory(ipc::create_only, name, ALLOC_BYTES);

		unlink_name(name);
		return memory;
	} catch (...) {
		return nullptr;
	}
}

static int alloc(const struct bench_place *, const void *what, unsigned n)
{
	auto *memory = *static_cast<ipc::managed_shared_memory *const *>(what);

	try {
		for (unsigned i = 0; i < n; i++) {
			void *block = memory->allocate(ALLOC_BLOCK);

			alloc_is_used(block);
			memory->deallocate(block);
		}
		return 0;
	} catch (...) {
		return -1;
	}
}

static void unmake_memory(void *memory)
{
	delete static_cast<ipc::managed_shared_memory *>(memory);
}

extern "C" const struct alloc_peer alloc_peer_boost = {make_memory, alloc, unmake_memory};
