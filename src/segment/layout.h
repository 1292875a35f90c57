/*
 * layout.h - the bytes of a segment.
 *
 *	header | process slots | thread slots | buckets of the directory | free lists | [order] | arena
 *
 * Every struct here is fixed in size, free of pointers, and the same for every build that has the
 * same layout word; all links are offsets from the start of the segment. What a field's comment
 * calls fixed is written by the creator before the segment has a name and never again. Bytes read
 * from here are input: copied once, checked, and only then used.
 *
 * Owner words (32 bits) name a thread: slot + 1 in bits 31..20, generation in bits 19..4, flags in
 * bits 3..0. Below 1 << 20 nobody owns: those values are free states, and FUTEX_WAKE_OP can store
 * the small ones.
 */
#ifndef ILK_SEGMENT_LAYOUT_H
#define ILK_SEGMENT_LAYOUT_H

#include <ilk/base.h>
#include <stdint.h>

#define ILK_MAGIC_ UINT64_C(0x006d6873006b6c69) /* "ilk\0shm\0" */
#define ILK_LAYOUT_VERSION_ 2

enum {
	ILK_PAGE_BYTES_ = 4096,
	ILK_LINE_BYTES_ = 64,
	ILK_NAME_BYTES_ = 64, /* with the closing zero */
	ILK_MAX_SLOTS_ = 4095,
};

/*
 * Lock bytes of the file, far behind its end: two for each process slot. Before them two more: removal
 * (by whoever removes the name) and gate, so that a lock of gate and all slots is longer than what
 * any member has. src/segment/transient.c.
 */
#define ILK_CLAIM_BYTE_(slot) ((INT64_C(1) << 40) + 2 * (int64_t)(slot))
#define ILK_LIFE_BYTE_(slot) (ILK_CLAIM_BYTE_(slot) + 1)
#define ILK_GATE_BYTE_ (ILK_CLAIM_BYTE_(0) - 1)
#define ILK_REMOVAL_BYTE_ (ILK_CLAIM_BYTE_(0) - 2)
#define ILK_MEMBER_BYTES_ (ILK_CLAIM_BYTE_(ILK_MAX_SLOTS_) - ILK_GATE_BYTE_)

/* The lock of directory and arena: src/segment/guard.c. */
struct ilk_guard_ {
	uint32_t owner;
	uint32_t recoveries; /* written by the holder: how often it was left by the dead */
};

enum {
	ILK_HEADER_TRANSIENT_ = 1, /* the name goes with the last member */
	ILK_HEADER_ORDER_ = 2,     /* it keeps lock-order history */
};

struct ilk_header_ {
	/* All fixed. */
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;
	uint64_t layout; /* ilk_layout_word_() of the creator's build */
	uint64_t bytes;  /* of the segment: the file's length */
	uint64_t id[2];  /* random */
	uint8_t boot_id[16];
	uint64_t device, inode;
	int64_t created; /* CLOCK_REALTIME ns */
	uint32_t process_slots, thread_slots, buckets;
	uint32_t flags; /* ILK_HEADER_... */
	uint64_t processes_at, threads_at, buckets_at, lists_at, arena_at;
	char name[ILK_NAME_BYTES_];
	uint64_t order_at;    /* of what ILK_HEADER_ORDER_ asks for; 0: there is none, */
	uint32_t order_pairs; /* and how many pairs it has room for */
	/* Changing, on lines of their own. */
	struct ilk_guard_ guard ILK_ALIGNED_(64);
	uint64_t arena_used;   /* bytes given out, headers included; written under the guard */
	uint64_t arena_blocks; /* blocks given out; the same */
	uint64_t entries;      /* named objects ever made: the last one's serial; the same */
	uint64_t removed;      /* named objects removed and not freed yet; the same */
	/* No thread slot from here on was ever taken; only grows. On a line that is mostly read. */
	uint32_t threads_top ILK_ALIGNED_(64);
} ILK_ALIGNED_(64);

/*
 * A member process. Written by whoever holds the slot's claim byte, then by the member itself; the
 * life byte says whether what stands here is of the living.
 */
struct ilk_process_slot_ {
	uint32_t generation; /* raised at each takeover, before the life byte is locked */
	uint32_t state;      /* ILK_PROCESS_... */
	int32_t pid;         /* pid to name: for people */
	uint32_t uid;
	uint64_t start_time;
	uint64_t pid_space;
	int64_t joined;
	char name[32];
	uint64_t opening; /* the entry that it is about to mark as open; 0: none */
	uint32_t unswept; /* 1: bits of the slot's earlier members may stand in entries */
	uint8_t pad[44];
};

enum { ILK_THREAD_RETIRED_ = 0xffff, ILK_LAST_GENERATION_ = 0xffff };
enum { ILK_MARKS_ = 16 };

enum {
	ILK_PROCESS_FREE_ = 0, /* never used, or left in order: no thread slot refers to it */
	ILK_PROCESS_USED_ = 1, /* its member is alive, or died in it */
};

/*
 * A member's thread. `life` is one word, so that taking a slot and saying for whom is one
 * compare-and-swap: process generation in bits 63..32, generation in 31..16, process slot + 1 in
 * 15..0 (0: free; ILK_THREAD_RETIRED_: its generations are used up, nobody's for ever). The rest is
 * written by the thread itself.
 */
struct ilk_thread_slot_ {
	uint64_t life;
	int32_t tid; /* tid and name: for people */
	uint32_t pad0;
	char name[16];
	int64_t joined;
	uint64_t sleeps; /* statistics: times it slept */
	/* The wait record: what it waits for. Even sequence: stable; 0 in wait_object: nothing. */
	uint32_t wait_sequence;
	uint32_t wait_owner;      /* the owner word it saw last, */
	uint64_t wait_serial;     /* at this count of acquisitions, */
	int64_t wait_owner_since; /* first at this time */
	uint64_t wait_object;     /* offset */
	int64_t wait_since;
	uint32_t wait_type; /* ILK_TYPE_... */
	/*
	 * What the thread reads: src/segment/marks.h. Together, so that who looks at many slots
	 * mostly looks at one line of each.
	 */
	uint32_t marks_dead; /* generation + 1 of a thread here that is dead: its marks are void */
	uint32_t marks_top;  /* no mark from here on was ever used; only grows */
	uint32_t marks[ILK_MARKS_];
	uint32_t pad1[7];
};

/*
 * Lock-order history: this, then a list for each thread slot, then `order_pairs` pairs, which are a
 * multiple of 16, and 32 bits for each of them: which parts of the segment have locks that may stand in
 * a pair. src/segment/order.c.
 */
struct ilk_order_ {
	uint64_t held_lost;  /* times that a list had no room; added to by each */
	uint64_t pairs_lost; /* pairs that found no room; the same */
	uint8_t pad[48];
};

enum { ILK_HELD_MOST_ = 23 };

/* What a thread holds; of its slot, written by it alone. */
struct ilk_held_list_ {
	uint32_t changes; /* raised before each change */
	uint32_t owner;   /* whose it is, by its owner word: what else stands here is nobody's */
	uint32_t top;     /* no entry from here on was ever used; only grows */
	uint32_t over;    /* how much it holds that is not listed */
	struct ilk_held_ {
		uint64_t what; /* 0: free; offset of a lock, and in the low bits ILK_HELD_... */
		int64_t since;
	} held[ILK_HELD_MOST_];
};

enum {
	ILK_HELD_MUTEX_ = 1,
	ILK_HELD_READ_ = 2,
	ILK_HELD_WRITE_ = 3,
	ILK_HELD_KIND_ = 63, /* all of those bits */
};

enum { ILK_PAIR_GATES_ = 4, ILK_PARTS_A_PAIR_ = 32 };
#define ILK_PAIR_DROPPED_ UINT64_C(1)
#define ILK_PAIR_DROPPING_ UINT64_C(2)
#define ILK_PAIR_NO_GATE_ UINT32_C(1)

/* A lock that was asked for, by one who held another. */
struct ilk_pair_ {
	/* 0: never used; DROPPED: free again; DROPPING: soon; else offsets / 64, the held one's high */
	uint64_t key;
	uint64_t told; /* the key: who, when and where from stand here */
	uint64_t count;
	int64_t first_seen;
	int64_t joined; /* of the thread that was the first, */
	uint32_t owner; /* its owner word then, */
	int32_t pid, tid;
	uint32_t others; /* 1: others than that have done it */
	uint32_t how;    /* bits 3..0 ways; 5..4 kind of the one held, 7..6 of the one asked for */
	uint32_t pad0;
	/* Offsets / 64 of what was held besides, each time: 0 not known yet, NO_GATE none. */
	uint32_t gates[ILK_PAIR_GATES_];
	char name[16]; /* of the thread */
	uint8_t pad1[32];
};

/*
 * A block of the arena: this header, then its bytes. Blocks lie end to end, and their sizes are the
 * chain, which is the truth; all else follows from it. src/segment/arena.c.
 */
struct ilk_block_header_ {
	uint64_t size;      /* with this header, a multiple of 64; bit 0: given out */
	uint32_t owner;     /* owner word of who allocated it, until published; then 0 */
	uint32_t check;     /* ILK_BLOCK_CHECK_ */
	uint64_t before;    /* the block before it; 0: it is the first */
	uint64_t list_next; /* of a free block: its neighbours in its list; 0: none */
	uint64_t list_last;
	uint64_t link_at; /* of one that is being published or freed: the word that leads to it */
	uint8_t pad[16];
};
#define ILK_BLOCK_CHECK_ UINT32_C(0x6b636c62)

/*
 * Lists of free blocks, by size: for up to 31 grains of 64 bytes a list for each number, above that
 * eight to each power of two.
 */
enum { ILK_EXACT_LISTS_ = 32, ILK_LISTS_ = ILK_EXACT_LISTS_ + 8 * 36 };

struct ilk_free_lists_ {
	uint64_t filled[ILK_LISTS_ / 64]; /* a bit for each list: it is not empty */
	uint64_t first[ILK_LISTS_];
	uint64_t pad[3];
};

/*
 * A named object: at the start of a block's bytes, the object's own bytes behind it. A bit for each
 * process slot tells who has it open; where there are more than 256 slots, what follows `open` has
 * the others, up to a multiple of 64 bytes.
 */
struct ilk_entry_ {
	uint64_t next; /* offset of the bucket's next entry; 0: none */
	uint32_t hash;
	uint16_t type;   /* ILK_TYPE_... */
	uint16_t state;  /* ILK_ENTRY_... */
	uint64_t bytes;  /* of the object */
	uint64_t serial; /* no other entry of the segment ever has it */
	char name[ILK_NAME_BYTES_];
	uint64_t open[4];
};

enum {
	ILK_ENTRY_UNBORN_ = 0,   /* its maker is at it, or died at it */
	ILK_ENTRY_LIVE_ = 1,     /* since it is in its list */
	ILK_ENTRY_REMOVED_ = 2,  /* nobody finds it any more; kept for those who have it open */
	ILK_ENTRY_NAMELESS_ = 3, /* nobody ever does: its name is for people; kept the same way */
};

/* From an entry to its object. */
static inline uint64_t ilk_entry_bytes_(uint32_t process_slots)
{
	uint64_t more = process_slots > 256 ? (process_slots - 256 + 511) / 512 : 0;

	return sizeof(struct ilk_entry_) + more * 64;
}

#ifndef __cplusplus
_Static_assert(sizeof(struct ilk_header_) == 384, "layout");
_Static_assert(sizeof(struct ilk_process_slot_) == 128, "layout");
_Static_assert(sizeof(struct ilk_thread_slot_) == 192, "layout");
_Static_assert(sizeof(struct ilk_block_header_) == 64, "layout");
_Static_assert(sizeof(struct ilk_order_) == 64, "layout");
_Static_assert(sizeof(struct ilk_held_list_) == 384, "layout");
_Static_assert(sizeof(struct ilk_pair_) == 128, "layout");
_Static_assert(sizeof(struct ilk_entry_) == 128, "layout");
_Static_assert(sizeof(struct ilk_free_lists_) % 64 == 0 && ILK_LISTS_ % 64 == 0, "layout");
#endif

/*
 * The layout word: eight bytes, each a number that two builds must share. Lowest first: word size,
 * byte order, cache line / 8, handshake, header / 64, process slot / 64, thread slot / 64,
 * entry / 64.
 */
enum { ILK_LAYOUT_FIELDS_ = 8, ILK_LAYOUT_HANDSHAKE_ = 3 };
enum { ILK_FENCED_ = 0, ILK_ASYMMETRIC_ = 1 };

static inline unsigned ilk_layout_field_(uint64_t layout, unsigned field)
{
	return (unsigned)(layout >> (8 * field) & 0xff);
}

/* Owner words. */
#define ILK_OWNER_FLAGS_ UINT32_C(0xf)
#define ILK_OWNER_FIRST_ (UINT32_C(1) << 20)

static inline uint32_t ilk_owner_word_(uint32_t slot, uint32_t generation)
{
	return (slot + 1) << 20 | generation << 4;
}
static inline int ilk_owner_is_thread_(uint32_t word)
{
	return word >= ILK_OWNER_FIRST_;
}
static inline uint32_t ilk_owner_slot_(uint32_t word)
{
	return (word >> 20) - 1;
}
static inline uint32_t ilk_owner_generation_(uint32_t word)
{
	return word >> 4 & 0xffff;
}

/* The life word of a thread slot. */
static inline uint64_t ilk_life_word_(
	uint32_t process_generation, uint32_t generation, uint32_t who)
{
	return (uint64_t)process_generation << 32 | generation << 16 | who;
}
static inline uint32_t ilk_life_generation_(uint64_t life)
{
	return (uint32_t)(life >> 16) & 0xffff;
}
/* Process slot + 1; 0: the thread slot is free. */
static inline uint32_t ilk_life_process_(uint64_t life)
{
	return (uint32_t)life & 0xffff;
}

#endif
