/* condition.c - what `ilk wait-for` takes for so: on made-up inspections, which real ones seldom are. */
#include "ilk/wait_condition.h"
#include "support.h"
#include <string.h>

static struct ilk_object_info objects[2];
static struct ilk_inspection in = {.object_count = 2, .objects = objects};
static char why[WAIT_WHY];

static int setup(void **state)
{
	(void)state;
	memset(objects, 0, sizeof objects);
	objects[0] = (struct ilk_object_info){.name = "jobs",
		.type = "queue",
		.state = "3 of 8, closed",
		.owner = ILK_NO_INDEX,
		.depth = 3,
		.capacity = 8,
		.put = 10,
		.got = 5,
		.leases = 2,
		.closed = 1,
		.waiters = 4,
		.acquired = 5,
		.openers = 6};
	objects[1] = (struct ilk_object_info){
		.name = "stock", .type = "mutex", .state = "free", .owner = ILK_NO_INDEX};
	return 0;
}

static enum wait_verdict test_of(const char *object, const char *text)
{
	struct wait_condition c;

	if (wait_condition_read(text, &c, why) < 0)
		return WAIT_NEVER;
	return wait_condition_test(&c, &in, object, why);
}

static void test_queues_have_depth_leases_and_an_end(void **state)
{
	static const char *const met[] = {"depth==3", "depth<4", "capacity==8", "leases==2",
		"put>=10", "got!=4", "closed", "state~closed", "waiters==4"};
	static const char *const unmet[] = {"depth==0", "leases==0", "put>10", "state==closed"};

	(void)state;
	for (size_t i = 0; i < sizeof met / sizeof *met; i++)
		assert_int_equal(test_of("jobs", met[i]), WAIT_MET);
	for (size_t i = 0; i < sizeof unmet / sizeof *unmet; i++)
		assert_int_equal(test_of("jobs", unmet[i]), WAIT_NOT_YET);
	objects[0].closed = 0;
	assert_int_equal(test_of("jobs", "closed"), WAIT_NOT_YET);
	assert_int_equal(test_of("stock", "depth==0"), WAIT_NEVER);
	assert_int_equal(test_of("stock", "closed"), WAIT_NEVER);
}

/* What is put together of several words may never have been so. */
static void test_mixed_is_not_yet(void **state)
{
	static const char *const all[] = {"depth==3", "capacity==8", "leases==2", "put>=10",
		"got==5", "closed", "free", "held", "holders==0", "owner-dead", "value==0",
		"state~closed", "state!=x"};
	static const char *const met[] = {
		"exists", "waiters==4", "acquired==5", "contended==0", "openers==6"};

	(void)state;
	objects[0].mixed = 1;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(test_of("jobs", all[i]), WAIT_NOT_YET);
		CHECK(strstr(why, "changed at each look"));
	}
	for (size_t i = 0; i < sizeof met / sizeof *met; i++)
		assert_int_equal(test_of("jobs", met[i]), WAIT_MET);
	assert_int_equal(test_of("jobs", "gone"), WAIT_NOT_YET);
	assert_int_equal(test_of("stock", "free"), WAIT_MET);
	objects[0].mixed = 0;
	assert_int_equal(test_of("jobs", "depth==3"), WAIT_MET);
}

static void test_damaged_is_told(void **state)
{
	(void)state;
	strcpy(objects[0].damage, "its tag");
	assert_int_equal(test_of("jobs", "depth==3"), WAIT_DAMAGED);
	assert_int_equal(test_of("jobs", "damaged"), WAIT_MET);
	assert_int_equal(test_of("jobs", "exists"), WAIT_MET);
	assert_int_equal(test_of("stock", "damaged"), WAIT_NOT_YET);
}

static void test_what_is_not_there_is_gone(void **state)
{
	(void)state;
	assert_int_equal(test_of("none", "gone"), WAIT_MET);
	assert_int_equal(test_of("none", "exists"), WAIT_NOT_YET);
	assert_int_equal(test_of("none", "depth==0"), WAIT_NOT_YET);
	objects[0].removed = 1;
	assert_int_equal(test_of("jobs", "gone"), WAIT_MET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_queues_have_depth_leases_and_an_end, setup),
		cmocka_unit_test_setup(test_mixed_is_not_yet, setup),
		cmocka_unit_test_setup(test_damaged_is_told, setup),
		cmocka_unit_test_setup(test_what_is_not_there_is_gone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
