/* crowd.c - threads that are there and do nothing. */
#include "bench/crowd.h"
#include "bench/rows.h"

#include <pthread.h>
#include <unistd.h>

static const double patience = 10.0; /* seconds, until they are taken for hung */

struct crowd {
	const struct bench_place *place;
	void *lock;
	unsigned n;
};

static void *stand_by(void *arg)
{
	const struct crowd *c = (const struct crowd *)arg;
	struct ilk_rwlock *l = (struct ilk_rwlock *)c->lock;

	if (ilk_rwlock_read(l) < 0 || ilk_rwlock_unlock(l) < 0)
		_exit(1);
	ilk_add_full_(&c->place->arena->stage, 1);
	for (;;)
		pause();
}

static int crowd_child(void *arg)
{
	const struct crowd *c = (const struct crowd *)arg;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (unsigned i = 1; i < c->n; i++)
		if (pthread_create(&thread, &attr, stand_by, arg) != 0)
			return -1;
	stand_by(arg);
	return 0;
}

int bench_crowd(const struct bench_place *place, void *lock, unsigned n, pid_t *pid,
	struct bench_sample *sample)
{
	struct crowd c = {place, lock, n};

	*pid = bench_spawn(-1, crowd_child, &c);
	if (*pid > 0 && bench_await(&place->arena->stage, n, patience) == 0)
		return BENCH_OK;
	bench_kill(*pid);
	return bench_fail(sample, "%u threads could not be started", n);
}
