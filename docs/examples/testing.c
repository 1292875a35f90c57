/*
 * testing.c - a test of four processes, one of which is killed at the worst moment.
 *
 * Each sells one apple: there must be one less left, and one more sold, whoever dies in between. The
 * test kills the seller between the two, and checks what the next one finds.
 */
#include <ilk.h>
#include <ilk/cmocka.h>

enum { APPLES = 10, SELLERS = 4 };

/* What the processes share. */
struct stall {
	struct ilk_mutex mutex;
	int left, sold;
};

static struct stall *open_stall(struct ilk_segment *seg)
{
	void *memory = NULL;

	assert_int_equal(ilk_block_open(seg, "stall", sizeof(struct stall), &memory), 0);
	return memory;
}

static void lock(struct stall *stall)
{
	int rc = ilk_mutex_lock(&stall->mutex);

	assert_true(rc >= 0);
	if (rc & ILK_RECOVERED) {
		stall->sold = APPLES - stall->left;
		assert_int_equal(ilk_mutex_repaired(&stall->mutex), 0);
	}
}

static void sell_one(struct stall *stall)
{
	lock(stall);
	stall->left--;
	ilk_test_point("between");
	stall->sold++;
	assert_int_equal(stall->left + stall->sold, APPLES);
	assert_int_equal(ilk_mutex_unlock(&stall->mutex), 0);
}

/* In each process of ilk_test_run. */
static void be_seller(struct ilk_segment *seg, unsigned index, void *arg)
{
	(void)index, (void)arg;
	sell_one(open_stall(seg));
}

/* In the child that is killed. */
static void be_unlucky(void *seg)
{
	sell_one(open_stall(seg));
}

static void test_sellers_do_not_lose_an_apple(void **state)
{
	const struct ilk_test_options apart = {.size = sizeof apart, .flags = ILK_TEST_REOPEN};
	struct ilk_segment *seg = ilk_test_create("");
	struct stall *stall = open_stall(seg);

	(void)state;
	assert_int_equal(ilk_mutex_init(seg, &stall->mutex, "stall", NULL), 0);
	stall->left = APPLES;
	ilk_test_kill_at(ilk_test_start_to("between", 1, be_unlucky, seg), "between");
	assert_int_equal(stall->left + stall->sold, APPLES - 1); /* one is in nobody's hands */
	ilk_test_run(SELLERS, seg, be_seller, NULL, &apart);
	assert_int_equal(stall->sold, 1 + SELLERS);

	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	ilk_test_assert_nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {ILK_TEST(test_sellers_do_not_lose_an_apple)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
