/* inspect_holders.c - who is said to hold what: readers, permits, members that are waited for. */
#include "segment_fixture.h"
#include <string.h>
#include <unistd.h>

static struct ilk_inspection *in;

static void look(void)
{
	in = NULL;
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->damage, "");
}

static const struct ilk_object_info *object(const char *name)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, name) == 0)
			return &in->objects[i];
	fail_msg("no object %s", name);
	return NULL;
}

static int count_holders(const char *name)
{
	int n = 0;

	for (size_t i = 0; i < in->holder_count; i++)
		n += &in->objects[in->holders[i].object] == object(name);
	return n;
}

/* The one of NAME that is of process PID. */
static const struct ilk_holder_info *holder(const char *name, pid_t pid)
{
	for (size_t i = 0; i < in->holder_count; i++) {
		const struct ilk_holder_info *h = &in->holders[i];

		if (&in->objects[h->object] == object(name) && h->process != ILK_NO_INDEX &&
			in->processes[h->process].pid == pid)
			return h;
	}
	fail_msg("%d does not hold %s", (int)pid, name);
	return NULL;
}

static void check_holder(const char *name, pid_t pid, const char *how, uint32_t count)
{
	const struct ilk_holder_info *h = holder(name, pid);

	assert_string_equal(h->how, how);
	assert_int_equal(h->count, count);
	assert_int_equal(h->life, ILK_HOLDER_ALIVE);
}

/* --- mutex --- */

static void wait_for_mutex(void *mutex)
{
	ilk_mutex_lock(mutex);
	ilk_test_fail("it was to be held for ever");
}

static void test_a_mutex_is_held_as_often_as_it_was_locked(void **state)
{
	const struct ilk_mutex_options recursive = {
		.size = sizeof recursive, .flags = ILK_MUTEX_RECURSIVE};
	struct ilk_test_child *waiter;
	struct ilk_mutex *m;

	(void)state;
	CHECK_RC(ilk_mutex_open(seg, "m", &recursive, &m), 0);
	support_mutex(seg, "free");
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	waiter = ilk_test_start(wait_for_mutex, m);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	look();
	assert_int_equal(in->holder_count, 1);
	check_holder("m", getpid(), "held", 2);
	assert_int_equal(holder("m", getpid())->thread, object("m")->owner);
	assert_true(holder("m", getpid())->since > 0);
	assert_true(holder("m", getpid())->since == object("m")->held_since);
	ilk_inspection_free(in);
	ilk_test_kill(waiter);
}

/* --- rwlock --- */

static void read_for_ever(void *rwlock)
{
	CHECK_RC(ilk_rwlock_read(rwlock), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void wait_to_write(void *rwlock)
{
	ilk_rwlock_write(rwlock);
	ilk_test_fail("it was to be read for ever");
}

static void check_rwlock(unsigned flags, const char *name)
{
	const struct ilk_rwlock_options options = {.size = sizeof options, .flags = flags};
	struct ilk_test_child *reader, *writer;
	struct ilk_rwlock *l;
	pid_t pid;

	CHECK_RC(ilk_rwlock_open(seg, name, &options, &l), 0);
	CHECK_RC(ilk_rwlock_write(l), 0);
	look();
	assert_int_equal(count_holders(name), 1);
	check_holder(name, getpid(), "writes", 1);
	ilk_inspection_free(in);
	CHECK_RC(ilk_rwlock_downgrade(l), 0);
	reader = ilk_test_start(read_for_ever, l);
	ilk_test_await(1);
	ilk_test_board()->step[1] = 0;
	writer = ilk_test_start(wait_to_write, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	look();
	assert_int_equal(count_holders(name), 3);
	check_holder(name, getpid(), "reads", 1);
	check_holder(name, reader->pid, "reads", 1);
	check_holder(name, writer->pid, "will write", 1);
	ilk_inspection_free(in);
	/* The dead read nothing. */
	pid = reader->pid;
	ilk_test_kill(reader);
	look();
	assert_int_equal(count_holders(name), 2);
	for (size_t i = 0; i < in->holder_count; i++)
		assert_int_not_equal(in->processes[in->holders[i].process].pid, pid);
	ilk_inspection_free(in);
	ilk_test_kill(writer);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

static void test_a_rwlock_has_its_readers_and_who_will_write(void **state)
{
	(void)state;
	check_rwlock(0, "marks");
	check_rwlock(ILK_RWLOCK_WRITES, "cells");
}

/* --- permits --- */

static struct ilk_permits *permits;

static void take_and_keep(void *count)
{
	CHECK_RC(ilk_permits_acquire(permits, *(unsigned *)count), 0);
	ilk_test_say(*(unsigned *)count);
	ilk_test_sleep_for_ever();
}

static void check_permits(unsigned flags, const char *name)
{
	const struct ilk_permits_options six = {.size = sizeof six, .permits = 6, .flags = flags};
	unsigned counts[] = {1, 2, 3};
	struct ilk_test_child *children[3];

	CHECK_RC(ilk_permits_open(seg, name, &six, &permits), 0);
	for (int i = 0; i < 3; i++) {
		ilk_test_board()->step[counts[i]] = 0;
		children[i] = ilk_test_start(take_and_keep, &counts[i]);
		ilk_test_await(counts[i]);
	}
	look();
	assert_int_equal(count_holders(name), 3);
	for (int i = 0; i < 3; i++) {
		check_holder(name, children[i]->pid, "permits", counts[i]);
		assert_int_equal(holder(name, children[i]->pid)->thread == ILK_NO_INDEX,
			flags == ILK_PERMITS_PROCESS);
	}
	ilk_inspection_free(in);
	ilk_test_kill_only(children[1]);
	look();
	assert_int_equal(holder(name, children[1]->pid)->life, ILK_HOLDER_DEAD);
	check_holder(name, children[2]->pid, "permits", 3);
	ilk_inspection_free(in);
	ilk_test_reap(children[1]);
	ilk_test_kill(children[0]);
	ilk_test_kill(children[2]);
}

static void test_permits_have_their_holders_threads_or_processes(void **state)
{
	(void)state;
	check_permits(0, "threads'");
	check_permits(ILK_PERMITS_PROCESS, "processes'");
}

/* --- barrier --- */

static void attach_only(void *barrier)
{
	CHECK_RC(ilk_barrier_attach(barrier), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void arrive(void *barrier)
{
	ilk_barrier_wait(barrier);
	ilk_test_sleep_for_ever();
}

static void test_a_barriers_waiters_wait_for_those_not_arrived(void **state)
{
	const struct ilk_barrier_options two = {.size = sizeof two, .parties = 2};
	struct ilk_test_child *late, *early;
	struct ilk_barrier *b;

	(void)state;
	CHECK_RC(ilk_barrier_open(seg, "b", &two, &b), 0);
	late = ilk_test_start(attach_only, b);
	ilk_test_await(1);
	early = ilk_test_start(arrive, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	look();
	assert_int_equal(count_holders("b"), 1);
	check_holder("b", late->pid, "awaited", 1);
	assert_int_equal(object("b")->owner, ILK_NO_INDEX);
	ilk_inspection_free(in);
	ilk_test_kill(late);
	ilk_test_kill(early);
}

/* --- the segment's own lock --- */

static void come_and_go(void *unused)
{
	(void)unused;
	for (;;) {
		void *memory;

		CHECK_RC(ilk_alloc(seg, 100, &memory), 0);
		CHECK_RC(ilk_free_alone(seg, memory), 0);
	}
}

static int waits_for_guard(pid_t pid)
{
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];

		if (t->waits_for != ILK_NO_INDEX && in->processes[t->process].pid == pid)
			return strcmp(in->objects[t->waits_for].type, "guard") == 0;
	}
	return 0;
}

static void test_one_who_is_stopped_in_the_guard_is_seen(void **state)
{
	struct ilk_test_child *stopped, *other;

	(void)state;
	stopped = ilk_test_start(come_and_go, NULL);
	other = ilk_test_start(come_and_go, NULL);
	for (int tries = 0;; tries++) {
		assert_true(tries < 500);
		ilk_test_stop(stopped);
		ilk_test_sleep_ms(10);
		look();
		/* Stopped just after it came in, the one in it is said to wait still. */
		if (waits_for_guard(other->pid) && count_holders("(guard)") &&
			object("(guard)")->waiters == 1)
			break;
		ilk_inspection_free(in);
		ilk_test_continue(stopped);
		ilk_test_sleep_ms(1); /* else it is stopped again where it was */
	}
	check_holder("(guard)", stopped->pid, "held", 1);
	ilk_inspection_free(in);
	ilk_test_kill(stopped);
	ilk_test_kill(other);
}

/* --- what changes meanwhile --- */

static void never_stand_still(void *mutex)
{
	struct ilk_counter *c = support_counter(seg, "c");

	for (;;) {
		CHECK_RC(ilk_mutex_lock(mutex), 0);
		CHECK_RC(ilk_mutex_unlock(mutex), 0);
		CHECK_RC(ilk_counter_add(c, 1), 0);
	}
}

static void test_what_never_stands_still_is_marked(void **state)
{
	struct ilk_test_child *child = ilk_test_start(never_stand_still, support_mutex(seg, "m"));
	int tries = 0, mixed = 0;

	(void)state;
	support_mutex(seg, "idle");
	for (; !mixed && tries < 20000; tries++) {
		look();
		mixed = object("m")->mixed;
		assert_int_equal(object("idle")->mixed, 0);
		for (size_t i = 0; i < in->object_count; i++) /* one word is of one moment */
			if (strcmp(in->objects[i].name, "c") == 0)
				assert_int_equal(in->objects[i].mixed, 0);
		ilk_inspection_free(in);
	}
	print_message("mixed at look %d\n", tries);
	assert_true(mixed);
	ilk_test_stop(child);
	look();
	assert_int_equal(object("m")->mixed, 0);
	ilk_inspection_free(in);
	ilk_test_kill(child);
}

/* --- what else is known --- */

static void lock_and_die(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_a_process_is_known_by_more_than_its_pid(void **state)
{
	const struct ilk_process_info *one;
	struct ilk_test_child *child;
	ilk_time before = ilk_now(), after;

	(void)state;
	child = ilk_test_start(lock_and_die, support_mutex(seg, "m"));
	ilk_test_await(2);
	after = ilk_now();
	look();
	one = &in->processes[holder("m", child->pid)->process];
	assert_true(one->pid_space != 0 && one->start_time != 0);
	assert_int_equal(one->dumping, 0);
	if (!support_emulated()) /* it shows processes another start time of their own */
		assert_true(one->tasks >= 1);
	ilk_inspection_free(in);
	ilk_test_kill_only(child);
	look();
	one = &in->processes[holder("m", child->pid)->process];
	assert_int_equal(one->life, ILK_LIFE_DEAD);
	assert_true(one->last_sign >= before && one->last_sign <= after);
	ilk_inspection_free(in);
	ilk_test_reap(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_a_mutex_is_held_as_often_as_it_was_locked),
		SEGMENT_TEST(test_a_rwlock_has_its_readers_and_who_will_write),
		SEGMENT_TEST(test_permits_have_their_holders_threads_or_processes),
		SEGMENT_TEST(test_a_barriers_waiters_wait_for_those_not_arrived),
		SEGMENT_TEST(test_what_never_stands_still_is_marked),
		SEGMENT_TEST(test_one_who_is_stopped_in_the_guard_is_seen),
		SEGMENT_TEST(test_a_process_is_known_by_more_than_its_pid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
