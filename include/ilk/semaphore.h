/*
 * ilk/semaphore.h - permits that are counted, and that nobody owns.
 *
 *	struct ilk_semaphore *items;                    // begins at 0: see struct ilk_semaphore_options
 *	int rc = ilk_semaphore_open(seg, "items", NULL, &items);
 *	...
 *	ilk_semaphore_post(items);                      // a producer: one more is there
 *	...
 *	rc = ilk_semaphore_wait_until(items, ilk_after_ms(50));
 *	if (rc == 0)                                    // a consumer: one is ours
 *		take_one();
 *
 * A POSIX sem_t lives in it: code that wants one gets it from ilk_semaphore_posix(), and posts and
 * waits as it always did. Named semaphores of other programs: ilk_semaphore_open_posix().
 *
 * The wrong pattern: sem_wait() among processes that may be killed. The wake-up of a post goes to
 * one sleeper; if that one is killed before it takes the permit, the others sleep on beside a
 * semaphore that is not 0 (glibc: 194 of 200 trials). Here each sleeper looks again by itself, every
 * 50 ms at most, whoever posted and however.
 *
 * Death: a permit that the dead had taken is spent, as with sem_t: for permits that come back, see
 * ilk/permits.h. Killed before its post, a poster has not posted; after, it has, and who sleeps
 * takes the permit at once or at its next look. Who is killed while it sleeps stays counted among
 * the waiters, since sem_t knows them by number only: nobody waits longer for that, but each post
 * is a system call from then on. Of those that sleep in sem_wait() itself glibc's rules hold.
 *
 * A post happens before the wait that takes its permit. ilk_semaphore_post() and its kin, and
 * ilk_semaphore_value(), are async-signal-safe in a process that has no read-only attachment.
 * Waits go on after a signal's handler. Nobody is served in order.
 */
#ifndef ILK_SEMAPHORE_H
#define ILK_SEMAPHORE_H

#include <ilk/segment.h>
#include <semaphore.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most permits that can be there at a time. */
#define ILK_SEMAPHORE_MAX 0x7fffffffu
/* As a value to begin with: whatever it was, of one that is there; of a new one, 0. */
#define ILK_SEMAPHORE_AS_IS 0xffffffffu

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_semaphore_options {
	size_t size;
	unsigned value; /* permits at first, up to ILK_SEMAPHORE_MAX, or ..._AS_IS; default 0 */
};

/* Fields private; src/sync/semaphore.c says what each means. May be embedded in shared structs. */
struct ilk_semaphore {
	sem_t posix;
	uint64_t waited_ns;
	uint32_t slept;
	uint32_t pad[5];
	/* On a line of its own, which nobody writes. */
	uint16_t tag ILK_ALIGNED_(64);
	uint16_t pad1;
	uint32_t first;
	char label[24];
} ILK_ALIGNED_(64);

/*
 * Makes S, in memory of SEG, a semaphore. Once, before anybody uses it; not on one that is in use.
 * LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL S lies outside SEG or is not aligned to 64, or a value out of range; -EROFS;
 * -ENOSYS this C library's sem_t is another than 64-bit glibc's.
 */
ILK_API int ilk_semaphore_init(struct ilk_segment *seg, struct ilk_semaphore *s, const char *label,
	const struct ilk_semaphore_options *options);

/*
 * Finds or makes the semaphore NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST
 * also where NAME is a semaphore that began with another value; -EINVAL also for a value out of
 * range; -ENOSYS as init.
 */
ILK_API int ilk_semaphore_open(struct ilk_segment *seg, const char *name,
	const struct ilk_semaphore_options *options, struct ilk_semaphore **s);

/*
 * Adds a permit, and wakes one who sleeps. Also on one whose name was removed.
 * 0; -EOVERFLOW there are ILK_SEMAPHORE_MAX; -EINVAL S is not a semaphore; -EROFS.
 * Progress: wait-free on x86-64.
 */
ILK_API int ilk_semaphore_post(struct ilk_semaphore *s);

/* Adds N permits at once, and wakes as many sleepers: all of them or, on failure, none. Results as
 * ilk_semaphore_post's. Progress: lock-free. */
ILK_API int ilk_semaphore_post_n(struct ilk_semaphore *s, unsigned n);

/*
 * Takes a permit, waiting until there is one.
 *
 *   0            one is yours
 *   -EIDRM       its name was removed (ilk/object.h), before or while you waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EINVAL      S lies in no segment that this process has attached, or is not a semaphore
 *   -EROFS       S lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Progress: where a permit is there, lock-free. Else it spins briefly, yielding, and then sleeps.
 */
ILK_API int ilk_semaphore_wait(struct ilk_semaphore *s);

/* Takes a permit if one is there. As wait; -EAGAIN there is none. */
ILK_API int ilk_semaphore_try_wait(struct ilk_semaphore *s);

/* Takes a permit, waiting until DEADLINE at most. As wait; -ETIMEDOUT. ILK_NOW: tries once. */
ILK_API int ilk_semaphore_wait_until(struct ilk_semaphore *s, ilk_time deadline);

/*
 * *VALUE gets how many permits are there at this moment; never negative, whoever waits. Takes no
 * lock, works through a read-only attachment. 0; -EINVAL S is not a semaphore.
 */
ILK_API int ilk_semaphore_value(const struct ilk_semaphore *s, unsigned *value);

/*
 * The sem_t in S: process-shared, for as long as S. sem_post, sem_wait and its kin and sem_getvalue
 * are for everybody who has it; sem_init and sem_destroy for nobody. sem_wait does not see that the
 * name is removed or the segment closed, and has glibc's own weakness, above.
 */
static inline sem_t *ilk_semaphore_posix(struct ilk_semaphore *s)
{
	return &s->posix;
}

/* --- semaphores of other programs --- */

enum {
	ILK_POSIX_CREATE = 1,    /* make it where it is not there */
	ILK_POSIX_EXCLUSIVE = 2, /* with CREATE: -EEXIST where it is there */
};

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_posix_options {
	size_t size;
	unsigned flags; /* ILK_POSIX_... */
	unsigned mode;  /* of a new one, less the umask; default 0600 */
	unsigned value; /* of a new one */
};

/*
 * Opens the named semaphore NAME ("/name", as in sem_overview(7)); no segment is needed. *SEM is
 * this process's way to it: sem_post and sem_getvalue work on it, ilk_semaphore_wait_posix() waits
 * on it, sem_close() ends it, sem_unlink() removes the name. OPTIONS may be NULL.
 *
 *   0              *SEM is open
 *   -ENOENT        no such semaphore, and ILK_POSIX_CREATE was not asked
 *   -EEXIST        it is there, and ILK_POSIX_EXCLUSIVE was asked
 *   -EINVAL        odd NAME, options out of range; -ENAMETOOLONG
 *   -EACCES, -EMFILE, -ENFILE, -ENOMEM, -ENOSPC   from the system
 *   -ENOSYS        as ilk_semaphore_init
 *
 * Two programs that make it at once: sem_open sees to it that both get the same.
 */
ILK_API int ilk_semaphore_open_posix(
	const char *name, const struct ilk_posix_options *options, sem_t **sem);

/*
 * Takes a permit of SEM, a process-shared sem_t wherever it lies, waiting until DEADLINE at most
 * (ILK_NOW: tries once), and looking by itself every 50 ms. 0; -ETIMEDOUT; -EINVAL SEM is NULL;
 * -EROFS it lies in a read-only attachment.
 * Closing it or unmapping its memory meanwhile is the caller's error. The inspector does not see who
 * waits here: it lies in no segment. A sem_t that is not process-shared works, with wake-ups up to
 * 50 ms late.
 */
ILK_API int ilk_semaphore_wait_posix(sem_t *sem, ilk_time deadline);

#ifdef __cplusplus
}
#endif

#endif
