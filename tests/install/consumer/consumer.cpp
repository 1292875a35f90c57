/* consumer.cpp - the same as C++17, and what is for C++ alone. */
#define main main_of_c
#include "consumer.c"
#undef main

#include <ilk.hpp>

static int use_guards()
{
	const ilk::segment seg = ilk::segment::anonymous("consumer");
	auto a = seg.open<ilk::mutex>("a");
	auto b = seg.open<ilk::shared_mutex>("b");

	{
		const std::scoped_lock both(a, b);
		try {
			a.lock();
			return 1;
		} catch (const ilk::error &e) {
			CHECK(e.code() == std::errc::resource_deadlock_would_occur);
		}
	}
	CHECK(std::unique_lock(a, std::chrono::milliseconds(1)).owns_lock());
	CHECK(!seg.open<ilk::counting_semaphore>("items").try_acquire());
	return 0;
}

int main()
{
	return main_of_c() || use_guards();
}
