/*
 * array.c - an array as an object: opened, copied from and to, shown; its elements are reached by
 * the inline functions of ilk/array_inline.h.
 *
 * State      tag    ARRAY, or REMOVED for good
 *            type, count: fixed; whoever uses them has them from its handle
 *            mutex  its users'
 * Invariant  [I1] An index is compared with the handle's count, which is private: what stands in
 *            the segment cannot lead an access astray.
 * Ordering   [A1] set: store element, release       <-> [A2]
 *            [A2] get: load element, acquire        <-> [A1], [A3]  who gets a value sees what came
 *            [A3] add, replace: read-modify-write   <-> [A2], [A3]  before it was put there
 * Death      before the one instruction that changes an element: nothing; after it: changed. Of
 *            elements of bytes, and in the midst of several: what was copied so far. The mutex:
 *            mutex.c.
 */
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/object_name.h"
#include "segment/types.h"
#include <errno.h>
#include <ilk/array.h>
#include <stdio.h>
#include <string.h>

enum { TAG = 0x6172, REMOVED = 0x5261 };

struct ilk_array {
	uint32_t tag, type;
	uint64_t count;
	uint64_t pad[6];
	struct ilk_mutex mutex;
};

_Static_assert(sizeof(struct ilk_array) == 128, "two lines");

/* --- types --- */

static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{ILK_ARRAY_I8, "i8"},
	{ILK_ARRAY_U8, "u8"},
	{ILK_ARRAY_I16, "i16"},
	{ILK_ARRAY_U16, "u16"},
	{ILK_ARRAY_I32, "i32"},
	{ILK_ARRAY_U32, "u32"},
	{ILK_ARRAY_I64, "i64"},
	{ILK_ARRAY_U64, "u64"},
	{ILK_ARRAY_F32, "f32"},
	{ILK_ARRAY_F64, "f64"},
};

static uint64_t bytes_of(uint32_t type)
{
	return type >> 8;
}

/* The name of TYPE, in TEXT if it has none of its own; NULL: there is no such type. */
static const char *name_of(uint32_t type, char text[24])
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == type)
			return types[i].name;
	if ((type & 0xff) != 'b' || bytes_of(type) == 0 || bytes_of(type) > ILK_ARRAY_MOST_BYTES)
		return NULL;
	snprintf(text, 24, "%u bytes", type >> 8);
	return text;
}

/* --- opening --- */

struct wanted {
	struct ilk_wanted_ base;
	struct ilk_segment *seg;
	uint32_t type;
	uint64_t count;
};

static void init_wanted(void *object, const struct ilk_wanted_ *base)
{
	const struct wanted *wanted = (const struct wanted *)(const void *)base;
	struct ilk_array *a = object;

	a->type = wanted->type;
	a->count = wanted->count;
	ilk_mutex_init(wanted->seg, &a->mutex, base->name, NULL);
	ilk_store_release_(&a->tag, (uint32_t)TAG);
}

static int is_as_asked(const void *object, const struct ilk_wanted_ *base)
{
	const struct wanted *wanted = (const struct wanted *)(const void *)base;
	uint32_t type = ilk_load_relaxed_(&((const struct ilk_array *)object)->type);
	uint64_t count = ilk_load_relaxed_(&((const struct ilk_array *)object)->count);
	char has[24], asked[24];
	const char *name = name_of(type, has);

	if (type != wanted->type)
		return ilk_fail_(-EEXIST, "type differs: elements of array %s are %s, not %s",
			base->name, name ? name : "damaged", name_of(wanted->type, asked));
	if (count != wanted->count)
		return ilk_fail_(-EEXIST, "count differs: array %s has %llu elements, not %llu",
			base->name, (unsigned long long)count, (unsigned long long)wanted->count);
	return 0;
}

/* An array that is there is compared, so that a failure names the field and not the size. */
static int compare_if_there(const struct wanted *wanted)
{
	const struct ilk_map_ *map = &wanted->seg->map;
	struct ilk_found_ found;

	if (ilk_directory_find_(map, wanted->base.name, &found) != 1 ||
		found.entry.type != ILK_TYPE_ARRAY_ || found.entry.bytes < sizeof(struct ilk_array))
		return 0;
	return is_as_asked(map->base + found.offset, &wanted->base);
}

static int open_wanted(struct wanted *wanted, struct ilk_array_handle *h)
{
	void *object;
	int rc = compare_if_there(wanted);

	if (rc == 0)
		rc = ilk_directory_open_(wanted->seg, &wanted->base, &object);
	if (rc < 0)
		return rc;
	*h = (struct ilk_array_handle){
		.array = object,
		.elements = (char *)object + sizeof(struct ilk_array),
		.count = wanted->count,
		.type = wanted->type,
		.read_only = (uint32_t)wanted->seg->read_only,
	};
	return 0;
}

int ilk_array_open(struct ilk_segment *seg, const char *name, uint32_t type, size_t count,
	struct ilk_array_handle *h)
{
	struct wanted wanted = {
		.base = {.name = name,
			.type = ILK_TYPE_ARRAY_,
			.fits = is_as_asked,
			.init = init_wanted},
		.seg = seg,
		.type = type,
		.count = count,
	};
	char text[24];
	int rc = ilk_name_check_(name);

	if (rc < 0)
		return rc;
	if (count == 0 || !name_of(type, text))
		return ilk_fail_(-EINVAL, "an array of 0 elements, or of no such type");
	if (count > seg->map.bytes / bytes_of(type))
		return ilk_fail_(-ENOSPC, "%s: no room for %zu elements", name, count);
	wanted.base.bytes = sizeof(struct ilk_array) + count * bytes_of(type);
	return open_wanted(&wanted, h);
}

/* --- using --- */

struct ilk_mutex *ilk_array_mutex(const struct ilk_array_handle *h)
{
	return &h->array->mutex;
}

/* Are COUNT elements from FIRST on in it? 0; -ERANGE. */
static int check(const struct ilk_array_handle *h, size_t first, size_t count)
{
	return first <= h->count && count <= h->count - first ? 0 : -ERANGE;
}

int ilk_array_read(const struct ilk_array_handle *h, size_t first, size_t count, void *values)
{
	size_t each = ilk_array_bytes(h);
	int rc = check(h, first, count);

	if (rc == 0 && count)
		memcpy(values, h->elements + first * each, count * each);
	return rc;
}

int ilk_array_write(
	const struct ilk_array_handle *h, size_t first, size_t count, const void *values)
{
	size_t each = ilk_array_bytes(h);
	int rc = h->read_only ? -EROFS : check(h, first, count);

	if (rc == 0 && count)
		memcpy(h->elements + first * each, values, count * each);
	return rc;
}

/* --- its row --- */

/* The elements are the user's, and may be many: only its head is read, and one that is alone. */
static int see(const struct ilk_map_ *map, const void *part, uint64_t bytes)
{
	return ilk_map_look_(map, (uint64_t)((const char *)part - map->base), bytes);
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_array *a = object;
	uint32_t tag, type;
	uint64_t count;
	char text[24];

	if (bytes < sizeof *a || see(map, a, sizeof *a) < 0)
		return "its bytes are gone";
	tag = ilk_load_relaxed_(&a->tag);
	type = ilk_load_relaxed_(&a->type);
	count = ilk_load_relaxed_(&a->count);
	if (tag != TAG && tag != REMOVED)
		return "its tag is not an array's";
	if (!name_of(type, text))
		return "its elements are of no known type";
	if (count == 0 || count > bytes || count * bytes_of(type) != bytes - sizeof *a)
		return "its size is not that of its elements";
	return ilk_type_(ILK_TYPE_MUTEX_)->valid(map, &a->mutex, sizeof a->mutex);
}

/* The one integer at AT, of TYPE. */
static int64_t integer_at(const void *at, uint32_t type)
{
	switch (type) {
	case ILK_ARRAY_I8:
		return ilk_load_relaxed_((const int8_t *)at);
	case ILK_ARRAY_U8:
		return ilk_load_relaxed_((const uint8_t *)at);
	case ILK_ARRAY_I16:
		return ilk_load_relaxed_((const int16_t *)at);
	case ILK_ARRAY_U16:
		return ilk_load_relaxed_((const uint16_t *)at);
	case ILK_ARRAY_I32:
		return ilk_load_relaxed_((const int32_t *)at);
	case ILK_ARRAY_U32:
		return ilk_load_relaxed_((const uint32_t *)at);
	default:
		return ilk_load_relaxed_((const int64_t *)at);
	}
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_array *a = object;
	uint32_t type = ilk_load_relaxed_(&a->type);
	uint64_t count = ilk_load_relaxed_(&a->count);
	char text[24], lock[sizeof out->state];
	const char *name = name_of(type, text);

	(void)bytes;
	ilk_type_(ILK_TYPE_MUTEX_)->describe(map, &a->mutex, sizeof a->mutex, out);
	ilk_tell_text_(out, "type", name ? name : "?");
	ilk_tell_(out, "count", count);
	ilk_tell_as_(out, "element_bytes", ILK_FIGURE_BYTES, bytes_of(type));
	memcpy(lock, out->state, sizeof lock);
	out->value = (int64_t)count;
	if (count == 1 && ((type & 0xff) == 'i' || (type & 0xff) == 'u') &&
		see(map, a + 1, bytes_of(type)) == 0) {
		out->value = integer_at(a + 1, type);
		snprintf(out->state, sizeof out->state,
			(type & 0xff) == 'i' ? "%s %lld" : "%s %llu", name, (long long)out->value);
	} else {
		snprintf(out->state, sizeof out->state, "%llu of %s", (unsigned long long)count,
			name ? name : "?");
	}
	if (strcmp(lock, "free") != 0)
		snprintf(out->state + strlen(out->state), sizeof out->state - strlen(out->state),
			", %.20s", lock);
}

static int repair(struct ilk_segment *seg, void *object)
{
	return ilk_type_(ILK_TYPE_MUTEX_)->repair(seg, &((struct ilk_array *)object)->mutex);
}

static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_array *a = object;

	ilk_store_release_(&a->tag, (uint32_t)REMOVED);
	ilk_type_(ILK_TYPE_MUTEX_)->remove(seg, &a->mutex);
}

const struct ilk_type_ ilk_type_array_ = {
	.name = "array",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.repair = repair,
	.remove = remove_for_good,
};
