/* barrier.c - phases, the elected one, places, attaching and detaching. */
#include "barrier_fixture.h"

static void test_wait_with_one_party_is_ELECTED_each_time(void **state)
{
	struct ilk_barrier *b = open_barrier(1, 0);

	(void)state;
	for (int i = 0; i < 5; i++)
		CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	assert_int_equal(status_of(b).phases, 5);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_three_parties_go_on_together_and_one_is_ELECTED(void **state)
{
	struct ilk_barrier *b = open_barrier(3, 0);
	struct waiter w[2];
	int rc, elected = 0;

	(void)state;
	start_waiter(&w[0], b);
	start_waiter(&w[1], b);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	assert_int_equal(status_of(b).arrived, 2);
	assert_int_equal(status_of(b).phases, 0);
	rc = ilk_barrier_wait(b);
	elected += rc == ILK_ELECTED;
	for (int i = 0; i < 2; i++)
		elected += join_waiter(&w[i]) == ILK_ELECTED;
	assert_int_equal(elected, 1);
	assert_true(rc >= 0 && w[0].rc >= 0 && w[1].rc >= 0);
	assert_int_equal(status_of(b).phases, 1);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- many phases --- */

enum { CREW = 4, PHASES = 3000 };

struct crew {
	struct ilk_barrier *barrier;
	uint32_t at[CREW]; /* the phase each is in; by it alone */
	uint32_t elected[PHASES];
};

struct hand {
	struct crew *crew;
	unsigned me;
};

/* Nobody is a phase ahead of one who has not arrived. */
static void *cross_many(void *arg)
{
	struct hand *h = arg;
	struct crew *c = h->crew;
	unsigned phases = support_slow() ? PHASES / 10 : PHASES;

	for (unsigned phase = 0; phase < phases; phase++) {
		int rc;

		ilk_store_relaxed_(&c->at[h->me], phase);
		rc = ilk_barrier_wait(c->barrier);
		CHECK(rc == 0 || rc == ILK_ELECTED);
		if (rc == ILK_ELECTED)
			ilk_add_relaxed_(&c->elected[phase], 1u);
		for (unsigned i = 0; i < CREW; i++) {
			uint32_t at = ilk_load_relaxed_(&c->at[i]);

			CHECK(at == phase || at == phase + 1);
		}
	}
	ilk_store_relaxed_(&c->at[h->me], phases);
	CHECK_RC(ilk_barrier_wait(c->barrier) & ~ILK_ELECTED, 0);
	CHECK_RC(ilk_barrier_detach(c->barrier), 0);
	return NULL;
}

static void check_elected(const struct crew *c)
{
	for (unsigned i = 0; i < (support_slow() ? PHASES / 10 : PHASES); i++)
		if (c->elected[i] != 1)
			ilk_test_fail("%u were elected in phase %u", c->elected[i], i);
}

static void test_threads_stay_in_step_with_one_ELECTED_a_phase(void **state)
{
	static struct crew crew;
	pthread_t threads[CREW];
	struct hand hands[CREW];

	(void)state;
	crew = (struct crew){.barrier = open_barrier(CREW, 0)};
	for (unsigned i = 0; i < CREW; i++) {
		hands[i] = (struct hand){&crew, i};
		CHECK(pthread_create(&threads[i], NULL, cross_many, &hands[i]) == 0);
	}
	for (unsigned i = 0; i < CREW; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	check_elected(&crew);
}

static void cross_many_apart(void *hand)
{
	cross_many(hand);
}

static void test_processes_stay_in_step_with_one_ELECTED_a_phase(void **state)
{
	struct ilk_test_child *children[CREW];
	struct hand hands[CREW];
	struct crew *crew;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "crew", sizeof *crew, &block), 0);
	crew = block;
	crew->barrier = open_barrier(CREW, 0); /* the children inherit the mapping */
	for (unsigned i = 0; i < CREW; i++) {
		hands[i] = (struct hand){crew, i};
		children[i] = ilk_test_start(cross_many_apart, &hands[i]);
	}
	for (unsigned i = 0; i < CREW; i++)
		ilk_test_join(children[i]);
	check_elected(crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARRIER_TEST(test_wait_with_one_party_is_ELECTED_each_time),
		BARRIER_TEST(test_three_parties_go_on_together_and_one_is_ELECTED),
		BARRIER_TEST(test_threads_stay_in_step_with_one_ELECTED_a_phase),
		BARRIER_TEST(test_processes_stay_in_step_with_one_ELECTED_a_phase),
	};

	return RUN_BARRIER_TESTS(tests);
}
