/*
 * bakery.c - waiting under a mutex until something is so; and one who makes it so, and is killed.
 *
 * Three bakers bake a loaf each. One of them is killed when his loaf is on the shelf, and before he
 * has told anybody. The customer gets three loaves all the same.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

/* What the processes share. */
struct bakery {
	struct ilk_mutex mutex;
	struct ilk_condition baked;
	int loaves;
};

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

static int bake(struct bakery *b, int is_killed)
{
	int rc;

	ILK_WITH_MUTEX (&b->mutex, rc)
		b->loaves++;
	if (is_killed)
		raise(SIGKILL);
	return rc < 0 ? rc : ilk_condition_signal(&b->baked);
}

/* 0: got one; ILK_TIMED_OUT: there was none. */
static int buy(struct bakery *b)
{
	int rc = ilk_mutex_lock(&b->mutex);

	if (rc < 0)
		return rc;
	/* A killed baker held nothing: what is guarded is whole, and rc is 0. */
	rc = ILK_WAIT_UNTIL(&b->baked, &b->mutex, ilk_after_ms(5000), b->loaves > 0);
	if (rc == 0)
		b->loaves--;
	ilk_mutex_unlock(&b->mutex);
	return rc;
}

static void start_baker(struct bakery *b, int is_killed)
{
	if (fork() == 0)
		_exit(bake(b, is_killed) != 0);
}

static int open_bakery(struct ilk_segment *seg, struct bakery **b)
{
	void *memory;
	int rc = ilk_block_open(seg, "bakery", sizeof **b, &memory);

	if (rc < 0)
		return rc;
	*b = memory;
	rc = ilk_mutex_init(seg, &(*b)->mutex, "bakery", NULL);
	return rc < 0 ? rc : ilk_condition_init(seg, &(*b)->baked, "baked");
}

int main(void)
{
	struct ilk_segment *seg;
	struct bakery *b = NULL;
	int bought = 0, rc = ilk_segment_anonymous("bakery", NULL, &seg);

	if (rc == 0)
		rc = open_bakery(seg, &b);
	if (rc < 0)
		return say(rc);
	for (int i = 0; i < 3; i++)
		start_baker(b, i == 0);
	while (rc == 0 && bought < 3) {
		rc = buy(b);
		bought += rc == 0;
	}
	while (wait(NULL) > 0)
		;
	if (rc != 0)
		return say(rc);
	printf("%d loaves bought, %d left\n", bought, b->loaves);
	return ilk_segment_close(seg);
}
