/*
 * registry.h - what this process knows of its own attachments; private memory, never shared.
 *
 *	attachment (struct ilk_segment)	one mapping; several may be of one segment
 *	member				this process in one segment: its slot, its life lock
 *	identity			one thread in one member: its slot, its owner word
 *
 * An object finds its attachment by its own address. The last answer is cached in the thread, with
 * the epoch at which it was true: the epoch moves when anything is detached, and reads as zero in a
 * forked child, so that a stale answer is never used.
 */
#ifndef ILK_SEGMENT_REGISTRY_H
#define ILK_SEGMENT_REGISTRY_H

#include "segment/map.h"
#include <ilk/atomics.h>
#include <ilk/segment.h>

struct ilk_identity_ {
	uint32_t owner; /* the owner word, without flags */
	uint32_t slot;
	uint32_t held;             /* things held; written by its thread alone */
	uint32_t more[ILK_MARKS_]; /* of each mark of its slot: see marks.h; by its thread alone */
	uint64_t thread;           /* serial of the thread whose it is; 0: nobody's */
	const uint32_t *sleeps_on; /* the word it sleeps on, for close; by its thread alone */
	const struct ilk_segment *inside_of; /* where it is inside (wait.h), */
	uint32_t inside;                     /* and how often; both by its thread alone */
	int32_t tid;
	struct ilk_member_ *member;
};

struct ilk_member_ {
	struct ilk_member_ *next;
	uint32_t serial;
	int attachments; /* of any kind, */
	int writers;     /* and those that make it a member */
	int fd;          /* may be closed behind our back (closefrom): see ilk_member_fd_ */
	uint64_t device, inode;
	int is_original; /* see struct ilk_map_ */
	char *path;      /* "" without a name */
	size_t page;     /* bytes of a page of the file */
	int joined;
	uint32_t process, generation; /* the process slot, and its generation, when joined */
	void *anchor;                 /* keeps the life lock: ilk_shm_map_anchor_ */
	uint32_t thread_slots;
	void *opened;                     /* opened.c */
	uint32_t inherited;               /* 1: a forked child that has marked none of those yet */
	uint32_t top;                     /* identities from here on were never used */
	struct ilk_identity_ *identities; /* one for each thread slot */
};

struct ilk_segment {
	struct ilk_segment *next;
	struct ilk_map_ map;
	struct ilk_member_ *member;
	int read_only;
	int asymmetric;
	uint32_t closing;
	uint32_t inside; /* threads of this process that close waits for: see wait.h */
};

enum { ILK_HINTS_ = 8 };

/*
 * A thread's cached place. No other thread touches it: it goes with its thread, however that ends,
 * while the identities stay. So `me` and `last` may be out of date where the epoch is.
 */
struct ilk_thread_ {
	uintptr_t base;
	size_t bytes; /* 0: fast paths are not to be taken: order.h */
	uint64_t epoch;
	struct ilk_segment *segment;
	struct ilk_identity_ *me;
	uint32_t owner;   /* of me */
	uint32_t fenced;  /* hot paths of the segment need a fence */
	const void *last; /* what a fast path took last and `held` does not count; mostly NULL */
	uint32_t *mark;   /* where a fast path may mark what it reads; NULL: none may (marks.h) */
	uint64_t serial;  /* no other thread of this process ever has it; 0: not given yet */
	uint16_t slots[ILK_HINTS_]; /* where its identity in a member was last, by its serial */
	size_t all_bytes; /* of the segment; `bytes` is 0 where all that is taken is noted */
};

extern __thread struct ilk_thread_ ilk_thread_;
extern uint64_t *ilk_epoch_;

/*
 * Finds OBJECT's attachment and the calling thread's identity in it, joining where it has none, and
 * leaves both in ilk_thread_. 0; -EINVAL no attachment holds it; -EROFS; -EUSERS; -E... of joining.
 */
int ilk_find_here_(const void *object);

/* The same for what only a holder does: joins nobody; -EPERM where the thread has no identity. */
int ilk_find_mine_(const void *object);

/* Is OBJECT in the place that is cached, and may fast paths be taken there? */
static inline int ilk_is_here_(const void *object)
{
	const struct ilk_thread_ *t = &ilk_thread_;

	return __builtin_expect((uintptr_t)object - t->base < t->bytes, 1) &&
	       __builtin_expect(t->epoch == ilk_load_relaxed_(ilk_epoch_), 1);
}

/* The same, however fast its paths may be. */
static inline int ilk_is_there_(const void *object)
{
	const struct ilk_thread_ *t = &ilk_thread_;

	return (uintptr_t)object - t->base < t->all_bytes &&
	       t->epoch == ilk_load_relaxed_(ilk_epoch_);
}

static inline int ilk_here_(const void *object)
{
	return ilk_is_here_(object) ? 0 : ilk_find_here_(object);
}

/* Counts one thing more, or less, that the cached identity holds. */
static inline void ilk_hold_(void)
{
	ilk_thread_.me->held++;
}
static inline void ilk_let_go_(void)
{
	ilk_thread_.me->held--;
}

/*
 * For hot paths: notes that OBJECT was taken, without a count; and tells whether OBJECT is what was
 * noted last, and if so takes the note back. Anything else that is taken in between moves the note
 * into the count.
 */
static inline void ilk_hold_last_(const void *object)
{
	struct ilk_thread_ *t = &ilk_thread_;

	if (__builtin_expect(t->last != NULL, 0))
		t->me->held++;
	t->last = object;
}
static inline int ilk_is_last_(const void *object)
{
	return ilk_thread_.last == object;
}
static inline void ilk_forget_last_(void)
{
	ilk_thread_.last = NULL;
}

/* Counts what was noted last like everything else. */
static inline void ilk_count_last_(struct ilk_thread_ *t)
{
	if (t->last)
		t->me->held++;
	t->last = NULL;
}

/* The attachment that holds OBJECT, read-only or not; NULL. Joins nothing. */
struct ilk_segment *ilk_find_attachment_(const void *object);

/* Around all changes of the lists below; revives the registry in a forked child. */
void ilk_registry_lock_(void);
void ilk_registry_unlock_(void);

/* What exit() does: leaves all segments, where the process holds nothing and no thread is left. */
void ilk_registry_leave_(void);

extern struct ilk_segment *ilk_attachments_;
extern struct ilk_member_ *ilk_members_;

/* Under the registry lock. */
void ilk_registry_add_(struct ilk_segment *seg);
void ilk_registry_remove_(struct ilk_segment *seg);
/* The calling thread's identity in MEMBER; NULL. */
struct ilk_identity_ *ilk_identity_in_(const struct ilk_member_ *member);
/* ME, of a member's slot that was just taken, becomes the calling thread's. */
void ilk_thread_adopt_(struct ilk_identity_ *me);

/* Changes in each forked child; for private caches. */
uint64_t ilk_fork_serial_(void);

#endif
