/* ring_status.c - a ring as its users see it: who has its sides, how much is in it. */
#include "queue/ring.h"
#include <errno.h>
#include <string.h>

/* How many bytes are in use: a reader may be ahead of what a writer that is at it, or died, says. */
uint64_t ilk_ring_used_(const struct ilk_ring *ring, uint64_t bytes)
{
	uint64_t got = ilk_load_acquire_(&ring->reader.at);
	uint64_t in_use = ilk_load_acquire_(&ring->writer.at) - got;

	return in_use <= bytes ? in_use : in_use >> 63 ? 0 : bytes;
}

/* Messages ever put, or got. */
uint64_t ilk_ring_count_(const struct ilk_ring_end_ *end, const struct ilk_ring_shape_ *shape)
{
	return ilk_ring_is_fixed_(shape) ? ilk_load_relaxed_(&end->at) / shape->most
					 : ilk_load_relaxed_(&end->number);
}

static void describe_side(
	struct ilk_segment *seg, const struct ilk_ring_end_ *end, struct ilk_ring_side *out)
{
	static const enum ilk_holder holder[] = {
		[ILK_LIFE_UNKNOWN] = ILK_HELD_BY_UNKNOWN,
		[ILK_LIFE_ALIVE] = ILK_HELD_BY_LIVING,
		[ILK_LIFE_DEAD] = ILK_HELD_BY_DEAD,
	};
	uint64_t owner = ilk_load_acquire_(&end->owner);
	uint32_t slot = ilk_owner_slot_((uint32_t)owner), generation = (uint32_t)(owner >> 32);
	const struct ilk_process_slot_ *process;

	memset(out, 0, sizeof *out);
	out->is_closed = owner == ILK_RING_CLOSED_;
	if (!ilk_ring_is_owner_(owner))
		return;
	out->holder = holder[ilk_ring_life_(seg, owner)];
	ilk_registry_lock_();
	if (seg->member->joined &&
		ilk_ring_owner_(seg->member->process, seg->member->generation) == owner)
		out->holder = ILK_HELD_BY_ME;
	ilk_registry_unlock_();
	if (slot >= seg->map.header.process_slots)
		return;
	process = ilk_process_slot_(&seg->map, slot);
	if (ilk_load_relaxed_(&process->generation) != generation)
		return;
	out->pid = process->pid;
	memcpy(out->name, process->name, sizeof out->name - 1);
}

int ilk_ring_status(const struct ilk_ring *ring, struct ilk_ring_status *status)
{
	struct ilk_ring_shape_ shape;
	struct ilk_segment *seg;
	int rc = ilk_ring_find_(ring, &seg, &shape);

	if (rc < 0 && rc != -EIDRM)
		return -EINVAL;
	if (rc == -EIDRM && !ilk_ring_see_(ring, seg->map.bytes, &shape))
		return -EINVAL;
	describe_side(seg, &ring->writer, &status->writer);
	describe_side(seg, &ring->reader, &status->reader);
	status->got = ilk_ring_count_(&ring->reader, &shape);
	status->put = ilk_ring_count_(&ring->writer, &shape);
	status->bytes = ilk_ring_used_(ring, shape.bytes);
	return 0;
}
