/*
 * inspect.c - a private picture of a segment, read from its file.
 *
 * Read, not mapped: a file that is cut off meanwhile gives an error and no SIGBUS, and reading a
 * hole of a sparse one does not fill it. Nothing read here is trusted: slots and entries are
 * copied, then checked; numbers that lead elsewhere are compared with the checked header first.
 * What changes while it is read is read again a few times (wait records, by their sequence);
 * everything else is single words.
 */
#include "inspect/inspect.h"
#include "os/clock.h"
#include "os/facts.h"
#include "os/shm.h"
#include "os/thread.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/name.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_TRIES = 8 };

/* --- opening --- */

static int open_file(const char *name, int *fd)
{
	char path[ILK_PATH_BYTES_];
	int rc = 0;

	if (name && strchr(name, '/')) {
		*fd = ilk_shm_open_any_(name);
	} else {
		rc = ilk_name_path_(name, path);
		if (rc == 0)
			*fd = ilk_shm_open_(path, 1);
	}
	if (rc < 0)
		return rc;
	if (*fd == -ELOOP || *fd == -ENXIO)
		return ilk_fail_(-EMEDIUMTYPE, "%s is no regular file", name);
	return *fd < 0 ? ilk_fail_(*fd, "%s cannot be opened", name) : 0;
}

static void fill_header(struct ilk_picture_ *p, const struct ilk_file_facts_ *facts)
{
	const struct ilk_header_ *shared = (const void *)p->map.base, *h = &p->map.header;
	struct ilk_inspection *in = p->in;

	memcpy(in->name, h->name, sizeof in->name);
	in->bytes = h->bytes;
	in->used = ilk_load_relaxed_(&shared->arena_used);
	in->version = h->version;
	in->uid = facts->uid;
	in->mode = facts->mode;
	in->asymmetric = ilk_header_is_asymmetric_(h);
	in->transient = ilk_header_is_transient_(h);
	in->order = ilk_header_keeps_order_(h);
	in->created = h->created > 0 ? h->created : 0;
	in->taken = ilk_now();
	in->process_slots = (int)h->process_slots;
	in->thread_slots = (int)h->thread_slots;
	p->map.is_original = ilk_header_is_original_(h, facts) == 0;
	in->liveness = p->map.is_original ? ILK_LIFE_ALIVE : ILK_LIFE_UNKNOWN;
}

/* --- processes --- */

/* What the kernel says of the one in SLOT, if its pid is still its own, in our pid namespace. */
static void ask_kernel(const struct ilk_picture_ *p, const struct ilk_process_slot_ *slot,
	struct ilk_process_info *out)
{
	struct ilk_run_ run;

	if (slot->pid_space != p->pid_space)
		return;
	ilk_run_of_(slot->pid, &run);
	if (run.start_time != slot->start_time)
		return;
	out->run_state = run.state;
	out->tasks = run.tasks;
	out->dumping = ilk_is_dumping_(slot->pid);
}

static void add_process(struct ilk_picture_ *p, uint32_t i)
{
	struct ilk_process_info *out = &p->in->processes[p->in->process_count];
	struct ilk_process_slot_ slot = *ilk_process_slot_(&p->map, i);

	if (slot.state != ILK_PROCESS_USED_)
		return;
	out->slot = (int)i;
	out->life = p->in->liveness == ILK_LIFE_ALIVE ? ilk_life_of_process_(p->fd, i)
						      : ILK_LIFE_UNKNOWN;
	out->run_state = '?';
	if (out->life == ILK_LIFE_ALIVE)
		ask_kernel(p, &slot, out);
	out->pid = slot.pid;
	out->pid_space = slot.pid_space;
	out->start_time = slot.start_time;
	out->uid = slot.uid;
	memcpy(out->name, slot.name, sizeof out->name - 1);
	out->joined = out->last_sign = slot.joined;
	p->process_of_slot[i] = (int)p->in->process_count++;
}

/* --- threads --- */

/* Reads slot I once more, with its wait record whole. 0; 1: after a few tries, without it; -E... */
static int read_slot(struct ilk_picture_ *p, uint32_t i, struct ilk_thread_slot_ *copy)
{
	const struct ilk_thread_slot_ *slot = ilk_thread_slot_(&p->map, i);
	uint64_t at = (uint64_t)((const char *)slot - p->map.base);
	uint64_t sequence_at = at + offsetof(struct ilk_thread_slot_, wait_sequence);
	int rc = 0;

	for (int tries = 0; rc == 0 && tries < RECORD_TRIES; tries++) {
		uint32_t before;

		rc = ilk_map_look_(&p->map, sequence_at, sizeof before);
		before = slot->wait_sequence;
		if (rc == 0)
			rc = ilk_map_look_(&p->map, at, sizeof *slot);
		*copy = *slot;
		if (rc == 0)
			rc = ilk_map_look_(&p->map, sequence_at, sizeof before);
		if (rc == 0 && !(before & 1) && slot->wait_sequence == before)
			return 0;
	}
	copy->wait_object = 0;
	return rc < 0 ? rc : 1;
}

/* The process slot of the thread in a slot, plus 1; 0: nobody is in it. */
static uint32_t process_of(const struct ilk_picture_ *p, const struct ilk_thread_slot_ *slot)
{
	uint32_t process = ilk_life_process_(slot->life);

	return process > p->map.header.process_slots ? 0 : process;
}

/* THREAD, whose slot is SLOT, has a process: which lived when the thread last wrote down a time. */
static void note_process(
	struct ilk_picture_ *p, struct ilk_thread_info *thread, const struct ilk_thread_slot_ *slot)
{
	const int64_t times[] = {slot->joined, slot->wait_since, slot->wait_owner_since};
	struct ilk_process_info *process = &p->in->processes[thread->process];

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (times[i] > process->last_sign && times[i] <= p->in->taken)
			process->last_sign = times[i];
	if (process->run_state != '?')
		thread->run_state = ilk_thread_state_(process->pid, thread->tid);
}

static int add_thread(struct ilk_picture_ *p, uint32_t i)
{
	struct ilk_thread_info *out = &p->in->threads[p->in->thread_count];
	struct ilk_thread_slot_ *slot = &p->slots[p->in->thread_count];
	uint32_t process;
	int rc = 0;

	if (process_of(p, ilk_thread_slot_(&p->map, i)))
		rc = read_slot(p, i, slot);
	process = process_of(p, slot);
	if (rc < 0 || process == 0)
		return rc;
	out->slot = (int)i;
	out->process = p->process_of_slot[process - 1];
	out->life = out->process == ILK_NO_INDEX ? ILK_LIFE_UNKNOWN
						 : p->in->processes[out->process].life;
	out->run_state = '?';
	out->tid = slot->tid;
	memcpy(out->name, slot->name, sizeof out->name - 1);
	out->joined = slot->joined;
	out->sleeps = slot->sleeps;
	out->waits_for = ILK_NO_INDEX;
	out->mixed = rc;
	if (out->process != ILK_NO_INDEX)
		note_process(p, out, slot);
	p->thread_of_slot[i] = (int)p->in->thread_count++;
	return 0;
}

/* --- all of it --- */

static int *no_indices(uint32_t count)
{
	int *all = malloc(count * sizeof *all);

	for (uint32_t i = 0; all && i < count; i++)
		all[i] = ILK_NO_INDEX;
	return all;
}

static int allocate(struct ilk_picture_ *p)
{
	uint32_t processes = p->map.header.process_slots, threads = p->map.header.thread_slots;

	p->in->processes = calloc(processes, sizeof *p->in->processes);
	p->in->threads = calloc(threads, sizeof *p->in->threads);
	p->slots = calloc(threads, sizeof *p->slots);
	p->process_of_slot = no_indices(processes);
	p->thread_of_slot = no_indices(threads);
	p->asked_threads = calloc(threads, sizeof *p->asked_threads);
	p->asked_processes = calloc(processes, sizeof *p->asked_processes);
	p->holdings = calloc(ILK_HOLDINGS_, sizeof *p->holdings);
	return p->in->processes && p->in->threads && p->slots && p->process_of_slot &&
			       p->thread_of_slot && p->asked_threads && p->asked_processes &&
			       p->holdings
		       ? 0
		       : -ENOMEM;
}

static void free_picture(struct ilk_picture_ *p)
{
	if (p->map.base)
		ilk_shm_unmap_(p->map.base, p->map.bytes);
	free(p->slots);
	free(p->process_of_slot);
	free(p->thread_of_slot);
	free(p->asked_threads);
	free(p->asked_processes);
	free(p->holdings);
	free(p->places);
	free(p->spans);
}

static int take_picture(struct ilk_picture_ *p)
{
	int rc = allocate(p);

	for (uint32_t i = 0; rc == 0 && i < p->map.header.process_slots; i++)
		add_process(p, i);
	for (uint32_t i = 0; rc == 0 && i < p->map.header.thread_slots; i++)
		rc = add_thread(p, i);
	if (rc == 0)
		rc = ilk_inspect_objects_(p);
	return rc < 0 ? rc : ilk_inspect_order_(p);
}

/* Memory for the picture, with all in it that lies before the arena. */
static int open_picture(struct ilk_picture_ *p)
{
	void *base;
	int rc = ilk_shm_private_(p->map.header.bytes, &base);

	if (rc < 0)
		return rc;
	p->map.base = base;
	p->map.bytes = p->map.header.bytes;
	p->map.picture_of = p->fd + 1;
	return ilk_map_look_(&p->map, 0, p->map.header.arena_at);
}

static int inspect_file(int fd, struct ilk_inspection *in)
{
	struct ilk_picture_ p = {.in = in, .fd = fd, .pid_space = ilk_pid_space_()};
	struct ilk_file_facts_ facts;
	int rc = ilk_header_read_(fd, &p.map.header, &facts);

	if (rc == 0)
		rc = open_picture(&p);
	if (rc == 0) {
		fill_header(&p, &facts);
		rc = take_picture(&p);
	}
	free_picture(&p);
	return rc == -EIO ? ilk_fail_(-EBADMSG, "the file was cut off meanwhile") : rc;
}

static int inspect(const char *name, struct ilk_inspection **inspection)
{
	struct ilk_inspection *in;
	int fd = -1;
	int rc = open_file(name, &fd);

	if (rc < 0)
		return rc;
	in = calloc(1, sizeof *in);
	rc = in ? inspect_file(fd, in) : -ENOMEM;
	ilk_shm_close_(fd);
	if (rc < 0)
		ilk_inspection_free(in);
	else
		*inspection = in;
	return rc;
}

int ilk_inspect(const char *name, struct ilk_inspection **inspection)
{
	int cancel = ilk_cancel_off_();
	int rc = inspect(name, inspection);

	ilk_cancel_on_(cancel);
	return rc;
}

void ilk_inspection_free(struct ilk_inspection *in)
{
	if (!in)
		return;
	free(in->processes);
	free(in->threads);
	free(in->objects);
	free(in->holders);
	free(in->figures);
	free(in->held);
	free(in->orders);
	free(in);
}

int ilk_inspect_each(int (*each)(const char *name, void *arg), void *arg)
{
	return ilk_shm_each_(each, arg);
}
