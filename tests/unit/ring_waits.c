/* ring_waits.c - waiting for messages and for room: woken, timed out, told of an end. */
#include "ring_fixture.h"
#include <pthread.h>

enum { MANY = 20000 };

/* --- woken --- */

static void produce(void *arg)
{
	struct ilk_ring_writer w;

	CHECK_RC(ilk_ring_writer_open(arg, 0, &w), 0);
	for (uint64_t i = 0; i < MANY; i++) {
		struct numbered m = numbered(i);

		CHECK_RC(ilk_ring_put(&w, &m, sizeof m), 0);
		if (i % 4000 == 0)
			ilk_test_sleep_ms(2);
	}
	CHECK_RC(ilk_ring_writer_close(&w), 0);
}

static void consume(struct ilk_ring *ring)
{
	struct ilk_ring_reader r;
	struct numbered m, wanted;
	size_t n;

	CHECK_RC(ilk_ring_reader_open(ring, 0, &r), 0);
	for (uint64_t i = 0; i < MANY; i++) {
		wanted = numbered(i);
		CHECK_RC(ilk_ring_get(&r, &m, sizeof m, &n), 0);
		assert_memory_equal(&m, &wanted, sizeof m);
		if (i % 5000 == 0)
			ilk_test_sleep_ms(2);
	}
	CHECK_RC(ilk_ring_get(&r, &m, sizeof m, &n), -EPIPE);
}

static void test_processes_wait_for_each_other(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_test_child *child = ilk_test_start(produce, both[i]);

		consume(both[i]);
		ilk_test_join(child);
	}
}

static void *produce_in_thread(void *ring)
{
	produce(ring);
	return NULL;
}

static void test_threads_wait_for_each_other(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, produce_in_thread, both[i]);
		consume(both[i]);
		pthread_join(thread, NULL);
	}
}

/* --- an end, while one sleeps --- */

static void sleep_for_message(void *arg)
{
	struct ilk_ring_reader r;
	char byte;
	size_t n;

	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	CHECK_RC(ilk_ring_get(&r, &byte, 1, &n), *(int *)arg);
}

static void sleep_for_room(void *arg)
{
	struct ilk_ring_writer w;
	int rc = 0;

	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	while (rc == 0)
		rc = ilk_ring_put(&w, "0123456789", 10);
	CHECK_RC(rc, *(int *)arg);
}

/* A child that sleeps in the ring; it expects WHY. */
static struct ilk_test_child *start_sleeper(void (*body)(void *arg), int *why)
{
	struct ilk_test_child *child = ilk_test_start(body, why);

	ilk_test_await_sleepers(name, 1);
	return child;
}

static void test_close_wakes_the_reader(void **state)
{
	struct ilk_ring_writer w;
	int why = -EPIPE;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	child = start_sleeper(sleep_for_message, &why);
	CHECK_RC(ilk_ring_writer_close(&w), 0);
	ilk_test_join(child);
}

static void test_close_wakes_the_writer(void **state)
{
	struct ilk_ring_reader r;
	int why = -EPIPE;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	child = start_sleeper(sleep_for_room, &why);
	CHECK_RC(ilk_ring_reader_close(&r), 0);
	ilk_test_join(child);
}

static void hold_reader(void *arg)
{
	struct ilk_ring_reader r;

	(void)arg;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void hold_writer(void *arg)
{
	struct ilk_ring_writer w;

	(void)arg;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_death_ends_the_readers_sleep(void **state)
{
	int why = -EPIPE;
	struct ilk_test_child *holder = ilk_test_start(hold_writer, NULL), *sleeper;

	(void)state;
	ilk_test_await(1);
	sleeper = start_sleeper(sleep_for_message, &why);
	ilk_test_kill(holder);
	ilk_test_join(sleeper);
}

static void test_death_ends_the_writers_sleep(void **state)
{
	int why = -EPIPE;
	struct ilk_test_child *holder = ilk_test_start(hold_reader, NULL), *sleeper;

	(void)state;
	ilk_test_await(1);
	sleeper = start_sleeper(sleep_for_room, &why);
	ilk_test_kill(holder);
	ilk_test_join(sleeper);
}

/* --- patience --- */

static void wait_for_successor(void *arg)
{
	struct ilk_ring_reader r;
	char byte = 0;
	size_t n;

	(void)arg;
	CHECK_RC(ilk_ring_reader_open(any, ILK_RING_PATIENT, &r), 0);
	CHECK_RC(ilk_ring_get(&r, &byte, 1, &n), 0);
	CHECK(byte == 's');
}

static void test_patient_reader_waits_for_the_next_writer(void **state)
{
	struct ilk_test_child *holder = ilk_test_start(hold_writer, NULL), *sleeper;
	struct ilk_ring_writer w;

	(void)state;
	ilk_test_await(1);
	sleeper = ilk_test_start(wait_for_successor, NULL);
	ilk_test_await_sleepers(name, 1);
	ilk_test_kill(holder);
	ilk_test_sleep_ms(60);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), ILK_RECOVERED);
	CHECK_RC(ilk_ring_put(&w, "s", 1), 0);
	ilk_test_join(sleeper);
}

static void write_patiently(void *arg)
{
	struct ilk_ring_writer w;

	(void)arg;
	CHECK_RC(ilk_ring_writer_open(fixed, ILK_RING_PATIENT, &w), 0);
	for (uint64_t i = 0; i < 3 * SLOTS; i++) {
		struct numbered m = numbered(i);

		CHECK_RC(ilk_ring_put(&w, &m, sizeof m), 0);
	}
}

static void test_patient_writer_waits_for_the_next_reader(void **state)
{
	struct ilk_test_child *writer;
	struct ilk_ring_reader r;
	struct numbered m;
	size_t n;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(fixed, 0, &r), 0);
	CHECK_RC(ilk_ring_reader_close(&r), 0);
	writer = ilk_test_start(write_patiently, NULL);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_ring_reader_open(fixed, 0, &r), 0);
	for (uint64_t i = 0; i < 3 * SLOTS; i++) {
		CHECK_RC(ilk_ring_get(&r, &m, sizeof m, &n), 0);
		CHECK(m.number == i);
	}
	ilk_test_join(writer);
}

/* --- removal, and close of the segment --- */

static void test_removal_ends_both_sleeps_and_all_later_calls(void **state)
{
	struct ilk_ring *ring;
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	int why = -EIDRM;
	struct ilk_test_child *sleeper;

	(void)state;
	CHECK_RC(ilk_ring_open(seg, "any", &of_any_size, &ring), 0);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	sleeper = start_sleeper(sleep_for_message, &why);
	CHECK_RC(ilk_object_remove(seg, "any"), 0);
	ilk_test_join(sleeper);
	CHECK_RC(ilk_ring_put(&w, "x", 1), -EIDRM);
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), -EIDRM);
	CHECK_RC(ilk_ring_writer_close(&w), 0);
}

static void test_removal_lets_the_reader_drain(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC(put_number(&w, 1), 0);
	CHECK_RC(ilk_object_remove(seg, "any"), 0);
	expect_number(&r, 1);
	expect_none(&r, -EIDRM);
}

static void test_removal_wakes_the_writer(void **state)
{
	struct ilk_ring_reader r;
	int why = -EIDRM;
	struct ilk_test_child *sleeper;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	sleeper = start_sleeper(sleep_for_room, &why);
	CHECK_RC(ilk_object_remove(seg, "any"), 0);
	ilk_test_join(sleeper);
}

static void *get_until_closed(void *arg)
{
	char byte;
	size_t n;

	CHECK_RC(ilk_ring_get(arg, &byte, 1, &n), -ECANCELED);
	return NULL;
}

static void test_close_of_the_segment_ends_the_sleep(void **state)
{
	struct ilk_ring_reader r;
	pthread_t thread;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	pthread_create(&thread, NULL, get_until_closed, &r);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_segment_close(seg), 0);
	pthread_join(thread, NULL);
	seg = NULL;
}

static void test_deadline_passes(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	struct numbered m;
	void *message;
	const void *shown;
	size_t n;

	(void)state;
	take_both(fixed, &w, &r);
	CHECK_RC(ilk_ring_peek_until(&r, ilk_after_ms(5), &shown, &n), -ETIMEDOUT);
	CHECK_RC(ilk_ring_get_until(&r, &m, sizeof m, ILK_NOW, &n), -ETIMEDOUT);
	for (uint64_t i = 0; i < SLOTS; i++)
		CHECK_RC(put_number(&w, i), 0);
	CHECK_RC(ilk_ring_reserve_until(&w, EACH, ilk_after_ms(5), &message), -ETIMEDOUT);
	CHECK_RC(ilk_ring_put_until(&w, &m, EACH, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_ring_put_many_until(&w, &m, EACH, 1, ilk_after_ms(5), &n), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_processes_wait_for_each_other),
		RING_TEST(test_threads_wait_for_each_other),
		RING_TEST(test_close_wakes_the_reader),
		RING_TEST(test_close_wakes_the_writer),
		RING_TEST(test_death_ends_the_readers_sleep),
		RING_TEST(test_death_ends_the_writers_sleep),
		RING_TEST(test_patient_reader_waits_for_the_next_writer),
		RING_TEST(test_patient_writer_waits_for_the_next_reader),
		RING_TEST(test_removal_ends_both_sleeps_and_all_later_calls),
		RING_TEST(test_removal_lets_the_reader_drain),
		RING_TEST(test_removal_wakes_the_writer),
		RING_TEST(test_close_of_the_segment_ends_the_sleep),
		RING_TEST(test_deadline_passes),
	};

	return RUN_RING_TESTS(tests);
}
