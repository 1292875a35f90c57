/*
 * peer_pthread.c - the locks of the C library, process-shared: mutexes, normal and robust; rwlocks,
 * default and with preference for writers.
 */
#include "bench/lock_peer.h"
#include "bench/rwlock_peer.h"

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

static int init_rwlock_as(void *object, int kind)
{
	pthread_rwlockattr_t attr;
	int rc = pthread_rwlockattr_init(&attr);

	if (rc == 0)
		rc = pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = pthread_rwlockattr_setkind_np(&attr, kind);
	if (rc == 0)
		rc = pthread_rwlock_init((pthread_rwlock_t *)object, &attr);
	pthread_rwlockattr_destroy(&attr);
	return rc;
}

static int init_rwlock(struct ilk_segment *seg, void *object)
{
	(void)seg;
	return init_rwlock_as(object, PTHREAD_RWLOCK_DEFAULT_NP);
}

static int init_rwlock_writer(struct ilk_segment *seg, void *object)
{
	(void)seg;
	return init_rwlock_as(object, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
}

RWLOCK_PEER_LOOPS(pthread, pthread_rwlock_t, pthread_rwlock_rdlock(l), pthread_rwlock_unlock(l),
	pthread_rwlock_wrlock(l), pthread_rwlock_unlock(l));

const struct rwlock_peer rwlock_peer_pthread = {
	init_rwlock, pthread_reads, pthread_writes, pthread_turns, pthread_mix};
const struct rwlock_peer rwlock_peer_pthread_writer = {
	init_rwlock_writer, pthread_reads, pthread_writes, pthread_turns, pthread_mix};
