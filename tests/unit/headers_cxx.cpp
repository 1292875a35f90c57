/*
 * headers_cxx.cpp - the public headers in strict C++17: a shared struct of one's own, the scoped
 * form, and the same layout as C sees.
 */
#include <ilk.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <unistd.h>

namespace
{

struct Shelf {
	ilk_mutex mutex;
	ilk_rwlock looked_at;
	ilk_semaphore items;
	ILK_PERMITS(3) desks;
	ilk_counter hits;
	std::int64_t left;
};

static_assert(sizeof(ilk_mutex) == 64 && alignof(ilk_mutex) == 64, "one cache line");
static_assert(sizeof(ilk_condition) == 64 && alignof(ilk_condition) == 64, "one cache line");
static_assert(sizeof(ilk_event) == 64 && alignof(ilk_event) == 64, "one cache line");
static_assert(sizeof(ilk_latch) == 64 && alignof(ilk_latch) == 64, "one cache line");
static_assert(sizeof(ilk_once) == 64 && alignof(ilk_once) == 64, "one cache line");
static_assert(sizeof(ilk_rwlock) == 128 && alignof(ilk_rwlock) == 64, "two cache lines");
static_assert(sizeof(ilk_semaphore) == 128 && alignof(ilk_semaphore) == 64, "two cache lines");
static_assert(sizeof(ilk_permits) == 192 && alignof(ilk_permits) == 64, "three cache lines");
static_assert(sizeof(Shelf::desks) == 256, "and three permits");
static_assert(sizeof(ilk_counter) == 8, "one word");
static_assert(sizeof(ilk_barrier) == 5120 && alignof(ilk_barrier) == 64, "whole lines");
static_assert(std::is_trivially_copyable<Shelf>::value, "it can lie in shared memory");
static_assert(std::is_standard_layout<Shelf>::value, "it looks the same in C");

int failures;

void check(bool holds, const char *what)
{
	if (holds)
		return;
	std::fprintf(stderr, "not so: %s\n", what);
	failures++;
}

#define CHECK(condition) check((condition), #condition)

int take(Shelf &shelf, std::int64_t count)
{
	int rc;

	ILK_WITH_MUTEX (&shelf.mutex, rc) {
		if (shelf.left < count)
			return -ENOENT;
		shelf.left -= count;
	}
	return rc;
}

int take_when_there(Shelf &shelf, ilk_condition &filled)
{
	int rc = ilk_mutex_lock(&shelf.mutex);

	if (rc == 0)
		rc = ILK_WAIT_UNTIL(&filled, &shelf.mutex, ILK_NOW, shelf.left > 0);
	if (rc == 0)
		shelf.left--;
	ilk_mutex_unlock(&shelf.mutex);
	return rc;
}

int look(Shelf &shelf, std::int64_t *left)
{
	int rc;

	ILK_WITH_READ(&shelf.looked_at, rc)
	*left = shelf.left;
	return rc;
}

void use_permits(ilk_segment *seg, Shelf &shelf)
{
	ilk_permits_options options{};

	options.size = sizeof options;
	options.permits = 3;
	CHECK(ilk_semaphore_init(seg, &shelf.items, "items", nullptr) == 0);
	CHECK(sem_post(ilk_semaphore_posix(&shelf.items)) == 0);
	CHECK(ilk_semaphore_wait(&shelf.items) == 0);
	CHECK(ilk_permits_init(seg, &shelf.desks.permits, "desks", &options) == 0);
	CHECK(ilk_permits_acquire(&shelf.desks.permits, 3) == 0);
	CHECK(ilk_permits_release(&shelf.desks.permits, 3) == 0);
}

void use(ilk_segment *seg)
{
	void *memory = nullptr;
	ilk_sharded *sharded = nullptr;
	ilk_sharded_handle mine{};
	ilk_condition *filled = nullptr;
	std::int64_t before = -1;

	CHECK(ilk_block_open(seg, "shelf", sizeof(Shelf), &memory) == 0);
	Shelf &shelf = *static_cast<Shelf *>(memory);
	CHECK(ilk_mutex_init(seg, &shelf.mutex, "stock", nullptr) == 0);
	shelf.left = 5;
	CHECK(take(shelf, 3) == 0);
	CHECK(take(shelf, 3) == -ENOENT);
	CHECK(shelf.left == 2);
	CHECK(ilk_rwlock_init(seg, &shelf.looked_at, "looked at", nullptr) == 0);
	CHECK(look(shelf, &before) == 0 && before == 2);
	CHECK(ilk_mutex_unlock(&shelf.mutex) == -EPERM);
	CHECK(ilk_condition_open(seg, "filled", &filled) == 0);
	CHECK(take_when_there(shelf, *filled) == 0);
	CHECK(shelf.left == 1);
	use_permits(seg, shelf);
	CHECK(ilk_counter_fetch_add(&shelf.hits, 1, &before) == 0 && before == 0);
	CHECK(ilk_sharded_open(seg, "s", &sharded) == 0);
	CHECK(ilk_sharded_mine(sharded, &mine) == 0);
	CHECK(ilk_sharded_add(&mine, 4) == 0);
	CHECK(ilk_sharded_read(sharded) == 4);
}

void inspect(const char *name)
{
	ilk_inspection *in = nullptr;

	CHECK(ilk_inspect(name, &in) == 0);
	CHECK(in != nullptr && in->object_count == 3);
	ilk_inspection_free(in);
}

} // namespace

int main()
{
	const std::string name = "test-cxx-" + std::to_string(getpid());
	ilk_segment_options options{};
	ilk_segment *seg = nullptr;

	options.size = sizeof options;
	options.flags = ILK_SEGMENT_EXCLUSIVE;
	CHECK(ilk_segment_create(name.c_str(), &options, &seg) == 0);
	if (seg != nullptr) {
		use(seg);
		inspect(name.c_str());
	}
	CHECK(ilk_segment_close(seg) == 0);
	CHECK(ilk_segment_unlink(name.c_str()) == 0);
	CHECK(std::strcmp(ilk_version(), ILK_VERSION_STRING) == 0);
	std::puts(failures ? "FAILED" : "passed");
	return failures != 0;
}
