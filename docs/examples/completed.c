/*
 * completed.c - results as they complete. One task fails, and says why; the worker of another is killed:
 * their futures tell of it, the others are none the wiser.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ilk.h>

/* Which task is which: those submitted first take longest. */
enum { SLOW, BROKEN, KILLED, QUICK, TASKS };

static struct ilk_counter *told; /* tasks whose end was told */

/* Takes until all that were submitted later are told of; a real one would have something to do. */
static void take_long(int which)
{
	while (ilk_counter_read(told) < TASKS - 1 - which)
		usleep(1000);
}

static int work(struct ilk_task *task, const void *argument, size_t bytes)
{
	int which;

	if (bytes != sizeof which)
		return ilk_task_fail(task, -EINVAL, "no number");
	memcpy(&which, argument, sizeof which);
	take_long(which);
	if (which == KILLED)
		raise(SIGKILL);
	if (which == BROKEN)
		return ilk_task_fail(task, -EDOM, "no root of -1");
	return ilk_task_result(task, &which, sizeof which);
}

static const struct ilk_task_function functions[] = {{"work", work}};

enum { DONE, FAILED, DIED, WAYS };

/* Says how a task ended, and which way that is. */
static int tell(size_t which, int rc, const struct ilk_outcome *out)
{
	if (rc == 0)
		return printf("task %zu: done\n", which), DONE;
	if (out->rc == -EOWNERDEAD)
		return printf("task %zu: killed by signal %d\n", which, out->signal), DIED;
	return printf("task %zu: %s\n", which, out->text), FAILED;
}

/* Gets all, in the order in which they end. */
static void gather(struct ilk_future *f)
{
	int result, rc, ends[WAYS] = {0};
	struct ilk_outcome out;
	size_t i;

	while (ilk_future_any(f, TASKS, &i, ilk_after_ms(5000)) == 0) {
		rc = ilk_future_get(&f[i], &result, sizeof result, &out, ILK_NOW);
		ends[tell(i, rc, &out)]++;
		ilk_counter_add(told, 1);
	}
	printf("%d done, %d failed, %d killed\n", ends[DONE], ends[FAILED], ends[DIED]);
}

int main(void)
{
	const struct ilk_pool_options o = {.size = sizeof o};
	struct ilk_pool_crew *crew = NULL;
	struct ilk_future f[TASKS];
	struct ilk_segment *seg;
	struct ilk_pool *pool;
	int rc = ilk_segment_anonymous("completed", NULL, &seg);

	if (rc == 0)
		rc = ilk_counter_open(seg, "told", &told);
	if (rc == 0)
		rc = ilk_pool_open(seg, "pool", &o, &pool);
	if (rc == 0)
		rc = ilk_pool_start(pool, TASKS, functions, 1, NULL, &crew);
	for (int i = 0; i < TASKS && rc == 0; i++)
		rc = ilk_pool_submit(pool, "work", &i, sizeof i, &f[i], ILK_FOREVER);
	if (rc != 0)
		return fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error()), 1;
	gather(f);
	ilk_pool_stop(crew, ilk_after_ms(1000));
	ilk_segment_close(seg);
	return 0;
}
