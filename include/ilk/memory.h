/*
 * ilk/memory.h - blocks of a segment's memory, and references that mean the same in every process.
 *
 *	struct node { ILK_REF(struct node) next; int value; };
 *	struct list { struct ilk_mutex mutex; ILK_REF(struct node) first; } *list;
 *	struct node *n;
 *
 *	rc = ilk_alloc(seg, sizeof *n, (void **)&n);            // ours: it goes back if we die
 *	n->value = 7;
 *	...                                                     // under list->mutex:
 *	n->next.any = list->first.any;
 *	rc = ilk_publish(seg, n, &list->first);                 // linked, and everybody's, at once
 *	...
 *	n = ilk_at(seg, list->first);                           // NULL where nothing can be there
 *	rc = ilk_free(seg, n, &list->first, n->next.any);       // unlinked, and free, at once
 *
 * The wrong pattern: pointers in shared memory, which are another process's addresses; and "first
 * link it, then count it as given out" (or the reverse), where a death between leaves it lost, or
 * linked and free at once.
 *
 * A block belongs to the thread that allocated it until it is published. If that thread ends, or
 * its process does, the block comes back: when memory runs short, or when somebody dies in the
 * allocator. A word that leads to a block (a reference) is stored together with the change of
 * ownership, so that a death at any instruction leaves both or neither.
 *
 * So change references by these calls: what a death left half-done is put right by the next of them,
 * whoever makes it. A plain store to one is safe in a block that is still your own.
 *
 * Not async-signal-safe. Progress: a short lock, which the dead do not keep.
 */
#ifndef ILK_MEMORY_H
#define ILK_MEMORY_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An offset in a segment; 0: it leads nowhere. */
struct ilk_ref {
	uint64_t offset;
};

/* A reference to a TYPE, for shared structs: all zero, it leads nowhere. `is` is never stored. */
#define ILK_REF(type)               \
	union {                     \
		struct ilk_ref any; \
		type *is;           \
	}

/*
 * Allocates BYTES zeroed bytes, aligned to 64; or to ALIGN, a power of two. What is aligned is the
 * place in the segment; an address no further than to a page, 4096, since mappings begin at pages.
 * *MEMORY is the calling thread's until published.
 *
 *   0        *MEMORY is yours
 *   -ENOSPC  there is no hole of that size, not even with what the dead had not published
 *   -EINVAL  0 bytes, or ALIGN is no power of two
 *   -EROFS   SEG is read-only
 *   -EUSERS  every thread slot is taken by the living; a forked child: as in segment.h
 *   -EBADMSG the chain of blocks is damaged
 *   -ECANCELED  another thread of this process closes the segment
 *
 * Death: before it returns, nothing is lost; after, see above.
 */
ILK_API int ilk_alloc(struct ilk_segment *seg, size_t bytes, void **memory);
ILK_API int ilk_alloc_aligned(struct ilk_segment *seg, size_t bytes, size_t align, void **memory);

/*
 * Publishes the block MEMORY, which the calling thread has allocated, and stores in REF, in the
 * same segment, what leads to it. Whoever may change REF at the same time must be kept out.
 *
 * 0; -EINVAL MEMORY is no block, or REF lies elsewhere; -EPERM it is not the calling thread's, or
 * is published; -EROFS, -EBADMSG, -ECANCELED as ilk_alloc. Order: release. Death: both, or neither.
 */
#define ilk_publish(seg, memory, ref) ilk_publish_((seg), 1 ? (memory) : (ref)->is, &(ref)->any)
ILK_API int ilk_publish_(struct ilk_segment *seg, void *memory, struct ilk_ref *ref);

/*
 * Publishes without a reference: for memory that something else leads to, an index perhaps. Death
 * between this and that loses the block. Results as ilk_publish's. Progress: wait-free.
 */
ILK_API int ilk_publish_alone(struct ilk_segment *seg, void *memory);

/*
 * Frees the block MEMORY, which REF leads to: REF becomes NEXT (a struct ilk_ref; ilk_nowhere() for
 * none). Whoever may change REF at the same time must be kept out.
 *
 * 0; -EINVAL MEMORY is no block (freed before, or within one), or REF does not lead to it; -EPERM it
 * is a living thread's, another one's, and not published; -EROFS, -EUSERS, -EBADMSG, -ECANCELED as ilk_alloc.
 * Death: unlinked and free, or neither.
 */
#define ilk_free(seg, memory, ref, next) \
	ilk_free_((seg), 1 ? (memory) : (ref)->is, &(ref)->any, (next))
ILK_API int ilk_free_(
	struct ilk_segment *seg, void *memory, struct ilk_ref *ref, struct ilk_ref next);

/* Frees a block that nothing leads to. Results as ilk_free's. */
ILK_API int ilk_free_alone(struct ilk_segment *seg, void *memory);

/*
 * What REF leads to: a TYPE *, or NULL where REF is zero or there is no room for a TYPE in the
 * arena. Whether the block there is still given out, REF does not know.
 */
#define ilk_at(seg, ref) ((__typeof__((ref).is))ilk_at_((seg), (ref).any, sizeof *(ref).is))
ILK_API void *ilk_at_(const struct ilk_segment *seg, struct ilk_ref ref, size_t bytes);

static inline struct ilk_ref ilk_nowhere(void)
{
	struct ilk_ref nowhere = {0};

	return nowhere;
}

/* A reference to MEMORY, which lies in SEG's arena; zero where it does not, or is NULL. */
ILK_API struct ilk_ref ilk_ref_to(const struct ilk_segment *seg, const void *memory);

struct ilk_usage {
	uint64_t bytes;   /* of the arena */
	uint64_t used;    /* given out, headers of 64 bytes included */
	uint64_t blocks;  /* given out, those of named objects included */
	uint64_t holes;   /* free blocks */
	uint64_t largest; /* bytes that fit into the largest of them */
};

/*
 * Counts what is used. The share of free memory that no single block could have, its fragmentation,
 * is 1 - largest / (bytes - used). Takes time with the number of blocks. 0; -EROFS, -EUSERS,
 * -EBADMSG, -ECANCELED as ilk_alloc.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_usage(struct ilk_segment *seg, struct ilk_usage *usage);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#endif
