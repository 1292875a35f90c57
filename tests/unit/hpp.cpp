/*
 * hpp.cpp - ilk.hpp: segments, and locks in guards of the standard library, whose owners die.
 */
#include "hpp_fixture.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <type_traits>

static bool no_memory;

void *operator new(std::size_t size)
{
	void *memory = no_memory ? nullptr : std::malloc(size);

	if (memory == nullptr)
		throw std::bad_alloc();
	return memory;
}

void operator delete(void *memory) noexcept
{
	std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept
{
	std::free(memory);
}

namespace
{

static_assert(!std::is_copy_constructible<ilk::segment>::value, "one owner");
static_assert(std::is_nothrow_move_constructible<ilk::segment>::value, "which can change");
static_assert(std::is_trivially_copyable<ilk::mutex>::value, "a handle is a pointer");
static_assert(sizeof(ilk::barrier) == sizeof(void *), "and no more");
static_assert(std::is_nothrow_copy_constructible<ilk::owner_died>::value, "as exceptions are");

/* Runs BODY in a child, which is killed at its end; returns its pid when it is gone. */
pid_t die_after(const std::function<void()> &body)
{
	const pid_t child = fork();
	int status = 0;

	if (child == 0) {
		body();
		raise(SIGKILL);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return child;
}

/* --- segments --- */

void test_segment_is_closed_with_its_variable(const ilk::segment &)
{
	const std::string name = "test-hpp-" + std::to_string(getpid());
	ilk::segment_options options;

	options.bytes = 2 << 20;
	options.flags = ILK_SEGMENT_EXCLUSIVE;
	{
		ilk::segment seg = ilk::segment::create(name.c_str(), options);
		ilk::segment other = ilk::segment::open(name.c_str());

		seg.block<std::int64_t>("number") = 42;
		CHECK(other.block<std::int64_t>("number") == 42);
		CHECK(seg.name() == name && seg.bytes() == options.bytes);
		seg = std::move(other);
		CHECK(seg && !other && seg.block<std::int64_t>("number") == 42);
		seg.validate();
		seg.remove("number");
		CHECK(seg.block<std::int64_t>("number") == 0);
	}
	CHECK(thrown([&] { ilk::segment::create(name.c_str(), options); }) == -EEXIST);
	CHECK(bool(ilk::segment::open_until(name.c_str(), std::chrono::system_clock::now() + 1h)));
	ilk::segment::unlink(name.c_str());
	CHECK(thrown([&] { ilk::segment::open(name.c_str()); }) == -ENOENT);
	CHECK(thrown([&] {
		ilk::segment::open_until(name.c_str(), std::chrono::system_clock::now() + 20ms);
	}) == -ETIMEDOUT);
}

void test_error_says_what_and_why(const ilk::segment &seg)
{
	bool told = false;

	seg.open<ilk::mutex>("a mutex");
	try {
		seg.open<ilk::latch>("a mutex", 1);
	} catch (const std::system_error &e) {
		told = e.code() == std::errc::file_exists;
		CHECK(std::strstr(e.what(), "ilk_latch_open") != nullptr);
		CHECK(std::strstr(e.what(), ilk_strerror(-EEXIST)) != nullptr);
		CHECK(std::strstr(e.what(), ilk_last_error()) != nullptr && *ilk_last_error());
	}
	CHECK(told);
}

/* --- mutex --- */

void test_mutex_fits_the_guards(const ilk::segment &seg)
{
	auto a = seg.open<ilk::mutex>("a"), b = seg.open<ilk::mutex>("b");

	{
		std::scoped_lock both(a, b);
		CHECK(a.owner().holder == ILK_HELD_BY_ME && !is_free(a) && !is_free(b));
		CHECK(thrown([&] { a.lock(); }) == -EDEADLK);
	}
	CHECK(is_free(a) && is_free(b));
	Guard held(a, std::try_to_lock);
	CHECK(held.owns_lock());
	held.unlock();
	CHECK(is_free(a));
	CHECK(Guard(a, -1h).owns_lock());
	CHECK(Guard(a, std::chrono::hours::max()).owns_lock());
	CHECK(ilk_mutex_unlock(a.get()) == -EPERM);
	a.unlock();
	CHECK(thrown([&] { a.repaired(); }) == -EPERM);
}

void test_mutex_deadlines_run_out(const ilk::segment &seg)
{
	auto m = seg.open<ilk::mutex>("a");
	const std::lock_guard held(m);

	CHECK(in_child([&] {
		const auto steady = std::chrono::steady_clock::now() + 30ms;
		const auto system = std::chrono::system_clock::now() + 30ms;

		return !m.try_lock() && !m.try_lock_for(10ms) && !m.try_lock_for(0.01s) &&
		       !m.try_lock_for(std::chrono::hours::min()) && !m.try_lock_until(steady) &&
		       std::chrono::steady_clock::now() >= steady && !m.try_lock_until(system) &&
		       std::chrono::system_clock::now() >= system &&
		       !m.try_lock_until(std::chrono::system_clock::time_point::min());
	}));
}

/* LOCK throws owner_died, and M is held then, by no guard. */
template <class Lock> void check_owner_died(ilk::mutex &m, Lock lock)
{
	bool told = false;

	die_after([&] { m.lock(); });
	try {
		lock();
	} catch (const ilk::owner_died &death) {
		told = death.is(m) && !death.shared() && death.code() == std::errc::owner_dead;
		CHECK(std::strstr(death.what(), "you hold it") != nullptr);
		CHECK(m.owner().holder == ILK_HELD_BY_ME && !is_free(m));
		Guard held(m, std::adopt_lock);
		m.repaired();
	}
	CHECK(told);
	CHECK(is_free(m) && m.owner().holder == ILK_HELD_BY_NOBODY);
	CHECK(thrown([&] { Guard held(m); }) == 0);
}

void test_owner_died_leaves_the_mutex_held(const ilk::segment &seg)
{
	auto m = seg.open<ilk::mutex>("a"), other = seg.open<ilk::mutex>("b");

	check_owner_died(m, [&] { Guard held(m); });
	check_owner_died(m, [&] { Guard held(m, std::try_to_lock); });
	check_owner_died(m, [&] { Guard held(m, 1s); });
	check_owner_died(m, [&] { Guard held(m, std::chrono::system_clock::now()); });
	check_owner_died(m, [&] { std::scoped_lock held(m); });
	check_owner_died(m, [&] { std::scoped_lock held(m, other); });
	CHECK(is_free(other));
	check_owner_died(m, [&] { std::scoped_lock held(other, m); });
	CHECK(is_free(other));
}

void test_owner_died_unrepaired_is_told_again(const ilk::segment &seg)
{
	auto m = seg.open<ilk::mutex>("a");
	int repairs = 0;

	die_after([&] { m.lock(); });
	for (int i = 0; i < 2; i++) {
		CHECK(m.lock_recovered() && !is_free(m));
		m.unlock();
	}
	CHECK(thrown([&] { ilk::lock(m, [] { throw ilk::error("repair", -EIO); }); }) == -EIO);
	CHECK(is_free(m) && m.owner().damaged);
	for (int i = 0; i < 2; i++) {
		const Guard held = ilk::lock(m, [&] { repairs++; });
		CHECK(held.owns_lock() && !is_free(m));
	}
	CHECK(repairs == 1 && is_free(m) && !m.owner().damaged);
}

void test_owner_died_without_memory_to_say_so_lets_go(const ilk::segment &seg)
{
	auto m = seg.open<ilk::mutex>("a");
	bool told = false;

	die_after([&] { m.lock(); });
	no_memory = true;
	try {
		Guard held(m);
	} catch (const std::bad_alloc &) {
		told = true;
	}
	no_memory = false;
	CHECK(told && is_free(m) && m.owner().damaged);
}

/* --- shared_mutex --- */

void test_shared_mutex_fits_the_guards(const ilk::segment &seg)
{
	auto l = seg.open<ilk::shared_mutex>("l");

	{
		std::shared_lock reading(l);
		CHECK(thrown([&] { l.lock(); }) == -EDEADLK);
		CHECK(l.try_lock_shared_for(1ms));
		l.unlock_shared();
		CHECK(l.try_lock_shared_until(std::chrono::system_clock::now()));
		l.unlock_shared();
	}
	std::unique_lock writing(l, 1s);
	CHECK(writing.owns_lock());
	CHECK(thrown([&] { l.lock_shared(); }) == -EDEADLK);
	{
		const auto reading = ilk::downgrade(std::move(writing));
		CHECK(reading.owns_lock() && !writing.owns_lock());
	}
	CHECK(thrown([&] { ilk::downgrade(std::move(writing)); }) == -EPERM);
	CHECK(l.try_lock_until(std::chrono::steady_clock::now()) &&
		ilk_rwlock_unlock(l.get()) == 0);
	CHECK(ilk_rwlock_unlock(l.get()) == -EPERM);
}

/* GUARD(L, how...) throws owner_died, for reading if SHARED, and L is held then. */
template <class Guard, class... How>
void check_writer_died(ilk::shared_mutex &l, bool shared, How... how)
{
	bool told = false;

	try {
		Guard held(l, how...);
	} catch (const ilk::owner_died &death) {
		told = death.is(l) && death.shared() == shared;
		CHECK(thrown([&] { l.lock(); }) == -EDEADLK);
		Guard held(l, std::adopt_lock);
	}
	CHECK(told && ilk_rwlock_unlock(l.get()) == -EPERM);
}

void test_writer_died_is_told_to_readers_and_writers(const ilk::segment &seg)
{
	using Reading = std::shared_lock<ilk::shared_mutex>;
	using Writing = std::unique_lock<ilk::shared_mutex>;
	auto l = seg.open<ilk::shared_mutex>("l");
	int repairs = 0;

	die_after([&] { l.lock(); });
	check_writer_died<Reading>(l, true);
	check_writer_died<Reading>(l, true, std::try_to_lock);
	check_writer_died<Reading>(l, true, 1s);
	check_writer_died<Reading>(l, true, std::chrono::steady_clock::now());
	check_writer_died<Writing>(l, false);
	check_writer_died<Writing>(l, false, std::try_to_lock);
	check_writer_died<Writing>(l, false, 1s);
	check_writer_died<Writing>(l, false, std::chrono::system_clock::now() + 1s);
	for (int i = 0; i < 2; i++) {
		const auto reading = ilk::lock_shared(l, [&] { repairs++; });
		CHECK(reading.owns_lock());
	}
	CHECK(repairs == 1 && ilk_rwlock_unlock(l.get()) == -EPERM);
}

} // namespace

int main()
{
	void (*const tests[])(const ilk::segment &) = {
		test_segment_is_closed_with_its_variable,
		test_error_says_what_and_why,
		test_mutex_fits_the_guards,
		test_mutex_deadlines_run_out,
		test_owner_died_leaves_the_mutex_held,
		test_owner_died_unrepaired_is_told_again,
		test_owner_died_without_memory_to_say_so_lets_go,
		test_shared_mutex_fits_the_guards,
		test_writer_died_is_told_to_readers_and_writers,
	};

	return run(tests);
}
