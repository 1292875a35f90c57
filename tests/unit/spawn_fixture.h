/* spawn_fixture.h - children whose end is seen from outside: each has an end of a pipe. */
#ifndef ILK_TESTS_SPAWN_FIXTURE_H
#define ILK_TESTS_SPAWN_FIXTURE_H

#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A pipe of which every process that is to be watched has the second end. */
static int life[2];

static inline void make_life(void)
{
	assert_int_equal(pipe2(life, O_CLOEXEC), 0);
}

static inline void wait_for_end_of_life(void)
{
	struct pollfd p = {.fd = life[0], .events = POLLIN};

	CHECK(poll(&p, 1, (int)ilk_test_limit_ms()) == 1 && p.revents & POLLHUP);
}

static inline void close_life(void)
{
	close(life[0]);
	close(life[1]);
}

static inline ilk_time patience(void)
{
	return ilk_after_ms(ilk_test_limit_ms());
}

static inline int sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

/* Says so, and sleeps. */
static inline int say_and_sleep(void *step)
{
	ilk_test_say(*(const unsigned *)step);
	return sleep_for_ever(NULL);
}

static inline struct ilk_child start(int (*body)(void *arg), void *arg)
{
	struct ilk_child child;

	CHECK_RC(ilk_spawn(&child, body, arg, NULL), 0);
	return child;
}

/* Ends it by SIGKILL. */
static inline void finish(struct ilk_child *child)
{
	struct ilk_end end;

	CHECK_RC(ilk_spawn_terminate(child, &end, ILK_NOW), 0);
	CHECK(end.signal == SIGKILL);
}

#endif
