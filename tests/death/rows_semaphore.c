/* rows_semaphore.c - what the semaphore's row says of corrupt states, and what removal does. */
#include "segment/types.h"
#include "support.h"
#include "sync/semaphore.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct ilk_segment *seg;
static struct ilk_semaphore *s;

static const struct ilk_type_ *row(void)
{
	return ilk_type_(ILK_TYPE_SEMAPHORE_);
}

static void open_semaphore(void)
{
	CHECK_RC(ilk_segment_create(ilk_test_name(""), NULL, &seg), 0);
	CHECK_RC(ilk_semaphore_open(seg, "s", NULL, &s), 0);
}

static void close_all(void)
{
	ilk_segment_unlink(ilk_test_name(""));
	ilk_segment_close(seg);
}

static const char *wrong(void)
{
	return row()->valid(&seg->map, s, sizeof *s);
}

static void test_valid_corrupt_semaphore_says_what(void **state)
{
	(void)state;
	open_semaphore();
	CHECK(wrong() == NULL);
	CHECK(strstr(row()->valid(&seg->map, s, sizeof *s - 1), "size") != NULL);
	*ilk_sem_word_(&s->posix) = UINT32_MAX;
	CHECK(strstr(wrong(), "value is too large") != NULL);
	*ilk_sem_word_(&s->posix) = 5 * ILK_SEM_WAITER_ + 7; /* the killed stay counted */
	CHECK(wrong() == NULL);
	s->first = ILK_SEMAPHORE_MAX + 1;
	CHECK(strstr(wrong(), "first") != NULL);
	s->first = 0;
	s->tag ^= 1;
	CHECK(strstr(wrong(), "tag") != NULL);
	close_all();
}

static void test_ready_where_a_permit_is_there(void **state)
{
	(void)state;
	open_semaphore();
	CHECK(row()->ready(seg, s) == 0);
	CHECK_RC(ilk_semaphore_post(s), 0);
	CHECK(row()->ready(seg, s) == 1);
	close_all();
}

static void *wait_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_semaphore_wait(s), -EIDRM);
	return NULL;
}

static void test_remove_ends_waits_and_permits_posts(void **state)
{
	pthread_t thread;

	(void)state;
	open_semaphore();
	CHECK(pthread_create(&thread, NULL, wait_in_vain, NULL) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	row()->remove(seg, s);
	CHECK(pthread_join(thread, NULL) == 0);
	row()->remove(seg, s);
	CHECK(wrong() == NULL);
	CHECK(*ilk_sem_word_(&s->posix) == 0);
	CHECK_RC(ilk_semaphore_post(s), 0);
	CHECK_RC(ilk_semaphore_wait(s), -EIDRM);
	CHECK_RC(ilk_semaphore_try_wait(s), -EIDRM);
	CHECK_RC(ilk_semaphore_wait_until(s, ILK_NOW), -EIDRM);
	CHECK_RC(sem_trywait(ilk_semaphore_posix(s)), 0);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_valid_corrupt_semaphore_says_what),
		ILK_TEST(test_ready_where_a_permit_is_there),
		ILK_TEST(test_remove_ends_waits_and_permits_posts),
	};

	return cmocka_run_group_tests_name("rows of semaphores", tests, NULL, NULL);
}
