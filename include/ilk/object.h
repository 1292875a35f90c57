/*
 * ilk/object.h - named objects of every kind: listing, closing, removing, repairing them.
 *
 *	rc = ilk_object_remove(seg, "jobs");     // the name is free again at once
 *	...
 *	rc = ilk_mutex_lock(jobs);               // -EIDRM: somebody removed it
 *
 * The wrong pattern it replaces: free what others may still use, and hope; or never free it.
 *
 * A process has an object open from the first ilk_..._open() of its name, for as long as it lives
 * and is attached, or until it has closed it as often as it opened it. A removed object keeps its
 * storage until no living process has it open, so no member's pointer leads astray.
 *
 * A forked child has open what its parent had at the fork, from its own first call that joins (see
 * segment.h); what was removed and freed before that call, it must not use. exit() closes all before
 * destructors of other libraries run. A read-only attachment is no member: what it found may be freed
 * under it.
 */
#ifndef ILK_OBJECT_H
#define ILK_OBJECT_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Removes the name. Who waits in the object, and who uses it later, is told -EIDRM where its kind
 * has such calls; who holds it may still let it go; counters, blocks and elements of arrays are used
 * on as they were.
 * The next to open NAME makes a new object. What is embedded in a block, its users must end.
 *
 *   0        NAME is free; the storage is free as soon as no living process has it open
 *   -ENOENT  there is no object of that name
 *   -EINVAL, -ENAMETOOLONG   NAME cannot be an object's
 *   -EROFS   SEG is read-only
 *   -EUSERS, -EBADMSG, -ECANCELED   as ilk_block_open
 *
 * Progress: a short lock, which the dead do not keep. Death: removed, or not; who waits is told in
 * either case by whoever takes that lock next. Storage that the dead had open last, or who left by
 * exit(), or while that lock was busy, is found by the next who closes the segment, calls
 * ilk_usage(), or finds no room.
 */
ILK_API int ilk_object_remove(struct ilk_segment *seg, const char *name);

/*
 * Puts right what the dead left in the object NAME, as the next to use it would: for who looks after a
 * segment, and need not know of what kind its objects are. A lock of the dead is free, and who locks
 * it is told ILK_RECOVERED; their permits come back; of a barrier that waits for them, who waits is
 * told; a once is begun anew by the next. What an object guards is its users' to put right.
 *
 *   0              there was nothing to put right
 *   ILK_RECOVERED  it was put right
 *   -ENOENT        there is no object of that name
 *   -EBADMSG       it is damaged (ilk_last_error() says how), or the directory is
 *   -EINVAL, -ENAMETOOLONG, -EROFS, -EUSERS, -ECANCELED   as ilk_object_remove
 *
 * Progress: as ilk_object_remove; it waits for no object. Death: the next does it again.
 */
ILK_API int ilk_object_repair(struct ilk_segment *seg, const char *name);

/*
 * This process uses OBJECT, which it opened by name, once less. After the last time its pointers to
 * it are void; the object itself stays, until it is removed. For long-lived processes that make and
 * remove many: closing the segment closes all.
 *
 * 0; -EINVAL OBJECT was not opened by this process, or lies in no attached segment; -EROFS (through
 * a read-only attachment nothing is open); -EUSERS, -EBADMSG, -ECANCELED as ilk_block_open. Death:
 * the dead have nothing open.
 */
ILK_API int ilk_object_close(void *object);

/* A named object, at one moment. */
struct ilk_object {
	char name[64];
	const char *type; /* constant string: "mutex", "counter", ... */
	uint64_t bytes;
	int openers; /* living processes that have it open */
};

/*
 * Calls EACH for every named object, in no particular order, until it returns non-zero, which is
 * then the result. EACH may call Ilk, removal included; what it makes may be listed or not, and
 * through a read-only attachment what others remove and make again meanwhile may be listed twice.
 *
 *   0         all were listed
 *   -EBADMSG  a list of the directory makes no sense; the others were listed
 *   -ENOMEM, -EUSERS, -ECANCELED
 *
 * Progress: a short lock for each few names; through a read-only attachment none.
 */
ILK_API int ilk_object_each(struct ilk_segment *seg,
	int (*each)(const struct ilk_object *object, void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif
