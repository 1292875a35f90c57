/*
 * permits_object.c - permits as an object: made, opened, asked whose they are, shown, repaired. How
 * they are taken, and what their words mean: permits.c.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/types.h"
#include "sync/owner.h"
#include "sync/permits.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- asking --- */

/* P, which lies in SEG, or in none. 0; -EINVAL. */
static int look_at(
	const struct ilk_segment *seg, const struct ilk_permits *p, struct ilk_permits_view_ *v)
{
	struct ilk_permits *permits = (struct ilk_permits *)(uintptr_t)p;

	if (!seg || !ilk_permits_are_some_(p))
		return -EINVAL;
	return ilk_permits_see_(&seg->map, permits, v) ? 0 : -EINVAL;
}

int ilk_permits_left(const struct ilk_permits *p, unsigned *left)
{
	struct ilk_segment *seg = ilk_find_attachment_(p);
	struct ilk_living_ living = {.slots = {0}};
	struct ilk_permits_view_ v;
	int rc = look_at(seg, p, &v);

	if (rc < 0)
		return rc;
	*left = 0;
	for (uint32_t i = 0; i < v.count; i++) {
		uint64_t owner = ilk_load_acquire_(&v.cell[i]);

		*left += owner == 0 || ilk_permits_life_(seg, owner, &living) == ILK_LIFE_DEAD;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Copies the owners of COUNT cells, those of one owner side by side. How many there are. */
static uint32_t copy_owners(const uint64_t *cell, uint32_t count, uint64_t *owners)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		owners[n] = ilk_load_acquire_(&cell[i]);
		n += owners[n] != 0;
	}
	qsort(owners, n, sizeof *owners, compare);
	return n;
}

/* How many of the N OWNERS are the same as the first. */
static uint32_t count_same(const uint64_t *owners, uint32_t n)
{
	uint32_t same = 1;

	while (same < n && owners[same] == owners[0])
		same++;
	return same;
}

static void describe_process(
	struct ilk_segment *seg, uint64_t owner, struct ilk_permits_holder *holder)
{
	uint32_t slot = ilk_owner_slot_((uint32_t)owner), generation = (uint32_t)(owner >> 32);
	const struct ilk_process_slot_ *process;
	const struct ilk_member_ *member = seg->member;

	holder->holder = ilk_holder_of_life_(ilk_process_life_(seg, slot, generation));
	ilk_registry_lock_();
	if (member->joined && ilk_permits_process_(member->process, member->generation) == owner)
		holder->holder = ILK_HELD_BY_ME;
	ilk_registry_unlock_();
	if (slot >= seg->map.header.process_slots)
		return;
	process = ilk_process_slot_(&seg->map, slot);
	if (ilk_load_relaxed_(&process->generation) != generation)
		return;
	holder->pid = process->pid;
	memcpy(holder->name, process->name, sizeof holder->name - 1);
}

static void describe_thread(
	struct ilk_segment *seg, uint64_t owner, struct ilk_permits_holder *holder)
{
	struct ilk_mutex_owner names = {.pid = 0};

	ilk_owner_named_(seg, (uint32_t)owner, &names);
	holder->holder = ilk_holder_(seg, (uint32_t)owner);
	holder->pid = names.pid;
	holder->tid = names.tid;
	memcpy(holder->name, names.name, sizeof holder->name);
}

int ilk_permits_holders(
	const struct ilk_permits *p, struct ilk_permits_holder *holders, size_t room, size_t *count)
{
	struct ilk_segment *seg = ilk_find_attachment_(p);
	uint64_t owners[ILK_PERMITS_MAX];
	struct ilk_permits_view_ v;
	uint32_t n, same;
	int rc = look_at(seg, p, &v);

	if (rc < 0)
		return rc;
	n = copy_owners(v.cell, v.count, owners);
	*count = 0;
	for (uint32_t i = 0; i < n; i += same, ++*count) {
		same = count_same(&owners[i], n - i);
		if (*count >= room)
			continue;
		holders[*count] = (struct ilk_permits_holder){.count = same};
		(owners[i] & ILK_PERMITS_OF_PROCESS_ ? describe_process : describe_thread)(
			seg, owners[i], &holders[*count]);
	}
	return 0;
}

/* --- making some --- */

static void make(struct ilk_segment *seg, struct ilk_permits *p, const char *label, uint32_t count,
	uint32_t flags)
{
	memset(p, 0, ILK_PERMITS_BYTES(count));
	p->count = count;
	p->flags = (uint16_t)flags;
	strncpy(p->label, label ? label : "", sizeof p->label - 1);
	ilk_mutex_init(seg, &p->gate, label, NULL);
	ilk_store_release_(&p->tag, (uint16_t)ILK_PERMITS_TAG_);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	uint64_t cells = (wanted->bytes - sizeof(struct ilk_permits)) / sizeof(uint64_t);

	make(ilk_find_attachment_(object), object, wanted->name, (uint32_t)cells, wanted->flags);
}

static int check_options(const struct ilk_permits_options *o)
{
	if (!o || o->size != sizeof *o || o->permits - 1 >= ILK_PERMITS_MAX ||
		o->flags & ~(unsigned)ILK_PERMITS_PROCESS)
		return ilk_fail_(-EINVAL,
			"permits options: none, wrong size, unknown flags, or not 1 to %d permits",
			ILK_PERMITS_MAX);
	return 0;
}

int ilk_permits_init(struct ilk_segment *seg, struct ilk_permits *p, const char *label,
	const struct ilk_permits_options *options)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)seg->map.base;
	int rc = check_options(options);

	if (rc < 0)
		return rc;
	if (at >= seg->map.bytes || ILK_PERMITS_BYTES(options->permits) > seg->map.bytes - at ||
		at % 64)
		return ilk_fail_(
			-EINVAL, "the permits are outside the segment, or not aligned to 64");
	if (seg->read_only)
		return ilk_fail_(-EROFS, "the attachment is read-only");
	make(seg, p, label, options->permits, options->flags);
	return 0;
}

/* What the directory calls a difference in size is one in their number. */
static int failed_to_open(int rc, const char *name, unsigned permits)
{
	char why[160];

	if (rc != -EEXIST || strncmp(ilk_last_error(), "size", 4) != 0)
		return rc;
	snprintf(why, sizeof why, "%s", ilk_last_error());
	return ilk_fail_(rc, "number differs: %s has not %u permits (%s)", name, permits, why);
}

static int has_flags(const void *object, const struct ilk_wanted_ *wanted)
{
	uint16_t flags = ((const struct ilk_permits *)object)->flags;

	if (flags == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "flags differ: processes own permits of %s: %s", wanted->name,
		flags & ILK_PERMITS_PROCESS ? "yes" : "no");
}

int ilk_permits_open(struct ilk_segment *seg, const char *name,
	const struct ilk_permits_options *options, struct ilk_permits **p)
{
	struct ilk_wanted_ wanted = {
		.name = name, .type = ILK_TYPE_PERMITS_, .fits = has_flags, .init = init_wanted};
	void *object;
	int rc = check_options(options);

	if (rc < 0)
		return rc;
	wanted.flags = options->flags;
	wanted.bytes = ILK_PERMITS_BYTES(options->permits);
	rc = ilk_directory_open_(seg, &wanted, &object);
	if (rc < 0)
		return failed_to_open(rc, name, options->permits);
	*p = object;
	return 0;
}

/* --- their row --- */

static const char *wrong_with_cell(const struct ilk_map_ *map, uint64_t owner, uint32_t flags)
{
	uint32_t word = (uint32_t)owner;
	int by_process = (owner & ILK_PERMITS_OF_PROCESS_) != 0;

	if (owner == 0)
		return NULL;
	if (!ilk_owner_is_thread_(word) || by_process != (flags == ILK_PERMITS_PROCESS))
		return "a permit is neither free nor an owner's";
	if (!by_process && (owner >> 32 || word & ILK_OWNER_FLAGS_))
		return "a permit's owner has unknown flags";
	return ilk_owner_slot_(word) >=
			       (by_process ? map->header.process_slots : map->header.thread_slots)
		       ? "a permit names a slot that does not exist"
		       : NULL;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_permits *p = object;
	uint32_t count, flags;

	if (bytes < sizeof *p || !ilk_permits_are_some_(p))
		return "its tag is not that of permits";
	count = ilk_load_relaxed_(&p->count);
	if (count - 1 >= ILK_PERMITS_MAX || bytes != ILK_PERMITS_BYTES(count))
		return "its number of permits does not match its size";
	flags = ilk_load_relaxed_(&p->flags);
	if (flags & ~(uint32_t)ILK_PERMITS_PROCESS)
		return "it has unknown flags";
	for (uint32_t i = 0; i < count; i++) {
		uint64_t owner = ilk_load_relaxed_(&ilk_permits_cells_(p)[i]);
		const char *wrong = wrong_with_cell(map, owner, flags);

		if (wrong)
			return wrong;
	}
	return ilk_type_(ILK_TYPE_MUTEX_)->valid(map, &p->gate, sizeof p->gate);
}

static uint64_t bytes_of(const void *object)
{
	const struct ilk_permits *p = object;
	uint32_t count = ilk_load_relaxed_(&p->count);

	return count - 1 < ILK_PERMITS_MAX ? ILK_PERMITS_BYTES(count) : 0;
}

/* The pid of who has a permit, as far as the slots tell; 0. */
static int32_t pid_of(const struct ilk_map_ *map, uint64_t owner)
{
	uint32_t slot = ilk_owner_slot_((uint32_t)owner);

	if (!(owner & ILK_PERMITS_OF_PROCESS_)) {
		if (slot >= map->header.thread_slots)
			return 0;
		slot = ilk_life_process_(ilk_load_relaxed_(&ilk_thread_slot_(map, slot)->life)) - 1;
	}
	return slot < map->header.process_slots ? ilk_process_slot_(map, slot)->pid : 0;
}

/* "3 of 5 taken: 4711 has 2, 4712 has 1", as far as there is room. */
static void list_holders(
	const struct ilk_map_ *map, const uint64_t *owners, uint32_t n, char *text, size_t size)
{
	size_t used = strlen(text);

	for (uint32_t i = 0, same; i < n && used < size - 1; i += same) {
		char one[32];
		int length;

		same = count_same(&owners[i], n - i);
		length = snprintf(one, sizeof one, "%s %d has %u", i ? "," : ":",
			(int)pid_of(map, owners[i]), same);
		if (length < 0 || used + (size_t)length + sizeof ", ..." > size) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		memcpy(text + used, one, (size_t)length + 1);
		used += (size_t)length;
	}
}

/* The cells' number, copied and checked once more: OBJECT may change. */
static uint32_t cells_of(const struct ilk_permits *p, uint64_t bytes)
{
	uint64_t count = (bytes - sizeof *p) / sizeof(uint64_t);

	return count <= ILK_PERMITS_MAX ? (uint32_t)count : ILK_PERMITS_MAX;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_permits *p = object;
	uint32_t count = cells_of(p, bytes), taken;
	uint64_t owners[ILK_PERMITS_MAX];

	taken = copy_owners(ilk_permits_cells_(p), count, owners);
	snprintf(out->state, sizeof out->state, "%u of %u taken", taken, count);
	list_holders(map, owners, taken, out->state, sizeof out->state);
	memcpy(out->label, p->label, sizeof out->label - 1);
	out->value = (int64_t)count - taken;
	out->contended = ilk_load_relaxed_(&p->slept);
	out->waited_ns = ilk_load_relaxed_(&p->waited_ns);
}

static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	uint64_t owners[ILK_PERMITS_MAX];
	uint32_t n = copy_owners(ilk_permits_cells_(object), cells_of(object, bytes), owners);
	uint32_t count = 0;

	(void)map;
	for (uint32_t i = 0, same; i < n && count < most; i += same) {
		uint32_t word = (uint32_t)owners[i];

		same = count_same(&owners[i], n - i);
		out[count] = (struct ilk_holding_){.count = same, .how = "permits"};
		if (owners[i] & ILK_PERMITS_OF_PROCESS_) {
			out[count].process = ilk_owner_slot_(word);
			out[count].generation = (uint32_t)(owners[i] >> 32);
		} else {
			out[count].owner = word;
		}
		count++;
	}
	return count;
}

static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_permits_view_ v = {.mine = 0};
	uint32_t freed;

	if (look_at(seg, object, &v) < 0)
		return 0;
	ilk_permits_sweep_(seg, &v, 0, &freed);
	if (freed)
		ilk_permits_wake_(object, freed);
	return freed != 0;
}

/* [P7] of permits.c. Weaker: one who sleeps could miss it until its next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_permits *p = object;

	ilk_store_release_(&p->tag, (uint16_t)ILK_PERMITS_REMOVED_);
	ilk_type_(ILK_TYPE_MUTEX_)->remove(seg, &p->gate);
	ilk_futex_step_and_wake_(&p->bell, INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	unsigned left;

	(void)seg;
	return ilk_permits_left(object, &left) == 0 && left > 0;
}

const struct ilk_type_ ilk_type_permits_ = {
	.name = "permits",
	.least = sizeof(struct ilk_permits),
	.align = 64,
	.bytes_of = bytes_of,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
