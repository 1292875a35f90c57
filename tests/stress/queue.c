/*
 * queue.c - every message accounted for, one by one, under random deaths of who puts and who gets.
 *
 * Half of the workers put, half get. Putters number their messages; what they meant to put, and
 * what was put, stands in their tallies. A ledger, which outlives all, has a byte for each of the
 * last messages: whether it was delivered, and whether it was done. Of those before, how many were
 * in (halfway), and lost, stands in their putters' tallies. In the end: what was put is done, but
 * for at most one message for each getter that was killed without a lease; nothing that was done
 * comes again; who gets sees each putter's messages in order.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { LEDGER = 1 << 21, LONG = 1100, DONE = 0x80, IS_IN = 0x40, ACKS = 0x20, CAPACITY = 16 };

static char name[64];
static struct ilk_queue_options options;
static uint8_t *ledger; /* LEDGER bytes for each putter */
static int64_t *last;   /* of each getter: the last number it saw of each putter, + 1 */
static int by_lease, many;
static size_t length;

static int is_putter(unsigned worker)
{
	return worker % 2 == 0;
}

static uint8_t *entry_of(uint64_t message)
{
	return &ledger[(message >> 32) * LEDGER + (uint32_t)message % LEDGER];
}

/*
 * Turns the page for the next messages of WORKER: what was LEDGER messages ago is done by now, or
 * lost, which is noted.
 */
static void make_entries(unsigned worker, size_t n)
{
	struct tally *t = tally_of(worker);

	for (size_t i = 0; i < n; i++) {
		uint64_t message = (uint64_t)worker << 32 | (uint64_t)(t->intended + (int64_t)i);
		uint8_t old = ilk_exchange_(entry_of(message), (uint8_t)0);

		t->halfway += (old & IS_IN) != 0;
		t->lost += (old & IS_IN) && !(old & (DONE | ACKS));
	}
}

/* --- putting --- */

static int put_some(struct ilk_queue_handle *h, unsigned worker)
{
	struct tally *t = tally_of(worker);
	char batch[4 * LONG];
	size_t n = many ? 1 + random_below(worker, 4) : 1, put = 1;
	ilk_time since = ilk_now();
	int rc;

	make_entries(worker, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t message = (uint64_t)worker << 32 | (uint64_t)(t->intended + (int64_t)i);

		memset(batch + i * length, 0, length);
		memcpy(batch + i * length, &message, sizeof message);
	}
	/* A successor goes on behind what may be in. */
	ilk_store_release_(&t->intended, t->intended + (int64_t)n);
	rc = many ? ilk_queue_put_many(h, batch, length, n, &put, ilk_after_ms(ilk_test_limit_ms()))
		  : ilk_queue_put(h, batch, length, ilk_after_ms(ilk_test_limit_ms()));
	CHECK_RC(rc, 0);
	assert_int_equal(put, n);
	for (size_t i = 0; i < n; i++)
		ilk_or_full_(entry_of((uint64_t)worker << 32 |
				      (uint64_t)(t->intended - (int64_t)n + (int64_t)i)),
			(uint8_t)IS_IN);
	t->done += (int64_t)n;
	if (ilk_now() - since > t->longest)
		t->longest = ilk_now() - since;
	return 0;
}

static void reserve_some(struct ilk_queue_handle *h, unsigned worker)
{
	struct tally *t = tally_of(worker);
	uint64_t message = (uint64_t)worker << 32 | (uint64_t)t->intended;
	void *where;

	make_entries(worker, 1);
	CHECK_RC(ilk_queue_reserve(h, length, &where, ilk_after_ms(ilk_test_limit_ms())), 0);
	memcpy(where, &message, sizeof message);
	dawdle(worker, 30);
	if (random_below(worker, 4) == 0) {
		CHECK_RC(ilk_queue_abort(h), 0);
		return;
	}
	ilk_store_release_(&t->intended, t->intended + 1);
	CHECK_RC(ilk_queue_commit(h, length), 0);
	ilk_or_full_(entry_of(message), (uint8_t)IS_IN);
	t->done++;
}

/* --- getting --- */

/*
 * Its ledger: IS_IN, the putter knows that it is in; 1, it was delivered; ACKS, its holder is about
 * to ack; DONE. A holder killed after the ack has not noted DONE: with ACKS it is not lost.
 */
static void note(unsigned worker, const char *data, size_t bytes, int is_again)
{
	uint64_t message;
	uint8_t *entry;
	int64_t *seen;

	assert_int_equal(bytes, length);
	memcpy(&message, data, sizeof message);
	assert_in_range(message >> 32, 0, WORKERS - 1);
	entry = entry_of(message);
	assert_int_equal(ilk_load_relaxed_(entry) & DONE, 0);
	/* Another's and the putter's notes may be on their way. */
	ilk_or_full_(entry, (uint8_t)1);
	if (!by_lease && length > ILK_QUEUE_COPY_BYTES)
		is_again = 1; /* it cannot be told */
	seen = &last[worker * WORKERS + (message >> 32)];
	if (!is_again) {
		assert_true((int64_t)(uint32_t)message >= *seen);
		*seen = (uint32_t)message + 1;
	}
	if (!by_lease)
		ilk_or_full_(entry, (uint8_t)DONE);
}

/*
 * 0: there was nothing. When the time is over, putters may still wait for room: until all is out.
 */
static ilk_time patience(void)
{
	return ilk_after_ms(time_is_over() ? 300 : 5);
}

static int get_some(struct ilk_queue_handle *h, unsigned worker)
{
	char buf[LONG];
	size_t bytes;
	int rc = ilk_queue_get(h, buf, sizeof buf, &bytes, patience());

	if (rc == -ETIMEDOUT)
		return 0;
	CHECK_RC(rc, 0);
	note(worker, buf, bytes, 0);
	tally_of(worker)->done++;
	return 1;
}

static int lease_some(struct ilk_queue_handle *h, unsigned worker)
{
	struct ilk_queue_lease l;
	uint64_t message;
	int rc = ilk_queue_lease(h, &l, patience());

	if (rc == -ETIMEDOUT)
		return 0;
	CHECK_RC(rc, 0);
	note(worker, l.data, l.bytes, l.deliveries > 1);
	memcpy(&message, l.data, sizeof message);
	dawdle(worker, 30);
	if (random_below(worker, 16) == 0) {
		CHECK_RC(ilk_queue_nack(h, &l), 0);
		return 1;
	}
	ilk_or_full_(entry_of(message), (uint8_t)ACKS);
	CHECK_RC(ilk_queue_ack(h, &l), 0);
	ilk_or_full_(entry_of(message), (uint8_t)DONE);
	tally_of(worker)->done++;
	return 1;
}

/* --- crews --- */

static struct ilk_queue_handle handle_in(struct ilk_segment *seg)
{
	struct ilk_queue_handle h;
	struct ilk_queue *q;

	CHECK_RC(ilk_queue_open(seg, "queue", &options, &q), 0);
	CHECK_RC(ilk_queue_attach(q, &h), 0);
	return h;
}

static int work_once(struct ilk_queue_handle *h, unsigned worker)
{
	int any = !time_is_over();

	if (!is_putter(worker)) {
		any |= (by_lease ? lease_some : get_some)(h, worker);
	} else {
		if (!many && random_below(worker, 4) == 0)
			reserve_some(h, worker);
		else
			put_some(h, worker);
	}
	dawdle(worker, 40);
	return any;
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct ilk_queue_handle h = handle_in(seg);

	while (work_once(&h, worker))
		continue;
	ilk_segment_close(seg);
}

static struct ilk_segment *common;

/* A thread ends after a while; with a lease, or a reservation, in its hand. */
static void work_together(unsigned worker)
{
	struct ilk_queue_handle h = handle_in(common);
	struct ilk_queue_lease l;
	void *where;

	for (int i = 0; i < 2000 && work_once(&h, worker); i++)
		continue;
	if (is_putter(worker))
		ilk_queue_reserve(&h, length, &where, ilk_after_ms(5));
	else if (by_lease)
		ilk_queue_lease(&h, &l, ILK_NOW);
}

static struct ilk_segment *begin(size_t bytes, int lease, int batch, unsigned flags)
{
	const struct ilk_segment_options o = {.size = sizeof o, .flags = flags};

	if (!ledger) {
		ledger = mmap(NULL, WORKERS * (size_t)LEDGER, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		last = mmap(NULL, WORKERS * WORKERS * sizeof *last, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	CHECK(ledger != MAP_FAILED && last != MAP_FAILED);
	CHECK(madvise(ledger, WORKERS * (size_t)LEDGER, MADV_REMOVE) == 0);
	memset(last, 0, WORKERS * WORKERS * sizeof *last);
	by_lease = lease;
	many = batch;
	length = bytes;
	options = (struct ilk_queue_options){
		.size = sizeof options, .capacity = CAPACITY, .message_bytes = LONG};
	strcpy(name, ilk_test_name(""));
	return support_create(name, &o);
}

/* What is left is got by nobody in particular. */
static void drain(struct ilk_queue_handle *h)
{
	struct ilk_queue_lease l;
	int was = by_lease;

	by_lease = 1;
	while (ilk_queue_lease(h, &l, ilk_after_ms(200)) == 0) {
		uint64_t message;

		note(1, l.data, l.bytes, 1);
		memcpy(&message, l.data, sizeof message);
		ilk_or_full_(entry_of(message), (uint8_t)DONE);
		CHECK_RC(ilk_queue_ack(h, &l), 0);
	}
	by_lease = was;
}

static void account(int64_t *put, int64_t *lost, int64_t *killed)
{
	*put = *lost = *killed = 0;
	for (unsigned w = 0; w < WORKERS; w++) {
		const struct tally *t = tally_of(w);

		*killed += is_putter(w) ? 0 : t->deaths;
		*put += t->halfway;
		*lost += t->lost;
		for (int64_t i = 0; is_putter(w) && i < LEDGER; i++) {
			uint8_t entry = ledger[w * (size_t)LEDGER + (size_t)i];

			*put += (entry & IS_IN) != 0;
			*lost += (entry & IS_IN) && !(entry & (DONE | ACKS));
		}
	}
}

static void check_and_remove(struct ilk_segment *seg)
{
	struct ilk_queue_handle h = handle_in(seg);
	struct ilk_queue_info info = {.size = sizeof info};
	int64_t put, lost, killed;
	char message[LONG] = "";

	drain(&h);
	account(&put, &lost, &killed);
	print_message("%lld put, %lld lost with %lld getters killed\n", (long long)put,
		(long long)lost, (long long)killed);
	assert_true(put > 0);
	assert_in_range(lost, 0, by_lease ? 0 : killed);
	CHECK_RC(ilk_queue_join(h.queue, ILK_NOW), 0);
	CHECK_RC(ilk_queue_info(h.queue, &info), 0);
	assert_int_equal(info.depth + info.leases, 0);
	for (int i = 0; i < CAPACITY; i++)
		CHECK_RC(ilk_queue_put(&h, message, length, ILK_NOW), 0);
	CHECK_RC(ilk_queue_put(&h, message, length, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void run_storm(size_t bytes, int lease, int batch, unsigned flags)
{
	struct ilk_segment *seg = begin(bytes, lease, batch, flags);

	run_processes(work_apart, NULL);
	check_and_remove(seg);
}

static void test_gets_lose_at_most_one_a_killed_getter(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	run_storm(8, 0, 0, 0);
}

static void test_long_gets_lose_at_most_one_a_killed_getter(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	run_storm(LONG, 0, 1, 0);
}

static void test_leases_lose_nothing(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	run_storm(8, 1, 0, 0);
}

static void test_leases_lose_nothing_in_a_fenced_segment(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	run_storm(64, 1, 1, ILK_SEGMENT_FENCED);
}

static void run_thread_storm(int lease)
{
	common = begin(64, lease, 0, 0);
	run_threads(work_together);
	check_and_remove(common);
}

static void test_threads_that_end_lose_nothing(void **state)
{
	(void)state;
	run_thread_storm(0);
}

static void test_threads_that_end_with_a_lease_lose_nothing(void **state)
{
	(void)state;
	run_thread_storm(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_gets_lose_at_most_one_a_killed_getter),
		STRESS_TEST(test_long_gets_lose_at_most_one_a_killed_getter),
		STRESS_TEST(test_leases_lose_nothing),
		STRESS_TEST(test_leases_lose_nothing_in_a_fenced_segment),
		STRESS_TEST(test_threads_that_end_lose_nothing),
		STRESS_TEST(test_threads_that_end_with_a_lease_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
