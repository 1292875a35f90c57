/* rows_permits.c - what the permits' row says of corrupt states; removal and repair. */
#include "segment/types.h"
#include "support.h"
#include "sync/permits.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { TWO = 2, SLEEPERS = 3 };

static struct ilk_segment *seg;
static struct ilk_permits *p;

static const struct ilk_type_ *row(void)
{
	return ilk_type_(ILK_TYPE_PERMITS_);
}

static void open_permits(unsigned flags)
{
	const struct ilk_permits_options two = {.size = sizeof two, .permits = TWO, .flags = flags};

	CHECK_RC(ilk_segment_create(ilk_test_name(""), NULL, &seg), 0);
	CHECK_RC(ilk_permits_open(seg, "p", &two, &p), 0);
}

static void close_all(void)
{
	ilk_segment_unlink(ilk_test_name(""));
	ilk_segment_close(seg);
}

static const char *wrong(void)
{
	return row()->valid(&seg->map, p, ILK_PERMITS_BYTES(TWO));
}

/* With OWNER in a cell. */
static const char *wrong_with(uint64_t owner)
{
	const char *what;

	ilk_permits_cells_(p)[1] = owner;
	what = wrong();
	ilk_permits_cells_(p)[1] = 0;
	return what ? what : "";
}

static void test_valid_corrupt_permits_say_what(void **state)
{
	(void)state;
	open_permits(0);
	CHECK(wrong() == NULL);
	CHECK(strcmp(wrong_with(ilk_owner_word_(0, 3)), "") == 0);
	CHECK(strstr(wrong_with(77), "neither free") != NULL);
	CHECK(strstr(wrong_with(ilk_permits_process_(0, 1)), "neither free") != NULL);
	CHECK(strstr(wrong_with(ilk_owner_word_(0, 3) | 2), "flags") != NULL);
	CHECK(strstr(wrong_with(ilk_owner_word_(4000, 3)), "does not exist") != NULL);
	CHECK(strstr(row()->valid(&seg->map, p, ILK_PERMITS_BYTES(TWO + 1)), "size") != NULL);
	p->gate.tag ^= 1;
	CHECK(strstr(wrong(), "mutex") != NULL);
	p->gate.tag ^= 1;
	p->flags = 8;
	CHECK(strstr(wrong(), "flags") != NULL);
	p->flags = 0;
	p->tag ^= 1;
	CHECK(strstr(wrong(), "tag") != NULL);
	close_all();
}

static void test_valid_corrupt_permits_of_processes_say_what(void **state)
{
	(void)state;
	open_permits(ILK_PERMITS_PROCESS);
	CHECK(wrong() == NULL);
	CHECK(strcmp(wrong_with(ilk_permits_process_(0, 1)), "") == 0);
	CHECK(strstr(wrong_with(ilk_owner_word_(0, 3)), "neither free") != NULL);
	CHECK(strstr(wrong_with(ilk_permits_process_(4000, 1)), "does not exist") != NULL);
	close_all();
}

/* A number of cells that leads out of the segment is not believed. */
static void test_calls_on_corrupt_permits_are_EINVAL(void **state)
{
	unsigned left;

	(void)state;
	open_permits(0);
	p->count = ILK_PERMITS_MAX;
	for (int i = 0; i < 2; i++) {
		if (i == 0 && ilk_segment_bytes(seg) > ILK_PERMITS_BYTES(ILK_PERMITS_MAX))
			p->count = ILK_PERMITS_MAX + 1;
		CHECK_RC(ilk_permits_acquire(p, 1), -EINVAL);
		CHECK_RC(ilk_permits_release(p, 1), -EINVAL);
		CHECK_RC(ilk_permits_left(p, &left), -EINVAL);
		p->count = 0;
	}
	close_all();
}

static void hold_both(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_permits_acquire(p, TWO), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_repair_frees_what_the_dead_have(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	open_permits(0);
	child = ilk_test_start(hold_both, NULL);
	ilk_test_await(0);
	CHECK(row()->repair(seg, p) == 0);
	CHECK(row()->ready(seg, p) == 0);
	ilk_test_kill(child);
	CHECK(row()->ready(seg, p) == 1);
	CHECK(row()->repair(seg, p) == 1);
	CHECK(row()->repair(seg, p) == 0);
	CHECK(ilk_permits_cells_(p)[0] == 0 && ilk_permits_cells_(p)[1] == 0);
	close_all();
}

static void *acquire_in_vain(void *n)
{
	CHECK_RC(ilk_permits_acquire(p, *(unsigned *)n), -EIDRM);
	return NULL;
}

/* One that collects, one at the gate, and one that wants one. */
static void test_remove_ends_waits_and_lets_holders_release(void **state)
{
	static unsigned wanted[SLEEPERS] = {2, 2, 1};
	pthread_t threads[SLEEPERS];

	(void)state;
	open_permits(0);
	CHECK_RC(ilk_permits_acquire(p, 1), 0);
	for (int i = 0; i < SLEEPERS; i++) {
		CHECK(pthread_create(&threads[i], NULL, acquire_in_vain, &wanted[i]) == 0);
		ilk_test_await_sleepers(ilk_test_name(""), i + 1);
	}
	row()->remove(seg, p);
	for (int i = 0; i < SLEEPERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	row()->remove(seg, p);
	CHECK(wrong() == NULL);
	CHECK_RC(ilk_permits_acquire(p, 1), -EIDRM);
	CHECK_RC(ilk_permits_try_acquire(p, 1), -EIDRM);
	CHECK_RC(ilk_permits_acquire_until(p, 2, ILK_NOW), -EIDRM);
	CHECK_RC(ilk_permits_release(p, 1), 0);
	CHECK(ilk_permits_cells_(p)[0] == 0 && ilk_permits_cells_(p)[1] == 0);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_valid_corrupt_permits_say_what),
		ILK_TEST(test_valid_corrupt_permits_of_processes_say_what),
		ILK_TEST(test_calls_on_corrupt_permits_are_EINVAL),
		ILK_TEST(test_repair_frees_what_the_dead_have),
		ILK_TEST(test_remove_ends_waits_and_lets_holders_release),
	};

	return cmocka_run_group_tests_name("rows of permits", tests, NULL, NULL);
}
