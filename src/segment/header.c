/*
 * header.c - sizes and the header.
 *
 * A header is checked against a plan: from the bytes and the numbers of slots that it states, all
 * other fields follow, and each must be what the plan says.
 */
#include "segment/header.h"
#include "os/clock.h"
#include "os/facts.h"
#include "os/membarrier.h"
#include "segment/error.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_BYTES = 1 << 20, DEFAULT_PROCESSES = 64, DEFAULT_THREADS = 256 };
enum {
	KNOWN_FLAGS = ILK_SEGMENT_EXCLUSIVE | ILK_SEGMENT_READ_ONLY | ILK_SEGMENT_FENCED |
		      ILK_SEGMENT_SPARSE | ILK_SEGMENT_SEALED | ILK_SEGMENT_PREFAULT |
		      ILK_SEGMENT_LOCKED | ILK_SEGMENT_HUGE | ILK_SEGMENT_TRANSIENT |
		      ILK_SEGMENT_ORDER
};
enum { MIN_ARENA = 1024, MIN_BUCKETS = 16, MAX_BUCKETS = 65536, BYTES_PER_BUCKET = 4096 };
enum { MIN_PAIRS = 16, MAX_PAIRS = 8192, BYTES_PER_PAIR = 2048 };
static const uint64_t max_bytes = UINT64_C(1) << 39;
static const uint64_t max_bytes_in_order = UINT64_C(1) << 38; /* offsets / 64 in 32 bits */

/* --- options --- */

int ilk_options_check_(const struct ilk_segment_options *o)
{
	if (o->size != sizeof *o)
		return ilk_fail_(-EINVAL, "options.size is not sizeof the options");
	if (o->flags & ~(unsigned)KNOWN_FLAGS)
		return ilk_fail_(-EINVAL, "options.flags has unknown bits");
	if (o->bytes > max_bytes)
		return ilk_fail_(-EINVAL, "options.bytes is over 512 GiB");
	if (o->flags & ILK_SEGMENT_ORDER && o->bytes > max_bytes_in_order)
		return ilk_fail_(-EINVAL, "options.bytes is over 256 GiB, and ORDER is asked");
	if (o->processes > ILK_MAX_SLOTS_ || o->threads > ILK_MAX_SLOTS_)
		return ilk_fail_(-EINVAL, "options.processes or threads is over 4095");
	if (o->mode & ~07777u)
		return ilk_fail_(-EINVAL, "options.mode is no permissions");
	return o->mode && (o->mode & 0600) != 0600
		       ? ilk_fail_(-EINVAL, "options.mode keeps out the segment's own user")
		       : 0;
}

static uint64_t bytes_of(const struct ilk_segment_options *o, size_t page)
{
	uint64_t bytes = o->bytes ? o->bytes : DEFAULT_BYTES;

	return (bytes + page - 1) / page * page;
}

/* --- the plan --- */

static uint64_t layout_word(unsigned handshake)
{
	const uint16_t probe = 1;
	const unsigned fields[ILK_LAYOUT_FIELDS_] = {
		sizeof(void *),
		*(const uint8_t *)&probe ? 1 : 2,
		ILK_LINE_BYTES_ / 8,
		handshake,
		sizeof(struct ilk_header_) / 64,
		sizeof(struct ilk_process_slot_) / 64,
		sizeof(struct ilk_thread_slot_) / 64,
		sizeof(struct ilk_entry_) / 64,
	};
	uint64_t word = 0;

	for (unsigned i = 0; i < ILK_LAYOUT_FIELDS_; i++)
		word |= (uint64_t)fields[i] << (8 * i);
	return word;
}

static uint32_t buckets_for(uint64_t bytes)
{
	uint32_t buckets = MIN_BUCKETS;

	while (buckets < MAX_BUCKETS && buckets < bytes / BYTES_PER_BUCKET)
		buckets *= 2;
	return buckets;
}

static uint32_t pairs_for(uint64_t bytes)
{
	uint64_t pairs = bytes / BYTES_PER_PAIR;

	if (pairs > MAX_PAIRS)
		return MAX_PAIRS;
	return pairs < MIN_PAIRS ? MIN_PAIRS : (uint32_t)(pairs / MIN_PAIRS * MIN_PAIRS);
}

/* Lock-order history, if it keeps one, lies AT; where what follows lies. */
static uint64_t place_order(struct ilk_header_ *h, uint64_t at)
{
	h->order_at = h->order_pairs = 0;
	if (!(h->flags & ILK_HEADER_ORDER_))
		return at;
	h->order_at = at;
	h->order_pairs = pairs_for(h->bytes);
	return at + sizeof(struct ilk_order_) + h->thread_slots * sizeof(struct ilk_held_list_) +
	       h->order_pairs * (sizeof(struct ilk_pair_) + ILK_PARTS_A_PAIR_ / 8);
}

/* Derives where everything lies from bytes, slots and flags. 0; -EINVAL they do not fit. */
static int place(struct ilk_header_ *h)
{
	h->buckets = buckets_for(h->bytes);
	h->processes_at = sizeof *h;
	h->threads_at = h->processes_at + h->process_slots * sizeof(struct ilk_process_slot_);
	h->buckets_at = h->threads_at + h->thread_slots * sizeof(struct ilk_thread_slot_);
	h->lists_at = h->buckets_at + h->buckets * sizeof(uint64_t);
	h->arena_at = place_order(h, h->lists_at + sizeof(struct ilk_free_lists_));
	return h->arena_at + MIN_ARENA <= h->bytes ? 0 : -EINVAL;
}

int ilk_header_plan_(
	const struct ilk_segment_options *o, const char *name, size_t page, struct ilk_header_ *h)
{
	int fenced = (o->flags & ILK_SEGMENT_FENCED) != 0;

	if (!fenced && ilk_membarrier_register_() < 0)
		return ilk_fail_(-ENOTSUP, "%s: membarrier is not available", name);
	memset(h, 0, sizeof *h);
	h->magic = ILK_MAGIC_;
	h->version = ILK_LAYOUT_VERSION_;
	h->header_bytes = sizeof *h;
	h->layout = layout_word(fenced ? ILK_FENCED_ : ILK_ASYMMETRIC_);
	h->bytes = bytes_of(o, page);
	h->flags = (o->flags & ILK_SEGMENT_TRANSIENT ? ILK_HEADER_TRANSIENT_ : 0u) |
		   (o->flags & ILK_SEGMENT_ORDER ? ILK_HEADER_ORDER_ : 0u);
	ilk_random_(h->id, sizeof h->id);
	ilk_boot_id_(h->boot_id);
	h->created = ilk_wall_clock_();
	h->process_slots = o->processes ? o->processes : DEFAULT_PROCESSES;
	h->thread_slots = o->threads ? o->threads : DEFAULT_THREADS;
	strncpy(h->name, name, sizeof h->name - 1);
	if (place(h) == 0)
		return 0;
	return ilk_fail_(-EINVAL,
		"options.bytes %" PRIu64 " is too small for %u process and %u "
		"thread slots: at least %" PRIu64,
		h->bytes, h->process_slots, h->thread_slots, h->arena_at + MIN_ARENA);
}

/* --- checking one --- */

static int check_layout(uint64_t found)
{
	static const char *const names[ILK_LAYOUT_FIELDS_] = {"word size", "byte order",
		"cache line", "handshake", "header size", "process slot size", "thread slot size",
		"entry size"};
	uint64_t ours = layout_word(ILK_ASYMMETRIC_);

	for (unsigned i = 0; i < ILK_LAYOUT_FIELDS_; i++) {
		unsigned theirs = ilk_layout_field_(found, i);

		if (i == ILK_LAYOUT_HANDSHAKE_ ? theirs > ILK_ASYMMETRIC_
					       : theirs != ilk_layout_field_(ours, i))
			return ilk_fail_(-EPROTO, "layout differs: %s is %u there, %u here",
				names[i], theirs, ilk_layout_field_(ours, i));
	}
	return 0;
}

static int check_kind(const struct ilk_header_ *h)
{
	if (h->magic != ILK_MAGIC_)
		return ilk_fail_(-EMEDIUMTYPE, "wrong magic: the file is no Ilk segment");
	if (h->version != ILK_LAYOUT_VERSION_)
		return ilk_fail_(-EPROTO, "layout differs: version is %u there, %u here",
			h->version, ILK_LAYOUT_VERSION_);
	return check_layout(h->layout);
}

static int damaged(const char *field)
{
	return ilk_fail_(-EBADMSG, "header damaged: %s makes no sense", field);
}

static int check_numbers(const struct ilk_header_ *h, uint64_t file_bytes)
{
	struct ilk_header_ plan = *h;

	if (h->header_bytes != sizeof *h)
		return damaged("header_bytes");
	if (h->bytes != file_bytes || h->bytes % ILK_PAGE_BYTES_ || h->bytes > max_bytes)
		return ilk_fail_(-EBADMSG,
			"header damaged: bytes is %" PRIu64 ", the file has %" PRIu64, h->bytes,
			file_bytes);
	if (h->process_slots == 0 || h->process_slots > ILK_MAX_SLOTS_)
		return damaged("process_slots");
	if (h->thread_slots == 0 || h->thread_slots > ILK_MAX_SLOTS_)
		return damaged("thread_slots");
	if (h->flags & ~(uint32_t)(ILK_HEADER_TRANSIENT_ | ILK_HEADER_ORDER_))
		return damaged("flags");
	if (!memchr(h->name, 0, sizeof h->name))
		return damaged("name");
	if (place(&plan) < 0)
		return damaged("bytes");
	if (plan.buckets != h->buckets || plan.buckets_at != h->buckets_at)
		return damaged("buckets");
	if (plan.processes_at != h->processes_at || plan.threads_at != h->threads_at)
		return damaged("the place of the slots");
	if (plan.order_at != h->order_at || plan.order_pairs != h->order_pairs)
		return damaged("the place of the lock orders");
	return plan.lists_at == h->lists_at && plan.arena_at == h->arena_at
		       ? 0
		       : damaged("the place of the arena");
}

int ilk_header_read_(int fd, struct ilk_header_ *h, struct ilk_file_facts_ *facts)
{
	int rc = ilk_shm_facts_(fd, facts);

	if (rc < 0 || facts->is_folder)
		return ilk_fail_(rc < 0 ? rc : -EMEDIUMTYPE, "it is no regular file");
	if (facts->bytes < sizeof *h || ilk_shm_read_(fd, h, sizeof *h, 0) < 0)
		return ilk_fail_(-EMEDIUMTYPE, "the file is too short to be an Ilk segment");
	rc = check_kind(h);
	return rc < 0 ? rc : check_numbers(h, facts->bytes);
}

/* Asked of the kernel once; where it does not say, boots cannot be told apart. */
static int is_of_another_boot(const struct ilk_header_ *h)
{
	static const uint8_t unknown[16];
	uint8_t ours[16];

	ilk_boot_id_(ours);
	return memcmp(ours, unknown, sizeof ours) != 0 &&
	       memcmp(h->boot_id, unknown, sizeof ours) != 0 &&
	       memcmp(ours, h->boot_id, sizeof ours) != 0;
}

int ilk_header_is_original_(const struct ilk_header_ *h, const struct ilk_file_facts_ *facts)
{
	if (is_of_another_boot(h))
		return ilk_fail_(-EBADMSG, "the segment is of an earlier boot: boot_id differs");
	if (h->device != facts->device || h->inode != facts->inode)
		return ilk_fail_(-EBADMSG, "the file is a copy of a segment: inode differs");
	return 0;
}

static int differs(const char *field, uint64_t there, uint64_t asked)
{
	return ilk_fail_(
		-EEXIST, "%s differs: it has %" PRIu64 ", asked for %" PRIu64, field, there, asked);
}

int ilk_header_fits_(const struct ilk_header_ *h, const struct ilk_segment_options *o, size_t page)
{
	if (o->bytes && bytes_of(o, page) != h->bytes)
		return differs("bytes", h->bytes, bytes_of(o, page));
	if (o->processes && o->processes != h->process_slots)
		return differs("processes", h->process_slots, o->processes);
	if (o->threads && o->threads != h->thread_slots)
		return differs("threads", h->thread_slots, o->threads);
	if (o->flags & ILK_SEGMENT_FENCED && ilk_header_is_asymmetric_(h))
		return differs("fenced", 0, 1);
	if (o->flags & ILK_SEGMENT_TRANSIENT && !ilk_header_is_transient_(h))
		return differs("transient", 0, 1);
	if (o->flags & ILK_SEGMENT_ORDER && !ilk_header_keeps_order_(h))
		return differs("order", 0, 1);
	return 0;
}

int ilk_header_is_asymmetric_(const struct ilk_header_ *h)
{
	return ilk_layout_field_(h->layout, ILK_LAYOUT_HANDSHAKE_) == ILK_ASYMMETRIC_;
}

int ilk_header_is_transient_(const struct ilk_header_ *h)
{
	return (h->flags & ILK_HEADER_TRANSIENT_) != 0;
}

int ilk_header_keeps_order_(const struct ilk_header_ *h)
{
	return (h->flags & ILK_HEADER_ORDER_) != 0;
}
