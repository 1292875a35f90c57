/* permits.c - acquire, try, until, release, of one and of several; what misuse returns. */
#include "permits_fixture.h"
#include <errno.h>
#include <pthread.h>

/* --- one and several --- */

static void test_acquire_takes_and_release_gives_back(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= FIVE; n++) {
		CHECK_RC(ilk_permits_acquire(p, n), 0);
		assert_int_equal(left_of(p), FIVE - n);
		CHECK_RC(ilk_permits_release(p, n), 0);
		assert_int_equal(left_of(p), FIVE);
	}
	for (unsigned n = 1; n <= FIVE; n++)
		CHECK_RC(ilk_permits_acquire(p, 1), 0);
	assert_int_equal(left_of(p), 0);
	CHECK_RC(ilk_permits_release(p, 2), 0);
	CHECK_RC(ilk_permits_release(p, 1), 0);
	CHECK_RC(ilk_permits_try_acquire(p, 3), 0);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
	assert_int_equal(left_of(p), FIVE);
}

static int acquire_one(void *permits)
{
	return ilk_permits_acquire(permits, 1);
}

static int release_one(void *permits)
{
	return ilk_permits_release(permits, 1);
}

static void child_has_none(void *permits)
{
	CHECK_RC(ilk_permits_release(permits, 1), -EPERM);
	CHECK_RC(ilk_permits_try_acquire(permits, 2), 0);
	CHECK_RC(ilk_permits_release(permits, 3), -EPERM);
	CHECK_RC(ilk_permits_release(permits, 2), 0);
}

static void test_release_of_what_is_not_ones_own_is_EPERM(void **state)
{
	struct ilk_permits *const both[] = {p, shared};

	(void)state;
	for (int i = 0; i < 2; i++) {
		CHECK_RC(ilk_permits_release(both[i], 1), -EPERM);
		CHECK_RC(ilk_permits_acquire(both[i], 2), 0);
		CHECK_RC(ilk_permits_release(both[i], 3), -EPERM);
		CHECK_RC(ilk_permits_release(both[i], FIVE + 1), -EPERM);
		assert_int_equal(left_of(both[i]), 3);
		ilk_test_in_child(child_has_none, both[i]);
		assert_int_equal(left_of(both[i]), 3);
		CHECK_RC(ilk_permits_release(both[i], 2), 0);
		CHECK_RC(ilk_permits_release(both[i], 1), -EPERM);
	}
}

static void test_release_by_another_thread_is_EPERM_but_for_a_process(void **state)
{
	(void)state;
	CHECK_RC(ilk_permits_acquire(p, 1), 0);
	assert_int_equal(support_in_thread(release_one, p), -EPERM);
	CHECK_RC(ilk_permits_release(p, 1), 0);
	CHECK_RC(ilk_permits_acquire(shared, 1), 0);
	CHECK_RC(support_in_thread(release_one, shared), 0);
	/* One that a thread took which has ended. */
	CHECK_RC(support_in_thread(acquire_one, shared), 0);
	assert_int_equal(left_of(shared), FIVE - 1);
	CHECK_RC(ilk_permits_release(shared, 1), 0);
	CHECK_RC(ilk_permits_release(shared, 1), -EPERM);
}

/* --- waiting --- */

static void test_acquire_of_more_than_can_be_had_is_an_error(void **state)
{
	struct holding h = {shared, 2, 0};

	(void)state;
	CHECK_RC(ilk_permits_acquire(p, FIVE + 1), -EINVAL);
	CHECK_RC(ilk_permits_acquire(p, 0), -EINVAL);
	CHECK_RC(ilk_permits_release(p, 0), -EINVAL);
	CHECK_RC(ilk_permits_acquire(p, 3), 0);
	CHECK_RC(ilk_permits_acquire(p, 3), -EDEADLK);
	CHECK_RC(ilk_permits_try_acquire(p, 2), 0);
	CHECK_RC(ilk_permits_acquire(p, 1), -EDEADLK);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
	/* Another thread of the process might release some. */
	CHECK_RC(ilk_permits_acquire(shared, 3), 0);
	CHECK_RC(ilk_permits_acquire_until(shared, 3, ilk_after_ms(5)), -ETIMEDOUT);
	ilk_test_kill(start_holder(&h));
	CHECK_RC(ilk_permits_release(shared, 3), 0);
}

static void test_acquire_in_vain_gives_back_what_it_had(void **state)
{
	struct holding h = {p, 2, 0};
	struct ilk_test_child *child = start_holder(&h);
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_permits_try_acquire(p, 4), -EAGAIN);
	CHECK_RC(ilk_permits_acquire_until(p, 4, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_permits_acquire_until(p, 4, 1), -ETIMEDOUT);
	CHECK_RC(ilk_permits_acquire_until(p, 4, began + 70 * 1000000), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 70 * 1000000);
	assert_int_equal(left_of(p), 3);
	CHECK_RC(ilk_permits_acquire(p, 3), 0);
	CHECK_RC(ilk_permits_try_acquire(p, 1), -EAGAIN);
	CHECK_RC(ilk_permits_acquire_until(p, 1, ilk_after_ms(30)), -ETIMEDOUT);
	CHECK_RC(ilk_permits_release(p, 3), 0);
	ilk_test_kill(child);
}

static void acquire_and_release(void *arg)
{
	const struct holding *h = arg;

	CHECK_RC(ilk_permits_acquire(h->permits, h->count), 0);
	ilk_test_say(h->step);
	CHECK_RC(ilk_permits_release(h->permits, h->count), 0);
}

static void test_release_wakes_as_many_as_it_can_serve(void **state)
{
	enum { SLEEPERS = 3 };
	struct ilk_test_child *children[SLEEPERS];
	struct holding h = {p, 1, 0};

	(void)state;
	CHECK_RC(ilk_permits_acquire(p, FIVE), 0);
	for (int i = 0; i < SLEEPERS; i++)
		children[i] = ilk_test_start(acquire_and_release, &h);
	ilk_test_await_sleepers(name, SLEEPERS);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
	for (int i = 0; i < SLEEPERS; i++)
		ilk_test_join(children[i]);
	assert_int_equal(left_of(p), FIVE);
}

/* A sleeper that nobody wakes finds out by itself, but hardly ever so soon after it fell asleep. */
static void test_release_wakes_at_once(void **state)
{
	enum { ROUNDS = 12 };
	struct holding h = {p, FIVE, 0};
	int soon = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct ilk_test_child *child;
		ilk_time released;

		ilk_test_board()->step[0] = 0;
		CHECK_RC(ilk_permits_acquire(p, FIVE), 0);
		child = ilk_test_start(acquire_and_release, &h);
		ilk_test_await_sleepers(name, 1);
		released = ilk_now();
		CHECK_RC(ilk_permits_release(p, FIVE), 0);
		while (!ilk_test_was_said(0))
			ilk_pause_();
		soon += ilk_now() - released < 8 * 1000000;
		ilk_test_join(child);
	}
	assert_true(soon >= ROUNDS / 4 || support_slow());
}

static void test_one_at_the_gate_keeps_what_comes_free(void **state)
{
	struct holding h = {p, 4, 0};
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_permits_acquire(p, 3), 0);
	child = ilk_test_start(acquire_and_release, &h);
	ilk_test_await_sleepers(name, 1);
	/* It has the two that were free: for one who wants one, and for one who wants several. */
	assert_int_equal(left_of(p), 0);
	CHECK_RC(ilk_permits_try_acquire(p, 1), -EAGAIN);
	CHECK_RC(ilk_permits_try_acquire(p, 2), -EAGAIN);
	assert_false(ilk_test_was_said(0));
	CHECK_RC(ilk_permits_release(p, 1), 0);
	CHECK_RC(ilk_permits_release(p, 1), 0);
	ilk_test_join(child);
	CHECK_RC(ilk_permits_release(p, 1), 0);
	assert_int_equal(left_of(p), FIVE);
}

static void acquire_again_and_again(void *arg)
{
	const struct holding *h = arg;

	for (int i = 0; i < (support_slow() ? 100 : 2000); i++) {
		CHECK_RC(ilk_permits_acquire(h->permits, h->count), 0);
		CHECK_RC(ilk_permits_release(h->permits, h->count), 0);
	}
}

static void test_acquirers_of_several_do_not_deadlock(void **state)
{
	struct holding three = {p, 3, 0}, four = {p, 4, 0}, one = {p, 1, 0};
	struct ilk_test_child *children[] = {ilk_test_start(acquire_again_and_again, &three),
		ilk_test_start(acquire_again_and_again, &three),
		ilk_test_start(acquire_again_and_again, &four),
		ilk_test_start(acquire_again_and_again, &one)};

	(void)state;
	for (int i = 0; i < 4; i++)
		ilk_test_join(children[i]);
	assert_int_equal(left_of(p), FIVE);
}

/* --- closing --- */

static void *acquire_in_vain(void *arg)
{
	const struct holding *h = arg;

	CHECK_RC(ilk_permits_acquire(h->permits, h->count), -ECANCELED);
	return NULL;
}

/* One that collects, one behind it at the gate, and one that wants one. */
static void close_on_sleepers(void *arg)
{
	enum { SLEEPERS = 3 };
	static const unsigned wanted[SLEEPERS] = {5, 2, 1};
	struct holding h[SLEEPERS];
	pthread_t threads[SLEEPERS];
	struct ilk_permits *permits;

	(void)arg;
	seg = support_open(name);
	CHECK_RC(ilk_permits_open(seg, "threads'", &five, &permits), 0);
	for (int i = 0; i < SLEEPERS; i++) {
		h[i] = (struct holding){permits, wanted[i], 0};
		CHECK(pthread_create(&threads[i], NULL, acquire_in_vain, &h[i]) == 0);
		ilk_test_await_sleepers(name, i + 1);
	}
	ilk_segment_close(seg);
	for (int i = 0; i < SLEEPERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void test_acquire_asleep_when_close_begins_is_ECANCELED(void **state)
{
	(void)state;
	CHECK_RC(ilk_permits_acquire(p, 2), 0);
	ilk_test_in_child(close_on_sleepers, NULL);
	assert_int_equal(left_of(p), 3);
	CHECK_RC(ilk_permits_acquire(p, 3), 0);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
}

/* --- what is none --- */

static void test_calls_on_what_is_no_permits_are_EINVAL(void **state)
{
	ILK_PERMITS(FIVE) outside;
	struct ilk_permits_holder holder;
	unsigned left;
	size_t count;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_permits *const wrong[] = {&outside.permits, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_permits_acquire(wrong[i], 1), -EINVAL);
		CHECK_RC(ilk_permits_try_acquire(wrong[i], 2), -EINVAL);
		CHECK_RC(ilk_permits_acquire_until(wrong[i], 1, ilk_after_ms(10)), -EINVAL);
		CHECK_RC(ilk_permits_release(wrong[i], 1), -EINVAL);
		CHECK_RC(ilk_permits_left(wrong[i], &left), -EINVAL);
		CHECK_RC(ilk_permits_holders(wrong[i], &holder, 1, &count), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PERMITS_TEST(test_acquire_takes_and_release_gives_back),
		PERMITS_TEST(test_release_of_what_is_not_ones_own_is_EPERM),
		PERMITS_TEST(test_release_by_another_thread_is_EPERM_but_for_a_process),
		PERMITS_TEST(test_acquire_of_more_than_can_be_had_is_an_error),
		PERMITS_TEST(test_acquire_in_vain_gives_back_what_it_had),
		PERMITS_TEST(test_release_wakes_as_many_as_it_can_serve),
		PERMITS_TEST(test_release_wakes_at_once),
		PERMITS_TEST(test_one_at_the_gate_keeps_what_comes_free),
		PERMITS_TEST(test_acquirers_of_several_do_not_deadlock),
		PERMITS_TEST(test_acquire_asleep_when_close_begins_is_ECANCELED),
		PERMITS_TEST(test_calls_on_what_is_no_permits_are_EINVAL),
	};

	return RUN_PERMITS_TESTS(tests);
}
