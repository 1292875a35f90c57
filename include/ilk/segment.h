/*
 * ilk/segment.h - the piece of memory that processes share, and who is in it.
 *
 *	struct ilk_segment *seg;
 *	struct ilk_counter *hits;
 *	int rc = ilk_segment_create("shop", NULL, &seg);        // made, or opened if it is there
 *	if (rc == 0)
 *		rc = ilk_counter_open(seg, "hits", &hits);      // the same in every process
 *	if (rc == 0)
 *		ilk_counter_add(hits, 1);
 *	...
 *	ilk_segment_close(seg);
 *
 * The wrong pattern it replaces: shm_open, ftruncate, mmap, "if I am first, initialize". Whoever
 * opens between the first and the last of these sees a half-made segment, and one killed there
 * leaves it half-made for ever. Here a name appears when all behind it is ready, or not at all.
 *
 * Membership. A process that attaches for writing becomes a member: it takes a process slot, and
 * keeps it for exactly as long as its address space lives or until its last close. Threads take a
 * thread slot at their first call that needs an identity and give it back when they end. A forked
 * child, however it was forked, is nobody at first: it inherits the mapping, and joins under its
 * own name at its first such call; what its parent holds stays the parent's. That call can fail as
 * an open does: -EUSERS, -EACCES, -EMFILE, -ENFILE, -EBUSY, and -EBADF where the child has closed
 * the descriptor of a segment without a name. exec() ends membership as death does. A thread that ends,
 * or a process that closes, while holding something leaves it as the dead do: the next locker is
 * told ILK_RECOVERED.
 *
 * No function of Ilk is a cancellation point of pthread_cancel(), and none is async-signal-safe
 * but where its header says so.
 *
 * A transient segment (ILK_SEGMENT_TRANSIENT) loses its name when the last member closes it, or ends
 * by exit() with nothing held and no other thread in it. Members that end otherwise cannot: the next
 * to create or open finds that nobody lives in it, and removes it. Who only reads, and a child of
 * fork() that has not used it, is no member.
 *
 * Lock-order history (ILK_SEGMENT_ORDER), for finding deadlocks that have not happened yet: each thread
 * notes which mutexes, rwlocks and snapshots it holds, and each pair of a lock held and a lock asked for
 * is kept, with who was the first to do so: ilk/inspect.h shows both. Try-locks, which cannot wait, and
 * locks taken once more make no pairs; permits, semaphores and onces are not noted. Memory that is given
 * out anew, and a lock that is made anew, begin without history; what you reuse in a way that Ilk cannot
 * see is to it the same lock. Locking takes the long way in such a segment, ten times as long and more;
 * it never waits for the history, nor fails for it: what finds no room is counted.
 *
 * Limits, told in full in ilk_segment(3). A vforked child lives its parent's life. After closefrom(),
 * in a segment without a name, a death is noticed by its pid only. A raw fork in the very moment in
 * which another thread attaches may vouch for its parent. A thread ended by a raw SYS_exit keeps its
 * slot until its process closes or ends. A thread slot is worn out by 65,535 deaths in it.
 *
 * Sources. The life lock: open file description locks, fcntl(2); lock holders known by a lock and
 * not by a pid: after LMDB's reader table. Naming last: O_TMPFILE and linkat, open(2).
 */
#ifndef ILK_SEGMENT_H
#define ILK_SEGMENT_H

#include <ilk/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A process's attachment to a segment; private to the process. */
struct ilk_segment;

enum {
	/* Of a new segment, for good. */
	ILK_SEGMENT_FENCED = 4,      /* hot paths fence; needs no membarrier(2) */
	ILK_SEGMENT_SPARSE = 8,      /* pages are not reserved: without room for one, SIGBUS */
	ILK_SEGMENT_TRANSIENT = 256, /* the name goes with the last member */
	ILK_SEGMENT_ORDER = 512,     /* keeps lock-order history: see above */
	/* Of one attachment. A child of fork() inherits no page that is mapped or locked. */
	ILK_SEGMENT_READ_ONLY = 2, /* no slot taken, nothing can be changed through it */
	ILK_SEGMENT_PREFAULT = 32, /* all pages are mapped at once, those of a sparse one made */
	ILK_SEGMENT_LOCKED = 64,   /* the same, and they stay in memory: mlock(2) */
	ILK_SEGMENT_HUGE = 128,    /* in huge pages where the kernel grants them: see huge_bytes */
	/* Of one call. */
	ILK_SEGMENT_EXCLUSIVE = 1, /* create: -EEXIST where the name is taken */
	ILK_SEGMENT_SEALED = 16,   /* receive, open: only one that nobody can cut off */
};

/* Zero means default; set `size` to sizeof of this struct, so that it can grow. */
struct ilk_segment_options {
	size_t size;
	size_t bytes;       /* of it all, rounded up to pages of its file system; default 1 MiB */
	unsigned mode;      /* permissions, whatever the umask; default 0600 */
	unsigned processes; /* members at a time, up to 4095; default 64 */
	unsigned threads;   /* threads of members at a time, up to 4095; default 256 */
	unsigned flags;     /* ILK_SEGMENT_... */
};

/*
 * Creates the segment NAME (it shows as /dev/shm/ilk.NAME) and attaches to it, or attaches to the
 * one that is there. Of racing creators one wins and the others open the winner's. NAME: 1 to 63
 * letters, digits, '.', '_', '-', not beginning with '.' or '-'; or, with a '/' in it, the path of
 * the file, on tmpfs, ramfs or hugetlbfs. OPTIONS may be NULL.
 *
 *   0             *SEG is attached
 *   -EEXIST       it is there, and ILK_SEGMENT_EXCLUSIVE was asked; or it differs in bytes,
 *                 processes, threads, FENCED, TRANSIENT or ORDER from what OPTIONS ask
 *                 (ilk_last_error() says which)
 *   -EINVAL       odd characters in NAME, options out of range (a mode that keeps out its own user
 *                 is); -ENAMETOOLONG  NAME too long
 *   -ENOTDIR      the folder of the path is not there, or is none
 *   -ENOSPC       its file system has no room for all of it: now, never a SIGBUS later
 *   -EUSERS       every process slot is taken by the living
 *   -ENOMEM       no memory; or LOCKED, and RLIMIT_MEMLOCK is too low (-EPERM: it is 0)
 *   -EACCES, -EMFILE, -ENFILE   from the system; -EACCES also for a dead transient one of another
 *                 user, which cannot be removed
 *   -ENOTSUP      this process cannot use membarrier(2): create with ILK_SEGMENT_FENCED
 *   -EBUSY        one that nobody is in is being removed by who was stopped in it, for a second
 *   and what ilk_segment_open returns of a damaged or foreign segment
 *
 * Order: what the creator wrote before happens before what an opener reads. Progress: blocks for
 * no other process, but for that second. Death: a killed creator leaves no name and no memory; of a
 * transient one, a name that the next one removes.
 */
ILK_API int ilk_segment_create(
	const char *name, const struct ilk_segment_options *options, struct ilk_segment **seg);

/*
 * Attaches to the existing segment NAME. Of OPTIONS count the flags of an attachment; sizes given
 * must be those of the segment, and so must FENCED, TRANSIENT and ORDER.
 *
 *   0             *SEG is attached
 *   -ENOENT       no such segment, or one that everybody has left or died in: a transient one, or
 *                 one that is being removed for it
 *   -EMEDIUMTYPE  a file of that name is no Ilk segment (too short, wrong magic, a directory), or
 *                 lies on no file system in memory
 *   -ENOSPC       PREFAULT or LOCKED, and no room for pages of a sparse one
 *   -EPROTO       an Ilk segment of another layout; ilk_last_error() names the field that differs
 *   -EBADMSG      an Ilk segment whose header contradicts itself; the same
 *   -ENOTSUP      the segment needs membarrier(2) and this process cannot register for it
 *   -EUSERS, -EEXIST, -EINVAL, -ENAMETOOLONG, -ENOTDIR, -EACCES, -ENOMEM, -EPERM, -EMFILE, -ENFILE
 *                 as above
 *
 * A read-only attachment is no member: it takes no slot and writes no byte, and every call that
 * would change something through it returns -EROFS.
 */
ILK_API int ilk_segment_open(
	const char *name, const struct ilk_segment_options *options, struct ilk_segment **seg);

/*
 * The same, waiting until DEADLINE for NAME to appear (the consumer starts first). -ETIMEDOUT
 * where it did not. Other results end the wait at once.
 */
ILK_API int ilk_segment_open_until(const char *name, const struct ilk_segment_options *options,
	ilk_time deadline, struct ilk_segment **seg);

/*
 * Makes a segment without a name, in a memfd sealed against resizing. Children that are forked
 * inherit it and use SEG as it is. LABEL is what the inspector calls it (which finds it by
 * /proc/PID/fd/N); it may be NULL. Results as ilk_segment_create's, less those of names.
 */
ILK_API int ilk_segment_anonymous(
	const char *label, const struct ilk_segment_options *options, struct ilk_segment **seg);

/*
 * Sends SEG over SOCKET, a connected Unix socket, to a process that calls ilk_segment_receive(). That
 * one needs no name for it, but must be permitted to open the file: for peers that run as other
 * users, make an anonymous segment with mode 0666, which nobody can reach who did not receive it.
 *
 *   0       it is on its way; SEG stays as it is
 *   -EBADF  the descriptor was closed behind our back, and it has no name
 *   -EPIPE, -EAGAIN, -ENOTSOCK, ...   from sendmsg(2)
 */
ILK_API int ilk_segment_send(struct ilk_segment *seg, int socket);

/*
 * Receives a segment that was sent and attaches to it; waits as recvmsg(2) on SOCKET does. Of OPTIONS
 * count what ilk_segment_open's count, and ILK_SEGMENT_SEALED: whoever can write a file can cut it
 * off, and who has it mapped gets SIGBUS then; anonymous segments are sealed against it, and named
 * ones cannot be. A peer that is not trusted can still fill it with garbage.
 *
 *   0             *SEG is attached
 *   -ENODATA      the peer has closed the socket
 *   -EMEDIUMTYPE  what came is no segment
 *   -EPERM        it is not sealed, and ILK_SEGMENT_SEALED was asked
 *   -EBUSY        as from ilk_segment_create
 *   -EAGAIN, -ENOTSOCK, ...   from recvmsg(2)
 *   and what ilk_segment_open returns
 */
ILK_API int ilk_segment_receive(
	int socket, const struct ilk_segment_options *options, struct ilk_segment **seg);

/*
 * Detaches. Threads of this process that wait in the segment, spinning or asleep, return -ECANCELED
 * first, and close waits until they have; any other use during close is the caller's error, as with
 * munmap: it may crash this process, and does others no harm but that of a death. After the last
 * close in this process its slot is free again; what its threads held counts as left by the dead.
 * NULL is allowed. Always 0.
 */
ILK_API int ilk_segment_close(struct ilk_segment *seg);

/*
 * Removes the name. Who is attached goes on; the memory goes with the last of them.
 *
 *   0, -ENOENT, -EACCES, -EINVAL, -ENAMETOOLONG, -ENOTDIR, -EMFILE, -ENFILE
 *   -EMEDIUMTYPE  the file is a directory, or by its path no segment; it stays
 *   -EBUSY        another who removes it was stopped in it, for a second
 */
ILK_API int ilk_segment_unlink(const char *name);

enum {
	ILK_COLLECT_ASK = 1, /* take no lock and remove nothing: only say what would come of it */
	ILK_COLLECT_COPIES = 2, /* also a copied file, and one of an earlier boot */
};

/*
 * Removes the segment NAME if no living process is a member of it: all have left it, or died. Proved
 * by a lock of all by which members are known to live: it fails, without waiting, while one does.
 *
 *   0        it is removed; with ILK_COLLECT_ASK it would be
 *   -EBUSY   a living process is in it, this one perhaps, or just attaches; or another removes it
 *   -ENOENT  there is none, or another has removed it meanwhile
 *   -EACCES  we may not write it, or not remove it
 *   -EMEDIUMTYPE, -EPROTO, -EBADMSG   no segment; of another layout; a damaged header, or a copy or of
 *            an earlier boot, without ILK_COLLECT_COPIES: it stays
 *   -EINVAL, -ENAMETOOLONG, -ENOTDIR, -EMFILE, -ENFILE
 *
 * Who attaches at that moment keeps it, or finds it gone: ilk_segment_open returns -ENOENT, and
 * ilk_segment_create makes a new one. Who only reads is no member; nor is a child of fork() that has
 * not used it, nor one to whom it was sent and who has not received it: they go on in a segment
 * without a name. What is kept between runs of programs that follow each other has no member
 * between two of them. Progress: waits for nobody. Death: it is removed, or is as it was.
 */
ILK_API int ilk_segment_collect(const char *name, unsigned flags);

/*
 * Checks all of it: header, members, the directory's lists, each object, the arena. Takes a short
 * lock, under which nobody else makes or frees anything; what others do to objects meanwhile is no
 * fault. For tests, and for who has doubts.
 *
 *   0         all is as it should be
 *   -EBADMSG  it is not: ilk_last_error() says what, and of which object
 *   -EROFS, -EUSERS, -ECANCELED   it could not be looked at
 */
ILK_API int ilk_segment_valid(struct ilk_segment *seg);

/* The name (of a path the last part; or the label, or ""), and the bytes of it all. Constant. */
ILK_API const char *ilk_segment_name(const struct ilk_segment *seg);
ILK_API size_t ilk_segment_bytes(const struct ilk_segment *seg);

/*
 * How many of the bytes this process sees through huge pages just now: what ILK_SEGMENT_HUGE came
 * to. With PREFAULT, all that it will; without, what was used so far. 0 where /proc is missing.
 */
ILK_API size_t ilk_segment_huge_bytes(const struct ilk_segment *seg);

/*
 * Named memory: SIZE bytes, zero at first, aligned to 64; found or made, the same in every process.
 * For structs of your own, with Ilk's objects embedded in them (ilk_mutex_init and so on).
 *
 *   0         *MEMORY points to it
 *   -EEXIST   NAME is there with another type or size (ilk_last_error() says which)
 *   -ENOSPC   the segment has no room; create it with more bytes
 *   -EROFS    not there, and the attachment is read-only
 *   -EINVAL   SIZE is 0; NAME is empty or has control characters or is not UTF-8
 *   -ENAMETOOLONG   more than 63 bytes
 *   -EUSERS   every thread slot is taken by the living
 *   -ENOMEM   no private memory to note that it is open
 *   -EBADMSG  the segment is damaged
 *   -ECANCELED   another thread of this process closes the segment
 *
 * Through a read-only attachment *MEMORY may only be read. Progress: an existing name is found
 * without a lock; making one waits for others who make one, never for the dead. Death: killed
 * before the name is linked, the memory returns to the segment; after, the name is there.
 */
ILK_API int ilk_block_open(struct ilk_segment *seg, const char *name, size_t size, void **memory);

#ifdef __cplusplus
}
#endif

#endif
