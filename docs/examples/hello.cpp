/*
 * hello.cpp - C++: a lock guard of the standard library, and a holder that is killed.
 *
 * A child takes a piece off the shelf and is killed between the two halves of its change. The parent's
 * lock() throws, holding it: the parent counts again, and goes on.
 */
#include <csignal>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.hpp>

/* What the processes share. The rule that the mutex guards: left + sold is 10. */
struct Shelf {
	int left, sold;
};

static void killed_half_way(ilk::mutex &m, Shelf &shelf)
{
	const std::scoped_lock held(m);

	shelf.left--;
	raise(SIGKILL);
	shelf.sold++;
}

static void sell(ilk::mutex &m, Shelf &shelf)
{
	try {
		const std::scoped_lock held(m);

		shelf.left--;
		shelf.sold++;
	} catch (const ilk::owner_died &) {
		const std::unique_lock held(m, std::adopt_lock);

		std::cout << "its last owner died: " << shelf.left << " left, " << shelf.sold
			  << " sold\n";
		shelf.sold = 10 - shelf.left;
		m.repaired();
	}
}

int main()
try {
	const auto seg = ilk::segment::anonymous("shop");
	auto m = seg.open<ilk::mutex>("stock");
	auto &shelf = seg.block<Shelf>("shelf");

	shelf.left = 10;
	const pid_t child = fork();
	if (child < 0)
		return 1;
	if (child == 0)
		killed_half_way(m, shelf);
	waitpid(child, nullptr, 0);
	sell(m, shelf);
	sell(m, shelf);
	std::cout << shelf.left << " left, " << shelf.sold << " sold\n";
	return 0;
} catch (const std::exception &e) {
	std::cerr << e.what() << '\n';
	return 1;
}
