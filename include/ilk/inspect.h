/*
 * ilk/inspect.h - what is going on in a segment, seen without touching it.
 *
 *	struct ilk_inspection *in;
 *	if (ilk_inspect("shop", &in) == 0) {
 *		for (size_t i = 0; i < in->object_count; i++)
 *			printf("%s: %s\n", in->objects[i].name, in->objects[i].state);
 *		ilk_inspection_free(in);
 *	}
 *
 * The segment's file is read, not even mapped: no lock is taken, no slot joined, no byte written,
 * no hole of a sparse segment filled. It works while others write, when all are stopped, and when
 * all are dead. Everything read is copied once and checked; what makes no sense is reported in
 * `damage`, never followed. The result is a private copy: nothing in it changes later.
 */
#ifndef ILK_INSPECT_H
#define ILK_INSPECT_H

#include <ilk/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ilk_life {
	ILK_LIFE_UNKNOWN = 0, /* a copied file, or one of an earlier boot */
	ILK_LIFE_ALIVE = 1,
	ILK_LIFE_DEAD = 2,
};

#define ILK_NO_INDEX (-1)

struct ilk_process_info {
	int slot;
	enum ilk_life life;
	char run_state; /* of /proc/PID/stat, 'T' stopped, 'D', 'Z'...; '?' where it cannot be told
			 */
	int dumping;    /* 1: it is dumping core: its memory is there still, and it holds on */
	int tasks;      /* threads that it has by the kernel's count; 0 unknown */
	int32_t pid;    /* in its own pid namespace, */
	uint64_t pid_space; /* which is this one; 0 unknown */
	uint64_t
		start_time; /* clock ticks since boot: with pid and pid_space no other's; 0 unknown */
	uint32_t uid;
	char name[32];
	ilk_time joined;
	ilk_time
		last_sign; /* the last time that it is known to have lived: when it wrote one down */
};

struct ilk_thread_info {
	int slot;
	int process; /* index in processes[], or ILK_NO_INDEX */
	enum ilk_life life;
	char run_state; /* as its process's, of the thread itself; '?' where it cannot be told */
	int32_t tid;
	char name[16];
	ilk_time joined;
	uint64_t sleeps;     /* times it slept in a wait */
	int waits_for;       /* index in objects[], or ILK_NO_INDEX: it does not wait */
	ilk_time wait_since; /* since when, if it waits */
	int mixed;           /* 1: it changed at each look: whether it waits is not known */
};

enum ilk_holder_life {
	ILK_HOLDER_NONE = 0,
	ILK_HOLDER_ALIVE = 1,
	ILK_HOLDER_DEAD = 2,
	ILK_HOLDER_UNKNOWN = 3,
};

struct ilk_object_info {
	char name[64];
	const char *type; /* constant string: "mutex", "counter", ... */
	uint64_t offset;  /* in the segment */
	uint64_t bytes;
	int embedded;   /* not in the directory: known because somebody waits for it. So is the
			   segment's own lock, of directory and memory: "guard" */
	int removed;    /* its name is free again; kept for those who have it open */
	int openers;    /* processes, not known to be dead, that have opened it by name */
	char state[64]; /* one line for people: "free", "held, damaged", "42" */
	int owner; /* index in threads[], or ILK_NO_INDEX: nobody, or an owner whose slot is gone */
	enum ilk_holder_life holder;
	ilk_time held_since; /* "held at least since", known from the first sleeper on; 0 unknown */
	/* Counters: the value; rwlocks: who reads; maps: entries; arrays: elements, or the one
	 * integer; others 0. */
	int64_t value;
	int waiters;
	uint64_t acquired, contended, waited_ns;
	/* Of what messages pass through; 0 elsewhere. */
	/* Messages that wait to be taken; room for how many: where they vary in size, for as many
	 * like those that wait. */
	uint64_t depth, capacity;
	uint64_t put, got;    /* messages, ever */
	int leases;           /* messages taken and not finished */
	ilk_time lease_since; /* of the oldest of them, "at least since"; 0 unknown */
	int closed;           /* 1: nothing more can be put in */
	int mixed; /* 1: it changed at each look: what is said of it may be of several moments */
	char damage[96]; /* what is wrong with it; "" nothing */
};

enum ilk_figure_kind {
	ILK_FIGURE_COUNT = 0,
	ILK_FIGURE_BYTES = 1,
	ILK_FIGURE_NS = 2, /* a time span */
	ILK_FIGURE_YES_NO = 3,
	ILK_FIGURE_TEXT = 4,
};

/*
 * What only objects of one type tell of themselves, each by its name: of a pool "retries", "again"; of a
 * stage "busy_ns"; of a map "entries"; of an array "type". All there are: ilk-show(1). They are of one
 * moment with the object's state, as far as that is not `mixed`.
 */
struct ilk_figure_info {
	int object;       /* index in objects[] */
	const char *name; /* constant string, in small letters, with _ for blanks */
	enum ilk_figure_kind kind;
	uint64_t value; /* 0, 1 of YES_NO; 0 of TEXT */
	char text[32];  /* of TEXT; else "" */
};

/*
 * One who holds an object, or a part of it: a lock, permits, a lease; or whom its waiters wait for.
 * Of a barrier these are the members that have not arrived ("awaited"); of a rwlock also the writer
 * that has announced himself and keeps new readers out ("will write"). A ring's sides are held by
 * processes: "writes", "reads"; who "writes" in a queue has reserved a place in it.
 */
struct ilk_holder_info {
	int object;  /* index in objects[] */
	int thread;  /* index in threads[], or ILK_NO_INDEX: its slot is gone, or it is a process */
	int process; /* index in processes[], or ILK_NO_INDEX: its slot is gone */
	enum ilk_holder_life life;
	char how[16]; /* "held", "reads", "writes", "will write", "permits", "lease", "awaited",
			   "works" (at a part of a loop), of a channel "end 0", "end 1", of a pool "runs",
			   "serves" */
	/* Of a worker that "runs": which function, "?" if its name cannot be shown; elsewhere "". */
	char what[64];
	uint32_t count; /* how often, or how many; of a lease: how often it was delivered */
	ilk_time since; /* at least since: known from the first sleeper on; 0 unknown. Of leases the
			   oldest has it, once somebody met it who waited in the queue. Of a pool's
			   workers: when it began what it runs, or had nothing more to run */
};

/* One lock that a thread holds, as it noted itself: only of a segment with ILK_SEGMENT_ORDER. */
struct ilk_held_info {
	int thread; /* index in threads[]; of a dead one: what it held when it died */
	int object; /* index in objects[], of it or the snapshot it is in; ILK_NO_INDEX: embedded */
	uint64_t offset;  /* of the lock, in the segment */
	char name[64];    /* the object's; of an embedded lock its label, or "+" and the offset */
	const char *type; /* constant string: "mutex", "rwlock" */
	char how[16];     /* "held", "reads", "writes" */
	ilk_time since;
};

enum { ILK_ORDER_GATES = 4 };
/* How both locks of an order were asked for. */
enum {
	ILK_ORDER_LOCK_LOCK = 1, /* each for its holder alone: a mutex, or to write */
	ILK_ORDER_LOCK_READ = 2, /* the first alone, the second to read */
	ILK_ORDER_READ_LOCK = 4,
	ILK_ORDER_READ_READ = 8, /* hangs only if a writer comes in between */
};

/*
 * A thread that held the one lock asked for the other, and was ready to wait for it. Two orders of the
 * same locks, the other way round, are an inversion: it can hang, unless one thread alone has done
 * both, or both have a gate in common. Only of a segment with ILK_SEGMENT_ORDER.
 *
 * What is unknown is 0, or "": the thread that was the first died before it had noted it.
 */
struct ilk_order_info {
	int first, then; /* held, and asked for: indexes in objects[], as in struct ilk_held_info */
	uint64_t first_offset, then_offset;
	char first_name[64], then_name[64]; /* as in struct ilk_held_info */
	const char *first_type, *then_type; /* constant strings; "" unknown */
	unsigned ways;                      /* ILK_ORDER_..., each that was seen */
	uint64_t count;                     /* how often */
	ilk_time first_seen;
	/* Who was the first to do it: pid and tid in its own namespace, perhaps reused by now. */
	int32_t pid, tid;
	char thread_name[16];
	ilk_time joined; /* when that thread joined: with pid and tid it tells threads apart */
	int others;      /* 1: other threads have done it, too */
	/* Offsets of locks that were held besides, each time, and not to read; the others are 0. */
	uint64_t gates[ILK_ORDER_GATES];
};

struct ilk_inspection {
	char name[64];
	uint64_t bytes, used;   /* of the segment; of them given out */
	uint32_t version;       /* of the layout */
	uint32_t uid, mode;     /* owner and permissions of the file */
	int asymmetric;         /* 1: hot paths rely on membarrier(2); 0: they fence */
	int transient;          /* 1: it goes with its last member */
	int order;              /* 1: it keeps lock-order history; see struct ilk_order_info */
	int64_t created;        /* CLOCK_REALTIME nanoseconds; 0 unknown */
	ilk_time taken;         /* when this inspection was made */
	enum ilk_life liveness; /* UNKNOWN: no liveness can be told at all; else ALIVE */
	int process_slots, thread_slots;
	size_t process_count, thread_count, object_count, holder_count;
	struct ilk_process_info *processes;
	struct ilk_thread_info *threads;
	struct ilk_object_info *objects;
	struct ilk_holder_info *holders; /* in order of their objects */
	size_t figure_count;
	struct ilk_figure_info *figures; /* in order of their objects */
	/* Of a segment with ILK_SEGMENT_ORDER; elsewhere none. */
	size_t held_count, order_count;
	struct ilk_held_info *held;    /* in order of their threads; of each, the oldest first */
	struct ilk_order_info *orders; /* in order of their offsets */
	uint64_t held_lost;   /* times a thread held more locks than its list has room for */
	uint64_t orders_lost; /* orders that were seen when there was room for no other */
	char damage[128];     /* of the segment's own structures; "" nothing */
};

/*
 * Inspects the segment NAME, or the file NAME if it contains a '/'. 0; -ENOENT, -EACCES,
 * -EMEDIUMTYPE, -EPROTO, -EBADMSG, -ENOMEM, -EINVAL, -ENAMETOOLONG, -ENOTDIR, -EMFILE, -ENFILE as
 * ilk_segment_open.
 * Reads once, waits for nobody.
 */
ILK_API int ilk_inspect(const char *name, struct ilk_inspection **inspection);

ILK_API void ilk_inspection_free(struct ilk_inspection *inspection);

/*
 * Calls EACH with the name of every segment of this host (files /dev/shm/ilk.NAME), in order of
 * name, until it returns non-zero, which is then the result; else 0 or -E... Files of that name
 * pattern that are no segment are named too: ilk_inspect says what is wrong with them.
 */
ILK_API int ilk_inspect_each(int (*each)(const char *name, void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif
