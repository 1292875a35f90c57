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

/* ALONE: it must not be there. */
static int make_stage(struct ilk_flow_ *f, const char *name, unsigned i, int alone)
{
	char path[NAME_ROOM];
	const struct wanted_stage stage = {
		.wanted = {.name = path,
			.type = ILK_TYPE_STAGE_,
			.bytes = ilk_stage_bytes_(f->window),
			.fits = alone ? is_anothers : NULL,
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

/* A queue before its stage: where a queue is left, so is the stage that says whose it was. */
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

/* --- what is there already --- */

/* Which stages of a pipeline's are there, and were dead ones'. */
struct left {
	struct ilk_shared_stage_ *stage[ILK_PIPELINE_STAGES];
};

/* A stage that is there: 1, and *S; 0: there is none; -EBUSY it is a living one's; -E... */
static int find_stage(struct ilk_segment *seg, const char *path, struct ilk_shared_stage_ **s)
{
	struct ilk_found_ found;
	int rc = ilk_directory_find_(&seg->map, path, &found);

	if (rc != 1)
		return rc;
	if (found.entry.type != ILK_TYPE_STAGE_ || found.entry.bytes < sizeof **s)
		return ilk_fail_(-EEXIST, "type differs: %s is no stage", path);
	*s = (void *)(seg->map.base + found.offset);
	if (!is_dead(seg, ilk_load_relaxed_(&(*s)->owner)))
		return ilk_fail_(-EBUSY, "a living process has the pipeline of %s", path);
	return 1;
}

/* May a queue be made before a stage that IS_THERE and will be removed, or is not? Any other that has its
 * name is none of a pipeline's: 0; -EEXIST; -E... */
static int check_queue(struct ilk_segment *seg, const char *path, int is_there)
{
	struct ilk_found_ found;
	int rc = ilk_directory_find_(&seg->map, path, &found);

	if (rc == 1 && (!is_there || found.entry.type != ILK_TYPE_QUEUE_))
		return ilk_fail_(-EEXIST, "%s is there, and is not of a stage", path);
	return rc < 0 ? rc : 0;
}

/* Looks at all, and changes nothing. 0; -EBUSY; -E... */
static int look_for_left(struct ilk_flow_ *f, const char *name, struct left *left)
{
	int rc = 0;

	memset(left, 0, sizeof *left);
	for (unsigned i = 0; i < f->count && rc >= 0; i++) {
		char path[NAME_ROOM];

		name_of(path, name, &f->stages[i], "");
		rc = find_stage(f->seg, path, &left->stage[i]);
		name_of(path, name, &f->stages[i], ".in");
		if (rc >= 0 && i > 0)
			rc = check_queue(f->seg, path, rc == 1);
	}
	return rc < 0 ? rc : 0;
}

/* What is this process's now: in the order of ilk_flow_remove_, so that a death on the way leaves no queue
 * without its stage. */
static void remove_left(struct ilk_flow_ *f, const char *name, const struct left *left)
{
	for (unsigned i = f->count; i-- > 0;) {
		struct ilk_found_ found;
		char path[NAME_ROOM];

		if (!left->stage[i])
			continue;
		name_of(path, name, &f->stages[i], ".in");
		if (ilk_directory_find_(&f->seg->map, path, &found) == 1 &&
			found.entry.type == ILK_TYPE_QUEUE_)
			ilk_object_remove(f->seg, path);
		name_of(path, name, &f->stages[i], "");
		ilk_object_remove(f->seg, path);
	}
}

/* Is a stage there that is a living one's? Else those that are there become this process's, under the guard, so
 * that of two who find them one gets all; and are removed: none that has seen messages is used again. */
static int clear_way(struct ilk_flow_ *f, const char *name)
{
	struct left left;
	int rc = ilk_memory_enter_(f->seg);

	if (rc < 0)
		return rc;
	rc = look_for_left(f, name, &left);
	for (unsigned i = 0; i < f->count && rc == 0; i++)
		if (left.stage[i])
			ilk_store_relaxed_(&left.stage[i]->owner, this_process(f->seg));
	ilk_memory_leave_(f->seg);
	if (rc == 0)
		remove_left(f, name, &left);
	return rc;
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
