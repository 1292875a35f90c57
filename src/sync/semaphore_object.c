/*
 * semaphore_object.c - a semaphore as an object: made, opened, shown; others' opened by name. What
 * its words mean, and how it is waited for: semaphore.c.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/types.h"
#include "sync/object.h"
#include "sync/semaphore.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_MODE = 0600 };

/* --- making one --- */

static void make(struct ilk_semaphore *s, const char *label, uint32_t first)
{
	memset(s, 0, sizeof *s);
	s->first = first;
	strncpy(s->label, label ? label : "", sizeof s->label - 1);
	ilk_sem_init_(&s->posix, first); /* it fails for a value out of range alone */
	ilk_store_release_(&s->tag, (uint16_t)ILK_SEMAPHORE_TAG_);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name, wanted->flags);
}

static int known(void)
{
	return ilk_sem_known_() < 0 ? ilk_fail_(-ENOSYS, "this C library has another sem_t") : 0;
}

static int is_as_is(const struct ilk_semaphore_options *options)
{
	return options && options->value == ILK_SEMAPHORE_AS_IS;
}

/* Checks OPTIONS, and *FIRST gets the value they ask for. */
static int first_of(const struct ilk_semaphore_options *options, uint32_t *first)
{
	*first = options && !is_as_is(options) ? options->value : 0;
	if (options && (options->size != sizeof *options || *first > ILK_SEMAPHORE_MAX))
		return ilk_fail_(-EINVAL, "semaphore options: wrong size or value out of range");
	return known();
}

int ilk_semaphore_init(struct ilk_segment *seg, struct ilk_semaphore *s, const char *label,
	const struct ilk_semaphore_options *options)
{
	uintptr_t at = (uintptr_t)s - (uintptr_t)seg->map.base;
	uint32_t first;
	int rc = first_of(options, &first);

	if (rc < 0)
		return rc;
	if (at > seg->map.bytes - sizeof *s || at % 64)
		return ilk_fail_(
			-EINVAL, "the semaphore is outside the segment, or not aligned to 64");
	if (seg->read_only)
		return ilk_fail_(-EROFS, "the attachment is read-only");
	make(s, label, first);
	return 0;
}

static int began_as_asked(const void *object, const struct ilk_wanted_ *wanted)
{
	uint32_t first = ((const struct ilk_semaphore *)object)->first;

	if (first == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "value differs: semaphore %s began with %u, not %u", wanted->name,
		first, wanted->flags);
}

int ilk_semaphore_open(struct ilk_segment *seg, const char *name,
	const struct ilk_semaphore_options *options, struct ilk_semaphore **s)
{
	const struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_SEMAPHORE_,
		.bytes = sizeof **s,
		.fits = is_as_is(options) ? NULL : began_as_asked,
		.init = init_wanted,
	};
	uint32_t first;
	int rc = first_of(options, &first);

	return ilk_open_as_(seg, wanted, rc < 0 ? rc : (int)first, s);
}

int ilk_semaphore_open_posix(const char *name, const struct ilk_posix_options *options, sem_t **sem)
{
	static const struct ilk_posix_options none = {.flags = 0};
	const struct ilk_posix_options *o = options ? options : &none;
	int rc = known();

	if (rc < 0)
		return rc;
	if (!name || (options && o->size != sizeof *o) || o->value > ILK_SEMAPHORE_MAX ||
		o->flags & ~(unsigned)(ILK_POSIX_CREATE | ILK_POSIX_EXCLUSIVE))
		return ilk_fail_(-EINVAL, "no name, or options of a wrong size or out of range");
	rc = ilk_sem_open_(name, (int)o->flags, o->mode ? o->mode : DEFAULT_MODE, o->value, sem);
	return rc < 0 ? ilk_fail_(rc, "POSIX semaphore %s", name) : 0;
}

/* --- its row --- */

/* Posts that go past the maximum at the same moment take back what they added. */
enum { MOST_TOO_MANY = ILK_MAX_SLOTS_ };

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_semaphore *s = object;

	(void)map;
	if (bytes != sizeof *s)
		return "its size is not a semaphore's";
	if (!ilk_semaphore_is_one_(s))
		return "its tag is not a semaphore's";
	if (ilk_load_relaxed_(&s->first) > ILK_SEMAPHORE_MAX)
		return "its first value is too large";
	return ilk_semaphore_value_of_(s) > ILK_SEMAPHORE_MAX + MOST_TOO_MANY
		       ? "its value is too large"
		       : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_semaphore *s = object;
	uint32_t value = ilk_semaphore_value_of_(s);

	(void)map, (void)bytes;
	snprintf(out->state, sizeof out->state, "%u", value);
	memcpy(out->label, s->label, sizeof out->label - 1);
	out->value = value;
	out->contended = ilk_load_relaxed_(&s->slept);
	out->waited_ns = ilk_load_relaxed_(&s->waited_ns);
}

/* [S4] of semaphore.c. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_semaphore *s = object;

	(void)seg;
	ilk_store_release_(&s->tag, (uint16_t)ILK_SEMAPHORE_REMOVED_);
	ilk_fence_();
	ilk_futex_wake_(ilk_sem_value_at_(ilk_sem_word_(&s->posix)), INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	(void)seg;
	return ilk_semaphore_value_of_(object) != 0;
}

const struct ilk_type_ ilk_type_semaphore_ = {
	.name = "semaphore",
	.size = sizeof(struct ilk_semaphore),
	.align = 64,
	.valid = valid,
	.describe = describe,
	.remove = remove_for_good,
	.ready = ready,
};
