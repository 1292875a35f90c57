/*
 * ring.c - every message once, whole and in order, under random deaths of writers and readers.
 *
 * Workers 0 and 1 are the ends of a ring of any size, 2 and 3 of one of fixed size. A message says
 * which it is, and its size and bytes follow from that. Each worker notes, in memory that outlives it,
 * up to which message it was about to go, and has gone: its successor must find one or the other. A
 * reader must get just the message after.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

enum { ROOM = 4096, EACH = 64, BATCH = 20, LONGEST = 1000 };

static char name[64];
static unsigned flags; /* of sides */

static struct ilk_ring *ring_of(struct ilk_segment *seg, unsigned worker)
{
	const struct ilk_ring_options any = {.size = sizeof any, .bytes = ROOM};
	const struct ilk_ring_options fixed = {
		.size = sizeof fixed, .bytes = ROOM, .message = EACH, .flags = ILK_RING_FIXED};
	struct ilk_ring *ring;

	if (worker / 2 == 0)
		CHECK_RC(ilk_ring_open(seg, "any", &any, &ring), 0);
	else
		CHECK_RC(ilk_ring_open(seg, "fixed", &fixed, &ring), 0);
	return ring;
}

static size_t size_of(unsigned worker, uint64_t number)
{
	if (worker / 2)
		return EACH;
	return number % 11 ? 8 + number * 7 % 90 : 8 + number * 31 % (LONGEST - 8);
}

static void fill(void *message, size_t n, uint64_t number)
{
	memset(message, (int)(number & 0xff), n);
	memcpy(message, &number, sizeof number);
}

static void check_message(const void *message, size_t n, unsigned worker, uint64_t number)
{
	const unsigned char *bytes = message;
	uint64_t says;

	memcpy(&says, message, sizeof says);
	if (says != number || n != size_of(worker, number))
		ilk_test_fail("message %llu of %zu bytes, not %llu of %zu",
			(unsigned long long)says, n, (unsigned long long)number,
			size_of(worker, number));
	for (size_t i = sizeof says; i < n; i++)
		CHECK(bytes[i] == (number & 0xff));
}

/* What a worker finds it had done: what it had noted, or was about to do. */
static uint64_t resume(unsigned worker, uint64_t count)
{
	struct tally *t = tally_of(worker);

	uint64_t done = (uint64_t)t->done, intended = (uint64_t)t->intended;

	if (t->halfway ? count < done || count > intended : count != done && count != intended)
		ilk_test_fail("worker %u had done %llu, was about to %llu, and finds %llu", worker,
			(unsigned long long)done, (unsigned long long)intended,
			(unsigned long long)count);
	t->halfway = 0;
	t->done = t->intended = (int64_t)count;
	return count;
}

static void begin(unsigned worker, uint64_t number)
{
	ilk_store_release_(&tally_of(worker)->intended, (int64_t)number);
	ilk_compiler_barrier_();
}

static void end(unsigned worker, uint64_t number, ilk_time since)
{
	struct tally *t = tally_of(worker);

	ilk_compiler_barrier_();
	ilk_store_release_(&t->done, (int64_t)number);
	if (since && ilk_now() - since > t->longest)
		t->longest = ilk_now() - since;
}

static ilk_time soon(void)
{
	return ilk_after_ms(20);
}

/* --- writing --- */

static uint64_t put_one(struct ilk_ring_writer *w, unsigned worker, uint64_t number)
{
	size_t n = size_of(worker, number);
	unsigned char message[LONGEST];
	int rc;

	fill(message, n, number);
	begin(worker, number);
	rc = ilk_ring_put_until(w, message, n, soon());
	CHECK(rc == 0 || rc == -ETIMEDOUT);
	end(worker, rc == 0 ? number : number - 1, 0);
	return rc == 0;
}

static uint64_t reserve_one(struct ilk_ring_writer *w, unsigned worker, uint64_t number)
{
	size_t n = size_of(worker, number);
	void *message;
	int rc = ilk_ring_reserve_until(w, n, soon(), &message);

	CHECK(rc == 0 || rc == -ETIMEDOUT);
	if (rc < 0)
		return 0;
	fill(message, n, number);
	dawdle(worker, 20);
	if (random_below(worker, 8) == 0) {
		CHECK_RC(ilk_ring_abort(w), 0);
		return 0;
	}
	begin(worker, number);
	CHECK_RC(ilk_ring_commit(w, n), 0);
	end(worker, number, 0);
	return 1;
}

/*
 * How many there is room for is not known before: so a successor may find any number of them. (All or
 * none is what the death suite sees to.)
 */
static void begin_batch(unsigned worker, uint64_t last)
{
	ilk_store_release_(&tally_of(worker)->halfway, (int64_t)1);
	begin(worker, last);
}

static void end_batch(unsigned worker, uint64_t last)
{
	end(worker, last, 0);
	ilk_store_release_(&tally_of(worker)->intended, (int64_t)last);
	ilk_store_release_(&tally_of(worker)->halfway, (int64_t)0);
}

static uint64_t put_batch(struct ilk_ring_writer *w, unsigned worker, uint64_t number)
{
	unsigned char messages[BATCH][EACH];
	size_t count = 1 + random_below(worker, BATCH), done;
	int rc;

	for (size_t i = 0; i < count; i++)
		fill(messages[i], EACH, number + i);
	begin_batch(worker, number + count - 1);
	rc = ilk_ring_try_put_many(w, messages, EACH, count, &done);
	if (rc == 0 ? done == 0 : rc != -EAGAIN || done != 0)
		ilk_test_fail("put_many gave %d and %zu of %zu", rc, done, count);
	end_batch(worker, number + done - 1);
	return done;
}

static void write_some(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_ring *ring = ring_of(seg, worker);
	struct ilk_ring_status status;
	struct ilk_ring_writer w;
	uint64_t number;

	CHECK(ilk_ring_writer_open(ring, flags, &w) >= 0);
	CHECK_RC(ilk_ring_status(ring, &status), 0);
	number = resume(worker, status.put);
	for (int i = 0; i < 20000 && !time_is_over(); i++) {
		uint64_t what = random_below(worker, worker / 2 ? 3 : 2);

		number += (what == 0   ? put_one
			   : what == 1 ? reserve_one
				       : put_batch)(&w, worker, number + 1);
		if (random_below(worker, 500) == 0)
			ilk_test_sleep_ms(1);
	}
	CHECK_RC(ilk_ring_writer_close(&w), 0);
}

/* --- reading --- */

static uint64_t get_one(struct ilk_ring_reader *r, unsigned worker, uint64_t number)
{
	ilk_time since = ilk_now();
	const void *message;
	size_t n;
	int rc = ilk_ring_peek_until(r, soon(), &message, &n);

	CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EPIPE);
	if (rc < 0)
		return 0;
	check_message(message, n, worker, number);
	begin(worker, number);
	CHECK_RC(ilk_ring_release(r), 0);
	end(worker, number, since);
	return 1;
}

static void read_some(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_ring *ring = ring_of(seg, worker);
	struct ilk_ring_status status;
	struct ilk_ring_reader r;
	uint64_t number;

	CHECK(ilk_ring_reader_open(ring, flags, &r) >= 0);
	CHECK_RC(ilk_ring_status(ring, &status), 0);
	number = resume(worker, status.got);
	for (int i = 0; i < 20000 && !time_is_over(); i++) {
		number += get_one(&r, worker, number + 1);
		if (random_below(worker, 500) == 0)
			ilk_test_sleep_ms(1);
	}
	CHECK_RC(ilk_ring_reader_close(&r), 0);
}

static void work(unsigned worker, struct ilk_segment *seg)
{
	(worker % 2 ? read_some : write_some)(seg, worker);
}

static void work_in_process(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	while (!time_is_over())
		work(worker, seg);
	CHECK_RC(ilk_segment_close(seg), 0);
}

static struct ilk_segment *shared;

static void work_in_thread(unsigned worker)
{
	work(worker, shared);
}

/* --- */

/* What is left comes out in order; nothing is between the last put and the last got. */
static void check_rest(struct ilk_segment *seg)
{
	for (unsigned worker = 0; worker < WORKERS; worker += 2) {
		struct ilk_ring *ring = ring_of(seg, worker);
		struct ilk_ring_status status;
		struct ilk_ring_reader r;
		struct ilk_ring_writer w;
		const void *message;
		size_t n;

		CHECK(ilk_ring_writer_open(ring, 0, &w) >= 0);
		CHECK(ilk_ring_reader_open(ring, 0, &r) >= 0);
		CHECK_RC(ilk_ring_status(ring, &status), 0);
		resume(worker, status.put);
		for (uint64_t i = resume(worker + 1, status.got); i < status.put; i++) {
			CHECK_RC(ilk_ring_try_peek(&r, &message, &n), 0);
			check_message(message, n, worker, i + 1);
			CHECK_RC(ilk_ring_release(&r), 0);
		}
		CHECK_RC(ilk_ring_try_peek(&r, &message, &n), -EAGAIN);
		print_message("%llu messages of %s size\n", (unsigned long long)status.put,
			worker ? "fixed" : "any");
		CHECK(status.put > 0);
	}
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void run(void (*crew)(void), unsigned side_flags)
{
	struct ilk_segment *seg = ilk_test_create("");

	strcpy(name, ilk_segment_name(seg));
	shared = seg;
	flags = side_flags;
	crew();
	check_rest(seg);
	CHECK_RC(ilk_segment_close(seg), 0);
	ilk_segment_unlink(name);
}

static void processes(void)
{
	print_message("%d killed\n", run_processes(work_in_process, NULL));
	check_longest_stall();
}

static void threads(void)
{
	run_threads(work_in_thread);
}

static void test_processes_lose_and_double_nothing(void **state)
{
	(void)state;
	run(processes, ILK_RING_PATIENT);
}

static void test_threads_keep_order(void **state)
{
	(void)state;
	run(threads, ILK_RING_PATIENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_processes_lose_and_double_nothing),
		STRESS_TEST(test_threads_keep_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
