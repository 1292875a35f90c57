/*
 * semaphore.c - a counting semaphore that is a sem_t, and waits that no lost wake-up holds up.
 *
 * State      posix  the C library's semaphore; its word (os/sem.h): value in the lower half, in the
 *                   upper one how many sleep or are about to: ours and those of sem_wait() alike
 *            slept, waited_ns  statistics of those of ours who slept; added to by each
 *            tag    SEMAPHORE, or REMOVED for good: nobody waits for it any more
 *            first, label: fixed
 * Invariant  [I1] Who sleeps on the value has counted itself in the upper half before, and sleeps
 *            only while the value is 0.
 *            [I2] Who counted itself takes itself out with the permit, in one compare-and-swap, or
 *            when it gives up; the killed stay counted. So the count is never too small: too large,
 *            it costs posts a system call and nobody a wake-up.
 *            [I3] No sleep of ours is longer than 50 ms (wait.c).
 * Ordering   [S1] post: add word, full                <-> [S2]  what the poster wrote
 *            [S2] take: compare-and-swap word, acquire <-> [S1]
 *            [S3] wait: add to the count, relaxed, then the kernel compares the value <-> [S1]
 *                 one word has one order: a post after [S3] sees us counted and wakes us; before it,
 *                 the kernel finds the value changed
 *            [S4] wait: count, load tag <-> remove: store tag, wake. Who misses both looks in 50 ms.
 * Death      before [S1] nothing; after it, before the wake-up: a permit and perhaps sleepers, who
 *            look by themselves. Woken and killed: the same. After [S2] the permit is spent. Between
 *            an add that went past the maximum and its taking back: one permit too many, which
 *            counts on.
 * Close      waits for who spins or sleeps; a permit it gets meanwhile it posts again: -ECANCELED.
 *
 * The word is the C library's to change as well: each of our changes is one that it makes too.
 */
#include "sync/semaphore.h"
#include "os/futex.h"
#include "segment/types.h"
#include "sync/object.h"

_Static_assert(sizeof(struct ilk_semaphore) == 128, "two cache lines");
_Static_assert(sizeof(sem_t) == 32, "of which sem_t has half of one");

static inline uint64_t *word_of(struct ilk_semaphore *s)
{
	return ilk_sem_word_(&s->posix);
}

/* --- posting: async-signal-safe, and so without asking who we are --- */

static inline int check_post(const struct ilk_semaphore *s)
{
	int rc = ilk_can_write_(s);

	return rc == 0 && !ilk_semaphore_is_one_(s) ? -EINVAL : rc;
}

static inline void wake(uint64_t *word, uint64_t found, unsigned n)
{
	if (found >= ILK_SEM_WAITER_)
		ilk_futex_wake_(ilk_sem_value_at_(word), (int)n);
}

/* Takes back what was added to a full one. -EOVERFLOW; 0: somebody has taken it already. */
static int take_back(uint64_t *word)
{
	uint64_t found = ilk_load_relaxed_(word);

	while (ILK_SEM_VALUE_(found) > ILK_SEMAPHORE_MAX)
		if (ilk_cas_full_(word, &found, found - 1))
			return -EOVERFLOW;
	return 0;
}

/* Added without a look first: that would fetch the cache line twice from who waits for it. */
static inline int post_one(uint64_t *word)
{
	uint64_t found = ilk_add_full_(word, 1); /* [S1] */

	if (ILK_UNLIKELY_(ILK_SEM_VALUE_(found) >= ILK_SEMAPHORE_MAX))
		return take_back(word);
	wake(word, found, 1);
	return 0;
}

int ilk_semaphore_post(struct ilk_semaphore *s)
{
	int rc = check_post(s);

	return rc < 0 ? rc : post_one(word_of(s));
}

int ilk_semaphore_post_n(struct ilk_semaphore *s, unsigned n)
{
	uint64_t *word = word_of(s), found;
	int rc = check_post(s);

	if (rc < 0)
		return rc;
	found = ilk_load_relaxed_(word);
	do {
		if (n > ILK_SEMAPHORE_MAX || ILK_SEM_VALUE_(found) > ILK_SEMAPHORE_MAX - n)
			return -EOVERFLOW;
	} while (!ilk_cas_full_(word, &found, found + n)); /* [S1] */
	wake(word, found, n);
	return 0;
}

int ilk_semaphore_value(const struct ilk_semaphore *s, unsigned *value)
{
	if (!ilk_semaphore_is_one_(s))
		return -EINVAL;
	*value = ilk_semaphore_value_of_(s);
	return 0;
}

/* --- waiting --- */

/* Takes a permit, and AND_ME, 0 or one waiter, off the count. 1; 0: there is none. */
static inline int take(uint64_t *word, uint64_t and_me)
{
	uint64_t found = ilk_load_relaxed_(word);

	while (ILK_SEM_VALUE_(found))
		if (ilk_cas_acquire_(word, &found, found - 1 - and_me)) /* [S2] */
			return 1;
	return 0;
}

static int spin(uint64_t *word)
{
	unsigned look = 0;

	do
		if (take(word, 0))
			return 1;
	while (ilk_spin_once_(&look));
	return 0;
}

/* Sleeps until a permit is ours; S is whose WORD it is, or NULL. 0; -EIDRM, or why to give up. */
static int sleep_for(
	uint64_t *word, const struct ilk_semaphore *s, struct ilk_wait_ *w, ilk_time deadline)
{
	int rc = 0;

	ilk_add_relaxed_(word, ILK_SEM_WAITER_); /* [S3] */
	while (rc >= 0) {
		if (s && ilk_semaphore_is_removed_(s)) /* [S4] */
			rc = -EIDRM;
		else if (take(word, ILK_SEM_WAITER_))
			return 0;
		else
			rc = ilk_wait_on_(w, ilk_sem_value_at_(word), 0, deadline, 0);
	}
	ilk_sub_full_(word, ILK_SEM_WAITER_);
	return rc;
}

static int wait_for(struct ilk_semaphore *s, ilk_time deadline)
{
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, s, ILK_TYPE_SEMAPHORE_);
	rc = sleep_for(word_of(s), s, &w, deadline);
	ilk_add_relaxed_(&s->slept, 1);
	ilk_add_relaxed_(&s->waited_ns, (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	return rc;
}

/* Inside, so that close can cancel it. */
static int contend(struct ilk_semaphore *s, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	if (!spin(word_of(s)))
		rc = wait_for(s, deadline);
	if (rc == 0) {
		rc = ilk_is_closing_(seg) ? -ECANCELED : ilk_semaphore_is_removed_(s) ? -EIDRM : 0;
		if (rc < 0)
			post_one(word_of(s));
	}
	ilk_inside_end_(seg);
	return rc;
}

static int wait_slow(struct ilk_semaphore *s, ilk_time deadline)
{
	int rc = ilk_here_(s);

	if (rc < 0)
		return rc;
	if (ilk_load_relaxed_(&s->tag) != ILK_SEMAPHORE_TAG_)
		return ilk_semaphore_is_removed_(s) ? -EIDRM : -EINVAL;
	if (take(word_of(s), 0))
		return 0;
	return deadline == ILK_NOW ? -EAGAIN : contend(s, deadline);
}

static inline int wait_until(struct ilk_semaphore *s, ilk_time deadline)
{
	if (ilk_is_here_(s) && ilk_load_relaxed_(&s->tag) == ILK_SEMAPHORE_TAG_ &&
		take(word_of(s), 0))
		return 0;
	return wait_slow(s, deadline);
}

int ilk_semaphore_wait(struct ilk_semaphore *s)
{
	return wait_until(s, ILK_FOREVER);
}

int ilk_semaphore_try_wait(struct ilk_semaphore *s)
{
	return wait_until(s, ILK_NOW);
}

int ilk_semaphore_wait_until(struct ilk_semaphore *s, ilk_time deadline)
{
	int rc = wait_until(s, deadline);

	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/* --- a sem_t elsewhere --- */

int ilk_semaphore_wait_posix(sem_t *sem, ilk_time deadline)
{
	struct ilk_wait_ w = {.segment = NULL};

	if (!sem)
		return -EINVAL;
	if (ilk_can_write_(sem) < 0)
		return -EROFS;
	if (take(ilk_sem_word_(sem), 0))
		return 0;
	if (deadline != ILK_NOW && spin(ilk_sem_word_(sem)))
		return 0;
	return sleep_for(ilk_sem_word_(sem), NULL, &w, deadline);
}
