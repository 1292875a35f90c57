/*
 * memory.c - alloc, publish, free: the arena under the guard.
 *
 * Invariant  [I1] A thread counts what it has allocated and not published as held, so that its
 *            owner word in those blocks is never anyone else's.
 *            [I2] A reference and the owner of what it leads to change together under the guard: so
 *            whoever changes a reference after a death in between has put that right first.
 * Death      With an unpublished block: it is found to be the dead's at the next rebuilding, after a
 *            death in the guard or when there is no room. arena.c says what a death within leaves.
 */
#include "segment/memory.h"
#include "segment/arena.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/guard.h"
#include "segment/member.h"
#include "segment/wait.h"
#include <errno.h>
#include <string.h>

enum { ALIGN = 64 };

/* --- inside --- */

struct verdict {
	struct ilk_segment *seg;
	uint32_t owner; /* asked about last */
	int is_dead;
};

static int is_dead(uint32_t owner, void *arg)
{
	struct verdict *v = arg;

	if (v->owner != owner) {
		v->owner = owner;
		v->is_dead = ilk_owner_life_(v->seg, owner) == ILK_LIFE_DEAD;
	}
	return v->is_dead;
}

/* How many blocks of the dead came back; -EBADMSG. */
static int64_t rebuild(struct ilk_segment *seg)
{
	struct verdict v = {.seg = seg};

	return ilk_arena_rebuild_(&seg->map, is_dead, &v);
}

int ilk_memory_enter_(struct ilk_segment *seg)
{
	int rc = ilk_guard_lock_(seg);

	if (rc == ILK_RECOVERED) {
		rc = rebuild(seg) < 0 ? -EBADMSG : 0;
		ilk_directory_recover_(seg);
		((struct ilk_header_ *)(void *)seg->map.base)->guard.recoveries++;
	} else if (rc < 0) {
		return rc;
	}
	if (rc == 0 && ilk_is_closing_(seg))
		rc = -ECANCELED;
	if (rc < 0)
		ilk_guard_unlock_(seg);
	return rc;
}

void ilk_memory_leave_(struct ilk_segment *seg)
{
	ilk_guard_unlock_(seg);
}

int ilk_memory_alloc_(struct ilk_segment *seg, uint64_t bytes, uint64_t align, uint64_t *offset)
{
	uint32_t owner = ilk_thread_.me->owner;
	int rc = ilk_arena_alloc_(&seg->map, owner, bytes, align, offset);

	if (rc != -ENOSPC && rc != -EBADMSG)
		return rc;
	/* Also where nothing is freed: lists that a stray store has damaged are whole then. */
	ilk_directory_reap_(seg);
	return rebuild(seg) < 0 ? -EBADMSG
				: ilk_arena_alloc_(&seg->map, owner, bytes, align, offset);
}

/* --- offsets --- */

/* The offset of COUNT bytes of SEG's arena; 0: they do not lie in it. */
static uint64_t offset_of(const struct ilk_segment *seg, const void *memory, size_t count)
{
	uint64_t offset = (uintptr_t)memory - (uintptr_t)seg->map.base;

	return offset >= seg->map.header.arena_at && offset < seg->map.bytes &&
			       count <= seg->map.bytes - offset
		       ? offset
		       : 0;
}

struct ilk_ref ilk_ref_to(const struct ilk_segment *seg, const void *memory)
{
	return (struct ilk_ref){memory ? offset_of(seg, memory, 1) : 0};
}

void *ilk_at_(const struct ilk_segment *seg, struct ilk_ref ref, size_t bytes)
{
	void *memory = seg->map.base + (ref.offset < seg->map.bytes ? ref.offset : 0);

	return offset_of(seg, memory, bytes) ? memory : NULL;
}

/* The offset of a reference in SEG; 0: none is wanted; -EINVAL. */
static int64_t place_of(const struct ilk_segment *seg, const struct ilk_ref *ref)
{
	uint64_t offset = ref ? offset_of(seg, ref, sizeof *ref) : 0;

	return ref && (offset == 0 || offset % sizeof *ref) ? -EINVAL : (int64_t)offset;
}

/* --- the calls --- */

static int alloc_inside(struct ilk_segment *seg, size_t bytes, size_t align, uint64_t *offset)
{
	int rc = ilk_here_(seg->map.base);

	if (rc == 0)
		rc = ilk_memory_enter_(seg);
	if (rc < 0)
		return rc;
	rc = ilk_memory_alloc_(seg, bytes, align, offset);
	if (rc == 0)
		ilk_hold_(); /* [I1] */
	ilk_memory_leave_(seg);
	return rc;
}

int ilk_alloc_aligned(struct ilk_segment *seg, size_t bytes, size_t align, void **memory)
{
	unsigned before = ilk_failures_();
	uint64_t offset;
	int rc;

	if (bytes == 0)
		return ilk_fail_(-EINVAL, "an allocation of 0 bytes");
	if (align == 0 || align & (align - 1))
		return ilk_fail_(-EINVAL, "an alignment that is no power of two");
	rc = alloc_inside(seg, bytes, align < ALIGN ? ALIGN : align, &offset);
	if (rc == -ENOSPC)
		return ilk_fail_(rc, "no room for %zu bytes in %s", bytes, seg->map.header.name);
	if (rc < 0)
		return ilk_conclude_(rc, before, "allocating");
	*memory = memset(seg->map.base + offset, 0, bytes);
	return 0;
}

int ilk_alloc(struct ilk_segment *seg, size_t bytes, void **memory)
{
	return ilk_alloc_aligned(seg, bytes, ALIGN, memory);
}

/* The calling thread's unpublished block at MEMORY; 0 or -E... Its neighbours may be changing. */
static int64_t my_block(struct ilk_segment *seg, const void *memory)
{
	uint64_t offset = offset_of(seg, memory, 1);
	int rc = ilk_is_here_(seg->map.base) ? 0 : ilk_find_mine_(seg->map.base);

	if (rc < 0)
		return rc;
	if (offset == 0 || !ilk_arena_is_given_out_(&seg->map, offset))
		return ilk_fail_(-EINVAL, "what is to be published is no block");
	if (ilk_arena_owner_(&seg->map, offset) != ilk_thread_.me->owner)
		return ilk_fail_(-EPERM, "the block is another's, or published");
	return (int64_t)offset;
}

int ilk_publish_(struct ilk_segment *seg, void *memory, struct ilk_ref *ref)
{
	unsigned before = ilk_failures_();
	int64_t offset = my_block(seg, memory), place = place_of(seg, ref);
	int rc;

	if (offset < 0)
		return ilk_conclude_((int)offset, before, "publishing");
	if (place < 0)
		return ilk_fail_((int)place, "the reference lies in no memory of the segment");
	/* [I2] */
	rc = place ? ilk_memory_enter_(seg) : 0;
	if (rc < 0)
		return ilk_conclude_(rc, before, "publishing");
	ilk_arena_publish_(&seg->map, (uint64_t)offset, (uint64_t)place);
	ilk_let_go_();
	if (place)
		ilk_memory_leave_(seg);
	return 0;
}

int ilk_publish_alone(struct ilk_segment *seg, void *memory)
{
	return ilk_publish_(seg, memory, NULL);
}

/* Inside. */
static int free_block(struct ilk_segment *seg, uint64_t offset, uint64_t place, uint64_t next)
{
	const struct ilk_block_header_ *b = ilk_arena_block_(&seg->map, offset);
	uint32_t mine = ilk_thread_.me->owner, owner;
	struct verdict v = {.seg = seg};
	int rc;

	if (!b)
		return ilk_fail_(-EINVAL, "what is to be freed is no block, or is free");
	if (b->link_at && b->link_at < seg->map.header.arena_at)
		return ilk_fail_(-EINVAL, "what is to be freed is a named object's by now");
	if (place && *(uint64_t *)(void *)(seg->map.base + place) != offset)
		return ilk_fail_(-EINVAL, "the reference does not lead to what is to be freed");
	/* A dead owner's: he had linked it, but not got so far as to let go. */
	owner = ilk_load_acquire_(&b->owner);
	if (owner && owner != mine && !is_dead(owner, &v))
		return ilk_fail_(-EPERM, "the block is another thread's, and not published");
	ilk_arena_unlink_(&seg->map, offset, mine, place, next);
	rc = ilk_arena_free_(&seg->map, offset);
	if (owner == mine && rc == 0)
		ilk_let_go_();
	return rc;
}

int ilk_free_(struct ilk_segment *seg, void *memory, struct ilk_ref *ref, struct ilk_ref next)
{
	unsigned before = ilk_failures_();
	uint64_t offset = offset_of(seg, memory, 1);
	int64_t place = place_of(seg, ref);
	int rc = ilk_here_(seg->map.base);

	if (rc == 0 && place < 0)
		rc = ilk_fail_(-EINVAL, "the reference lies in no memory of the segment");
	if (rc == 0)
		rc = ilk_memory_enter_(seg);
	if (rc < 0)
		return ilk_conclude_(rc, before, "freeing");
	rc = free_block(seg, offset, (uint64_t)place, next.offset);
	ilk_memory_leave_(seg);
	return ilk_conclude_(rc, before, "freeing");
}

int ilk_free_alone(struct ilk_segment *seg, void *memory)
{
	return ilk_free_(seg, memory, NULL, ilk_nowhere());
}

int ilk_usage(struct ilk_segment *seg, struct ilk_usage *usage)
{
	int rc = ilk_here_(seg->map.base);

	if (rc == 0)
		rc = ilk_memory_enter_(seg);
	if (rc < 0)
		return rc;
	ilk_directory_reap_(seg);
	rc = ilk_arena_usage_(&seg->map, usage);
	ilk_memory_leave_(seg);
	return rc;
}
