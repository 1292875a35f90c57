/*
 * registry.c - the process-private lists, the epoch, and what fork and thread exit do to them.
 *
 * State      epoch: 0 = a forked child that has not noticed yet; 1 = being revived; else even-grown
 *            number that moves at each detach. It lives in a page that the kernel wipes on fork.
 * Invariant  [I1] A thread's cached place is used only while its epoch is the current one.
 *            [I2] A thread's list of identities is touched under the registry lock only, and only
 *            while its fork serial is the current one.
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
#include "segment/member.h"
#include "os/yield.h"
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
static pthread_key_t thread_end;

/* The copies a child inherits are of its parent's membership: it is nobody yet. */
static void forget_membership(struct ilk_member_ *member)
{
	member->joined = 0;
	member->anchor = NULL;
	for (uint32_t i = 0; i < member->thread_slots; i++)
		member->identities[i].used = 0;
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
	ilk_store_release_(ilk_epoch_, ++last_epoch);
}

void ilk_registry_lock_(void)
{
	uint64_t epoch = ilk_load_acquire_(ilk_epoch_); /* [R2] */

	while (epoch < EPOCH_FIRST) {
		if (epoch == EPOCH_FORKED && ilk_cas_full_(ilk_epoch_, &epoch, EPOCH_REVIVING)) {
			revive();
			break;
		}
		ilk_yield_();
		epoch = ilk_load_acquire_(ilk_epoch_);
	}
	pthread_mutex_lock(&lock);
}

void ilk_registry_unlock_(void)
{
	pthread_mutex_unlock(&lock);
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
	ilk_store_release_(ilk_epoch_, ++last_epoch);
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

/* Drops identities inherited from the parent of a fork. */
static struct ilk_thread_ *this_thread(void)
{
	struct ilk_thread_ *t = &ilk_thread_;

	if (t->fork_serial != fork_serial)
		*t = (struct ilk_thread_){.fork_serial = fork_serial};
	return t;
}

void ilk_thread_adopt_(struct ilk_identity_ *me)
{
	struct ilk_thread_ *t = this_thread();

	me->thread = t;
	me->next = t->identities;
	t->identities = me;
	pthread_setspecific(thread_end, t);
}

void ilk_thread_forget_(struct ilk_identity_ *me)
{
	if (me->thread->me == me)
		me->thread->me = NULL, me->thread->last = NULL;
	struct ilk_identity_ **at = &me->thread->identities;

	while (*at != me)
		at = &(*at)->next;
	*at = me->next;
	me->used = 0;
}

/* The calling thread's identity in SEG's member; NULL. */
static struct ilk_identity_ *identity_in(const struct ilk_segment *seg)
{
	struct ilk_identity_ *i = this_thread()->identities;

	while (i && i->member != seg->member)
		i = i->next;
	return i;
}

static void cache(struct ilk_segment *seg, struct ilk_identity_ *me)
{
	struct ilk_thread_ *t = &ilk_thread_;

	ilk_count_last_(t);
	t->segment = seg;
	t->me = me;
	t->owner = me->owner;
	t->fenced = !seg->asymmetric;
	t->base = (uintptr_t)seg->map.base;
	t->bytes = seg->map.bytes;
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
	me = identity_in(seg);
	if (!me)
		rc = join ? ilk_member_join_thread_(seg->member, &seg->map, &me) : -EPERM;
	if (rc == 0)
		cache(seg, me);
	return rc;
}

int ilk_find_here_(const void *object)
{
	int rc;

	ilk_registry_lock_();
	rc = find_here(object, 1);
	ilk_registry_unlock_();
	return rc;
}

int ilk_find_mine_(const void *object)
{
	int rc;

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

static void leave_all(void *thread)
{
	struct ilk_thread_ *t = thread;

	/* A forked child's copy of its parent's thread: there is nothing of its own to give back.
	 */
	if (ilk_load_acquire_(ilk_epoch_) < EPOCH_FIRST || t->fork_serial != fork_serial)
		return;
	ilk_registry_lock_();
	ilk_count_last_(t);
	while (t->identities)
		ilk_member_leave_thread_(t->identities, map_of(t->identities->member));
	*t = (struct ilk_thread_){.fork_serial = fork_serial};
	ilk_registry_unlock_();
}

static void child_of_fork(void)
{
	for (struct ilk_member_ *m = ilk_members_; m; m = m->next)
		if (m->anchor)
			ilk_shm_unmap_anchor_(m->anchor);
	ilk_store_release_(ilk_epoch_, (uint64_t)EPOCH_FORKED);
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor(101))) static void start(void)
{
	uint64_t *page = ilk_shm_fork_page_();

	if (page)
		ilk_epoch_ = page;
	*ilk_epoch_ = EPOCH_FIRST;
	pthread_key_create(&thread_end, leave_all);
	pthread_atfork(ilk_registry_lock_, ilk_registry_unlock_, child_of_fork);
	ilk_membarrier_register_();
}
