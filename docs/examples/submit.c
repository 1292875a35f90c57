/*
 * submit.c - has work for the programs that serve a pool, worker.c, whoever started them.
 *
 *	submit SEGMENT TEXT...          prints the texts in capital letters
 *	submit SEGMENT                  closes the pool: when all is done, its workers end
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ilk.h>

enum { MOST = 64 };

/* -ENOENT: no worker has made the pool yet, or none came with the function. */
static int submit(struct ilk_segment *seg, const char *text, struct ilk_future *f)
{
	ilk_time deadline = ilk_after_ms(30000);
	struct ilk_pool *pool;
	int rc;

	do {
		rc = ilk_pool_open(seg, "texts", NULL, &pool);
		if (rc == 0)
			rc = ilk_pool_submit(pool, "capitals", text, strlen(text), f, deadline);
	} while (rc == -ENOENT && ilk_now() < deadline && usleep(1000) == 0);
	return rc;
}

static int print_result(struct ilk_future *f)
{
	struct ilk_outcome out = {0};
	char text[ILK_POOL_BYTES];
	int rc = ilk_future_get(f, text, sizeof text, &out, ilk_after_ms(30000));

	if (rc == 0)
		printf("%.*s%s\n", (int)out.bytes, text, out.runs > 1 ? ", by another" : "");
	else if (rc == ILK_TASK_FAILED)
		fprintf(stderr, "submit: %s\n", out.text);
	return rc;
}

static int print_all(struct ilk_segment *seg, char **texts, int count)
{
	struct ilk_future f[MOST];
	int rc = 0;

	for (int i = 0; i < count && rc == 0; i++)
		rc = submit(seg, texts[i], &f[i]);
	for (int i = 0; i < count && rc == 0; i++)
		rc = print_result(&f[i]);
	return rc;
}

static int end_workers(struct ilk_segment *seg)
{
	struct ilk_pool *pool;
	int rc = ilk_pool_open(seg, "texts", NULL, &pool);

	return rc == 0 ? ilk_pool_close(pool, ILK_POOL_DRAIN) : rc;
}

int main(int argc, char **argv)
{
	struct ilk_segment *seg;
	int rc;

	if (argc < 2 || argc - 2 > MOST)
		return fprintf(stderr, "usage: submit SEGMENT [TEXT...]\n"), 2;
	rc = ilk_segment_open_until(argv[1], NULL, ilk_after_ms(30000), &seg);
	if (rc == 0)
		rc = argc > 2 ? print_all(seg, argv + 2, argc - 2) : end_workers(seg);
	if (rc != 0)
		return fprintf(stderr, "submit: %s (%s)\n", ilk_strerror(rc), ilk_last_error()), 1;
	return ilk_segment_close(seg) < 0;
}
