/*
 * queue.h - what the files of the queue share: its bytes, its words, and what they mean. How they
 * change, and what a death leaves: queue.c.
 */
#ifndef ILK_QUEUE_QUEUE_H
#define ILK_QUEUE_QUEUE_H

#include "segment/member.h"
#include "segment/wait.h"
#include <errno.h>
#include <ilk/mutex.h>
#include <ilk/queue.h>

enum { ILK_QUEUE_TAG_ = 0x65757571 };

/* In `state`. Above them the number of registrations, in steps of ILK_QUEUE_BEGUN_. */
enum {
	ILK_QUEUE_CLOSED_ = 1,
	ILK_QUEUE_REMOVED_ = 2,
	ILK_QUEUE_ENDED_ = 4, /* CLOSED, and from here on a claim is given back */
	ILK_QUEUE_BEGUN_ = 8,
};

/* Sleepers of one kind: who is about to sleep adds 1 to `asleep`, and sleeps on `bell`. */
struct ilk_queue_bell_ {
	uint32_t bell;
	uint32_t slept;
	uint64_t waited_ns;
};
enum { ILK_QUEUE_GETTERS_, ILK_QUEUE_PUTTERS_, ILK_QUEUE_JOINERS_, ILK_QUEUE_KINDS_ };

/* What a move to this queue, as a queue of dead letters, was about to do: dead_letter.c. */
struct ilk_queue_journal_ {
	uint32_t stage;    /* 0: nothing is decided; 1: it is done, all but the words */
	uint32_t owner;    /* whose */
	uint32_t from, to; /* numbers of cells, there and here: ilk_queue_numbered_() */
	uint32_t serial;   /* of the message there */
	uint32_t pad;
	uint64_t id;                /* of the queue that it comes from, */
	char name[ILK_NAME_BYTES_]; /* and its name */
};

struct ilk_queue {
	/* Fixed. */
	uint32_t tag;
	uint32_t lanes, shift; /* the capacity of a lane is 1 << shift */
	uint32_t message_bytes, max_deliveries;
	uint32_t slots; /* of threads: entries of the table of producers */
	uint64_t id;    /* no other queue of the segment ever has it */
	char name[ILK_NAME_BYTES_];
	char dead_letter[ILK_NAME_BYTES_];
	/* Read by each call, changed rarely. */
	uint32_t state ILK_ALIGNED_(64);
	uint32_t asleep[ILK_QUEUE_KINDS_];
	uint32_t returned;   /* moves with each message that is given back */
	uint32_t leased;     /* 1: there was a lease ever */
	uint32_t registered; /* 1: somebody was about to register ever */
	/* Changed when somebody sleeps, or something is odd. */
	struct ilk_queue_bell_ bells[ILK_QUEUE_KINDS_] ILK_ALIGNED_(64);
	uint64_t oldest, oldest_since; /* a lease, and since when it is held: oldest.h */
	uint64_t skipped ILK_ALIGNED_(
		64);      /* positions that never held a message: aborted, the dead's; */
	uint64_t stepped; /* and those at which a leased cell was passed over */
	uint64_t dropped, moved;
	struct ilk_queue_journal_ journal ILK_ALIGNED_(64);
	struct ilk_mutex mover ILK_ALIGNED_(64);
} ILK_ALIGNED_(64);

/* Behind it: the table of producers, the lanes' hints, the cells of each lane. */
struct ilk_queue_lane_ {
	uint64_t tail ILK_ALIGNED_(64); /* all positions before it are claimed */
	uint64_t head ILK_ALIGNED_(64); /* none before it waits to be taken for the first time */
};

struct ilk_queue_cell_ {
	uint64_t word;
	uint32_t bytes;
	uint32_t serial; /* of its message: ilk_cell_serial_() */
	char data[];
};

/*
 * A cell's word: lap 63..37, owner 36..9 (an owner word without flags), deliveries 8..3, state
 * 2..0.
 */
enum {
	ILK_CELL_EMPTY_ = 0,
	ILK_CELL_CLAIMED_ = 1,
	ILK_CELL_FULL_ = 2,
	ILK_CELL_TAKEN_ = 3,
	ILK_CELL_END_ = 4,
	ILK_CELL_DONE_ = 5, /* as EMPTY at the next lap; what stands in between means nothing */
};
enum { ILK_LAP_AT_ = 37, ILK_CELL_OWNER_AT_ = 9, ILK_DELIVERIES_AT_ = 3, ILK_DELIVERIES_ = 63 };
#define ILK_LAPS_ ((UINT32_C(1) << (64 - ILK_LAP_AT_)) - 1)
#define ILK_CELL_LAP_ (UINT64_C(1) << ILK_LAP_AT_)

static inline uint32_t ilk_cell_state_(uint64_t word)
{
	return (uint32_t)word & 7;
}
static inline uint32_t ilk_cell_deliveries_(uint64_t word)
{
	return (uint32_t)(word >> ILK_DELIVERIES_AT_) & ILK_DELIVERIES_;
}
static inline uint32_t ilk_cell_owner_(uint64_t word)
{
	return (uint32_t)(word >> (ILK_CELL_OWNER_AT_ - 4)) & ~ILK_OWNER_FLAGS_;
}
static inline uint64_t ilk_cell_lap_(uint64_t word)
{
	return word & ~(ILK_CELL_LAP_ - 1);
}
/* WORD's lap, with another state, and nobody's. */
static inline uint64_t ilk_cell_with_(uint64_t word, uint32_t state)
{
	return ilk_cell_lap_(word) | state;
}
/* The next lap, empty: what was at this one is over. */
static inline uint64_t ilk_cell_over_(uint64_t word)
{
	return ilk_cell_lap_(word) + ILK_CELL_LAP_;
}
/* What WORD, as it was loaded, says; a compare-and-swap is to expect what was loaded. */
static inline uint64_t ilk_cell_meaning_(uint64_t word)
{
	return ilk_cell_state_(word) == ILK_CELL_DONE_ ? ilk_cell_over_(word) : word;
}

/*
 * The half of a cell's word that has the state. Its lap is in the other: who stores this one leaves
 * the lap as it is, whoever swaps the word meanwhile.
 */
typedef uint32_t __attribute__((may_alias)) ilk_cell_half_;
static inline ilk_cell_half_ *ilk_cell_lower_(uint64_t *word)
{
	return (ilk_cell_half_ *)(void *)word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static inline uint64_t ilk_cell_owned_(
	uint64_t word, uint32_t state, uint32_t owner, uint32_t deliveries)
{
	return ilk_cell_lap_(word) | (uint64_t)owner << (ILK_CELL_OWNER_AT_ - 4) |
	       (uint64_t)deliveries << ILK_DELIVERIES_AT_ | state;
}

/* Positions count from here on; so early that laps and positions wrap soon. */
static inline uint64_t ilk_queue_first_(uint32_t shift)
{
	return -(UINT64_C(4) << shift);
}

/*
 * What tells the message that WORD claims from others of its cell: the lap at which it was put. The
 * word's own moves on with a lease, this stays.
 */
static inline uint32_t ilk_cell_serial_(uint64_t word)
{
	return (uint32_t)(word >> ILK_LAP_AT_);
}

/* How many laps the cell that holds WORD is ahead of position P; ILK_LAPS_: it is one behind. */
static inline uint32_t ilk_cell_ahead_(uint64_t word, uint64_t p, uint32_t shift)
{
	return (uint32_t)((word - (p >> shift << ILK_LAP_AT_)) >> ILK_LAP_AT_);
}

/*
 * P's cell holds WORD: the first position, from P on, that can be free by what that tells; P itself
 * where it is free, or its cell is a lap behind. [I2] of queue.c
 */
static inline uint64_t ilk_cell_first_free_(uint64_t word, uint64_t p, uint32_t shift)
{
	uint32_t ahead = ilk_cell_ahead_(word, p, shift), state = ilk_cell_state_(word);
	uint64_t unclaimed = state == ILK_CELL_EMPTY_ || state == ILK_CELL_END_;

	if (ahead == ILK_LAPS_ || (ahead == 0 && unclaimed))
		return p;
	return p + ((ahead - unclaimed) << shift) + 1;
}

/* --- through a handle: what it has of the queue was copied once, and checked --- */

static inline struct ilk_queue_lane_ *ilk_queue_lane_(
	const struct ilk_queue_handle *h, uint32_t lane)
{
	return (struct ilk_queue_lane_ *)(void *)h->lanes_at + lane;
}
static inline struct ilk_queue_cell_ *ilk_queue_cell_(
	const struct ilk_queue_handle *h, uint32_t lane, uint64_t position)
{
	char *cells = h->cells + lane * h->lane_bytes;

	return (struct ilk_queue_cell_ *)(void *)(cells + (position & h->mask) * h->stride);
}
/* POSITION's lap, as a word's. */
static inline uint64_t ilk_queue_lap_(const struct ilk_queue_handle *h, uint64_t position)
{
	return position >> h->shift << ILK_LAP_AT_;
}
static inline uint32_t ilk_queue_ahead_(
	const struct ilk_queue_handle *h, uint64_t word, uint64_t position)
{
	return ilk_cell_ahead_(word, position, h->shift);
}
static inline uint64_t ilk_later_(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0 ? b : a;
}
/* The cells of all lanes, numbered. */
static inline uint64_t ilk_queue_cells_(const struct ilk_queue_handle *h)
{
	return (uint64_t)h->lanes << h->shift;
}
static inline struct ilk_queue_cell_ *ilk_queue_numbered_(
	const struct ilk_queue_handle *h, uint64_t number)
{
	return ilk_queue_cell_(h, (uint32_t)(number >> h->shift), number);
}
static inline uint64_t ilk_queue_number_(
	const struct ilk_queue_handle *h, const struct ilk_queue_cell_ *cell)
{
	uint64_t at = (uint64_t)((const char *)cell - h->cells), lane = at / h->lane_bytes;

	return lane << h->shift | at % h->lane_bytes / h->stride;
}
static inline struct ilk_queue_cell_ *ilk_cell_of_(uint64_t *word)
{
	return (struct ilk_queue_cell_ *)(void *)word;
}

/* Offsets in a queue. */
static inline uint64_t ilk_queue_lanes_at_(uint32_t slots)
{
	return sizeof(struct ilk_queue) + (slots * sizeof(uint32_t) + 63) / 64 * 64;
}
static inline uint64_t ilk_queue_cells_at_(uint32_t slots, uint32_t lanes)
{
	return ilk_queue_lanes_at_(slots) + lanes * sizeof(struct ilk_queue_lane_);
}
static inline uint64_t ilk_queue_stride_(uint32_t message_bytes)
{
	return (sizeof(struct ilk_queue_cell_) + message_bytes + 15) / 16 * 16;
}
static inline uint64_t ilk_queue_lane_bytes_(uint32_t message_bytes, uint32_t shift)
{
	return ((ilk_queue_stride_(message_bytes) << shift) + 63) / 64 * 64;
}

static inline uint32_t *ilk_queue_producers_(const struct ilk_queue *q)
{
	return (uint32_t *)(uintptr_t)(q + 1);
}

/* Results of looking for something; private to these files. */
enum {
	ILK_QUEUE_NONE_ = 0, /* no room; no message */
	ILK_QUEUE_GOT_ = 1,
	ILK_QUEUE_BUSY_ = 2, /* an owner is waited for */
	ILK_QUEUE_END_ = 3,  /* of this lane */
};

#endif
