/* inspect.c - what an inspection shows of the living, the waiting, the stopped and the dead. */
#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ilk_inspection *look(const char *name)
{
	struct ilk_inspection *in = NULL;

	CHECK_RC(ilk_inspect(name, &in), 0);
	assert_non_null(in);
	assert_string_equal(in->damage, "");
	return in;
}

static const struct ilk_object_info *object(const struct ilk_inspection *in, const char *name)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, name) == 0)
			return &in->objects[i];
	fail_msg("no object %s", name);
	return NULL;
}

static const struct ilk_process_info *process(const struct ilk_inspection *in, pid_t pid)
{
	for (size_t i = 0; i < in->process_count; i++)
		if (in->processes[i].pid == pid)
			return &in->processes[i];
	fail_msg("no process %d", (int)pid);
	return NULL;
}

static void test_inspect_shows_the_segment(void **state)
{
	const struct ilk_segment_options options = {.size = sizeof options,
		.bytes = 200000,
		.mode = 0640,
		.processes = 5,
		.threads = 9,
		.flags = ILK_SEGMENT_FENCED};
	struct ilk_segment *other = support_create(ilk_test_name("b"), &options);
	struct ilk_inspection *in = look(ilk_test_name("b"));

	(void)state;
	assert_string_equal(in->name, ilk_test_name("b"));
	assert_int_equal(in->bytes, ilk_segment_bytes(other));
	assert_true(in->used < in->bytes);
	assert_int_equal(in->version, 2);
	assert_int_equal(in->uid, getuid());
	assert_int_equal(in->mode, 0640);
	assert_int_equal(in->asymmetric, 0);
	assert_int_equal(in->liveness, ILK_LIFE_ALIVE);
	assert_int_equal(in->process_slots, 5);
	assert_int_equal(in->thread_slots, 9);
	assert_int_equal(in->object_count, 0);
	assert_true(in->created > 0 && in->taken > 0 && in->taken <= ilk_now());
	ilk_inspection_free(in);
	in = look(ilk_test_name(""));
	assert_int_equal(in->asymmetric, 1);
	ilk_inspection_free(in);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

static void test_inspect_shows_objects_with_their_state(void **state)
{
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
	struct ilk_inspection *in;
	void *block;

	(void)state;
	CHECK_RC(ilk_counter_add(support_counter(seg, "hits"), -42), 0);
	CHECK_RC(ilk_sharded_open(seg, "shards", &sharded), 0);
	CHECK_RC(ilk_sharded_mine(sharded, &mine), 0);
	CHECK_RC(ilk_sharded_add(&mine, 77), 0);
	CHECK_RC(ilk_block_open(seg, "shelf", 1000, &block), 0);
	support_mutex(seg, "stock");
	in = look(ilk_test_name(""));
	assert_int_equal(in->object_count, 4);
	assert_string_equal(object(in, "hits")->type, "counter");
	assert_string_equal(object(in, "hits")->state, "-42");
	assert_int_equal(object(in, "hits")->value, -42);
	assert_string_equal(object(in, "shards")->type, "sharded");
	assert_int_equal(object(in, "shards")->value, 77);
	assert_string_equal(object(in, "shelf")->type, "block");
	assert_int_equal(object(in, "shelf")->bytes, 1000);
	assert_string_equal(object(in, "stock")->type, "mutex");
	assert_string_equal(object(in, "stock")->state, "free");
	for (size_t i = 0; i < in->object_count; i++) {
		assert_string_equal(in->objects[i].damage, "");
		assert_int_equal(in->objects[i].owner, ILK_NO_INDEX);
		assert_int_equal(in->objects[i].holder, ILK_HOLDER_NONE);
		assert_int_equal(in->objects[i].embedded, 0);
	}
	assert_true(in->used > 1000);
	ilk_inspection_free(in);
}

static void test_inspect_shows_processes_and_threads(void **state)
{
	const struct ilk_process_info *me;
	struct ilk_inspection *in;

	(void)state;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "stock")), 0);
	in = look(ilk_test_name(""));
	assert_int_equal(in->process_count, 1);
	assert_int_equal(in->thread_count, 1);
	me = process(in, getpid());
	assert_int_equal(me->life, ILK_LIFE_ALIVE);
	assert_int_equal(me->uid, getuid());
	assert_true(strlen(me->name) > 0);
	if (!support_emulated())
		assert_int_equal(me->run_state, 'R');
	assert_true(me->joined > 0 && me->joined <= in->taken);
	assert_int_equal(in->threads[0].tid, gettid());
	assert_int_equal(in->threads[0].process, 0);
	assert_int_equal(in->threads[0].life, ILK_LIFE_ALIVE);
	assert_int_equal(in->threads[0].waits_for, ILK_NO_INDEX);
	assert_int_equal(object(in, "stock")->holder, ILK_HOLDER_ALIVE);
	assert_int_equal(object(in, "stock")->owner, 0);
	assert_non_null(strstr(object(in, "stock")->state, "held"));
	ilk_inspection_free(in);
}

/* --- held and waiting --- */

static void hold_for_ever(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void wait_for_ever(void *mutex)
{
	ilk_mutex_lock(mutex);
	ilk_test_fail("it was to be held for ever");
}

static void check_waiters(const struct ilk_inspection *in, int expected)
{
	const struct ilk_object_info *stock = object(in, "stock");
	int waiting = 0;

	assert_int_equal(stock->waiters, expected);
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];

		if (t->waits_for == ILK_NO_INDEX)
			continue;
		assert_ptr_equal(&in->objects[t->waits_for], stock);
		assert_true(t->wait_since > 0 && t->wait_since <= in->taken);
		assert_true(t->sleeps > 0);
		assert_int_not_equal((int)i, stock->owner);
		waiting++;
	}
	assert_int_equal(waiting, expected);
}

static void test_inspect_shows_who_holds_and_who_waits(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "stock");
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, m), *waiters[2];
	const struct ilk_object_info *stock;
	struct ilk_inspection *in;

	(void)state;
	ilk_test_await(0);
	for (int i = 0; i < 2; i++)
		waiters[i] = ilk_test_start(wait_for_ever, m);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	in = look(ilk_test_name(""));
	stock = object(in, "stock");
	assert_int_equal(stock->holder, ILK_HOLDER_ALIVE);
	assert_int_not_equal(stock->owner, ILK_NO_INDEX);
	assert_int_equal(in->processes[in->threads[stock->owner].process].pid, holder->pid);
	check_waiters(in, 2);
	assert_true(stock->held_since > 0 && stock->held_since <= in->taken);
	assert_int_equal(stock->acquired, 1);
	ilk_inspection_free(in);
	for (int i = 0; i < 2; i++)
		ilk_test_kill(waiters[i]);
	/* The dead wait for nothing. */
	in = look(ilk_test_name(""));
	assert_int_equal(object(in, "stock")->waiters, 0);
	ilk_inspection_free(in);
	ilk_test_kill(holder);
}

static void *lock_and_let_go(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return NULL;
}

static void test_inspect_shows_how_often_and_how_long_was_waited(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "stock");
	struct ilk_inspection *in;
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(pthread_create(&thread, NULL, lock_and_let_go, m), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_test_sleep_ms(5);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	in = look(ilk_test_name(""));
	assert_int_equal(object(in, "stock")->acquired, 5);
	assert_int_equal(object(in, "stock")->contended, 1);
	assert_true(object(in, "stock")->waited_ns >= 5000000);
	assert_int_equal(object(in, "stock")->waiters, 0);
	ilk_inspection_free(in);
}

/* --- stopped and dead --- */

static void test_inspect_shows_a_stopped_one_alive(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "stock");
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, m);
	struct ilk_inspection *in;

	(void)state;
	ilk_test_await(0);
	ilk_test_stop(holder);
	in = look(ilk_test_name(""));
	assert_int_equal(process(in, holder->pid)->life, ILK_LIFE_ALIVE);
	if (!support_emulated()) /* the emulator shows processes another start time of their own */
		assert_int_equal(process(in, holder->pid)->run_state, 'T');
	assert_int_equal(object(in, "stock")->holder, ILK_HOLDER_ALIVE);
	ilk_inspection_free(in);
	ilk_test_kill(holder);
}

static void test_inspect_works_when_all_are_dead(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "stock");
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, m), *waiter;
	const struct ilk_object_info *stock;
	struct ilk_inspection *in;

	(void)state;
	ilk_test_await(0);
	waiter = ilk_test_start(wait_for_ever, m);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_segment_close(seg);
	seg = NULL;
	ilk_test_kill(waiter);
	ilk_test_kill_only(holder);
	in = look(ilk_test_name(""));
	stock = object(in, "stock");
	assert_int_equal(in->process_count, 2);
	for (size_t i = 0; i < in->process_count; i++)
		assert_int_equal(in->processes[i].life, ILK_LIFE_DEAD);
	for (size_t i = 0; i < in->thread_count; i++)
		assert_int_equal(in->threads[i].life, ILK_LIFE_DEAD);
	assert_int_equal(stock->holder, ILK_HOLDER_DEAD);
	assert_int_equal(in->processes[in->threads[stock->owner].process].pid, holder->pid);
	assert_int_equal(stock->waiters, 0);
	ilk_inspection_free(in);
	ilk_test_reap(holder);
}

static void test_inspect_shows_what_is_damaged(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "stock");
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, m);
	struct ilk_inspection *in;

	(void)state;
	ilk_test_await(0);
	ilk_test_kill(holder);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	in = look(ilk_test_name(""));
	assert_non_null(strstr(object(in, "stock")->state, "damaged"));
	assert_int_equal(object(in, "stock")->holder, ILK_HOLDER_ALIVE);
	ilk_inspection_free(in);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	in = look(ilk_test_name(""));
	assert_string_equal(object(in, "stock")->state, "free");
	ilk_inspection_free(in);
}

/* --- strictly reading, also of copies --- */

static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	char *bytes;

	assert_int_equal(fstat(fd, &file), 0);
	*size = (size_t)file.st_size;
	bytes = malloc(*size);
	assert_int_equal(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void test_inspect_changes_no_byte(void **state)
{
	struct ilk_test_child *holder;
	char *before, *after;
	size_t size;

	(void)state;
	holder = ilk_test_start(hold_for_ever, support_mutex(seg, "stock"));
	ilk_test_await(0);
	ilk_test_stop(holder);
	before = read_file(support_path(ilk_test_name("")), &size);
	for (int i = 0; i < 10; i++)
		ilk_inspection_free(look(ilk_test_name("")));
	after = read_file(support_path(ilk_test_name("")), &size);
	assert_memory_equal(before, after, size);
	free(before);
	free(after);
	ilk_test_kill(holder);
}

static void test_inspect_of_a_copied_file_tells_no_life(void **state)
{
	char path[] = "/tmp/ilk-copy-XXXXXX";
	struct ilk_inspection *in;
	size_t size;
	char *bytes;
	int fd = mkstemp(path);

	(void)state;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "stock")), 0);
	CHECK_RC(ilk_counter_add(support_counter(seg, "hits"), 5), 0);
	bytes = read_file(support_path(ilk_test_name("")), &size);
	assert_int_equal(write(fd, bytes, size), size);
	free(bytes);
	close(fd);
	in = look(path);
	unlink(path);
	assert_int_equal(in->liveness, ILK_LIFE_UNKNOWN);
	assert_string_equal(in->name, ilk_test_name(""));
	assert_int_equal(in->process_count, 1);
	assert_int_equal(in->processes[0].life, ILK_LIFE_UNKNOWN);
	assert_int_equal(object(in, "stock")->holder, ILK_HOLDER_UNKNOWN);
	assert_int_equal(object(in, "hits")->value, 5);
	ilk_inspection_free(in);
}

static void test_inspect_of_nothing_is_ENOENT(void **state)
{
	struct ilk_inspection *in = NULL;

	(void)state;
	CHECK_RC(ilk_inspect(ilk_test_name("x"), &in), -ENOENT);
	CHECK_RC(ilk_inspect("/tmp/no/such/file", &in), -ENOENT);
	CHECK_RC(ilk_inspect("/tmp", &in), -EMEDIUMTYPE);
	CHECK_RC(ilk_inspect("/dev/null", &in), -EMEDIUMTYPE);
	assert_null(in);
	ilk_inspection_free(NULL);
}

/* --- all of them --- */

static int note(const char *name, void *arg)
{
	char *all = arg;

	/* Only ours: other programs may have theirs here. */
	if (strncmp(name, ilk_test_name(""), strlen(ilk_test_name(""))) == 0) {
		strcat(all, name + strlen(ilk_test_name("")));
		strcat(all, ";");
	}
	return 0;
}

static int stop_at_ours(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, ilk_test_name("b")) == 0 ? 17 : 0;
}

static void test_each_names_all_in_order_until_told_to_stop(void **state)
{
	static const char *const suffixes[] = {"c", "b"};
	char all[200] = "";
	int fd;

	(void)state;
	for (int i = 0; i < 2; i++)
		ilk_segment_close(support_create(ilk_test_name(suffixes[i]), NULL));
	/* No segment, but of that name pattern. */
	fd = open(support_path(ilk_test_name("a")), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	close(fd);
	CHECK_RC(ilk_inspect_each(note, all), 0);
	assert_string_equal(all, ";a;b;c;");
	CHECK_RC(ilk_inspect_each(stop_at_ours, NULL), 17);
	for (int i = 0; i < 2; i++)
		support_unlink(ilk_test_name(suffixes[i]));
	support_unlink(ilk_test_name("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_inspect_shows_the_segment),
		SEGMENT_TEST(test_inspect_shows_objects_with_their_state),
		SEGMENT_TEST(test_inspect_shows_processes_and_threads),
		SEGMENT_TEST(test_inspect_shows_who_holds_and_who_waits),
		SEGMENT_TEST(test_inspect_shows_how_often_and_how_long_was_waited),
		SEGMENT_TEST(test_inspect_shows_a_stopped_one_alive),
		SEGMENT_TEST(test_inspect_works_when_all_are_dead),
		SEGMENT_TEST(test_inspect_shows_what_is_damaged),
		SEGMENT_TEST(test_inspect_changes_no_byte),
		SEGMENT_TEST(test_inspect_of_a_copied_file_tells_no_life),
		SEGMENT_TEST(test_inspect_of_nothing_is_ENOENT),
		SEGMENT_TEST(test_each_names_all_in_order_until_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
