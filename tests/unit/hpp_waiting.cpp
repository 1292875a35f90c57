/*
 * hpp_waiting.cpp - ilk.hpp: conditions, semaphores, barriers, latches, and deadlines of any clock.
 */
#include "hpp_fixture.hpp"

#include <limits>
#include <ratio>
#include <shared_mutex>

namespace
{

struct Shelf {
	ilk_mutex mutex;
	ilk_condition filled;
	std::int64_t left;
};

/* --- condition --- */

struct Waiting {
	ilk::mutex m;
	ilk::condition filled;
	Shelf &shelf;
};

Waiting shelf_of(const ilk::segment &seg, const char *name)
{
	Shelf &shelf = seg.block<Shelf>(name);

	return {ilk::mutex::init(seg, shelf.mutex), ilk::condition::init(seg, shelf.filled), shelf};
}

void test_condition_waits_until_it_is_so(const ilk::segment &seg)
{
	Waiting w = shelf_of(seg, "shelf");
	const auto never = [] { return false; };
	const auto filled = [&] { return w.shelf.left > 0; };
	Guard held(w.m);
	const pid_t child = fork();

	if (child == 0) {
		w.m.lock();
		w.shelf.left = 1;
		w.m.unlock();
		w.filled.notify_all();
		_exit(0);
	}
	w.filled.wait(held, filled);
	CHECK(w.shelf.left == 1 && held.owns_lock() && !is_free(w.m));
	waitpid(child, nullptr, 0);
	w.filled.notify_one();
	CHECK(w.filled.wait_for(held, 0s, filled) && !w.filled.wait_for(held, 20ms, never));
	CHECK(!w.filled.wait_until(held, std::chrono::system_clock::now() + 20ms, never));
	CHECK(w.filled.wait_for(held, -1s) == std::cv_status::timeout);
	CHECK(w.filled.wait_until(held, std::chrono::steady_clock::now()) ==
		std::cv_status::timeout);
	CHECK(w.filled.wait_for(held, 24h) == std::cv_status::no_timeout);
	CHECK(held.owns_lock() && !is_free(w.m));
	held.unlock();
	CHECK(thrown([&] { w.filled.wait(held); }) == -EPERM && !held.owns_lock());
}

void test_condition_wait_says_that_an_owner_died(const ilk::segment &seg)
{
	Waiting w = shelf_of(seg, "another shelf");
	Guard held(w.m);
	pid_t child = fork();
	bool told = false;

	if (child == 0) {
		w.m.lock();
		raise(SIGKILL);
	}
	try {
		w.filled.wait(held, [] { return false; });
	} catch (const ilk::owner_died &death) {
		told = death.is(w.m) && !held.owns_lock() && !is_free(w.m);
		held = Guard(w.m, std::adopt_lock);
		w.m.repaired();
	}
	CHECK(told && held.owns_lock());
	held.unlock();
	CHECK(is_free(w.m));
	waitpid(child, nullptr, 0);
}

void test_condition_whose_mutex_goes_leaves_no_guard(const ilk::segment &seg)
{
	auto m = seg.open<ilk::mutex>("going");
	auto filled = seg.open<ilk::condition>("filled");
	Guard held(m);
	const pid_t child = fork();

	if (child == 0) {
		m.lock();
		seg.remove("going");
		m.unlock();
		_exit(0);
	}
	CHECK(thrown([&] { filled.wait(held, [] { return false; }); }) == -ENOTRECOVERABLE);
	CHECK(!held.owns_lock() && held.mutex() == nullptr);
	waitpid(child, nullptr, 0);
}

/* --- semaphore, barrier, latch --- */

void test_semaphore_counts(const ilk::segment &seg)
{
	auto s = seg.open<ilk::counting_semaphore>("s", 1);

	s.acquire();
	CHECK(!s.try_acquire() && !s.try_acquire_for(10ms) && !s.try_acquire_for(-1h));
	CHECK(!s.try_acquire_until(std::chrono::system_clock::now() + 10ms));
	s.release(0);
	CHECK(s.value() == 0);
	s.release();
	s.release(2);
	CHECK(s.value() == 3 && s.try_acquire() && s.try_acquire_for(0s));
	CHECK(s.try_acquire_until(std::chrono::steady_clock::time_point::max()) && s.value() == 0);
	CHECK(thrown([&] { s.release(-1); }) == -EINVAL);
	CHECK(thrown([&] { s.release(s.max() + 1); }) == -EOVERFLOW && s.value() == 0);
	s.release(s.max());
	CHECK(thrown([&] { s.release(); }) == -EOVERFLOW && s.value() == s.max());
	CHECK(thrown([&] { seg.open<ilk::counting_semaphore>("s", 2); }) == -EEXIST);
	CHECK(thrown([&] { seg.open<ilk::counting_semaphore>("t", -1); }) == -EINVAL);
	CHECK(thrown([&] { seg.open<ilk::counting_semaphore>("t", s.max() + 1); }) == -EINVAL);
}

void test_barrier_says_who_died(const ilk::segment &seg)
{
	auto b = seg.open<ilk::barrier>("b", 2);
	const pid_t child = fork();
	bool told = false;

	if (child == 0) {
		b.arrive_and_wait();
		raise(SIGKILL);
	}
	b.arrive_and_wait();
	CHECK(b.status().phases == 1);
	try {
		b.arrive_and_wait();
	} catch (const ilk::barrier_broken &broken) {
		told = broken.by_death() && broken.status().pid == child;
		CHECK(broken.result() == -EPIPE);
		CHECK(std::strstr(broken.what(), broken.status().name) != nullptr);
	}
	CHECK(told);
	waitpid(child, nullptr, 0);
	b.reset();
	CHECK(b.status().cause == ILK_BARRIER_WHOLE);
	b.abort();
	CHECK(thrown([&] { b.arrive_and_wait(); }) == -EPIPE);
	b.arrive_and_drop();
	CHECK(thrown([&] { b.arrive_and_drop(); }) == -EPERM);
}

void test_barrier_that_runs_out_of_time_is_broken(const ilk::segment &seg)
{
	auto b = seg.open<ilk::barrier>("patient", 2);
	auto alone = seg.open<ilk::barrier>("alone", 0, ILK_BARRIER_SHRINK);

	CHECK(thrown([&] { b.arrive_and_wait_for(10ms); }) == -ETIMEDOUT);
	CHECK(b.status().cause == ILK_BARRIER_TIMEOUT && b.status().pid == getpid());
	b.reset();
	CHECK(thrown([&] { b.arrive_and_wait_until(std::chrono::system_clock::now() + 10ms); }) ==
		-ETIMEDOUT);
	alone.attach();
	CHECK(alone.arrive_and_wait() && alone.arrive_and_wait_for(0s));
}

void test_latch_opens_once(const ilk::segment &seg)
{
	auto l = seg.open<ilk::latch>("l", 3);
	const pid_t child = fork();

	if (child == 0) {
		l.count_down();
		_exit(0);
	}
	waitpid(child, nullptr, 0);
	CHECK(l.left() == 2 && !l.try_wait() && !l.wait_for(10ms));
	CHECK(!l.wait_until(std::chrono::system_clock::now() + 10ms));
	CHECK(thrown([&] { l.count_down(3); }) == -ERANGE);
	CHECK(thrown([&] { l.count_down(-1); }) == -ERANGE && l.left() == 2);
	l.arrive_and_wait(2);
	l.wait();
	CHECK(l.try_wait() && l.wait_for(-1s) && l.left() == 0);
}

void test_embedded_ones_are_used_as_those_with_a_name(const ilk::segment &seg)
{
	struct All {
		ilk_rwlock l;
		ilk_semaphore s;
		ilk_barrier b;
		ilk_latch latch;
	};
	All &all = seg.block<All>("all");
	auto l = ilk::shared_mutex::init(seg, all.l, "l");

	CHECK(std::shared_lock(l).owns_lock());
	CHECK(ilk::counting_semaphore::init(seg, all.s, 2).try_acquire());
	CHECK(ilk::barrier::init(seg, all.b, 1).arrive_and_wait());
	ilk::latch::init(seg, all.latch, 1).count_down();
	CHECK(ilk::latch(&all.latch).try_wait());
	CHECK(thrown([&] {
		ilk_mutex outside{};
		ilk::mutex::init(seg, outside);
	}) == -EINVAL);
}

/* --- deadlines --- */

/* A clock of another epoch and a coarse tick, as others bring them. */
struct Odd {
	using rep = std::int32_t;
	using period = std::ratio<3, 7>;
	using duration = std::chrono::duration<rep, period>;
	using time_point = std::chrono::time_point<Odd>;

	static time_point now()
	{
		return time_point(duration(-1000));
	}
};

bool lies_ahead(ilk_time t, std::int64_t ns)
{
	const ilk_time latest = ilk_after_ns(ns);

	return t <= latest && t > latest - 60'000'000'000;
}

void test_deadlines_of_other_clocks(const ilk::segment &)
{
	using Steady = std::chrono::steady_clock;
	using System = std::chrono::system_clock;
	const auto now = Steady::now();

	CHECK(ilk::deadline(now) == now.time_since_epoch().count() &&
		ilk_now() >= ilk::deadline(now));
	CHECK(ilk::deadline(Steady::time_point(-5s)) == ILK_NOW);
	CHECK(ilk::deadline(Steady::time_point::min()) == ILK_NOW);
	CHECK(ilk::deadline(Steady::time_point::max()) == ILK_FOREVER);
	CHECK(lies_ahead(ilk::deadline(System::now() + 1h), 3'600'000'000'000));
	CHECK(lies_ahead(ilk::deadline(System::time_point::min()), 0));
	CHECK(ilk::deadline(System::time_point::max()) >
		ilk_after_ns(0) + 200LL * 365 * 86400 * 1000000);
	CHECK(lies_ahead(ilk::deadline(Odd::now() + Odd::duration(700)), 300'000'000'000));
	CHECK(lies_ahead(ilk::deadline(Odd::time_point::min()), 0));
}

/* A clock that goes at a quarter of the speed, as one does that is set back again and again. */
struct Slow {
	using duration = std::chrono::nanoseconds;
	using rep = duration::rep;
	using period = duration::period;
	using time_point = std::chrono::time_point<Slow>;

	static time_point now()
	{
		return time_point(duration(ilk_now() / 4));
	}
};

void test_waits_end_by_their_own_clock(const ilk::segment &seg)
{
	auto s = seg.open<ilk::counting_semaphore>("s");
	auto m = seg.open<ilk::mutex>("m");
	auto never = seg.open<ilk::condition>("never");
	Slow::time_point t = Slow::now() + 10ms;

	CHECK(!s.try_acquire_until(t) && Slow::now() >= t);
	Guard held(m);
	t = Slow::now() + 10ms;
	CHECK(!never.wait_until(held, t, [] { return false; }) && Slow::now() >= t);
}

void test_durations_are_rounded_up_and_saturate(const ilk::segment &)
{
	using std::chrono::duration;

	CHECK(ilk::whole_(duration<double, std::pico>(1)) == 1);
	CHECK(ilk::whole_(duration<std::int64_t, std::ratio<1, 3>>(1)) == 333333334);
	CHECK(ilk::whole_(std::chrono::nanoseconds::max()) == INT64_MAX);
	CHECK(ilk::whole_(std::chrono::nanoseconds::max() - 1ns) == INT64_MAX - 1);
	CHECK(ilk::whole_(std::chrono::nanoseconds::min()) == INT64_MIN);
	CHECK(ilk::whole_(std::chrono::seconds(10'000'000'000)) == INT64_MAX);
	CHECK(ilk::whole_(std::chrono::seconds(-10'000'000'000)) == INT64_MIN);
	CHECK(ilk::after(std::chrono::hours::max()) == ILK_FOREVER);
	CHECK(ilk::after(duration<double>(std::numeric_limits<double>::infinity())) == ILK_FOREVER);
	CHECK(lies_ahead(
		ilk::after(duration<double>(std::numeric_limits<double>::quiet_NaN())), 0));
	CHECK(lies_ahead(ilk::after(std::chrono::hours::min()), 0));
	CHECK(lies_ahead(ilk::after(2h), 7'200'000'000'000));
}

} // namespace

int main()
{
	void (*const tests[])(const ilk::segment &) = {
		test_condition_waits_until_it_is_so,
		test_condition_wait_says_that_an_owner_died,
		test_condition_whose_mutex_goes_leaves_no_guard,
		test_semaphore_counts,
		test_barrier_says_who_died,
		test_barrier_that_runs_out_of_time_is_broken,
		test_latch_opens_once,
		test_embedded_ones_are_used_as_those_with_a_name,
		test_deadlines_of_other_clocks,
		test_waits_end_by_their_own_clock,
		test_durations_are_rounded_up_and_saturate,
	};

	return run(tests);
}
