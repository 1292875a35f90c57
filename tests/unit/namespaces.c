/* namespaces.c - two pid namespaces, in which two members have the same pid and the same tid. */
#include "segment_fixture.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY = 0, GO = 10, KILL = 20, NOT_PERMITTED = 30 };

struct side {
	const char *name;
	unsigned number;
	void (*body)(struct ilk_mutex *m);
};

/* The first process of a namespace: pid 1 and tid 1, as the other one's. */
static void be_first(const struct side *side)
{
	struct ilk_segment *own;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(getpid() == 1 && gettid() == 1);
	/* The inherited attachment is not what a stranger would have. */
	ilk_segment_close(seg);
	own = support_open(side->name);
	side->body(support_mutex(own, "m"));
	ilk_segment_close(own);
	_exit(0);
}

/* Around a namespace: makes it, kills its first process when told to, or waits for its end. */
static void be_side(void *arg)
{
	const struct side *side = arg;
	int status = 0, ended = 0;
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0) {
		ilk_test_say(NOT_PERMITTED);
		ilk_test_say(READY + side->number);
		return;
	}
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		be_first(side);
	while (!ended) {
		if (ilk_test_was_said(KILL + side->number))
			kill(pid, SIGKILL);
		ended = waitpid(pid, &status, WNOHANG) == pid;
		ilk_test_sleep_ms(1);
	}
	CHECK(ilk_test_was_said(KILL + side->number) || status == 0);
}

static void hold_for_ever(struct ilk_mutex *m)
{
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_test_say(READY + 0);
	ilk_test_sleep_for_ever();
}

static void meet_the_same_pid(struct ilk_mutex *m)
{
	struct ilk_mutex_owner owner;

	/* The holder has our pid and tid, and is neither us nor dead. */
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	CHECK(owner.holder == ILK_HELD_BY_LIVING && owner.pid == getpid());
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(60)), -ETIMEDOUT);
	ilk_test_say(READY + 1);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_equal_pids_in_two_namespaces_are_two_members(void **state)
{
	char name[64];
	struct side sides[2] = {{name, 0, hold_for_ever}, {name, 1, meet_the_same_pid}};
	struct ilk_test_child *holder, *other;

	(void)state;
	if (!support_is_root() || support_emulated() || SUPPORT_TSAN)
		SKIP("a pid namespace needs root, and neither an emulator nor ThreadSanitizer");
	strcpy(name, ilk_test_name(""));
	holder = ilk_test_start(be_side, &sides[0]);
	ilk_test_await(READY + 0);
	if (ilk_test_was_said(NOT_PERMITTED))
		SKIP("pid namespaces are not permitted here");
	other = ilk_test_start(be_side, &sides[1]);
	ilk_test_await(READY + 1);
	/* Seen from a third namespace, ours, both live. */
	CHECK_RC(ilk_mutex_try_lock(support_mutex(seg, "m")), -EBUSY);
	ilk_test_say(KILL + 0);
	ilk_test_join(holder);
	ilk_test_join(other);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_equal_pids_in_two_namespaces_are_two_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
