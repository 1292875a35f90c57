/* map_boost.cpp - Boost's unordered_map in a managed_shared_memory, under an interprocess_mutex. */
#include "bench/map_peer.h"

#include <array>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/unordered_map.hpp>
#include <cstring>

namespace ipc = boost::interprocess;

namespace
{

using Value = std::array<char, MAP_VALUE>;
using Entry = std::pair<const std::uint64_t, Value>;
using Allocator = ipc::allocator<Entry, ipc::managed_shared_memory::segment_manager>;
using Map = boost::unordered_map<std::uint64_t, Value, boost::hash<std::uint64_t>,
	std::equal_to<std::uint64_t>, Allocator>;

struct Made {
	ipc::managed_shared_memory memory;
	Map *map;
	ipc::interprocess_mutex *mutex;
};

void *make(const struct bench_place *, const char *name)
{
	try {
		auto *made = new Made{{ipc::create_only, name, MAP_BYTES}, nullptr, nullptr};

		ipc::shared_memory_object::remove(name);
		made->map = made->memory.construct<Map>("map")(std::size_t{MAP_KEYS},
			boost::hash<std::uint64_t>(), std::equal_to<std::uint64_t>(),
			Allocator(made->memory.get_segment_manager()));
		made->mutex = made->memory.construct<ipc::interprocess_mutex>("mutex")();
		return made;
	} catch (...) {
		return nullptr;
	}
}

int turns(const struct bench_place *, const void *what, unsigned n)
{
	auto *made = *static_cast<Made *const *>(what);
	static std::uint64_t key;
	Value in, out{};

	in.fill(static_cast<char>(key));
	try {
		for (unsigned i = 0; i < n; i++) {
			key = key + 1 < MAP_KEYS ? key + 1 : 0;
			{
				ipc::scoped_lock<ipc::interprocess_mutex> lock(*made->mutex);

				(*made->map)[key] = in;
			}
			ipc::scoped_lock<ipc::interprocess_mutex> lock(*made->mutex);
			auto found = made->map->find(key);

			if (found == made->map->end())
				return -1;
			out = found->second;
		}
	} catch (...) {
		return -1;
	}
	return in == out ? 0 : -1;
}

void unmake(void *made)
{
	delete static_cast<Made *>(made);
}

} // namespace

extern "C" const struct map_peer map_peer_boost = {make, turns, unmake};
