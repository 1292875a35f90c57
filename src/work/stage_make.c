/*
 * stage_make.c - a pipeline's stages and queues: made, found, taken over from a dead one, removed. What they
 * hold: stage.c.
 */
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/memory.h"
#include "segment/types.h"
#include "sync/object.h"
#include "work/stage.h"
#include <ilk/object.h>
#include <stdio.h>

enum { NAME_ROOM = 160 }; /* what is too long the directory refuses */

static void name_of(char *to, const char *name, const struct ilk_stage *s, const char *suffix)
{
	snprintf(to, NAME_ROOM, "%.63s/%.63s%s", name, s->name, suffix);
}

static uint64_t this_process(const struct ilk_segment *seg)
{
	return (uint64_t)seg->member->generation << 32 | (seg->member->process + 1);
}

/* Nobody is dead, too. */
static int is_dead(struct ilk_segment *seg, uint64_t owner)
{
	return ilk_process_life_(seg, (uint32_t)owner - 1, (uint32_t)(owner >> 32)) ==
	       ILK_LIFE_DEAD;
}

struct wanted_stage {
	struct ilk_wanted_ wanted; /* first */
	uint64_t owner;
};

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	struct ilk_shared_stage_ *s = object;

	s->window = wanted->flags;
	s->low = 1;
	s->owner = ((const struct wanted_stage *)(const void *)wanted)->owner;
	ilk_store_release_(&s->tag, (uint16_t)ILK_STAGE_TAG_);
}

static int is_anothers(const void *object, const struct ilk_wanted_ *wanted)
{
	(void)object;
	return ilk_fail_(-EBUSY, "another starts the pipeline: %s is there", wanted->name);
}

/* Of a pipeline of that name whose first stage has another one. */
static int is_living_anothers(const void *object, const struct ilk_wanted_ *wanted)
{
	const struct ilk_shared_stage_ *s = object;

	return is_dead(ilk_thread_.segment, ilk_load_relaxed_(&s->owner))
		       ? 0
		       : is_anothers(object, wanted);
}

/* ALONE: it must not be there; a later one may be a dead one's. */
static int make_stage(struct ilk_flow_ *f, const char *name, unsigned i, int alone)
{
	char path[NAME_ROOM];
	const struct wanted_stage stage = {
		.wanted = {.name = path,
			.type = ILK_TYPE_STAGE_,
			.bytes = ilk_stage_bytes_(f->window),
			.fits = !alone   ? NULL
				: i == 0 ? is_anothers
					 : is_living_anothers,
			.init = init_wanted,
			.flags = f->window},
		.owner = this_process(f->seg),
	};
	void *object;
	int rc;

	name_of(path, name, &f->stages[i], "");
	rc = ilk_directory_open_(f->seg, &stage.wanted, &object);
	if (rc < 0)
		return rc;
	f->shared[i] = object;
	if (alone)
		ilk_store_relaxed_(&f->shared[i]->owner, stage.owner);
	f->shared[i]->index = (uint16_t)i;
	f->shared[i]->workers = f->stages[i].workers;
	f->shared[i]->tries = f->stages[i].tries;
	return 0;
}

/* In order all that was sent may wait for one. */
static size_t capacity_before(const struct ilk_flow_ *f, unsigned i)
{
	size_t capacity = f->stages[i - 1].capacity;
	int waits = i == f->count - 1 && f->flags & ILK_PIPELINE_ORDERED;

	return waits && capacity < f->window ? f->window : capacity;
}

static int make_queue(struct ilk_flow_ *f, const char *name, unsigned i)
{
	const struct ilk_queue_options o = {
		.size = sizeof o,
		.capacity = capacity_before(f, i),
		.message_bytes = sizeof(struct ilk_message_) + f->stages[i - 1].out_bytes,
	};
	char path[NAME_ROOM];

	name_of(path, name, &f->stages[i], ".in");
	return ilk_queue_open(f->seg, path, &o, &f->in[i]);
}

/* Who finds the first stage finds all that is left: it goes last. */
void ilk_flow_remove_(struct ilk_flow_ *f, const char *name)
{
	char path[NAME_ROOM];

	for (unsigned i = f->count; i-- > 0;) {
		if (f->in[i]) {
			name_of(path, name, &f->stages[i], ".in");
			ilk_object_remove(f->seg, path);
			ilk_object_close(f->in[i]);
		}
		if (f->shared[i]) {
			name_of(path, name, &f->stages[i], "");
			ilk_object_remove(f->seg, path);
			ilk_object_close(f->shared[i]);
		}
		f->shared[i] = NULL;
		f->in[i] = NULL;
	}
}

/* What a dead one left, whose pipeline is this process's now; in the same order. Of other kinds it is not. */
static void remove_left(struct ilk_flow_ *f, const char *name)
{
	for (unsigned i = 2 * f->count; i-- > 0;) {
		struct ilk_found_ found;
		char path[NAME_ROOM];

		name_of(path, name, &f->stages[i / 2], i % 2 ? ".in" : "");
		if (ilk_directory_find_(&f->seg->map, path, &found) == 1 &&
			found.entry.type == (i % 2 ? ILK_TYPE_QUEUE_ : ILK_TYPE_STAGE_))
			ilk_object_remove(f->seg, path);
	}
}

/* Under the guard, so that what is found stays: makes a dead one's first stage this process's. 1; 0: there is
 * none; -EBUSY; -E... */
static int take_over(struct ilk_flow_ *f, const char *path)
{
	struct ilk_shared_stage_ *first;
	struct ilk_found_ found;
	int rc = ilk_directory_find_(&f->seg->map, path, &found);

	if (rc != 1)
		return rc;
	if (found.entry.type != ILK_TYPE_STAGE_ || found.entry.bytes < sizeof *first)
		return ilk_fail_(-EEXIST, "type differs: %s is no stage", path);
	first = (void *)(f->seg->map.base + found.offset);
	if (!is_dead(f->seg, ilk_load_relaxed_(&first->owner)))
		return ilk_fail_(-EBUSY, "a living process has the pipeline of %s", path);
	ilk_store_relaxed_(&first->owner, this_process(f->seg));
	return 1;
}

/* Is there one of that name whose process lives? Else what it left is removed. */
static int clear_way(struct ilk_flow_ *f, const char *name)
{
	char path[NAME_ROOM];
	int rc = ilk_memory_enter_(f->seg);

	if (rc < 0)
		return rc;
	name_of(path, name, &f->stages[0], "");
	rc = take_over(f, path);
	ilk_memory_leave_(f->seg);
	if (rc == 1)
		remove_left(f, name);
	return rc < 0 ? rc : 0;
}

static int open_all(struct ilk_flow_ *f, const char *name, int alone)
{
	int rc = 0;

	for (unsigned i = 0; i < f->count && rc == 0; i++) {
		rc = make_stage(f, name, i, alone);
		if (rc == 0 && i > 0)
			rc = make_queue(f, name, i);
	}
	return rc;
}

int ilk_flow_open_(struct ilk_flow_ *f, struct ilk_segment *seg, const char *name)
{
	int rc = ilk_here_(seg->map.base);

	f->seg = seg;
	return rc < 0 ? rc : open_all(f, name, 0);
}

int ilk_flow_make_(struct ilk_flow_ *f, struct ilk_segment *seg, const char *name)
{
	int rc = ilk_here_(seg->map.base);

	f->seg = seg;
	if (rc == 0)
		rc = clear_way(f, name);
	return rc < 0 ? rc : open_all(f, name, 1);
}
