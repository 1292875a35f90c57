/*
 * order.c - which locks a thread holds, and in which orders locks were asked for.
 *
 * State      held list  of a thread slot; written by its thread. An entry's word is 0, or the lock's
 *                       offset with its kind in the low bits; `since` was written before it.
 *            parts      a bit for each part of the segment, of 64 bytes or more: there is, or was, a lock
 *                       in it that a pair may speak of.
 *            pair       key: 0 = never used; DROPPED = free again; else the pair. `told`: the key, once
 *                       the one who put it there has noted who he is, and when; till then, or if he
 *                       died in it, that is unknown. count, how, others, gates: by everybody.
 * Invariant  [I1] A list says no more than is so: what is taken is listed afterwards, and what is let go
 *            is taken off before. It counts only with the slot's own owner word in it: the list that
 *            the dead left is nobody's from the instant on in which the slot is another's.
 *            [I2] A pair stands at one of PROBES places that follow from its key, and no later place is
 *            used while an earlier one has the key 0. It may stand twice, if a place before it was
 *            dropped while two put it there: who reads adds them up.
 *            [I3] A gate is a lock that was held, and not to read, at each sighting of the pair. It is
 *            set by who comes first, and goes with the first who comes without it, for good.
 *            [I4] What is seen of a pair before it is told is of another than who tells it.
 *            [I5] The bits of both locks are set before the pair is put there.
 * Ordering   [H1] insert: key, compare-and-swap; the rest; told, release  <-> [H2]  it is complete
 *            [H2] look:   told, acquire; the rest                         <-> [H1]
 *            [H3] take:   since; word, release        <-> who inspects, reads all of it twice
 *            [H4] drop:   the rest 0; key = DROPPED, release <-> [H1], acquire: who comes next finds
 *                 nothing of the last one there
 * Death      Nothing here waits, and nothing is needed to lock. After the key: a pair of whom nothing is
 *            known but what others add. In the midst of a drop: the same; it is dropped again when the
 *            memory is given out, which comes after, as its bits are cleared last. Between taking a lock and listing it, or in
 *            letting go: one lock is missing here that names the dead as its owner.
 * Cost       For each lock that is held a search of the table, and some locked instructions.
 *
 * Source: the idea is that of the Linux kernel's lockdep; lock by lock here, where that has classes.
 */
#include "segment/order.h"
#include "os/clock.h"
#include <string.h>

enum { PROBES = 64, TRIES = 8, WAYS = 15, LEAST_PART = 64 };

/* One lock asked for. */
struct sighting {
	const struct ilk_map_ *map;
	uint64_t lock;
	uint32_t kind;
	uint32_t count;
	uint64_t held[ILK_HELD_MOST_]; /* COUNT words of what its thread holds */
};

/* --- parts --- */

static uint64_t bytes_of_part(const struct ilk_map_ *map)
{
	uint64_t parts = (uint64_t)map->header.order_pairs * ILK_PARTS_A_PAIR_;

	return ((map->bytes + parts - 1) / parts + LEAST_PART - 1) & ~(uint64_t)(LEAST_PART - 1);
}

/* [I5] */
static void touch(const struct ilk_map_ *map, uint64_t offset)
{
	uint64_t part = offset / bytes_of_part(map);
	uint32_t *word = &ilk_order_parts_(map)[part / 32], bit = UINT32_C(1) << part % 32;

	if (!(ilk_load_relaxed_(word) & bit))
		ilk_or_full_(word, bit);
}

/* Of the word with number I, the bits of the parts from FIRST to LAST. */
static uint32_t bits_between(uint64_t i, uint64_t first, uint64_t last)
{
	uint32_t from = first > 32 * i ? (uint32_t)(first - 32 * i) : 0;
	uint32_t to = last < 32 * i + 31 ? (uint32_t)(last - 32 * i) : 31;

	return UINT32_MAX << from & UINT32_MAX >> (31 - to);
}

/*
 * Is there, or was there, a lock in the COUNT bytes AT that a pair may speak of? CLEAR: there is none from
 * here on, where parts are not larger than what is given out at once.
 */
static int look_at_parts(const struct ilk_map_ *map, uint64_t at, uint64_t count, int clear)
{
	uint64_t bytes = bytes_of_part(map), first = at / bytes, last = (at + count - 1) / bytes;
	uint32_t *words = ilk_order_parts_(map), found = 0;

	for (uint64_t i = first / 32; i <= last / 32; i++) {
		uint32_t bits = ilk_load_relaxed_(&words[i]) & bits_between(i, first, last);

		found |= bits;
		if (bits && clear && bytes == LEAST_PART)
			ilk_and_full_(&words[i], ~bits);
	}
	return found != 0;
}

/* --- the table --- */

/* Where the search for KEY begins, in a table of COUNT. */
static uint32_t home_of(uint64_t key, uint32_t count)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)((hash >> 32) * count >> 32);
}

/* The place of KEY, or *FREE: where it can be put; NULL: it is nowhere, and there is no room. */
static struct ilk_pair_ *find_pair(
	const struct ilk_map_ *map, uint64_t key, struct ilk_pair_ **free, uint64_t *found)
{
	struct ilk_pair_ *pairs = ilk_pairs_(map);
	uint32_t count = map->header.order_pairs, at = home_of(key, count);

	*free = NULL;
	for (uint32_t i = 0; i < PROBES && i < count; i++) {
		struct ilk_pair_ *p = &pairs[(at + i) % count];
		uint64_t there = ilk_load_acquire_(&p->key);

		if (there == key)
			return p;
		if (!*free && there <= ILK_PAIR_DROPPED_) {
			*free = p;
			*found = there;
		}
		if (there == 0)
			break;
	}
	return NULL;
}

/* The same, put there if need be: then *IS_NEW. NULL: there is no room. */
static struct ilk_pair_ *find_or_put(const struct ilk_map_ *map, uint64_t key, int *is_new)
{
	struct ilk_pair_ *p = NULL, *free;
	uint64_t found;

	*is_new = 0;
	for (int i = 0; !p && i < TRIES; i++) {
		p = find_pair(map, key, &free, &found);
		if (p || !free)
			return p;
		*is_new = ilk_cas_full_(&free->key, &found, key); /* [H1] */
		if (*is_new || found == key)
			p = free;
	}
	return p;
}

/* --- a sighting --- */

static void tell(struct ilk_pair_ *p, uint64_t key)
{
	const struct ilk_segment *seg = ilk_thread_.segment;
	const struct ilk_thread_slot_ *slot = ilk_thread_slot_(&seg->map, ilk_thread_.me->slot);

	p->first_seen = ilk_now();
	p->joined = slot->joined;
	p->owner = ilk_thread_.owner;
	p->pid = ilk_process_slot_(&seg->map, seg->member->process)->pid;
	p->tid = slot->tid;
	memcpy(p->name, slot->name, sizeof p->name);
	ilk_store_release_(&p->told, key); /* [H1] */
}

static int is_by_me(const struct ilk_pair_ *p, const struct ilk_thread_slot_ *slot)
{
	return p->owner == ilk_thread_.owner && p->joined == slot->joined;
}

static void note_who(struct ilk_pair_ *p, uint64_t key, int is_new)
{
	const struct ilk_segment *seg = ilk_thread_.segment;

	if (is_new)
		tell(p, key);
	else if (!ilk_load_relaxed_(&p->others) &&
		 (ilk_load_acquire_(&p->told) != key || /* [H2], [I4] */
			 !is_by_me(p, ilk_thread_slot_(&seg->map, ilk_thread_.me->slot))))
		ilk_store_relaxed_(&p->others, 1u);
}

/* Both kinds, and the way, as in `how`. */
static uint32_t how(uint64_t held, const struct sighting *s)
{
	uint32_t first = ilk_held_kind_(held), way = 1;

	way <<= (first == ILK_HELD_READ_ ? 2 : 0) + (s->kind == ILK_HELD_READ_ ? 1 : 0);
	return way | first << 4 | s->kind << 6;
}

static void note_how(struct ilk_pair_ *p, uint32_t seen)
{
	uint32_t found = ilk_load_relaxed_(&p->how);

	/* The kinds are those of the last time. */
	while ((found | seen) != found || found >> 4 != seen >> 4)
		if (ilk_cas_full_(&p->how, &found, (found & WAYS) | seen))
			break;
}

/* Which lock that is held may be a gate of a pair that HELD is the first of, from I on. */
static uint32_t next_gate(const struct sighting *s, uint64_t held, uint32_t *i)
{
	while (*i < s->count) {
		uint64_t other = s->held[(*i)++];

		if (other != held && ilk_held_kind_(other) != ILK_HELD_READ_)
			return (uint32_t)(ilk_held_offset_(other) >> 6);
	}
	return ILK_PAIR_NO_GATE_;
}

static int is_gate(const struct sighting *s, uint64_t held, uint32_t gate)
{
	uint32_t i = 0, candidate;

	do
		candidate = next_gate(s, held, &i);
	while (candidate != gate && candidate != ILK_PAIR_NO_GATE_);
	return candidate == gate;
}

/* [I3] */
static void note_gates(struct ilk_pair_ *p, const struct sighting *s, uint64_t held, int is_new)
{
	uint32_t next = 0;

	for (int k = 0; k < ILK_PAIR_GATES_; k++) {
		uint32_t found = ilk_load_relaxed_(&p->gates[k]);
		uint32_t gate = is_new ? next_gate(s, held, &next) : ILK_PAIR_NO_GATE_;

		while (found != gate && found != ILK_PAIR_NO_GATE_ &&
			(found == 0 || !is_gate(s, held, found)))
			if (ilk_cas_full_(&p->gates[k], &found, found ? ILK_PAIR_NO_GATE_ : gate))
				break;
	}
}

static void sight(const struct sighting *s, uint64_t held)
{
	uint64_t key = ilk_held_offset_(held) >> 6 << 32 | s->lock >> 6;
	struct ilk_pair_ *p;
	int is_new;

	/* Our list may be garbage, as all that is shared. */
	if (!ilk_is_pair_(s->map, key))
		return;
	touch(s->map, ilk_held_offset_(held));
	touch(s->map, s->lock);
	p = find_or_put(s->map, key, &is_new);
	if (!p) {
		ilk_add_relaxed_(&ilk_order_at_(s->map)->pairs_lost, 1u);
		return;
	}
	ilk_add_relaxed_(&p->count, 1u);
	note_how(p, how(held, s));
	note_gates(p, s, held, is_new);
	note_who(p, key, is_new);
}

void ilk_order_seek_(const void *lock, uint32_t kind)
{
	const struct ilk_held_list_ *list = ilk_my_held_list_();
	uint32_t top = list->top < ILK_HELD_MOST_ ? list->top : ILK_HELD_MOST_;
	struct sighting s;

	s.map = &ilk_thread_.segment->map;
	s.lock = ilk_here_at_(lock);
	s.kind = kind;
	s.count = 0;
	for (uint32_t i = 0; i < top; i++) {
		uint64_t what = ilk_load_relaxed_(&list->held[i].what);

		if (what)
			s.held[s.count++] = what;
	}
	for (uint32_t i = 0; i < s.count; i++)
		sight(&s, s.held[i]);
}

/* --- locks that are no more --- */

struct range {
	uint64_t from, to;
};

static int is_in(const struct range *r, uint64_t offset)
{
	return offset >= r->from && offset < r->to;
}

/* [H4] */
static void drop(struct ilk_pair_ *p)
{
	ilk_store_relaxed_(&p->told, UINT64_C(0));
	ilk_store_relaxed_(&p->count, UINT64_C(0));
	ilk_store_relaxed_(&p->others, 0u);
	ilk_store_relaxed_(&p->how, 0u);
	for (int k = 0; k < ILK_PAIR_GATES_; k++)
		ilk_store_relaxed_(&p->gates[k], 0u);
	ilk_store_release_(&p->key, ILK_PAIR_DROPPED_);
}

static void drop_gates(struct ilk_pair_ *p, const struct range *r)
{
	for (int k = 0; k < ILK_PAIR_GATES_; k++)
		if (is_in(r, (uint64_t)ilk_load_relaxed_(&p->gates[k]) << 6))
			ilk_store_relaxed_(&p->gates[k], ILK_PAIR_NO_GATE_);
}

void ilk_order_forget_(const struct ilk_map_ *map, uint64_t at, uint64_t count)
{
	const struct range r = {at, at + count};

	if (!map->header.order_at || !look_at_parts(map, at, count, 0))
		return;
	for (uint32_t i = 0; i < map->header.order_pairs; i++) {
		struct ilk_pair_ *p = &ilk_pairs_(map)[i];
		uint64_t key = ilk_load_acquire_(&p->key);

		if (key <= ILK_PAIR_DROPPED_)
			continue;
		if (is_in(&r, ilk_pair_first_(key)) || is_in(&r, ilk_pair_then_(key)))
			drop(p);
		else
			drop_gates(p, &r);
	}
	look_at_parts(map, at, count, 1);
}

void ilk_order_made_(const struct ilk_segment *seg, const void *object, uint64_t count)
{
	uint64_t at = (uint64_t)((const char *)object - seg->map.base);

	ilk_order_forget_(&seg->map, at, count);
	ilk_order_abandon_(&seg->map, at, count);
}

/* --- is it as it should be? --- */

static const char *wrong_pair(const struct ilk_map_ *map, const struct ilk_pair_ *p)
{
	uint64_t key = ilk_load_relaxed_(&p->key);

	return key > ILK_PAIR_DROPPED_ && !ilk_is_pair_(map, key) ? "a pair is not of two locks"
								  : NULL;
}

const char *ilk_order_valid_(const struct ilk_map_ *map)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; !wrong && i < map->header.order_pairs; i++)
		wrong = wrong_pair(map, &ilk_pairs_(map)[i]);
	return wrong;
}
