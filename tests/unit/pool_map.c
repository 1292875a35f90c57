/* pool_map.c - maps, several futures at once, and a descriptor for event loops. */
#include "pool_fixture.h"
#include <poll.h>

enum { MANY = 500 };

static int64_t x[MANY], y[MANY];

static void start_child(struct ilk_test_child **child)
{
	introduce();
	*child = ilk_test_start(serve_in_child, NULL);
	for (int64_t i = 0; i < MANY; i++) {
		x[i] = i - 7;
		y[i] = -1;
	}
}

static void end_child(struct ilk_test_child *child)
{
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(child);
	assert_int_equal(info_of(pool).over, 0);
	check_valid();
}

static int map_with(const struct ilk_pool_map_options *o, size_t count)
{
	return ilk_pool_map(pool, "square", x, sizeof *x, count, y, sizeof *y, o,
		ilk_after_ms(ilk_test_limit_ms()));
}

static void check_squares(size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(y[i], x[i] * x[i]);
}

static void test_a_map_gives_results_in_order(void **state)
{
	static const size_t chunks[] = {0, 1, 3, 16}, counts[] = {1, 2, 17, MANY};
	struct ilk_test_child *child;

	(void)state;
	start_child(&child);
	for (int c = 0; c < 4; c++)
		for (int n = 0; n < 4; n++) {
			const struct ilk_pool_map_options o = {
				.size = sizeof o, .chunk = chunks[c]};

			memset(y, 0xff, sizeof y);
			CHECK_RC(map_with(&o, counts[n]), 0);
			check_squares(counts[n]);
			if (counts[n] < MANY)
				assert_int_equal(y[counts[n]], -1);
		}
	end_child(child);
}

struct progress {
	size_t last, count, calls;
	pthread_t thread;
};

static void note_progress(size_t done, size_t count, void *arg)
{
	struct progress *p = arg;

	assert_true(pthread_equal(p->thread, pthread_self()));
	assert_int_equal(count, p->count);
	assert_true(done > p->last && done <= count);
	p->last = done;
	p->calls++;
}

/* Maps COUNT arguments, and is told of each task. How many there were. */
static size_t map_and_note(size_t chunk, size_t count)
{
	struct progress p = {.count = count, .thread = pthread_self()};
	const struct ilk_pool_map_options o = {
		.size = sizeof o, .chunk = chunk, .progress = note_progress, .arg = &p};

	CHECK_RC(map_with(&o, count), 0);
	check_squares(count);
	assert_int_equal(p.last, count);
	return p.calls;
}

static void test_a_map_says_how_far_it_is(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	start_child(&child);
	assert_int_equal(map_and_note(3, 10), 4);
	assert_int_equal(map_and_note(1, 7), 7);
	assert_int_equal(map_and_note(16, 16), 1);
	end_child(child);
	assert_int_equal(info_of(pool).done, 4 + 7 + 1);
}

static void test_a_map_gives_each_worker_about_four_tasks(void **state)
{
	struct ilk_test_child *child[3];
	size_t one, three, most;

	(void)state;
	start_child(&child[0]);
	await_workers(1);
	one = map_and_note(0, 50);
	child[1] = ilk_test_start(serve_in_child, NULL);
	child[2] = ilk_test_start(serve_in_child, NULL);
	await_workers(3);
	three = map_and_note(0, 50);
	most = map_and_note(0, MANY);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	for (int i = 0; i < 3; i++)
		ilk_test_join(child[i]);
	assert_true(one >= 4 && one < 8);
	assert_true(three >= 12 && three < 24);
	/* Sixteen arguments fit. */
	assert_int_equal(most, (MANY + 15) / 16);
	assert_int_equal(info_of(pool).done, one + three + most);
}

static int odd_fails(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t n;

	memcpy(&n, argument, sizeof n);
	return n == 99 ? ilk_task_fail(task, -ERANGE, "it is 99") : square(task, argument, bytes);
}

static const struct ilk_task_function one_fails[] = {{"square", odd_fails}};

static void serve_failing(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, one_fails, 1, NULL), 0);
}

static void test_a_map_says_which_argument_failed(void **state)
{
	struct ilk_outcome out;
	const struct ilk_pool_map_options o = {.size = sizeof o, .chunk = 10, .outcome = &out};
	struct ilk_test_child *child;

	(void)state;
	introduce();
	child = ilk_test_start(serve_failing, NULL);
	for (int64_t i = 0; i < MANY; i++)
		x[i] = i;
	CHECK_RC(map_with(&o, MANY), ILK_TASK_FAILED);
	assert_int_equal(out.rc, -ERANGE);
	assert_int_equal(out.item, 99);
	assert_string_equal(out.text, "it is 99");
	CHECK_RC(map_with(&o, 90), 0);
	end_child(child);
}

static void test_a_map_that_cannot_be_is_refused(void **state)
{
	const struct ilk_pool_map_options wrong = {.size = 1},
					  large = {.size = sizeof large, .chunk = 17};

	(void)state;
	introduce();
	CHECK_RC(map_with(&wrong, MANY), -EINVAL);
	CHECK_RC(map_with(NULL, 0), -EINVAL);
	CHECK_RC(map_with(&large, MANY), -EMSGSIZE);
	CHECK_RC(ilk_pool_map(pool, "square", x, MOST + 1, 2, y, 8, NULL, ILK_NOW), -EMSGSIZE);
	CHECK_RC(ilk_pool_map(pool, "none", x, 8, 2, y, 8, NULL, ILK_NOW), -ENOENT);
	CHECK_RC(ilk_pool_map(pool, "square", x, 8, MANY, y, 8, NULL, ilk_after_ms(SOON)),
		-ETIMEDOUT);
	assert_int_equal(info_of(pool).queued, 0);
	assert_int_equal(info_of(pool).over, 0);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	CHECK_RC(map_with(NULL, MANY), -EPIPE);
	assert_non_null(strstr(ilk_last_error(), "closed"));
}

enum { EACH = 32 };

/* As many bytes as its argument says, each of them one more. */
static int write_in_place(struct ilk_task *task, const void *argument, size_t bytes)
{
	size_t room;
	unsigned char *result = ilk_task_room(task, &room);
	int64_t n;

	memcpy(&n, argument, sizeof n);
	if (bytes != sizeof n || room != EACH || (uintptr_t)result % 16)
		return ilk_task_fail(task, -EPROTO, "another room than it was to be");
	memset(result, (int)n + 1, (size_t)n);
	return ilk_task_result(task, result, (size_t)n);
}

static void serve_in_place(void *arg)
{
	static const struct ilk_task_function one = {"square", write_in_place};

	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, &one, 1, NULL), 0);
}

static void map_in_place(int is_full)
{
	const struct ilk_pool_map_options o = {.size = sizeof o, .chunk = 4};
	unsigned char all[4 * FOUR][EACH];

	for (int64_t i = 0; i < 4 * FOUR; i++)
		x[i] = is_full ? EACH : i;
	memset(all, 0xff, sizeof all);
	CHECK_RC(ilk_pool_map(pool, "square", x, sizeof *x, 4 * FOUR, all, EACH, &o,
			 ilk_after_ms(ilk_test_limit_ms())),
		0);
	for (int64_t i = 0; i < 4 * FOUR; i++)
		for (int64_t j = 0; j < EACH; j++)
			assert_int_equal(all[i][j], j < x[i] ? x[i] + 1 : 0);
}

static void test_results_in_place_of_a_map_have_zeros_behind(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	introduce();
	child = ilk_test_start(serve_in_place, NULL);
	map_in_place(1);
	map_in_place(0);
	end_child(child);
}

/* --- several futures --- */

static void test_any_gives_each_once(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f[FOUR];
	size_t which, over, seen = 0;

	(void)state;
	introduce();
	for (int i = 0; i < FOUR; i++)
		f[i] = submitted("square", i);
	CHECK_RC(ilk_future_any(f, FOUR, &which, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_future_any(f, FOUR, &which, ilk_after_ms(5)), -ETIMEDOUT);
	CHECK_RC(ilk_future_count_over(f, FOUR, &over), 0);
	assert_int_equal(over, 0);
	child = ilk_test_start(serve_in_child, NULL);
	for (int i = 0; i < FOUR; i++) {
		CHECK_RC(ilk_future_any(f, FOUR, &which, ilk_after_ms(ilk_test_limit_ms())), 0);
		assert_int_equal(got(&f[which]), which * which);
		seen |= (size_t)1 << which;
	}
	assert_int_equal(seen, 15);
	CHECK_RC(ilk_future_any(f, FOUR, &which, ILK_NOW), -ENOENT);
	CHECK_RC(ilk_future_count_over(f, FOUR, &over), 0);
	assert_int_equal(over, FOUR);
	end_child(child);
}

static void test_any_of_two_pools_is_refused(void **state)
{
	struct ilk_future f[2];
	size_t which;

	(void)state;
	introduce();
	f[0] = submitted("square", 1);
	pool = pool_of("other");
	introduce();
	f[1] = submitted("square", 2);
	CHECK_RC(ilk_future_any(f, 2, &which, ILK_NOW), -EINVAL);
}

static void test_any_finds_what_a_dead_worker_left(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f[2];
	size_t which;

	(void)state;
	introduce();
	f[0] = submitted("stay", 0);
	child = ilk_test_start(serve_in_child, NULL);
	ilk_test_await(0);
	f[1] = submitted("square", 1);
	ilk_test_kill(child);
	CHECK_RC(ilk_future_any(f, 2, &which, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(which, 0);
	assert_int_equal(outcome_of(&f[0]).rc, -EOWNERDEAD);
}

/* --- event loops --- */

static int is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms);
}

static void test_the_descriptor_tells_of_each_end(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;
	uint64_t count;
	int fd;

	(void)state;
	start_child(&child);
	fd = ilk_pool_fd(pool);
	assert_true(fd >= 0);
	assert_int_equal(ilk_pool_fd(pool), fd);
	for (int64_t i = 0; i < 50; i++) {
		f = submitted("square", i);
		while (ilk_future_poll(&f) == 0) {
			assert_int_equal(is_readable(fd, (int)ilk_test_limit_ms()), 1);
			assert_int_equal(read(fd, &count, sizeof count), sizeof count);
		}
		assert_int_equal(got(&f), i * i);
	}
	CHECK_RC(ilk_pool_fd_close(pool), 0);
	CHECK_RC(ilk_pool_fd_close(pool), -ENOENT);
	end_child(child);
}

static void test_the_descriptor_tells_of_a_death(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;
	uint64_t count;
	int fd;

	(void)state;
	introduce();
	f = submitted("stay", 0);
	child = ilk_test_start(serve_in_child, NULL);
	ilk_test_await(0);
	fd = ilk_pool_fd(pool);
	ilk_test_kill(child);
	while (ilk_future_poll(&f) == 0) {
		assert_int_equal(is_readable(fd, (int)ilk_test_limit_ms()), 1);
		assert_int_equal(read(fd, &count, sizeof count), sizeof count);
	}
	assert_int_equal(outcome_of(&f).rc, -EOWNERDEAD);
	CHECK_RC(ilk_pool_fd_close(pool), 0);
}

static void test_the_descriptor_wakes_although_its_thread_has_no_place(void **state)
{
	const struct ilk_segment_options o = {.size = sizeof o, .processes = 2, .threads = 1};
	struct ilk_segment *small;
	struct ilk_pool *of_small;
	char other[64];
	int fd;

	(void)state;
	strcpy(other, ilk_test_name("small"));
	CHECK_RC(ilk_segment_create(other, &o, &small), 0);
	CHECK_RC(ilk_pool_open(small, "work", &options, &of_small), 0);
	fd = ilk_pool_fd(of_small);
	assert_true(fd >= 0);
	assert_int_equal(is_readable(fd, (int)ilk_test_limit_ms()), 1);
	CHECK_RC(ilk_pool_fd_close(of_small), 0);
	ilk_segment_close(small);
	ilk_segment_unlink(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_a_map_gives_results_in_order),
		POOL_TEST(test_a_map_says_how_far_it_is),
		POOL_TEST(test_a_map_gives_each_worker_about_four_tasks),
		POOL_TEST(test_results_in_place_of_a_map_have_zeros_behind),
		POOL_TEST(test_a_map_says_which_argument_failed),
		POOL_TEST(test_a_map_that_cannot_be_is_refused),
		POOL_TEST(test_any_gives_each_once),
		POOL_TEST(test_any_of_two_pools_is_refused),
		POOL_TEST(test_any_finds_what_a_dead_worker_left),
		POOL_TEST(test_the_descriptor_tells_of_each_end),
		POOL_TEST(test_the_descriptor_tells_of_a_death),
		POOL_TEST(test_the_descriptor_wakes_although_its_thread_has_no_place),
	};

	return RUN_POOL_TESTS(tests);
}
