/*
 * semaphore_posix.c - the sem_t in a semaphore beside the C library's own calls, and named semaphores
 * of other programs.
 */
#include "semaphore_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

static char posix_name[64];

static int posix_setup(void **state)
{
	if (semaphore_setup(state) < 0)
		return -1;
	snprintf(posix_name, sizeof posix_name, "/%s", name);
	return 0;
}

static int posix_teardown(void **state)
{
	sem_unlink(posix_name);
	return semaphore_teardown(state);
}

#define POSIX_TEST(f) cmocka_unit_test_setup_teardown(f, posix_setup, posix_teardown)

/* --- the sem_t in ours --- */

static void test_posix_calls_see_and_change_the_same_value(void **state)
{
	sem_t *sem = ilk_semaphore_posix(s);
	int value = -1;

	(void)state;
	CHECK_RC(ilk_semaphore_post_n(s, 2), 0);
	CHECK_RC(sem_getvalue(sem, &value), 0);
	assert_int_equal(value, 2);
	CHECK_RC(sem_post(sem), 0);
	assert_int_equal(value_of(s), 3);
	CHECK_RC(sem_trywait(sem), 0);
	CHECK_RC(ilk_semaphore_wait(s), 0);
	CHECK_RC(sem_wait(sem), 0);
	CHECK(sem_trywait(sem) < 0 && errno == EAGAIN);
	CHECK_RC(ilk_semaphore_try_wait(s), -EAGAIN);
}

static uint64_t waiters_of(const struct ilk_semaphore *semaphore)
{
	return ilk_load_relaxed_((const uint64_t *)(const void *)&semaphore->posix) >> 32;
}

static int is_waited_for(void *semaphore)
{
	return waiters_of(semaphore) == 1;
}

static void wait_as_posix_does(void *semaphore)
{
	CHECK_RC(sem_wait(ilk_semaphore_posix(semaphore)), 0);
}

static void wait_as_ilk_does(void *semaphore)
{
	CHECK_RC(ilk_semaphore_wait(semaphore), 0);
}

/* The C library counts its sleepers where we do; it would not wake ours, nor we its, else. */
static void test_post_wakes_a_sleeper_of_sem_wait(void **state)
{
	struct ilk_test_child *child = ilk_test_start(wait_as_posix_does, s);

	(void)state;
	ilk_test_until(is_waited_for, s);
	ilk_test_sleep_ms(20);
	CHECK_RC(ilk_semaphore_post(s), 0);
	ilk_test_join(child);
	assert_int_equal(value_of(s), 0);
	assert_int_equal(waiters_of(s), 0);
}

static void test_sem_post_finds_a_sleeper_counted(void **state)
{
	struct ilk_test_child *child = ilk_test_start(wait_as_ilk_does, s);

	(void)state;
	ilk_test_await_sleepers(name, 1);
	assert_int_equal(waiters_of(s), 1);
	CHECK_RC(sem_post(ilk_semaphore_posix(s)), 0);
	ilk_test_join(child);
	assert_int_equal(value_of(s), 0);
	assert_int_equal(waiters_of(s), 0);
}

/* --- others' --- */

static void wait_for_named(void *arg)
{
	sem_t *sem = NULL;

	(void)arg;
	CHECK_RC(ilk_semaphore_open_posix(posix_name, NULL, &sem), 0);
	ilk_test_say(0);
	CHECK_RC(ilk_semaphore_wait_posix(sem, ILK_FOREVER), 0);
	CHECK_RC(ilk_semaphore_wait_posix(sem, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(sem_close(sem), 0);
}

static void test_wait_posix_takes_what_another_program_posts(void **state)
{
	sem_t *sem = sem_open(posix_name, O_CREAT | O_EXCL, 0600, 1);
	struct ilk_test_child *child;

	(void)state;
	CHECK(sem != SEM_FAILED);
	child = ilk_test_start(wait_for_named, NULL);
	ilk_test_await(0);
	ilk_test_sleep_ms(20);
	CHECK_RC(sem_post(sem), 0);
	ilk_test_join(child);
	CHECK_RC(ilk_semaphore_wait_posix(sem, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_semaphore_wait_posix(sem, ilk_after_ms(60)), -ETIMEDOUT);
	CHECK_RC(ilk_semaphore_wait_posix(NULL, ILK_NOW), -EINVAL);
	assert_int_equal(*(const uint64_t *)(const void *)sem, 0);
	CHECK_RC(sem_close(sem), 0);
}

static void test_open_posix_finds_or_makes(void **state)
{
	struct ilk_posix_options o = {.size = sizeof o, .value = 2};
	sem_t *sem = NULL, *again = NULL;
	struct stat facts;
	char path[96];

	(void)state;
	CHECK_RC(ilk_semaphore_open_posix(posix_name, NULL, &sem), -ENOENT);
	assert_non_null(strstr(ilk_last_error(), posix_name));
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &o, &sem), -ENOENT);
	o.flags = ILK_POSIX_CREATE | ILK_POSIX_EXCLUSIVE;
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &o, &sem), 0);
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &o, &again), -EEXIST);
	o.flags = ILK_POSIX_CREATE;
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &o, &again), 0);
	for (int i = 0; i < 2; i++)
		CHECK_RC(ilk_semaphore_wait_posix(sem, ILK_NOW), 0);
	CHECK_RC(ilk_semaphore_wait_posix(sem, ILK_NOW), -ETIMEDOUT);
	snprintf(path, sizeof path, "/dev/shm/sem.%s", posix_name + 1);
	CHECK(stat(path, &facts) == 0 && (facts.st_mode & 0777) == 0600);
	CHECK_RC(sem_close(again), 0);
	CHECK_RC(sem_close(sem), 0);
}

static void test_open_posix_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_posix_options unknown = {.size = sizeof unknown, .flags = 0x80};
	const struct ilk_posix_options no_size = {.flags = ILK_POSIX_CREATE};
	const struct ilk_posix_options much = {
		.size = sizeof much, .value = ILK_SEMAPHORE_MAX + 1, .flags = ILK_POSIX_CREATE};
	sem_t *sem = NULL;

	(void)state;
	CHECK_RC(ilk_semaphore_open_posix(NULL, NULL, &sem), -EINVAL);
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &unknown, &sem), -EINVAL);
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &no_size, &sem), -EINVAL);
	CHECK_RC(ilk_semaphore_open_posix(posix_name, &much, &sem), -EINVAL);
	CHECK_RC(ilk_semaphore_open_posix("/two/parts", NULL, &sem), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POSIX_TEST(test_posix_calls_see_and_change_the_same_value),
		POSIX_TEST(test_post_wakes_a_sleeper_of_sem_wait),
		POSIX_TEST(test_sem_post_finds_a_sleeper_counted),
		POSIX_TEST(test_wait_posix_takes_what_another_program_posts),
		POSIX_TEST(test_open_posix_finds_or_makes),
		POSIX_TEST(test_open_posix_with_bad_arguments_is_EINVAL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
