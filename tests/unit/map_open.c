/* map_open.c - maps as objects: opening, removal, read-only attachments, the inspector, damage. */
#include "map_fixture.h"
#include <limits.h>
#include <stdlib.h>

/* --- opening --- */

static void check_refused(
	uint32_t key, uint32_t value, const struct ilk_map_options *options, const char *word)
{
	struct ilk_map_handle h;

	CHECK_RC(ilk_map_open(seg, "map", key, value, options, &h), -EEXIST);
	if (!strstr(ilk_last_error(), word))
		fail_msg("\"%s\" does not say \"%s\"", ilk_last_error(), word);
}

static void test_open_as_another_is_EEXIST_and_says_what(void **state)
{
	const struct ilk_map_options four = {.size = sizeof four, .stripes = 4};
	const struct ilk_map_options same = {
		.size = sizeof same, .stripes = ILK_MAP_STRIPES, .entries = 500};
	struct ilk_map_handle h;
	void *block;

	(void)state;
	check_refused(KEY, VALUE, NULL, "keys differ");
	check_refused(ILK_MAP_TEXT(KEY + 1), VALUE, NULL, "key_bytes differ");
	check_refused(ILK_MAP_TEXT(KEY), VALUE + 1, NULL, "value_bytes differ");
	check_refused(ILK_MAP_TEXT(KEY), VALUE, &four, "stripes differ");
	CHECK_RC(ilk_block_open(seg, "map", 64, &block), -EEXIST);
	CHECK_RC(ilk_block_open(seg, "block", 64, &block), 0);
	CHECK_RC(ilk_map_open(seg, "block", 1, 1, NULL, &h), -EEXIST);
	put("a", "one");
	CHECK_RC(ilk_map_open(seg, "map", ILK_MAP_TEXT(KEY), VALUE, &same, &h), 0);
	CHECK_RC(ilk_map_get(&h, "a", NULL, 0, NULL), 0);
}

static void test_open_what_cannot_be_is_refused(void **state)
{
	struct ilk_map_options options = {.size = sizeof options};
	struct ilk_map_handle h;

	(void)state;
	CHECK_RC(ilk_map_open(seg, "m", 0, 1, NULL, &h), -EINVAL);
	CHECK_RC(ilk_map_open(seg, "m", ILK_MAP_TEXT(0), 1, NULL, &h), -EINVAL);
	CHECK_RC(ilk_map_open(seg, "m", ILK_MAP_MOST_KEY_BYTES + 1, 1, NULL, &h), -EINVAL);
	CHECK_RC(ilk_map_open(seg, "m", 1, UINT32_MAX, NULL, &h), -ENOSPC);
	CHECK_RC(ilk_map_open(seg, "m", 1, UINT32_MAX / 2, NULL, &h), -ENOSPC);
	CHECK_RC(ilk_map_open(seg, "", 1, 1, NULL, &h), -EINVAL);
	CHECK_RC(ilk_map_open(seg, NULL, 1, 1, NULL, &h), -EINVAL);
	options.size--;
	CHECK_RC(ilk_map_open(seg, "m", 1, 1, &options, &h), -EINVAL);
	options.size++;
	options.stripes = 3;
	CHECK_RC(ilk_map_open(seg, "m", 1, 1, &options, &h), -EINVAL);
	options.stripes = 2 * ILK_MAP_MOST_STRIPES;
	CHECK_RC(ilk_map_open(seg, "m", 1, 1, &options, &h), -EINVAL);
}

static void test_hint_of_more_entries_than_fit_leaves_room_for_some(void **state)
{
	struct ilk_map_options options = {.size = sizeof options, .entries = 40000};
	struct ilk_map_handle h;

	(void)state;
	for (int i = 0; i < 2; i++, options.entries = UINT_MAX) {
		CHECK_RC(ilk_map_open(seg, i ? "most" : "many", 4, 64, &options, &h), 0);
		for (int key = 0; key < 100; key++)
			CHECK_RC(ilk_map_put(&h, &key, "x", 1), 0);
		CHECK_RC(ilk_map_check(&h), 0);
		CHECK_RC(ilk_object_remove(seg, i ? "most" : "many"), 0);
		CHECK_RC(ilk_object_close(h.map), 0);
	}
}

static void test_values_too_large_for_the_segment_are_ENOSPC(void **state)
{
	struct ilk_map_handle h;
	uint32_t half = (uint32_t)ilk_segment_bytes(seg) / 2;
	char *value = calloc(1, half);

	(void)state;
	CHECK(value != NULL);
	CHECK_RC(ilk_map_open(seg, "m", 1, half, NULL, &h), 0);
	CHECK_RC(ilk_map_put(&h, "k", value, half), -ENOSPC);
	CHECK_RC(ilk_map_put(&h, "k", value, 0), -ENOSPC);
	CHECK_RC(ilk_map_get(&h, "k", value, half, NULL), -ENOENT);
	CHECK_RC(ilk_map_check(&h), 0);
	free(value);
}

static void test_read_only_attachments_count_and_no_more(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *other;
	struct ilk_map_handle h;

	(void)state;
	put_numbers(0, 50);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &other), 0);
	CHECK_RC(ilk_map_open(other, "map", ILK_MAP_TEXT(KEY), VALUE, NULL, &h), 0);
	assert_int_equal(ilk_map_count(&h), 50);
	CHECK_RC(ilk_map_get(&h, "a", NULL, 0, NULL), -EROFS);
	CHECK_RC(ilk_map_put(&h, "a", "", 0), -EROFS);
	CHECK_RC(ilk_map_clear(&h), -EROFS);
	CHECK_RC(ilk_map_open(other, "new", 1, 1, NULL, &h), -EROFS);
	ilk_segment_close(other);
}

/* --- removal --- */

static struct ilk_usage usage(void)
{
	struct ilk_usage u;

	CHECK_RC(ilk_usage(seg, &u), 0);
	return u;
}

static struct ilk_map_handle open_another(void)
{
	struct ilk_map_handle h;

	CHECK_RC(ilk_map_open(seg, "another", sizeof(unsigned), 100, NULL, &h), 0);
	for (unsigned i = 0; i < 2000; i++)
		CHECK_RC(ilk_map_put(&h, &i, &i, sizeof i), 0);
	return h;
}

static void test_removal_frees_all_of_it(void **state)
{
	struct ilk_usage before = usage();
	struct ilk_map_handle h;

	(void)state;
	for (int i = 0; i < 3; i++) {
		h = open_another();
		CHECK(usage().blocks > before.blocks + 2 * ILK_MAP_STRIPES);
		CHECK_RC(ilk_object_remove(seg, "another"), 0);
		CHECK(usage().blocks > before.blocks); /* we have it open */
		CHECK_RC(ilk_map_get(&h, &(unsigned){0}, NULL, 0, NULL), -EIDRM);
		CHECK_RC(ilk_map_put(&h, &(unsigned){0}, NULL, 0), -EIDRM);
		CHECK_RC(ilk_object_close(h.map), 0);
		assert_int_equal(usage().blocks, before.blocks);
		assert_int_equal(usage().used, before.used);
	}
}

static void open_and_die(void *arg)
{
	(void)arg;
	open_another();
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_removal_after_the_last_openers_death_frees_all_of_it(void **state)
{
	struct ilk_usage before = usage();
	struct ilk_test_child *child = ilk_test_start(open_and_die, NULL);

	(void)state;
	ilk_test_await(1);
	CHECK_RC(ilk_object_remove(seg, "another"), 0);
	CHECK(usage().blocks > before.blocks);
	ilk_test_kill(child);
	assert_int_equal(usage().blocks, before.blocks);
	assert_int_equal(usage().used, before.used);
}

static void test_removal_where_lock_orders_are_kept(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_ORDER};
	struct ilk_segment *other = support_create(ilk_test_name("order"), &options);
	struct ilk_mutex *m = support_mutex(other, "m");
	struct ilk_map_handle h;

	(void)state;
	CHECK_RC(ilk_map_open(other, "map", sizeof(unsigned), VALUE, NULL, &h), 0);
	for (unsigned i = 0; i < 100; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		CHECK_RC(ilk_map_update(&h, &i, add_one, NULL), 0);
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
	CHECK_RC(ilk_map_check(&h), 0);
	CHECK_RC(ilk_segment_valid(other), 0);
	CHECK_RC(ilk_object_remove(other, "map"), 0);
	CHECK_RC(ilk_object_close(h.map), 0);
	CHECK_RC(ilk_segment_valid(other), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("order"));
}

/* --- the inspector --- */

static struct ilk_object_info info_of(const char *name)
{
	struct ilk_object_info info = {.owner = ILK_NO_INDEX};
	struct ilk_inspection *in;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, name) == 0 && !in->objects[i].embedded)
			info = in->objects[i];
	ilk_inspection_free(in);
	CHECK(info.type != NULL);
	return info;
}

static int look_inside(void *value, size_t *bytes, void *arg)
{
	(void)value, (void)bytes, (void)arg;
	CHECK(info_of("map").owner != ILK_NO_INDEX);
	return -1;
}

static void test_inspector_shows_counts_and_owners(void **state)
{
	struct ilk_object_info info;

	(void)state;
	put_numbers(0, 30);
	info = info_of("map");
	assert_string_equal(info.type, "map");
	assert_string_equal(info.damage, "");
	assert_int_equal(info.value, 30);
	assert_int_equal(info.acquired, 30);
	assert_int_equal(info.owner, ILK_NO_INDEX);
	CHECK(strncmp(info.state, "30 of ", 6) == 0);
	CHECK_RC(ilk_map_update(&map, "a", look_inside, NULL), -1);
}

/* --- damage --- */

/* Garbage in one word of the N bytes at MEMORY; what was there comes back. */
static void try_with_garbage(uint32_t *memory, size_t words)
{
	uint32_t *word = &memory[(size_t)rand() % words], before = *word, number = 7;
	struct ilk_map_cursor cursor = {0, 0};
	ilk_time soon = ilk_after_ms(20);
	char key[KEY + 1], value[VALUE];
	size_t bytes;

	*word = rand() % 3 ? (uint32_t)rand() % 64 : (uint32_t)rand() << 1;
	for (unsigned i = 0; i < 5; i++) {
		unsigned k = (unsigned)rand() % 200;

		ilk_map_get_until(&map, numbered(k), value, sizeof value, &bytes, soon);
		ilk_map_put_until(&map, numbered(k), &number, sizeof number, soon);
		ilk_map_remove_until(&map, numbered(k + 1), soon);
		ilk_map_update_until(&map, numbered(k + 2), add_one, NULL, soon);
	}
	for (unsigned i = 0; i < 300; i++)
		if (ilk_map_next_until(&map, &cursor, key, value, sizeof value, &bytes, soon) < 0)
			break;
	ilk_map_check_until(&map, soon);
	ilk_map_count(&map);
	*word = before;
}

static void test_garbage_anywhere_in_it_ends_in_results(void **state)
{
	int cases = support_slow() ? 100 : 1000;
	uint64_t words;

	(void)state;
	damaged_on_purpose = 1;
	srand(1);
	put_numbers(0, 200);
	/* From the map to the end of what is given out: its extents lie there. */
	words = usage().used / sizeof(uint32_t) / 2;
	for (int i = 0; i < cases; i++)
		try_with_garbage((uint32_t *)(void *)map.map, words);
}

static void test_inspector_reports_damage(void **state)
{
	uint32_t *word = (uint32_t *)(void *)map.map;

	(void)state;
	damaged_on_purpose = 1;
	for (int i = 0; i < 5; i++) {
		uint32_t before = word[i];

		if (i == 3)
			continue; /* of value_bytes each is possible */
		word[i] = i == 2 ? 0 : before ^ 0x40;
		assert_string_not_equal(info_of("map").damage, "");
		CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
		word[i] = before;
	}
	CHECK_RC(ilk_segment_valid(seg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_open_as_another_is_EEXIST_and_says_what),
		MAP_TEST(test_open_what_cannot_be_is_refused),
		MAP_TEST(test_hint_of_more_entries_than_fit_leaves_room_for_some),
		MAP_TEST(test_values_too_large_for_the_segment_are_ENOSPC),
		MAP_TEST(test_read_only_attachments_count_and_no_more),
		MAP_TEST(test_removal_frees_all_of_it),
		MAP_TEST(test_removal_after_the_last_openers_death_frees_all_of_it),
		MAP_TEST(test_removal_where_lock_orders_are_kept),
		MAP_TEST(test_inspector_shows_counts_and_owners),
		MAP_TEST(test_garbage_anywhere_in_it_ends_in_results),
		MAP_TEST(test_inspector_reports_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
