/*
 * barrier_object.c - a barrier as an object: made, opened, asked how it stands, shown, repaired; how
 * it works: barrier.c; what its words mean: barrier.h.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/types.h"
#include "sync/barrier.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* --- asking --- */

/* Counts who is in B, and of them who arrived in the round of STATE. */
static void count_members(
	const struct ilk_barrier *b, uint64_t state, unsigned *members, unsigned *arrived)
{
	uint32_t cells = ilk_barrier_cells_(b), stamp = ilk_barrier_stamp_(state);

	*members = *arrived = 0;
	for (uint32_t i = 0; i < cells; i++) {
		uint64_t cell = ilk_load_acquire_(&b->cell[i]);

		*members += ilk_barrier_member_(cell) != 0;
		*arrived += (uint32_t)cell == stamp;
	}
}

/*
 * Who is, or was, the member of cell I. What the member wrote of itself is another's if it died
 * before it could: then its slot may tell.
 */
static void name_member(const struct ilk_map_ *map, const struct ilk_barrier *b, int i,
	struct ilk_barrier_status *status)
{
	const struct ilk_barrier_who_ *who = &b->who[i];
	uint32_t member = ilk_barrier_member_(ilk_load_acquire_(&b->cell[i]));
	struct ilk_who_ found = {.pid = 0};
	uint64_t name[2];

	if (member == 0 || member == ilk_load_acquire_(&who->owner)) {
		found.pid = ilk_load_relaxed_(&who->pid);
		found.tid = ilk_load_relaxed_(&who->tid);
		name[0] = ilk_load_relaxed_(&who->name[0]);
		name[1] = ilk_load_relaxed_(&who->name[1]);
		memcpy(found.name, name, sizeof found.name - 1);
	} else {
		ilk_who_is_(map, member, &found);
	}
	status->pid = found.pid;
	status->tid = found.tid;
	memcpy(status->name, found.name, sizeof status->name);
}

/* What B says of itself, without asking for lives. */
static uint64_t read_status(
	const struct ilk_map_ *map, const struct ilk_barrier *b, struct ilk_barrier_status *status)
{
	uint64_t phases = ilk_load_acquire_(&b->phases);
	uint64_t state = ilk_load_acquire_(&b->state);
	int culprit = ilk_barrier_culprit_(state);

	*status = (struct ilk_barrier_status){
		.cause = (enum ilk_barrier_cause)ilk_barrier_cause_(state),
		.phases = ilk_barrier_phases_(phases, state),
		.parties = ilk_barrier_parties_(b),
		.lost = ilk_load_relaxed_(&b->lost),
	};
	count_members(b, state, &status->members, &status->arrived);
	if (status->cause != ILK_BARRIER_WHOLE && culprit != ILK_BARRIER_NOBODY_)
		name_member(map, b, culprit, status);
	return state;
}

int ilk_barrier_status(const struct ilk_barrier *b, struct ilk_barrier_status *status)
{
	struct ilk_segment *seg = ilk_find_attachment_(b);
	int dead;

	if (!seg || !ilk_barrier_is_one_(b))
		return -EINVAL;
	read_status(&seg->map, b, status);
	if (status->cause != ILK_BARRIER_WHOLE || ilk_barrier_shrinks_(b))
		return 0;
	dead = ilk_barrier_find_dead_(seg, b);
	if (dead == ILK_BARRIER_NOBODY_)
		return 0;
	status->cause = ILK_BARRIER_DEATH;
	name_member(&seg->map, b, dead, status);
	return 0;
}

/* --- making one --- */

static void make(struct ilk_barrier *b, const char *label, uint32_t kind)
{
	memset(b, 0, sizeof *b);
	b->flags = (uint8_t)(kind >> 8);
	b->parties = (uint8_t)kind;
	strncpy(b->label, label ? label : "", sizeof b->label - 1);
	ilk_store_release_(&b->tag, (uint16_t)ILK_BARRIER_TAG_);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name, wanted->flags);
}

/* What OPTIONS ask for: flags in bits 15..8, parties below; -EINVAL. */
static int kind_of(const struct ilk_barrier_options *options)
{
	if (!options)
		return 0;
	if (options->size != sizeof *options || options->flags & ~(unsigned)ILK_BARRIER_SHRINK)
		return ilk_fail_(-EINVAL, "barrier options: wrong size or unknown flags");
	if (options->parties > ILK_BARRIER_MEMBERS)
		return ilk_fail_(
			-EINVAL, "barrier options: more than %d parties", ILK_BARRIER_MEMBERS);
	return (int)(options->flags << 8 | options->parties);
}

int ilk_barrier_init(struct ilk_segment *seg, struct ilk_barrier *b, const char *label,
	const struct ilk_barrier_options *options)
{
	uintptr_t at = (uintptr_t)b - (uintptr_t)seg->map.base;
	int kind = kind_of(options);

	if (kind < 0)
		return kind;
	if (at >= seg->map.bytes || seg->map.bytes - at < sizeof *b || at % 64)
		return ilk_fail_(
			-EINVAL, "the barrier is outside the segment, or not aligned to 64");
	if (seg->read_only)
		return ilk_fail_(-EROFS, "the attachment is read-only");
	make(b, label, (uint32_t)kind);
	return 0;
}

static int is_as_asked(const void *object, const struct ilk_wanted_ *wanted)
{
	const struct ilk_barrier *b = object;
	uint32_t parties = wanted->flags & 0xff;

	if (b->parties != parties)
		return ilk_fail_(-EEXIST, "parties differ: barrier %s has %u, not %u", wanted->name,
			b->parties, parties);
	if (b->flags != wanted->flags >> 8)
		return ilk_fail_(-EEXIST, "flags differ: barrier %s %s", wanted->name,
			ilk_barrier_shrinks_(b) ? "shrinks" : "does not shrink");
	return 0;
}

int ilk_barrier_open(struct ilk_segment *seg, const char *name,
	const struct ilk_barrier_options *options, struct ilk_barrier **b)
{
	struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_BARRIER_,
		.bytes = sizeof **b,
		.fits = is_as_asked,
		.init = init_wanted,
	};
	int kind = kind_of(options);
	void *object;
	int rc;

	if (kind < 0)
		return kind;
	wanted.flags = (uint32_t)kind;
	rc = ilk_directory_open_(seg, &wanted, &object);
	if (rc == 0)
		*b = object;
	return rc;
}

/* --- its row --- */

static const char *valid_cell(const struct ilk_map_ *map, uint64_t cell)
{
	uint32_t member = ilk_barrier_member_(cell), stamp = (uint32_t)cell;

	if (member == 0)
		return cell == 0 || cell == ILK_BARRIER_GONE_ ? NULL
							      : "a place is neither free nor left";
	if (!ilk_owner_is_thread_(member) || member & ILK_OWNER_FLAGS_ ||
		ilk_owner_slot_(member) >= map->header.thread_slots)
		return "a place names a thread slot that does not exist";
	return stamp == 0 || stamp >> 24 == ILK_BARRIER_STAMP_ >> 24
		       ? NULL
		       : "a member arrived in no possible round";
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_barrier *b = object;
	uint64_t state;
	const char *wrong = NULL;

	if (bytes != sizeof *b)
		return "its size is not a barrier's";
	if (!ilk_barrier_is_one_(b))
		return "its tag is not a barrier's";
	if (ilk_load_relaxed_(&b->parties) > ILK_BARRIER_MEMBERS ||
		ilk_load_relaxed_(&b->top) > ILK_BARRIER_MEMBERS)
		return "it has more places than there can be";
	state = ilk_load_acquire_(&b->state);
	if (ilk_barrier_cause_(state) > ILK_BARRIER_ABORT || (state & 0xff) > ILK_BARRIER_MEMBERS)
		return "it is broken for no known reason";
	for (int i = 0; i < ILK_BARRIER_MEMBERS && !wrong; i++)
		wrong = valid_cell(map, ilk_load_relaxed_(&b->cell[i]));
	return wrong;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	static const char *const causes[] = {"", "death", "time-out", "abort"};
	const struct ilk_barrier *b = object;
	struct ilk_barrier_status s;

	(void)bytes;
	read_status(map, b, &s);
	if (s.cause == ILK_BARRIER_WHOLE)
		snprintf(out->state, sizeof out->state, "phase %llu: %u of %u arrived",
			(unsigned long long)s.phases, s.arrived, s.parties ? s.parties : s.members);
	else if (s.tid == 0)
		snprintf(out->state, sizeof out->state, "broken: %s", causes[s.cause & 3]);
	else
		snprintf(out->state, sizeof out->state, "broken: %s of %s (%d)",
			causes[s.cause & 3], s.name, s.pid);
	memcpy(out->label, b->label, sizeof out->label - 1);
	out->acquired = s.phases;
	out->contended = ilk_load_relaxed_(&b->slept);
	out->waited_ns = ilk_load_relaxed_(&b->waited_ns);
}

/* Nobody holds it: these are the members that have not arrived, for whom the others wait. */
static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_barrier *b = object;
	uint64_t state = ilk_load_acquire_(&b->state);
	uint32_t cells = ilk_barrier_cause_(state) ? 0 : ilk_barrier_cells_(b), count = 0;

	(void)map, (void)bytes;
	for (uint32_t i = 0; i < cells && count < most; i++) {
		uint64_t cell = ilk_load_acquire_(&b->cell[i]);

		if (ilk_barrier_member_(cell) && (uint32_t)cell != ilk_barrier_stamp_(state))
			out[count++] = (struct ilk_holding_){
				.owner = ilk_barrier_member_(cell), .count = 1, .how = "awaited"};
	}
	return count;
}

/* Does what the first to wait would do about the dead. */
static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_barrier *b = object;
	uint64_t state = ilk_load_acquire_(&b->state);

	return !ilk_barrier_cause_(state) && ilk_barrier_mourn_(seg, b, state);
}

/* Weaker: one who sleeps could miss it until his next look. See [B6] of barrier.c. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_barrier *b = object;

	(void)seg;
	ilk_store_release_(&b->tag, (uint16_t)ILK_BARRIER_REMOVED_);
	ilk_futex_store_and_wake_(&b->wait, 0, INT_MAX);
}

const struct ilk_type_ ilk_type_barrier_ = {
	.name = "barrier",
	.size = sizeof(struct ilk_barrier),
	.align = 64,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
};
