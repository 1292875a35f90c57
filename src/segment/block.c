/* block.c - named plain memory: the kind of object that knows nothing of itself. */
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/types.h"
#include <errno.h>
#include <stdio.h>

int ilk_block_open(struct ilk_segment *seg, const char *name, size_t size, void **memory)
{
	const struct ilk_wanted_ wanted = {.name = name, .type = ILK_TYPE_BLOCK_, .bytes = size};

	if (size == 0)
		return ilk_fail_(-EINVAL, "a block of 0 bytes");
	return ilk_directory_open_(seg, &wanted, memory);
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	(void)map, (void)object;
	return bytes ? NULL : "it has no bytes";
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	(void)map, (void)object;
	snprintf(out->state, sizeof out->state, "%llu bytes", (unsigned long long)bytes);
}

const struct ilk_type_ ilk_type_block_ = {
	.name = "block",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
};
