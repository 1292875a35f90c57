/*
 * waits.c - what holds for everything one waits for: removal and deadlines, forks and damage.
 */
#include "support.h"
#include <errno.h>
#include <string.h>

static struct ilk_segment *seg;
static struct ilk_semaphore *semaphore;
static struct ilk_permits *permits, *of_process;
static struct ilk_mutex *mutex;
static struct ilk_condition *condition;
static struct ilk_event *event, *each;
static struct ilk_latch *latch;
static struct ilk_once *once;
static struct ilk_barrier *barrier;

static void open_all(void)
{
	const struct ilk_permits_options three = {.size = sizeof three, .permits = 3};
	const struct ilk_permits_options shared = {
		.size = sizeof shared, .permits = 3, .flags = ILK_PERMITS_PROCESS};
	const struct ilk_event_options automatic = {
		.size = sizeof automatic, .flags = ILK_EVENT_AUTO};
	const struct ilk_barrier_options two = {.size = sizeof two, .parties = 2};

	CHECK_RC(ilk_semaphore_open(seg, "semaphore", NULL, &semaphore), 0);
	CHECK_RC(ilk_permits_open(seg, "permits", &three, &permits), 0);
	CHECK_RC(ilk_permits_open(seg, "of process", &shared, &of_process), 0);
	CHECK_RC(ilk_mutex_open(seg, "mutex", NULL, &mutex), 0);
	CHECK_RC(ilk_condition_open(seg, "condition", &condition), 0);
	CHECK_RC(ilk_event_open(seg, "event", NULL, &event), 0);
	CHECK_RC(ilk_event_open(seg, "each", &automatic, &each), 0);
	CHECK_RC(ilk_latch_open(seg, "latch", NULL, &latch), 0);
	CHECK_RC(ilk_once_open(seg, "once", &once), 0);
	CHECK_RC(ilk_barrier_open(seg, "barrier", &two, &barrier), 0);
}

static int setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	seg = support_create(ilk_test_name(""), NULL);
	open_all();
	return 0;
}

static int teardown(void **state)
{
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

/* --- all kinds of waits, as results of one kind --- */

static int on_semaphore(ilk_time deadline)
{
	return ilk_semaphore_wait_until(semaphore, deadline);
}

static int on_permit(ilk_time deadline)
{
	return ilk_permits_acquire_until(permits, 1, deadline);
}

static int on_two_permits(ilk_time deadline)
{
	return ilk_permits_acquire_until(of_process, 2, deadline);
}

/* Here success is being let go on with the mutex, which is nobody's goal. */
static int on_condition(ilk_time deadline)
{
	int rc = ilk_mutex_lock(mutex);

	CHECK_RC(rc, 0);
	do
		rc = ilk_condition_wait_until(condition, mutex, deadline);
	while (rc == 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return rc == ILK_TIMED_OUT ? -ETIMEDOUT : rc;
}

static int on_event(ilk_time deadline)
{
	return ilk_event_wait_until(event, deadline);
}

static int on_each(ilk_time deadline)
{
	return ilk_event_wait_until(each, deadline);
}

static int on_latch(ilk_time deadline)
{
	return ilk_latch_wait_until(latch, deadline);
}

static int on_once(ilk_time deadline)
{
	return ilk_once_begin_until(once, deadline, NULL);
}

static int on_barrier(ilk_time deadline)
{
	return ilk_barrier_wait_until(barrier, deadline);
}

/* --- and what ends them --- */

static int take_permits(void)
{
	return ilk_permits_acquire(permits, 3);
}

static int take_permits_of_process(void)
{
	return ilk_permits_acquire(of_process, 2);
}

static int be_elected(void)
{
	return ilk_once_begin(once, NULL) == ILK_ELECTED ? 0 : -EPERM;
}

static int post(void)
{
	return ilk_semaphore_post(semaphore);
}

static int release(void)
{
	return ilk_permits_release(permits, 3);
}

static int release_of_process(void)
{
	return ilk_permits_release(of_process, 2);
}

static int set_event(void)
{
	return ilk_event_set(event);
}

static int set_each(void)
{
	return ilk_event_set(each);
}

static int count_down(void)
{
	return ilk_latch_count_down(latch, 1);
}

static int be_done(void)
{
	return ilk_once_done(once, 5);
}

static const struct wait {
	const char *name;
	int (*prepare)(void); /* after it, who comes waits; NULL: so it is from the start */
	int (*wait)(ilk_time deadline);
	int (*let)(void); /* after it, nobody needs to wait; NULL: there is no such call */
	int most;         /* can wait at a time, and we wait no less */
} waits[] = {
	{"semaphore", NULL, on_semaphore, post, 2},
	{"permits", take_permits, on_permit, release, 2},
	{"of process", take_permits_of_process, on_two_permits, release_of_process, 2},
	{"condition", NULL, on_condition, NULL, 2},
	{"event", NULL, on_event, set_event, 2},
	{"each", NULL, on_each, set_each, 2},
	{"latch", NULL, on_latch, count_down, 2},
	{"once", be_elected, on_once, be_done, 2},
	{"barrier", NULL, on_barrier, NULL, 1},
};

enum { WAITS = sizeof waits / sizeof *waits };

static const struct wait *current;

static void prepare(int i)
{
	current = &waits[i];
	if (current->prepare)
		CHECK_RC(current->prepare(), 0);
}

/* --- removal --- */

static void wait_until_removed(void *arg)
{
	(void)arg;
	CHECK_RC(current->wait(ILK_FOREVER), -EIDRM);
	CHECK_RC(current->wait(ILK_FOREVER), -EIDRM);
}

static void test_removal_of_the_name_ends_every_sleep(void **state)
{
	(void)state;
	for (int i = 0; i < WAITS; i++) {
		struct ilk_test_child *child[2];

		prepare(i);
		for (int k = 0; k < current->most; k++)
			child[k] = ilk_test_start(wait_until_removed, NULL);
		ilk_test_await_sleepers(ilk_test_name(""), current->most);
		CHECK_RC(ilk_object_remove(seg, current->name), 0);
		for (int k = 0; k < current->most; k++)
			ilk_test_join(child[k]);
	}
}

/* --- deadlines --- */

static void wait_too_late(void *arg)
{
	(void)arg;
	CHECK_RC(current->wait(ilk_now() - 1), -ETIMEDOUT);
}

static void come_too_late_for_nothing(void *arg)
{
	(void)arg;
	CHECK_RC(current->wait(ilk_now() - 1), 0);
}

static void test_deadline_in_the_past_lets_through_only_who_need_not_wait(void **state)
{
	(void)state;
	for (int i = 0; i < WAITS; i++) {
		prepare(i);
		ilk_test_in_child(wait_too_late, NULL);
		if (!current->let)
			continue;
		CHECK_RC(current->let(), 0);
		ilk_test_in_child(come_too_late_for_nothing, NULL);
	}
}

/* --- forks --- */

static void have_nothing(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_permits_release(permits, 1), -EPERM);
	CHECK_RC(ilk_permits_release(of_process, 1), -EPERM);
	CHECK_RC(ilk_once_done(once, 1), -EPERM);
	CHECK_RC(ilk_once_give_up(once), -EPERM);
	CHECK_RC(ilk_barrier_detach(barrier), -EPERM);
	CHECK_RC(ilk_condition_wait(condition, mutex), -EPERM);
	CHECK_RC(ilk_permits_try_acquire(permits, 1), -EAGAIN);
	CHECK_RC(ilk_permits_release(permits, 1), -EPERM);
	CHECK_RC(ilk_permits_try_acquire(of_process, 1), 0);
	CHECK_RC(ilk_permits_release(of_process, 2), -EPERM);
	CHECK_RC(ilk_once_begin_until(once, ILK_NOW, NULL), -ETIMEDOUT);
}

static void stay(void *arg)
{
	(void)arg;
	ilk_test_sleep_for_ever();
}

static void test_forked_child_has_nothing_of_its_parents_and_ends_without_harm(void **state)
{
	struct ilk_barrier_status status;

	(void)state;
	CHECK_RC(take_permits(), 0);
	CHECK_RC(take_permits_of_process(), 0);
	CHECK_RC(be_elected(), 0);
	CHECK_RC(ilk_barrier_attach(barrier), 0);
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_in_child(have_nothing, NULL);
	ilk_test_kill(ilk_test_start(stay, NULL));
	CHECK_RC(ilk_barrier_status(barrier, &status), 0);
	assert_int_equal(status.cause, ILK_BARRIER_WHOLE);
	CHECK_RC(release(), 0);
	CHECK_RC(release_of_process(), 0);
	CHECK_RC(be_done(), 0);
	CHECK_RC(ilk_barrier_detach(barrier), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

/* --- damage --- */

/* Puts VALUE in the BYTES at AT, and expects the segment not to be valid for a reason like WHY. */
static void damage(void *at, size_t bytes, uint64_t value, const char *why)
{
	uint64_t before = 0;

	CHECK(bytes <= sizeof before);
	memcpy(&before, at, bytes);
	memcpy(at, &value, bytes);
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	if (!strstr(ilk_last_error(), why))
		ilk_test_fail("\"%s\" does not say \"%s\"", ilk_last_error(), why);
	memcpy(at, &before, bytes);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

#define DAMAGE(word, value, why) damage(&(word), sizeof(word), (value), (why))

enum { NO_TAG = 0x1234 };
/* An owner word of the last slot that there can be, and is not; and of the first. */
#define NO_SLOT UINT64_C(0xfff00000)
#define A_SLOT UINT64_C(0x00100000)

static void test_damage_is_told(void **state)
{
	uint64_t *cell = (uint64_t *)(permits + 1), *of_all = (uint64_t *)(of_process + 1);
	uint32_t *value = (uint32_t *)&semaphore->posix;

	(void)state;
	DAMAGE(semaphore->tag, NO_TAG, "tag");
	DAMAGE(semaphore->first, UINT32_MAX, "first value");
	DAMAGE(*value, UINT32_MAX, "value is too large");
	DAMAGE(permits->tag, NO_TAG, "tag");
	DAMAGE(permits->count, 4, "number of permits");
	DAMAGE(permits->flags, 2, "unknown flags");
	DAMAGE(permits->gate.owner, NO_SLOT, "owner");
	DAMAGE(cell[2], 2, "neither free nor an owner's");
	DAMAGE(cell[2], NO_SLOT, "slot that does not exist");
	DAMAGE(cell[0], A_SLOT | 1, "neither free nor an owner's");
	DAMAGE(cell[0], A_SLOT << 32 | A_SLOT, "unknown flags");
	DAMAGE(of_all[1], NO_SLOT | 1, "slot that does not exist");
	DAMAGE(condition->tag, NO_TAG, "tag");
	DAMAGE(event->tag, NO_TAG, "tag");
	DAMAGE(event->word, 4, "unknown bits");
	DAMAGE(latch->tag, NO_TAG, "tag");
	DAMAGE(latch->word, 4, "more is left");
	DAMAGE(once->tag, NO_TAG, "tag");
	DAMAGE(once->word, 3, "neither a state nor an owner");
	DAMAGE(once->word, NO_SLOT, "slot that does not exist");
	DAMAGE(once->word, A_SLOT | 2, "unknown flags");
	DAMAGE(barrier->tag, NO_TAG, "tag");
	DAMAGE(barrier->parties, ILK_BARRIER_MEMBERS + 1, "more places");
	DAMAGE(barrier->top, ILK_BARRIER_MEMBERS + 1, "more places");
	DAMAGE(barrier->state, 7 << 8, "no known reason");
	DAMAGE(barrier->state, 255, "no known reason");
	DAMAGE(barrier->cell[125], 5, "neither free nor left");
	DAMAGE(barrier->cell[0], NO_SLOT << 32, "slot that does not exist");
	DAMAGE(barrier->cell[0], A_SLOT << 32 | 1, "no possible round");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_removal_of_the_name_ends_every_sleep),
		TEST(test_deadline_in_the_past_lets_through_only_who_need_not_wait),
		TEST(test_forked_child_has_nothing_of_its_parents_and_ends_without_harm),
		TEST(test_damage_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
