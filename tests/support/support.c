/* support.c - surroundings, a thread, and shorthand. */
#include "support.h"
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* --- surroundings --- */

int support_emulated(void)
{
	const char *set = getenv("ILK_TEST_EMULATED");

	return set && strcmp(set, "1") == 0;
}

int support_slow(void)
{
	return SUPPORT_TSAN || SUPPORT_ASAN || support_emulated();
}

int support_is_root(void)
{
	return geteuid() == 0;
}

void support_become_nobody(void)
{
	enum { NOBODY = 65534 };

	CHECK(setgroups(0, NULL) == 0);
	CHECK(setgid(NOBODY) == 0);
	CHECK(setuid(NOBODY) == 0);
	/* Changing the user forgets this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct call {
	int (*f)(void *arg);
	void *arg;
	int result;
};

static void *run_call(void *arg)
{
	struct call *call = arg;

	call->result = call->f(call->arg);
	return NULL;
}

int support_in_thread(int (*f)(void *arg), void *arg)
{
	struct call call = {.f = f, .arg = arg};
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, run_call, &call) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	return call.result;
}

/* --- shorthand --- */

const char *support_path(const char *name)
{
	static char paths[8][96];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, 96, "/dev/shm/ilk.%s", name);
	return path;
}

struct ilk_segment *support_create(const char *name, const struct ilk_segment_options *options)
{
	struct ilk_segment *seg = NULL;

	CHECK_RC(ilk_segment_create(name, options, &seg), 0);
	return seg;
}

struct ilk_segment *support_open(const char *name)
{
	struct ilk_segment *seg = NULL;

	CHECK_RC(ilk_segment_open(name, NULL, &seg), 0);
	return seg;
}

struct ilk_mutex *support_mutex(struct ilk_segment *seg, const char *name)
{
	struct ilk_mutex *m = NULL;

	CHECK_RC(ilk_mutex_open(seg, name, NULL, &m), 0);
	return m;
}

struct ilk_counter *support_counter(struct ilk_segment *seg, const char *name)
{
	struct ilk_counter *c = NULL;

	CHECK_RC(ilk_counter_open(seg, name, &c), 0);
	return c;
}

void support_unlink(const char *name)
{
	CHECK_RC(ilk_segment_unlink(name), 0);
}
