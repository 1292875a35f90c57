/* places.c - finds them, trusting the segment: it is whole. */
#include "places.h"
#include "queue/ring.h"
#include "seeds.h"
#include "segment/types.h"
#include <stdlib.h>
#include <string.h>

static void add(struct places *p, uint64_t at)
{
	if (p->count == sizeof p->at / sizeof *p->at)
		abort();
	p->at[p->count++] = (uint32_t)at;
}

static void add_name(struct map_of_places *m, uint64_t at, uint32_t bytes)
{
	if (m->names.count == sizeof m->name_bytes / sizeof *m->name_bytes)
		return;
	m->name_bytes[m->names.count] = bytes;
	add(&m->names, at);
}

static uint64_t word_at(const uint8_t *bytes, uint64_t at)
{
	uint64_t word;

	memcpy(&word, bytes + at, sizeof word);
	return word;
}

#define IN_HEADER(field) offsetof(struct ilk_header_, field)

static void find_in_header(struct map_of_places *m)
{
	static const uint32_t links[] = {IN_HEADER(processes_at), IN_HEADER(threads_at),
		IN_HEADER(buckets_at), IN_HEADER(lists_at), IN_HEADER(arena_at)};
	static const uint32_t sizes[] = {IN_HEADER(bytes), IN_HEADER(process_slots),
		IN_HEADER(buckets), IN_HEADER(arena_used), IN_HEADER(arena_blocks),
		IN_HEADER(entries), IN_HEADER(removed)};

	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		add(&m->links, links[i]);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		add(&m->sizes, sizes[i]);
	add(&m->owners, IN_HEADER(guard.owner));
	add_name(m, IN_HEADER(name), ILK_NAME_BYTES_);
}

#define IN_PROCESS(field) offsetof(struct ilk_process_slot_, field)
#define IN_THREAD(field) offsetof(struct ilk_thread_slot_, field)

static void find_in_slots(struct map_of_places *m)
{
	for (uint32_t i = 0; i < m->header.process_slots; i++) {
		uint64_t at = m->header.processes_at + i * sizeof(struct ilk_process_slot_);

		add(&m->sizes, at + IN_PROCESS(generation)); /* and the state */
		add(&m->sizes, at + IN_PROCESS(pid));
		add(&m->sizes, at + IN_PROCESS(unswept));
		add(&m->links, at + IN_PROCESS(opening));
		add_name(m, at + IN_PROCESS(name), 32);
	}
	for (uint32_t i = 0; i < m->header.thread_slots; i++) {
		uint64_t at = m->header.threads_at + i * sizeof(struct ilk_thread_slot_);

		add(&m->lives, at + IN_THREAD(life));
		add(&m->owners, at + IN_THREAD(wait_owner));
		add(&m->links, at + IN_THREAD(wait_object));
		add(&m->sizes, at + IN_THREAD(wait_since));
		add(&m->sizes, at + IN_THREAD(wait_owner_since));
		add(&m->sizes, at + IN_THREAD(joined));
		add(&m->sizes, at + IN_THREAD(wait_type));
		add_name(m, at + IN_THREAD(name), 16);
	}
}

#define IN_LIST(field) offsetof(struct ilk_held_list_, field)
#define IN_PAIR(field) offsetof(struct ilk_pair_, field)

static void find_in_order(struct map_of_places *m)
{
	const struct ilk_header_ *h = &m->header;
	uint64_t lists = h->order_at + sizeof(struct ilk_order_);
	uint64_t pairs = lists + h->thread_slots * sizeof(struct ilk_held_list_);

	if (!h->order_at)
		return;
	add(&m->links, IN_HEADER(order_at));
	add(&m->sizes, IN_HEADER(order_pairs));
	for (uint32_t i = 0; i < h->thread_slots; i++) {
		uint64_t at = lists + i * sizeof(struct ilk_held_list_);

		add(&m->owners, at + IN_LIST(owner));
		add(&m->sizes, at + IN_LIST(top)); /* and `over` */
		for (uint32_t k = 0; k < 4; k++)
			add(&m->links, at + IN_LIST(held) + k * sizeof(struct ilk_held_));
	}
	for (uint32_t i = 0; i < h->order_pairs; i++) {
		uint64_t at = pairs + i * sizeof(struct ilk_pair_);

		add(&m->keys, at + IN_PAIR(key));
		add(&m->sizes, at + IN_PAIR(count));
		add(&m->sizes, at + IN_PAIR(gates));
		add(&m->sizes, at + IN_PAIR(others)); /* and `how` */
		add_name(m, at + IN_PAIR(name), 16);
	}
}

/* Of barriers the first few cells and members: they would outnumber all else. */
static void find_in_room(struct map_of_places *m, uint64_t room)
{
	static const struct {
		size_t from, bytes;
	} parts[] = {
		{offsetof(struct room, semaphore), sizeof(struct ilk_semaphore)},
		{offsetof(struct room, barrier.state), 64},
		{offsetof(struct room, barrier.wait), 96},
		{offsetof(struct room, phaser.state), 64},
		{offsetof(struct room, phaser.wait), 96},
		{offsetof(struct room, mutex), sizeof(struct room) - offsetof(struct room, mutex)},
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		for (size_t k = 0; k < parts[i].bytes; k += sizeof(uint32_t))
			add(&m->states, room + parts[i].from + k);
}

#define IN_RING(field) offsetof(struct ilk_ring, field)

static void find_in_end(struct map_of_places *m, uint64_t end)
{
	for (size_t k = 0; k < offsetof(struct ilk_ring_end_, pad); k += sizeof(uint32_t))
		add(&m->states, end + k);
}

/* Its words, and of what is in it what may be headers. */
static void find_in_ring(struct map_of_places *m, uint64_t ring, uint64_t bytes)
{
	for (size_t k = 0; k < IN_RING(pad); k += sizeof(uint32_t))
		add(&m->states, ring + k);
	find_in_end(m, ring + IN_RING(writer));
	find_in_end(m, ring + IN_RING(reader));
	add(&m->states, ring + IN_RING(tail));
	add(&m->states, ring + IN_RING(to_writer));
	add(&m->states, ring + IN_RING(to_reader));
	for (uint64_t k = IN_RING(data); k < bytes; k += sizeof(uint64_t)) {
		add(&m->states, ring + k);
		add(&m->states, ring + k + sizeof(uint32_t));
	}
}

/* Two of them, behind a line. */
static void find_in_channel(struct map_of_places *m, uint64_t channel, uint64_t bytes)
{
	uint64_t each = (bytes - ILK_LINE_BYTES_) / 2;

	add(&m->states, channel);
	add(&m->states, channel + sizeof(uint64_t));
	find_in_ring(m, channel + ILK_LINE_BYTES_, each);
	find_in_ring(m, channel + ILK_LINE_BYTES_ + each, each);
}

/* Its words, and those of what it leads to. */
static void find_in_map(
	struct map_of_places *m, const uint8_t *segment, uint64_t map, uint64_t bytes)
{
	enum { EXTENT = 480 };

	for (uint64_t at = map; at < map + bytes; at += sizeof(uint64_t)) {
		uint64_t extent = word_at(segment, at);

		add(&m->states, at);
		add(&m->states, at + sizeof(uint32_t));
		if (extent < m->header.arena_at || extent % ILK_LINE_BYTES_ ||
			extent > m->header.bytes - EXTENT)
			continue;
		add(&m->links, at);
		for (uint64_t k = 0; k < EXTENT; k += sizeof(uint32_t))
			add(&m->states, extent + k);
	}
}

static void find_entry(struct map_of_places *m, uint64_t at, uint64_t bytes, uint16_t type)
{
	const uint64_t object = at + sizeof(struct ilk_entry_);

	add(&m->entries, at);
	add(&m->links, at + offsetof(struct ilk_entry_, next));
	add(&m->sizes, at + offsetof(struct ilk_entry_, hash)); /* and type and state */
	add(&m->sizes, at + offsetof(struct ilk_entry_, serial));
	add(&m->sizes, at + offsetof(struct ilk_entry_, open));
	add(&m->sizes, at + offsetof(struct ilk_entry_, bytes));
	add_name(m, at + offsetof(struct ilk_entry_, name), ILK_NAME_BYTES_);
	if (type == ILK_TYPE_RING_)
		find_in_ring(m, object, bytes);
	if (type == ILK_TYPE_CHANNEL_)
		find_in_channel(m, object, bytes);
	if (bytes == sizeof(struct room))
		find_in_room(m, object);
	for (uint64_t k = 0; type == ILK_TYPE_ARRAY_ && k < 2 * ILK_LINE_BYTES_;
		k += sizeof(uint32_t))
		add(&m->states, object + k);
	for (uint64_t k = 0; type == ILK_TYPE_QUEUE_ && k < bytes; k += sizeof(uint32_t))
		add(&m->states, object + k);
	if (bytes != sizeof(struct ilk_mutex))
		return;
	add(&m->owners, object + offsetof(struct ilk_mutex, owner));
	add(&m->sizes, object + offsetof(struct ilk_mutex, wait));
	add(&m->sizes, object + offsetof(struct ilk_mutex, ask)); /* and the depth */
	add(&m->sizes, object + offsetof(struct ilk_mutex, waited_ns));
	add_name(m, object + offsetof(struct ilk_mutex, label), 24);
}

static void find_in_buckets(struct map_of_places *m, const uint8_t *bytes)
{
	for (uint32_t i = 0; i < m->header.buckets; i++) {
		uint64_t bucket = m->header.buckets_at + i * sizeof(uint64_t);

		add(&m->links, bucket);
		for (uint64_t at = word_at(bytes, bucket); at; at = word_at(bytes, at)) {
			uint64_t size = word_at(bytes, at + offsetof(struct ilk_entry_, bytes));
			uint16_t type =
				(uint16_t)word_at(bytes, at + offsetof(struct ilk_entry_, type));

			find_entry(m, at, size, type);
			if (type == ILK_TYPE_MAP_)
				find_in_map(m, bytes, at + sizeof(struct ilk_entry_), size);
		}
	}
}

/* Of the lists those that are not empty, and a few others: they would outnumber all other links. */
static void find_in_lists(struct map_of_places *m, const uint8_t *bytes)
{
	uint64_t at = m->header.lists_at;

	for (uint32_t i = 0; i < ILK_LISTS_ / 64; i++)
		add(&m->sizes, at + i * sizeof(uint64_t));
	at += offsetof(struct ilk_free_lists_, first);
	for (uint32_t i = 0; i < ILK_LISTS_; i++, at += sizeof(uint64_t))
		if (word_at(bytes, at) || i % 32 == 0)
			add(&m->links, at);
}

static void find_in_blocks(struct map_of_places *m, const uint8_t *bytes, size_t count)
{
	for (uint64_t at = m->header.arena_at; at < count;
		at += word_at(bytes, at) & ~UINT64_C(63)) {
		add(&m->blocks, at);
		add(&m->sizes, at + offsetof(struct ilk_block_header_, size));
		add(&m->owners, at + offsetof(struct ilk_block_header_, owner));
		add(&m->links, at + offsetof(struct ilk_block_header_, before));
		add(&m->links, at + offsetof(struct ilk_block_header_, list_next));
		add(&m->links, at + offsetof(struct ilk_block_header_, list_last));
		add(&m->links, at + offsetof(struct ilk_block_header_, link_at));
	}
}

void places_find(const uint8_t *bytes, size_t count, struct map_of_places *m)
{
	memset(m, 0, sizeof *m);
	memcpy(&m->header, bytes, sizeof m->header);
	find_in_header(m);
	find_in_slots(m);
	find_in_order(m);
	find_in_buckets(m, bytes);
	find_in_lists(m, bytes);
	find_in_blocks(m, bytes, count);
}
