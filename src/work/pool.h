/*
 * pool.h - what the files of the pool share: its bytes, its words, and what they mean. How they
 * change, and what a death leaves: pool.c.
 */
#ifndef ILK_WORK_POOL_H
#define ILK_WORK_POOL_H

#include "segment/member.h"
#include "segment/wait.h"
#include <errno.h>
#include <ilk/mutex.h>
#include <ilk/pool.h>

enum { ILK_POOL_TAG_ = 0x6c6f6f70 };

/* In `state`, each for good. */
enum {
	ILK_POOL_CLOSED_ = 1,
	ILK_POOL_CANCELS_ = 2, /* what is queued is cancelled */
	ILK_POOL_REMOVED_ = 4,
};

enum { ILK_POOL_MOST_ITEMS_ = 1 << 20 }; /* of a chunk */

/* Kinds of sleepers; those who wait for one future sleep at its cell. */
enum { ILK_POOL_WORKERS_, ILK_POOL_ROOM_, ILK_POOL_OVER_, ILK_POOL_KINDS_ };

/* A function's name. */
struct ilk_pool_name_ {
	uint32_t is_set;
	char name[ILK_POOL_NAME_BYTES];
};

/* One who serves. All but `noticed` is written by `owner`'s thread. */
struct ilk_pool_row_ {
	uint32_t owner; /* 0: nobody */
	/* The owner word of who started it, and will know how it ended; or 0. `owner` as well as long
	 * as the worker only begins: then the row is reserved for it. */
	uint32_t supervisor;
	int32_t pid;           /* in its own namespace: for its supervisor, and for people */
	uint32_t leave;        /* by anybody: `owner` is to leave */
	uint32_t function;     /* what it runs: number + 1; 0: nothing */
	uint32_t deep;         /* how many tasks it is in, each run by who waited for it */
	int64_t since;         /* it has been running that, or nothing */
	uint64_t done, failed; /* by all who ever had this row */
	int64_t noticed;       /* when somebody first found the owner dead; 0 */
	uint64_t serial;       /* raised with each task that is begun */
} ILK_ALIGNED_(64);

struct ilk_pool {
	/* Fixed. */
	uint32_t tag;
	uint32_t shift; /* the capacity is 1 << shift */
	uint32_t argument_bytes, result_bytes;
	uint32_t rows, retries, flags, pad;
	uint64_t id; /* tells it from another one that lay here before */
	/* Read by each call, changed rarely. */
	uint32_t state ILK_ALIGNED_(64);
	uint32_t asleep[ILK_POOL_KINDS_];
	uint32_t returned; /* moves each time that head is set back */
	uint32_t names;    /* how many functions have a number */
	int64_t swept;     /* when somebody last looked for what the dead left */
	/* Changed when somebody sleeps, or something is odd. */
	uint32_t bell[ILK_POOL_KINDS_] ILK_ALIGNED_(64);
	uint32_t slept;
	uint64_t waited_ns;
	uint64_t cancelled, died, again, dropped;
	uint64_t tail ILK_ALIGNED_(64); /* no task was ever queued at this position, or behind it */
	uint64_t head ILK_ALIGNED_(64); /* workers look for the next one from here on */
	struct ilk_mutex naming ILK_ALIGNED_(64);
	struct ilk_pool_name_ name[ILK_POOL_MOST_FUNCTIONS];
} ILK_ALIGNED_(64);

/* Behind it: the rows, the cells. A cell: this, the argument, the result. */
struct ilk_pool_cell_ {
	uint64_t word;
	uint64_t by;           /* the process that submitted it: ilk_pool_process_() */
	uint32_t bell, asleep; /* of those who wait for its future */
	uint32_t function;     /* a number */
	uint32_t flags;        /* ILK_POOL_CELL_... */
	uint32_t result_bytes;
	int32_t rc; /* of a task that failed; its text is where the result would be */
	uint64_t argument_bytes;
	uint64_t in_place;           /* offset of the argument in the segment, with IN_PLACE */
	uint32_t items, each_result; /* of a chunk: pool_map.c */
	char data[];
};

enum {
	ILK_POOL_CELL_UNWANTED_ = 1, /* nobody will get the result; set at any time */
	ILK_POOL_CELL_IN_PLACE_ = 2,
};

/*
 * A cell's word: serial 63..36 (of the task, moves when the cell becomes free), owner 35..8 (an owner
 * word without flags), runs 7..3, state 2..0. Of a task that DIED the owner is 16 times the signal.
 */
enum {
	ILK_TASK_FREE_ = 0,
	ILK_TASK_FILLING_ = 1,
	ILK_TASK_QUEUED_ = 2,
	ILK_TASK_RUNNING_ = 3,
	ILK_TASK_DONE_ = 4, /* from here on it is over */
	ILK_TASK_FAILED_ = 5,
	ILK_TASK_CANCELLED_ = 6,
	ILK_TASK_DIED_ = 7,
};
enum { ILK_TASK_SERIAL_AT_ = 36, ILK_TASK_OWNER_AT_ = 8, ILK_TASK_RUNS_AT_ = 3 };
#define ILK_TASK_SERIAL_ (UINT64_C(1) << ILK_TASK_SERIAL_AT_)

static inline uint32_t ilk_task_state_(uint64_t word)
{
	return (uint32_t)word & 7;
}
static inline int ilk_task_is_over_(uint64_t word)
{
	return ilk_task_state_(word) >= ILK_TASK_DONE_;
}
static inline uint32_t ilk_task_runs_(uint64_t word)
{
	return (uint32_t)(word >> ILK_TASK_RUNS_AT_) & 31;
}
static inline uint32_t ilk_task_owner_(uint64_t word)
{
	return (uint32_t)(word >> (ILK_TASK_OWNER_AT_ - 4)) & ~ILK_OWNER_FLAGS_;
}
static inline uint32_t ilk_task_signal_(uint64_t word)
{
	return ilk_task_owner_(word) >> 4;
}
static inline uint32_t ilk_task_serial_(uint64_t word)
{
	return (uint32_t)(word >> ILK_TASK_SERIAL_AT_);
}
/* WORD's task, with the same runs, in another state. */
static inline uint64_t ilk_task_with_(uint64_t word, uint32_t state, uint32_t owner)
{
	uint64_t kept = (word & ~(ILK_TASK_SERIAL_ - 1)) | (word & (31 << ILK_TASK_RUNS_AT_));

	return kept | (uint64_t)owner << (ILK_TASK_OWNER_AT_ - 4) | state;
}
/* The cell's next one: none yet. */
static inline uint64_t ilk_task_freed_(uint64_t word)
{
	return (word & ~(ILK_TASK_SERIAL_ - 1)) + ILK_TASK_SERIAL_;
}

/* Positions count from here on; so early that they, and serials, wrap soon. */
static inline uint64_t ilk_pool_first_(uint32_t shift)
{
	return -(UINT64_C(4) << shift);
}
#define ILK_TASK_FIRST_ (ILK_TASK_SERIAL_ * UINT64_C(0xffffffc))

/* The word of a process, by its slot and generation. */
static inline uint64_t ilk_pool_process_(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | (slot + 1);
}
static inline uint64_t ilk_pool_my_process_(const struct ilk_segment *seg)
{
	return ilk_pool_process_(seg->member->process, seg->member->generation);
}

/* What is fixed of a pool; copied, and checked. */
struct ilk_pool_shape_ {
	uint32_t shift, argument_bytes, result_bytes, rows, retries, flags;
};

/* Offsets in a pool, and in a cell. */
static inline uint64_t ilk_pool_cells_at_(const struct ilk_pool_shape_ *s)
{
	return sizeof(struct ilk_pool) + s->rows * sizeof(struct ilk_pool_row_);
}
static inline uint64_t ilk_pool_result_at_(const struct ilk_pool_shape_ *s)
{
	return sizeof(struct ilk_pool_cell_) + (s->argument_bytes + UINT64_C(15)) / 16 * 16;
}
static inline uint64_t ilk_pool_stride_(const struct ilk_pool_shape_ *s)
{
	uint64_t most =
		s->result_bytes < ILK_POOL_TEXT_BYTES ? ILK_POOL_TEXT_BYTES : s->result_bytes;

	return (ilk_pool_result_at_(s) + most + 63) / 64 * 64;
}
static inline uint64_t ilk_pool_bytes_(const struct ilk_pool_shape_ *s)
{
	return ilk_pool_cells_at_(s) + (ilk_pool_stride_(s) << s->shift);
}
static inline struct ilk_pool_row_ *ilk_pool_rows_(const struct ilk_pool *pool)
{
	return (struct ilk_pool_row_ *)(uintptr_t)(pool + 1);
}

/* A pool as the calling thread sees it: its shape copied and checked once. */
struct ilk_pool_view_ {
	struct ilk_pool *pool;
	uint64_t id, epoch;
	char *cells;
	uint64_t stride, mask, result_at;
	struct ilk_pool_shape_ shape;
};

static inline struct ilk_pool_cell_ *ilk_pool_cell_(
	const struct ilk_pool_view_ *v, uint64_t position)
{
	return (struct ilk_pool_cell_ *)(void *)(v->cells + (position & v->mask) * v->stride);
}
static inline char *ilk_pool_result_(
	const struct ilk_pool_view_ *v, const struct ilk_pool_cell_ *cell)
{
	return (char *)(uintptr_t)cell + v->result_at;
}

/* pool_object.c: that of POOL, in MAP, of which ROOM bytes are there. NULL, or what is wrong. */
const char *ilk_pool_shape_of_(const struct ilk_map_ *map, const struct ilk_pool *pool,
	uint64_t room, struct ilk_pool_shape_ *s);
static inline uint64_t ilk_pool_room_(const struct ilk_map_ *map, const void *object)
{
	return map->bytes - (uint64_t)((const char *)object - map->base);
}

/*
 * Begins a call: the calling thread's place is found, and *V is POOL as it sees it, good until its
 * next call with another pool. 0; -EIDRM; -EPIPE where FORBIDDEN has CLOSED; -EINVAL, -EBADMSG,
 * -EROFS, -E... of joining.
 */
int ilk_pool_enter_slow_(
	struct ilk_pool *pool, uint32_t forbidden, const struct ilk_pool_view_ **v);
extern __thread struct ilk_pool_view_ ilk_pool_view_;

/* -EPIPE, and says why: the pool is closed. */
int ilk_pool_is_closed_(void);

/* The same where the place is known, and whatever its state. 0; -EBADMSG. */
int ilk_pool_see_(struct ilk_pool *pool, const struct ilk_pool_view_ **v);

static inline int ilk_pool_enter_(
	struct ilk_pool *pool, uint32_t forbidden, const struct ilk_pool_view_ **v)
{
	const struct ilk_pool_view_ *recent = &ilk_pool_view_;

	if (recent->pool == pool && ilk_is_there_(pool) && recent->epoch == ilk_thread_.epoch &&
		recent->id == ilk_load_relaxed_(&pool->id) &&
		!(ilk_load_acquire_(&pool->state) & (forbidden | ILK_POOL_REMOVED_))) {
		*v = recent;
		return 0;
	}
	return ilk_pool_enter_slow_(pool, forbidden, v);
}

#endif
