/*
 * objects.c - a handful of names, opened, used, removed, made again and closed by several at once.
 *
 * All words of a block are stamped with its name by whoever finds them 0. Blocks of all names have
 * one size, so that what is freed too early becomes another name's, whose stamp is then found.
 */
#include "stress.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <stdio.h>
#include <string.h>

enum { NAMES = 4, OPEN = 6, WORDS = 24 };

static const struct ilk_segment_options small = {
	.size = sizeof small, .bytes = 64 << 10, .processes = 8, .threads = 16};

static char name[64];
static struct ilk_segment *common;

/* What one worker has open. */
struct holding {
	unsigned worker;
	struct ilk_segment *seg;
	struct {
		uint64_t *words;
		uint64_t stamp;
	} open[OPEN];
};

static const char *name_of(char *text, const char *kind, uint64_t number)
{
	snprintf(text, 32, "%s %llu", kind, (unsigned long long)number);
	return text;
}

static void check_stamps(uint64_t *words, uint64_t stamp)
{
	for (int i = 0; i < WORDS; i++) {
		uint64_t found = 0;

		if (!ilk_cas_full_(&words[i], &found, stamp) && found != stamp)
			ilk_test_fail("a block of %llu is found to be one of %llu",
				(unsigned long long)stamp, (unsigned long long)found);
	}
}

static void close_one(struct holding *h, unsigned i)
{
	if (!h->open[i].words)
		return;
	check_stamps(h->open[i].words, h->open[i].stamp);
	CHECK_RC(ilk_object_close(h->open[i].words), 0);
	h->open[i].words = NULL;
}

static void open_another(struct holding *h)
{
	unsigned i = (unsigned)random_below(h->worker, OPEN);
	uint64_t number = random_below(h->worker, NAMES);
	void *words = NULL;
	char text[32];

	close_one(h, i);
	CHECK_RC(ilk_block_open(h->seg, name_of(text, "block", number), WORDS * 8, &words), 0);
	h->open[i].words = words;
	h->open[i].stamp = number + 1;
	check_stamps(words, number + 1);
}

static void look_at_all(struct holding *h)
{
	for (unsigned i = 0; i < OPEN; i++)
		if (h->open[i].words)
			check_stamps(h->open[i].words, h->open[i].stamp);
}

static void close_another(struct holding *h)
{
	close_one(h, (unsigned)random_below(h->worker, OPEN));
}

static void remove_one(struct holding *h)
{
	const char *kind = random_below(h->worker, 3) ? "block" : "mutex";
	char text[32];
	int rc = ilk_object_remove(h->seg, name_of(text, kind, random_below(h->worker, NAMES)));

	CHECK(rc == 0 || rc == -ENOENT);
}

/* What a dead owner left in it, the next one may find removed. */
static void lock_one(struct holding *h)
{
	struct ilk_mutex *m;
	char text[32];
	int rc;

	m = support_mutex(h->seg, name_of(text, "mutex", random_below(h->worker, NAMES)));
	rc = ilk_mutex_lock(m);
	CHECK(rc == 0 || rc == ILK_RECOVERED || rc == -EIDRM);
	if (rc >= 0) {
		dawdle(h->worker, 20);
		CHECK_RC(ilk_mutex_repaired(m), 0);
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
	CHECK_RC(ilk_object_close(m), 0);
}

static int is_sane(const struct ilk_object *object, void *arg)
{
	(void)arg;
	CHECK(strcmp(object->type, "block") == 0 || strcmp(object->type, "mutex") == 0);
	CHECK(strncmp(object->name, object->type, 5) == 0);
	CHECK(object->openers >= 0 && object->openers <= (int)small.processes);
	return 0;
}

static void list(struct holding *h)
{
	CHECK_RC(ilk_object_each(h->seg, is_sane, NULL), 0);
}

static void check_valid(struct holding *h)
{
	if (ilk_segment_valid(h->seg) != 0)
		ilk_test_fail("%s", ilk_last_error());
}

static void churn(struct holding *h)
{
	static void (*const acts[])(struct holding * h) = {open_another, open_another, open_another,
		look_at_all, close_another, close_another, remove_one, remove_one, lock_one, list,
		check_valid};

	for (int rounds = 0; rounds < 500 && !time_is_over(); rounds++) {
		acts[random_below(h->worker, sizeof acts / sizeof *acts)](h);
		tally_of(h->worker)->done++;
	}
}

static void work_apart(unsigned worker)
{
	while (!time_is_over()) {
		struct holding h = {.worker = worker, .seg = open_elsewhere(worker, name)};

		churn(&h);
		/* That closes all of them. */
		look_at_all(&h);
		ilk_segment_close(h.seg);
	}
}

static void work_together(unsigned worker)
{
	struct holding h = {.worker = worker, .seg = common};

	churn(&h);
	for (unsigned i = 0; i < OPEN; i++)
		close_one(&h, i);
}

static void begin(void)
{
	strcpy(name, ilk_test_name(""));
	common = support_create(name, &small);
}

/* Nobody has anything open: without names all memory is free. */
static void check_all_is_back(void)
{
	struct ilk_usage usage;
	int64_t done = 0;
	char text[32];

	for (unsigned i = 0; i < WORKERS; i++)
		done += tally_of(i)->done;
	print_message("%lld acts\n", (long long)done);
	for (unsigned i = 0; i < NAMES; i++) {
		ilk_object_remove(common, name_of(text, "block", i));
		ilk_object_remove(common, name_of(text, "mutex", i));
	}
	CHECK_RC(ilk_usage(common, &usage), 0);
	if (ilk_segment_valid(common) != 0)
		ilk_test_fail("%s", ilk_last_error());
	assert_int_equal(usage.blocks, 0);
	ilk_segment_close(common);
	support_unlink(name);
}

/* Workers would inherit the runner's attachment: closing theirs would not be the last close. */
static void begin_apart(void)
{
	begin();
	ilk_segment_close(common);
}

static void check_all_is_back_apart(void)
{
	common = support_open(name);
	check_all_is_back();
}

static void test_objects_under_kills_are_the_ones_of_their_names(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	begin_apart();
	run_processes(work_apart, NULL);
	check_all_is_back_apart();
}

static void test_objects_of_processes_undisturbed_are_the_ones_of_their_names(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	begin_apart();
	run_undisturbed(work_apart);
	check_all_is_back_apart();
}

static void test_objects_of_threads_are_the_ones_of_their_names(void **state)
{
	(void)state;
	begin();
	run_threads(work_together);
	check_all_is_back();
}

/* --- what nobody removes is always found --- */

enum { STEADY = 32 };

static const struct ilk_segment_options reading = {
	.size = sizeof reading, .flags = ILK_SEGMENT_READ_ONLY};

/* Makes and removes neighbours in the same lists, and writes zeros over what was theirs. */
static void be_neighbour(struct ilk_segment *seg, unsigned worker)
{
	void *memory;
	char text[32];

	name_of(text, worker ? "left" : "right", random_below(worker, STEADY));
	CHECK_RC(ilk_block_open(seg, text, WORDS * 8, &memory), 0);
	CHECK_RC(ilk_object_close(memory), 0);
	CHECK_RC(ilk_object_remove(seg, text), 0);
	CHECK_RC(ilk_alloc(seg, WORDS * 8 + 128, &memory), 0);
	CHECK_RC(ilk_free_alone(seg, memory), 0);
}

static void read_steady(struct ilk_segment *seg, unsigned worker)
{
	void *memory;
	char text[32];

	name_of(text, "steady", random_below(worker, STEADY));
	CHECK_RC(ilk_block_open(seg, text, WORDS * 8, &memory), 0);
}

static void inspect_steady(void)
{
	struct ilk_inspection *in;
	int found = 0;

	CHECK_RC(ilk_inspect(name, &in), 0);
	if (!in->damage[0]) {
		for (size_t i = 0; i < in->object_count; i++)
			found += strncmp(in->objects[i].name, "steady", 6) == 0;
		CHECK(found == STEADY);
	}
	ilk_inspection_free(in);
}

static void live_with_neighbours(unsigned worker)
{
	struct ilk_segment *seg;

	CHECK_RC(ilk_segment_open(name, worker == 2 ? &reading : NULL, &seg), 0);
	while (!time_is_over()) {
		if (worker < 2)
			be_neighbour(seg, worker);
		else if (worker == 2)
			read_steady(seg, worker);
		else
			inspect_steady();
		tally_of(worker)->done++;
	}
	ilk_segment_close(seg);
}

static void test_objects_that_nobody_removes_are_always_found(void **state)
{
	void *memory;
	char text[32];

	(void)state;
	SKIP_UNDER_TSAN();
	begin();
	for (uint64_t i = 0; i < STEADY; i++)
		CHECK_RC(ilk_block_open(common, name_of(text, "steady", i), WORDS * 8, &memory), 0);
	ilk_segment_close(common);
	run_undisturbed(live_with_neighbours);
	print_message("%lld made, %lld read, %lld inspected\n", (long long)tally_of(0)->done,
		(long long)tally_of(2)->done, (long long)tally_of(3)->done);
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_objects_under_kills_are_the_ones_of_their_names),
		STRESS_TEST(test_objects_of_processes_undisturbed_are_the_ones_of_their_names),
		STRESS_TEST(test_objects_of_threads_are_the_ones_of_their_names),
		STRESS_TEST(test_objects_that_nobody_removes_are_always_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
