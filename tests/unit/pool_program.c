/*
 * pool_program.c - another program at the pool: pool_programs.c executes it.
 *
 * pool_program SEGMENT cube       runs cubes, and says where
 * pool_program SEGMENT weigh      weighs what lies in the segment, and says where
 * pool_program SEGMENT submit     submits cubes, and checks them, until the pool is closed
 */
#include "pool_program.h"
#include <errno.h>
#include <ilk.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FLIGHT = 4, PATIENCE_MS = 60000, A_WHILE_US = 300 };

static int where(struct ilk_task *task, const void *argument, size_t bytes)
{
	const struct program_place place = {
		(uintptr_t)ilk_task_pool(task), (uintptr_t)(void *)where};

	(void)argument, (void)bytes;
	return ilk_task_result(task, &place, sizeof place);
}

static int cube(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t n;

	if (bytes != sizeof n)
		return -EINVAL;
	memcpy(&n, argument, sizeof n);
	usleep(A_WHILE_US);
	n = cube_of(n);
	return ilk_task_result(task, &n, sizeof n);
}

static int weigh(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t weight = weight_of(argument, bytes);

	usleep(A_WHILE_US);
	return ilk_task_result(task, &weight, sizeof weight);
}

/* None has what the other has at the same place. */
static const struct ilk_task_function cubes[] = {{"where_cube", where}, {"cube", cube}};
static const struct ilk_task_function weights[] = {{"weigh", weigh}, {"where_weigh", where}};

static int say(const char *what, int rc)
{
	fprintf(stderr, "%s: %s; %s\n", what, ilk_strerror(rc), ilk_last_error());
	return 1;
}

static int serve(struct ilk_pool *pool, const struct ilk_task_function *functions)
{
	int rc = ilk_pool_serve(pool, functions, 2, NULL);

	return rc < 0 ? say("serve", rc) : 0;
}

/* Gets COUNT cubes, of N and the next ones. */
static int get_cubes(struct ilk_future *f, int count, int64_t n)
{
	for (int i = 0; i < count; i++, n++) {
		int64_t result = 0;
		int rc = ilk_future_get(
			&f[i], &result, sizeof result, NULL, ilk_after_ms(PATIENCE_MS));

		if (rc != 0)
			return say("get", rc);
		if (result != cube_of(n))
			return say("a wrong cube", -EBADMSG);
	}
	return 0;
}

static int submit(struct ilk_pool *pool)
{
	struct ilk_future f[FLIGHT];
	int rc = 0, count, failed = 0;

	for (int64_t n = getpid(); rc == 0 && !failed; n += count) {
		for (count = 0; count < FLIGHT && rc == 0; count += rc == 0) {
			int64_t x = n + count;

			rc = ilk_pool_submit(
				pool, "cube", &x, sizeof x, &f[count], ilk_after_ms(PATIENCE_MS));
		}
		failed = get_cubes(f, count, n);
	}
	return rc != -EPIPE && rc != 0 ? say("submit", rc) : failed;
}

int main(int argc, char **argv)
{
	struct ilk_segment *seg;
	struct ilk_pool *pool;
	int rc;

	if (argc != 3)
		return 2;
	/* Elsewhere than in a program of its size. */
	if (mmap(NULL, 1 << 25, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 2;
	rc = ilk_segment_open(argv[1], NULL, &seg);
	if (rc == 0)
		rc = ilk_pool_open(seg, "work", NULL, &pool);
	if (rc < 0)
		return say(argv[1], rc);
	if (strcmp(argv[2], "submit") == 0)
		rc = submit(pool);
	else
		rc = serve(pool, strcmp(argv[2], "cube") == 0 ? cubes : weights);
	ilk_segment_close(seg);
	return rc;
}
