/* squares.c - one function for many arguments, by four workers; the results in their order. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <ilk.h>

enum { NUMBERS = 1000, WORKERS = 4 };

static int square(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t x;

	if (bytes != sizeof x)
		return ilk_task_fail(task, -EINVAL, "not a number");
	memcpy(&x, argument, sizeof x);
	x *= x;
	return ilk_task_result(task, &x, sizeof x);
}

static const struct ilk_task_function functions[] = {{"square", square}};

int main(void)
{
	const struct ilk_pool_options o = {.size = sizeof o, .capacity = 64};
	static int64_t x[NUMBERS], y[NUMBERS];
	struct ilk_pool_crew *crew = NULL;
	struct ilk_segment *seg;
	struct ilk_pool *pool;
	int64_t sum = 0;
	int rc = ilk_segment_anonymous("squares", NULL, &seg);

	if (rc == 0)
		rc = ilk_pool_open(seg, "pool", &o, &pool);
	if (rc == 0)
		rc = ilk_pool_start(pool, WORKERS, functions, 1, NULL, &crew);
	for (int i = 0; i < NUMBERS; i++)
		x[i] = i;
	if (rc == 0)
		rc = ilk_pool_map(
			pool, "square", x, sizeof *x, NUMBERS, y, sizeof *y, NULL, ILK_FOREVER);
	if (rc != 0)
		return fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error()), 1;
	for (int i = 0; i < NUMBERS; i++)
		sum += y[i];
	printf("%d squares, their sum is %lld\n", NUMBERS, (long long)sum);
	ilk_pool_stop(crew, ilk_after_ms(1000));
	ilk_segment_close(seg);
	return 0;
}
