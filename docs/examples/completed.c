/*
 * completed.c - results as they complete. The worker of one task is killed: its future says so, the
 * others are none the wiser.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <ilk.h>

enum { TASKS = 3, WORKERS = 2 };

static int work(struct ilk_task *task, const void *argument, size_t bytes)
{
	int which;

	if (bytes != sizeof which)
		return -1;
	memcpy(&which, argument, sizeof which);
	if (which == 1)
		raise(SIGKILL);
	return ilk_task_result(task, &which, sizeof which);
}

static const struct ilk_task_function functions[] = {{"work", work}};

/* Gets all, in the order in which they end. */
static void gather(struct ilk_future *f)
{
	int result, done = 0, signal = 0;
	struct ilk_outcome out;
	size_t i;

	while (ilk_future_any(f, TASKS, &i, ilk_after_ms(5000)) == 0) {
		if (ilk_future_get(&f[i], &result, sizeof result, &out, ILK_NOW) == 0)
			done++;
		else
			signal = out.signal;
	}
	printf("%d done, 1 killed by signal %d\n", done, signal);
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
		rc = ilk_pool_open(seg, "pool", &o, &pool);
	if (rc == 0)
		rc = ilk_pool_start(pool, WORKERS, functions, 1, NULL, &crew);
	for (int i = 0; i < TASKS && rc == 0; i++)
		rc = ilk_pool_submit(pool, "work", &i, sizeof i, &f[i], ILK_FOREVER);
	if (rc != 0)
		return fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error()), 1;
	gather(f);
	ilk_pool_stop(crew, ilk_after_ms(1000));
	ilk_segment_close(seg);
	return 0;
}
