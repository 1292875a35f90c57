/*
 * ilk/condition.h - waiting, under a mutex, until something is so.
 *
 *	struct ilk_mutex *m;
 *	struct ilk_condition *filled;
 *	...
 *	rc = ilk_mutex_lock(m);                                 // the consumer
 *	if (rc < 0)
 *		return rc;
 *	if (rc == 0)
 *		rc = ILK_WAIT_UNTIL(filled, m, ilk_after_ms(500), shelf->left > 0);
 *	if (rc == 0)
 *		shelf->left--;                                  // it is so, and m is held
 *	else if (rc > 0 && rc & ILK_RECOVERED)
 *		put_right(shelf, m);                            // see ilk/mutex.h
 *	if (rc != -ECANCELED)
 *		ilk_mutex_unlock(m);
 *	...
 *	shelf->left++;                                          // the producer, with m locked
 *	ilk_mutex_unlock(m);
 *	ilk_condition_signal(filled);
 *
 * The wrong pattern: `if (!ready) wait()` instead of a loop; or a change of what is waited for
 * without the mutex, which can fall between a waiter's look and its sleep: a lost wake-up. And
 * pthread_cond_t in shared memory: a waiter that is killed in it stops whoever notifies, for ever.
 *
 * A wait returns when it is notified, but also now and then by itself: after 50 ms at the latest. So
 * no death can strand a waiter: neither that of one who was woken and killed before it could act, nor
 * that of one who made the change and did not live to tell. Hence the loop, which ILK_WAIT_UNTIL is.
 *
 * Who notifies need not hold the mutex, and waits for nobody. Not async-signal-safe. Memory with a
 * condition in it may be reused when every call on it has returned, those that notify among them.
 */
#ifndef ILK_CONDITION_H
#define ILK_CONDITION_H

#include <ilk/mutex.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fields private; src/sync/condition.c says what each means. May be embedded in shared structs. */
struct ilk_condition {
	uint32_t sequence;
	uint16_t tag;
	uint16_t reserved;
	uint64_t waits;
	uint64_t lapses;
	uint64_t waited_ns;
	uint64_t more;
	char label[24];
} ILK_ALIGNED_(64);

/*
 * Makes C, in memory of SEG, a condition. Once, before anybody uses it; not on one that is in use.
 * LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL C lies outside SEG or is not aligned to 64; -EROFS.
 */
ILK_API int ilk_condition_init(struct ilk_segment *seg, struct ilk_condition *c, const char *label);

/* Finds or makes the condition NAME. Results as ilk_block_open's, less those of its SIZE. */
ILK_API int ilk_condition_open(struct ilk_segment *seg, const char *name, struct ilk_condition **c);

/*
 * Lets M go, waits to be notified, and locks M again. The caller holds M, once; M lies in the same
 * attachment as C. Waiters of one condition may use different mutexes, though few programs want it.
 *
 * With M held, whatever has happened to what it guards meanwhile:
 *
 *   0               notified, or not: look whether it is so
 *   ILK_TIMED_OUT   DEADLINE has passed; where it had from the start, M was not let go
 *   ILK_RECOVERED   as of ilk_mutex_lock(): an owner died holding M; also together with
 *                   ILK_TIMED_OUT
 *
 * With M held as before; nothing was let go but where the condition's name was removed later:
 *
 *   -EPERM          you do not hold M
 *   -EDEADLK        M is recursive, and you hold it more than once: nobody could change anything
 *   -EIDRM          the name of C, or of M, was removed (ilk/object.h). Where that of C was removed
 *                   during the wait, M is held again; ilk_mutex_owner() tells if it is damaged
 *   -EINVAL         C lies in no segment that this process has attached, or is not a condition; or
 *                   M is no mutex in the same attachment
 *   -EROFS          C lies in a read-only attachment
 *
 * And with M not held:
 *
 *   -ENOTRECOVERABLE   the name of M was removed during the wait: nobody can lock it any more; to
 *                   unlock it is harmless, and -EPERM
 *   -ECANCELED      another thread of this process closes the segment: use nothing in it, M neither
 *
 * Order: as ilk_mutex_unlock() and then ilk_mutex_lock(). A notification whose change was made with
 * M held, by one who got M after this wait let it go, is not lost. Progress: sleeps, 50 ms at most,
 * then takes M as ilk_mutex_lock() does, for which DEADLINE does not count. Death: who dies in it
 * holds M, or does not; the others' waits end by themselves.
 */
ILK_API int ilk_condition_wait_until(
	struct ilk_condition *c, struct ilk_mutex *m, ilk_time deadline);

/* The same without a deadline, and so without ILK_TIMED_OUT. */
ILK_API int ilk_condition_wait(struct ilk_condition *c, struct ilk_mutex *m);

/*
 * Ends the wait of one who waits; of all. 0, also where nobody waits; -EIDRM, -EINVAL, -EROFS as
 * wait. Progress: wait-free; one system call where somebody waits (two if he is gone already), none
 * where nobody does. Death: it has happened or not; in both cases the waiters look within 50 ms.
 */
ILK_API int ilk_condition_signal(struct ilk_condition *c);
ILK_API int ilk_condition_broadcast(struct ilk_condition *c);

/* Private: is EXPRESSION to be looked at after RC? */
static inline int ilk_condition_looks_(int rc)
{
	return rc == 0 || rc == ILK_TIMED_OUT;
}

/*
 * Waits until EXPRESSION is true, or DEADLINE has passed; evaluates EXPRESSION with M held, first
 * before any wait. An int:
 *
 *   0                 EXPRESSION is true, and M is held
 *   ILK_TIMED_OUT     it is not, and M is held
 *   ILK_RECOVERED     (perhaps with ILK_TIMED_OUT) M is held, and what it guards may be half-done,
 *                     for which reason EXPRESSION was not looked at: put it right, call
 *                     ilk_mutex_repaired(M), and wait again
 *   -E...             as ilk_condition_wait_until()
 */
#define ILK_WAIT_UNTIL(c, m, deadline, expression)                                         \
	__extension__({                                                                    \
		struct ilk_condition *const ilk_c_ = (c);                                  \
		struct ilk_mutex *const ilk_m_ = (m);                                      \
		const ilk_time ilk_deadline_ = (deadline);                                 \
		int ilk_rc_ = 0;                                                           \
                                                                                           \
		while (ilk_condition_looks_(ilk_rc_)) {                                    \
			if (expression) {                                                  \
				ilk_rc_ = 0;                                               \
				break;                                                     \
			}                                                                  \
			if (ilk_rc_ != 0)                                                  \
				break;                                                     \
			ilk_rc_ = ilk_condition_wait_until(ilk_c_, ilk_m_, ilk_deadline_); \
		}                                                                          \
		ilk_rc_;                                                                   \
	})

#ifdef __cplusplus
}
#endif

#endif
