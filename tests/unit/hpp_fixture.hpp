/*
 * hpp_fixture.hpp - checks, and children that die, for the tests of ilk.hpp.
 */
#ifndef ILK_TESTS_HPP_FIXTURE_HPP
#define ILK_TESTS_HPP_FIXTURE_HPP

#include <ilk.hpp>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

using namespace std::chrono_literals;
using Guard = std::unique_lock<ilk::mutex>;

int failures;

void check(bool holds, int line, const char *what)
{
	if (holds)
		return;
	std::fprintf(stderr, "line %d: not so: %s\n", line, what);
	failures++;
}

#define CHECK(condition) check((condition), __LINE__, #condition)

/* What BODY throws as an ilk::error: its result; 0, nothing. */
template <class Body> int thrown(Body body)
{
	try {
		body();
	} catch (const ilk::error &e) {
		return e.result();
	}
	return 0;
}

/* Runs LOOK in a child; true if LOOK was. */
bool in_child(const std::function<bool()> &look)
{
	const pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(look() ? 0 : 1);
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Could another have it? Asked by a child, since the holder would be told of a deadlock. */
bool is_free(const ilk::mutex &m)
{
	return in_child([&] {
		const int rc = ilk_mutex_try_lock(m.get());

		return rc >= 0 && ilk_mutex_unlock(m.get()) == 0;
	});
}

/* Runs each of TESTS with a segment of its own; what main() returns. */
template <class Tests> int run(const Tests &tests)
{
	for (const auto test : tests)
		test(ilk::segment::anonymous("hpp"));
	std::puts(failures ? "FAILED" : "passed");
	return failures != 0;
}

} // namespace

#endif
