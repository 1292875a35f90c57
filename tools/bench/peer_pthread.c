/*
 * peer_pthread.c - the mutexes of the C library, process-shared: normal and robust.
 */
#include "bench/lock_peer.h"

#include <errno.h>
#include <pthread.h>

static int init_as(void *object, int robust)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if (rc == 0)
		rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = pthread_mutexattr_setrobust(&attr, robust);
	if (rc == 0)
		rc = pthread_mutex_init((pthread_mutex_t *)object, &attr);
	pthread_mutexattr_destroy(&attr);
	return rc;
}

static int init_normal(struct ilk_segment *seg, void *object)
{
	(void)seg;
	return init_as(object, PTHREAD_MUTEX_STALLED);
}

static int init_robust(struct ilk_segment *seg, void *object)
{
	(void)seg;
	return init_as(object, PTHREAD_MUTEX_ROBUST);
}

LOCK_PEER_LOOPS(pthread, pthread_mutex_t, pthread_mutex_lock(l) != 0, pthread_mutex_unlock(l) != 0);

static int lock(void *object)
{
	pthread_mutex_t *m = (pthread_mutex_t *)object;
	int rc = pthread_mutex_lock(m);

	if (rc == 0)
		return 0;
	return rc == EOWNERDEAD && pthread_mutex_consistent(m) == 0 ? 1 : -1;
}

static int unlock(void *object)
{
	return pthread_mutex_unlock((pthread_mutex_t *)object);
}

const struct lock_peer lock_peer_pthread = {
	init_normal, pthread_pairs, pthread_contend, NULL, NULL};
const struct lock_peer lock_peer_pthread_robust = {
	init_robust, pthread_pairs, pthread_contend, lock, unlock};
