/*
 * registry.c - the process-private lists, the epoch, and what fork and thread exit do to them.
 *
 * State      epoch: 0 = a forked child that has not noticed yet; 1 = being revived; else even-grown
 *            number that moves at each detach. It lives in a page that the kernel wipes on fork.
 * Invariant  [I1] A thread's cached place is used only while its epoch is the current one.
 *            [I2] Whose an identity is changes under the registry lock only; a thread's own memory
 *            is touched by that thread only, since a thread can end without our being told.
 *            [I3] No thread is cancelled while it holds the registry lock.
 * Ordering   The lists are under the lock. A detach happens before other threads' next use by the
 *            caller's own synchronization (use during close is the caller's error), so the epoch's
 *            load may be relaxed. [R1] revive: store epoch, release <-> [R2] load, acquire.
 * Fork       libc's fork: the handlers below hold the lock across it, so that no descriptor of a
 *            life lock is open at that moment, and undo what a system without MADV_WIPEONFORK and
 *            MADV_DONTFORK (an emulator) lets through. A raw fork: the wiped page alone tells.
 */
#include "segment/registry.h"
#include "os/membarrier.h"
#include "os/shm.h"
#include "os/thread.h"
#include "segment/directory.h"
#include "segment/member.h"
#include "segment/transient.h"
#include <errno.h>
#include <ilk/counter.h> /* what it asks of us must be exported */
#include <pthread.h>

enum { EPOCH_FORKED = 0, EPOCH_REVIVING = 1, EPOCH_FIRST = 2 };

static uint64_t epoch_before_start;
uint64_t *ilk_epoch_ = &epoch_before_start;
__thread struct ilk_thread_ ilk_thread_;
struct ilk_segment *ilk_attachments_;
struct ilk_member_ *ilk_members_;
int ilk_read_only_attachments_;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_epoch = EPOCH_FIRST;
static uint64_t fork_serial = 1;
static uint64_t last_thread;
static int cancel_state; /* of who holds the lock */
static pthread_key_t thread_end;

/* The copies a child inherits are of its parent's membership: it is nobody yet. */
static void forget_membership(struct ilk_member_ *member)
{
	member->joined = 0;
	member->anchor = NULL;
	member->inherited = member->opened != NULL;
	for (uint32_t i = 0; i < member->top; i++)
		member->identities[i].thread = member->identities[i].inside = 0;
}

/* Makes every cached place out of date. */
static void move_epoch(void)
{
	ilk_store_release_(ilk_epoch_, ++last_epoch);
}

static void revive(void)
{
	pthread_mutex_init(&lock, NULL);
	fork_serial++;
	for (struct ilk_member_ *m = ilk_members_; m; m = m->next)
		forget_membership(m);
	for (struct ilk_segment *s = ilk_attachments_; s; s = s->next)
		s->closing = s->inside = 0;
	ilk_membarrier_register_();
	/* [R1] Weaker: a second thread of the child could see the epoch before the lists. */
	move_epoch();
}

void ilk_registry_lock_(void)
{
	uint64_t epoch = ilk_load_acquire_(ilk_epoch_); /* [R2] */
	int before;

	while (epoch < EPOCH_FIRST) {
		if (epoch == EPOCH_FORKED && ilk_cas_full_(ilk_epoch_, &epoch, EPOCH_REVIVING)) {
			revive();
			break;
		}
		ilk_yield_();
		epoch = ilk_load_acquire_(ilk_epoch_);
	}
	before = ilk_cancel_off_();
	pthread_mutex_lock(&lock);
	cancel_state = before;
}

void ilk_registry_unlock_(void)
{
	int before = cancel_state;

	pthread_mutex_unlock(&lock);
	ilk_cancel_on_(before);
}

uint64_t ilk_fork_serial_(void)
{
	return fork_serial;
}

void ilk_registry_add_(struct ilk_segment *seg)
{
	seg->next = ilk_attachments_;
	ilk_attachments_ = seg;
	if (seg->read_only)
		ilk_add_relaxed_(&ilk_read_only_attachments_, 1);
}

void ilk_registry_remove_(struct ilk_segment *seg)
{
	struct ilk_segment **at = &ilk_attachments_;

	while (*at != seg)
		at = &(*at)->next;
	*at = seg->next;
	if (seg->read_only)
		ilk_add_relaxed_(&ilk_read_only_attachments_, -1);
	move_epoch();
}

static struct ilk_segment *attachment_of(const void *object)
{
	struct ilk_segment *seg = ilk_attachments_;

	while (seg && (uintptr_t)object - (uintptr_t)seg->map.base >= seg->map.bytes)
		seg = seg->next;
	return seg;
}

struct ilk_segment *ilk_find_attachment_(const void *object)
{
	struct ilk_segment *seg;

	ilk_registry_lock_();
	seg = attachment_of(object);
	ilk_registry_unlock_();
	return seg;
}

int ilk_is_read_only_(const void *object)
{
	struct ilk_segment *seg = ilk_find_attachment_(object);

	return seg && seg->read_only;
}

/* --- threads --- */

static int is_mine(const struct ilk_identity_ *me)
{
	return me->thread != 0 && me->thread == ilk_thread_.serial;
}

struct ilk_identity_ *ilk_identity_in_(const struct ilk_member_ *member)
{
	uint16_t *hint = &ilk_thread_.slots[member->serial % ILK_HINTS_];

	if (*hint < member->top && is_mine(&member->identities[*hint]))
		return &member->identities[*hint];
	for (uint32_t i = 0; i < member->top; i++)
		if (is_mine(&member->identities[i])) {
			*hint = (uint16_t)i;
			return &member->identities[i];
		}
	return NULL;
}

void ilk_thread_adopt_(struct ilk_identity_ *me)
{
	struct ilk_thread_ *t = &ilk_thread_;

	if (t->serial == 0)
		t->serial = ++last_thread;
	me->thread = t->serial;
	if (me->member->top <= me->slot)
		ilk_store_relaxed_(&me->member->top, me->slot + 1);
	t->slots[me->member->serial % ILK_HINTS_] = (uint16_t)me->slot;
	pthread_setspecific(thread_end, t);
}

/* Is the cached identity the calling thread's still? It may lie in memory that is gone. */
static int is_cached_valid(void)
{
	const struct ilk_member_ *m = ilk_members_;
	uintptr_t me = (uintptr_t)ilk_thread_.me;

	while (m && me - (uintptr_t)m->identities >= m->thread_slots * sizeof *m->identities)
		m = m->next;
	return m && is_mine(ilk_thread_.me);
}

/* Counts what a fast path took last, before the cached place changes. */
static void settle_last(void)
{
	if (ilk_thread_.last && is_cached_valid())
		ilk_thread_.me->held++;
	ilk_thread_.last = NULL;
}

static void cache(struct ilk_segment *seg, struct ilk_identity_ *me)
{
	struct ilk_thread_ *t = &ilk_thread_;

	settle_last();
	t->segment = seg;
	t->me = me;
	t->owner = me->owner;
	t->fenced = !seg->asymmetric;
	t->mark = NULL;
	t->base = (uintptr_t)seg->map.base;
	t->bytes = seg->map.header.order_at ? 0 : seg->map.bytes;
	t->all_bytes = seg->map.bytes;
	t->epoch = ilk_load_relaxed_(ilk_epoch_);
}

static int find_here(const void *object, int join)
{
	struct ilk_segment *seg = attachment_of(object);
	struct ilk_identity_ *me;
	int rc = 0;

	if (!seg)
		return -EINVAL;
	if (seg->read_only)
		return -EROFS;
	me = ilk_identity_in_(seg->member);
	if (!me)
		rc = join ? ilk_member_join_thread_(seg->member, &seg->map, &me) : -EPERM;
	if (rc == 0)
		cache(seg, me);
	return rc;
}

int ilk_find_here_(const void *object)
{
	unsigned round = 0;
	int rc;

	if (ilk_is_there_(object))
		return 0;
	/* Waits without the lock: who is under the guard of another segment may want it. */
	do {
		ilk_registry_lock_();
		rc = find_here(object, 1);
		ilk_registry_unlock_();
	} while (rc == -EBUSY && ilk_transient_wait_(&round));
	if (rc == 0 && ilk_load_acquire_(&ilk_thread_.segment->member->inherited))
		ilk_directory_inherit_(ilk_thread_.segment);
	return rc;
}

int ilk_find_mine_(const void *object)
{
	int rc;

	if (ilk_is_there_(object))
		return 0;
	ilk_registry_lock_();
	rc = find_here(object, 0);
	ilk_registry_unlock_();
	return rc;
}

static const struct ilk_map_ *map_of(const struct ilk_member_ *member)
{
	struct ilk_segment *seg = ilk_attachments_;

	while (seg->member != member || seg->read_only)
		seg = seg->next;
	return &seg->map;
}

/*
 * Gives back what the calling thread has in MEMBER: all of it at the end of the thread; at exit(),
 * which handlers and destructors may follow, only where it holds nothing.
 */
static void leave(const struct ilk_member_ *member, int holding_too)
{
	struct ilk_identity_ *me = ilk_identity_in_(member);

	if (me && (holding_too || !ilk_member_holds_(me, map_of(member))))
		ilk_member_leave_thread_(me, map_of(member));
}

static void end_of_thread(void *thread)
{
	(void)thread;
	/* In a forked child that has not noticed: there is nothing of its own to give back. */
	if (ilk_load_acquire_(ilk_epoch_) < EPOCH_FIRST)
		return;
	ilk_registry_lock_();
	settle_last();
	for (struct ilk_member_ *m = ilk_members_; m; m = m->next)
		leave(m, 1);
	/* Destructors of other keys may run after this one, with handles of sharded counters. */
	move_epoch();
	ilk_registry_unlock_();
}

static int has_threads(const struct ilk_member_ *member)
{
	for (uint32_t i = 0; i < member->top; i++)
		if (member->identities[i].thread)
			return 1;
	return 0;
}

/* Who exits without closing is no death, unless it holds something or has threads still. */
__attribute__((destructor)) void ilk_registry_leave_(void)
{
	if (ilk_load_acquire_(ilk_epoch_) < EPOCH_FIRST || pthread_mutex_trylock(&lock) != 0)
		return; /* exit() in the midst of something: the kernel will tell the others */
	settle_last();
	for (struct ilk_member_ *m = ilk_members_; m; m = m->next) {
		leave(m, 0);
		if (m->joined && !has_threads(m))
			ilk_member_leave_(m, map_of(m));
	}
	move_epoch();
	pthread_mutex_unlock(&lock);
}

static void child_of_fork(void)
{
	for (struct ilk_member_ *m = ilk_members_; m; m = m->next)
		if (m->anchor)
			ilk_shm_unmap_(m->anchor, m->page);
	ilk_store_release_(ilk_epoch_, (uint64_t)EPOCH_FORKED);
	ilk_registry_unlock_();
}

__attribute__((constructor(101))) static void start(void)
{
	uint64_t *page = ilk_shm_fork_page_();

	if (page)
		ilk_epoch_ = page;
	*ilk_epoch_ = EPOCH_FIRST;
	pthread_key_create(&thread_end, end_of_thread);
	pthread_atfork(ilk_registry_lock_, ilk_registry_unlock_, child_of_fork);
	ilk_membarrier_register_();
}
