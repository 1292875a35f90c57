/* data.c - arrays and maps: made, occupied, used. */
#include "data.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 9, ENTRIES = 12, KEY = 10, VALUE = 24, MOST_STEPS = 10000 };

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static ilk_time soon(void)
{
	return ilk_after_ns(200000);
}

/* --- opening --- */

static int open_arrays(
	struct ilk_segment *seg, struct ilk_array_handle *numbers, struct ilk_array_handle *bytes)
{
	int rc = ilk_array_open(seg, "numbers", ILK_ARRAY_I32, COUNT, numbers);

	return rc < 0 ? rc : ilk_array_open(seg, "bytes", ILK_ARRAY_BYTES(3), COUNT, bytes);
}

static int open_numbered(struct ilk_segment *seg, struct ilk_map_handle *h)
{
	const struct ilk_map_options one = {.size = sizeof one, .stripes = 1};

	return ilk_map_open(seg, "numbered", sizeof(uint32_t), VALUE, &one, h);
}

static int open_texts(struct ilk_segment *seg, struct ilk_map_handle *h)
{
	const struct ilk_map_options two = {.size = sizeof two, .stripes = 2};

	return ilk_map_open(seg, "texts", ILK_MAP_TEXT(KEY), VALUE, &two, h);
}

static const char *text(uint32_t i)
{
	static char key[KEY + 1];

	snprintf(key, sizeof key, "text %u", i % 1000);
	return key;
}

/* --- making --- */

void data_furnish(struct ilk_segment *seg)
{
	struct ilk_array_handle numbers, bytes;
	struct ilk_map_handle numbered, texts;

	must(open_arrays(seg, &numbers, &bytes) == 0, "arrays");
	must(open_numbered(seg, &numbered) == 0 && open_texts(seg, &texts) == 0, "maps");
	for (uint32_t i = 0; i < ENTRIES; i++) {
		must(ilk_map_put(&numbered, &i, "value", i % 6) == 0, "a number");
		must(ilk_map_put(&texts, text(i), "value", i % 6) == 0, "a text");
	}
	for (uint32_t i = 0; i < ENTRIES; i += 3)
		must(ilk_map_remove(&numbered, &i) == 0, "a number less");
	must(ilk_array_set_i32(&numbers, COUNT - 1, 7) == 0, "an element");
}

static sigjmp_buf out;

static int leave_it_locked(void *value, size_t *bytes, void *arg)
{
	memset(value, 0x5a, VALUE);
	*bytes = VALUE;
	(void)arg;
	siglongjmp(out, 1);
}

void data_occupy(struct ilk_segment *seg)
{
	struct ilk_array_handle numbers, bytes;
	struct ilk_map_handle texts;

	must(open_arrays(seg, &numbers, &bytes) == 0 && open_texts(seg, &texts) == 0, "its own");
	ilk_mutex_try_lock(ilk_array_mutex(&numbers));
	if (sigsetjmp(out, 0) == 0)
		ilk_map_update_until(&texts, text(1), leave_it_locked, NULL, ILK_NOW);
}

/* --- using --- */

static void use_arrays(struct ilk_segment *seg)
{
	struct ilk_array_handle numbers, bytes;
	char copy[3 * COUNT];
	int rc;

	if (open_arrays(seg, &numbers, &bytes) < 0)
		return;
	for (size_t i = 0; i < COUNT + 2; i++) {
		rc = ilk_array_add_i32(&numbers, i, 1, NULL);
		must(rc == (i < COUNT ? 0 : -ERANGE) || (rc == -EROFS && i < COUNT),
			"what is added to is there");
		must((ilk_array_at(&bytes, i) != NULL) == (i < COUNT), "so is what is used");
	}
	must(ilk_array_read(&bytes, 0, COUNT, copy) == 0, "all can be read");
	rc = ilk_array_write(&bytes, 0, COUNT, copy);
	must(rc == 0 || rc == -EROFS, "and written");
	rc = ilk_mutex_lock_until(ilk_array_mutex(&numbers), soon());
	if (rc >= 0)
		ilk_mutex_unlock(ilk_array_mutex(&numbers));
}

static int change(void *value, size_t *bytes, void *arg)
{
	must(*bytes == ILK_MAP_ABSENT || *bytes <= VALUE, "a value is as long as it may be");
	memset(value, 0xa5, VALUE);
	*bytes = *(const size_t *)arg;
	return 0;
}

static void use_entry(const struct ilk_map_handle *h, const void *key, size_t length)
{
	char value[VALUE];
	size_t bytes = 0;

	if (ilk_map_get_until(h, key, value, sizeof value, &bytes, soon()) == 0)
		must(bytes <= VALUE, "a value is as long as it may be");
	ilk_map_put_until(h, key, "other", length % 6, soon());
	ilk_map_add_until(h, key, "third", 5, soon());
	ilk_map_replace_until(h, key, "other", length % 6, value, VALUE, soon());
	ilk_map_update_until(h, key, change, &length, soon());
	ilk_map_take_until(h, key, value, 4, &bytes, soon());
	ilk_map_remove_until(h, key, soon());
}

static void walk(const struct ilk_map_handle *h)
{
	struct ilk_map_cursor cursor = {0, 0};
	char key[KEY + 1], value[VALUE];
	size_t bytes, steps = 0;

	while (ilk_map_next_until(h, &cursor, key, value, sizeof value, &bytes, soon()) == 0) {
		must(bytes <= VALUE, "a value is as long as it may be");
		must(++steps < MOST_STEPS, "a walk ends");
	}
}

static void use_map(const struct ilk_map_handle *h, int is_text)
{
	walk(h);
	ilk_map_check_until(h, soon());
	for (uint32_t i = 0; i < 2 * ENTRIES; i++)
		use_entry(h, is_text ? (const void *)text(i) : &i,
			i % 7 ? i % VALUE : ILK_MAP_ABSENT);
	for (uint32_t i = 0; i < 2 * ENTRIES; i++)
		ilk_map_put_until(h, is_text ? (const void *)text(i) : &i, "", 0, soon());
	ilk_map_count(h);
	walk(h);
	ilk_map_clear_until(h, soon());
	ilk_map_check_until(h, soon());
}

void data_use(struct ilk_segment *seg)
{
	struct ilk_map_handle h;

	use_arrays(seg);
	if (open_numbered(seg, &h) == 0)
		use_map(&h, 0);
	if (open_texts(seg, &h) == 0)
		use_map(&h, 1);
}
