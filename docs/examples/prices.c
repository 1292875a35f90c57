/*
 * prices.c - a table that many read and one changes, and a writer that is killed.
 *
 * Readers mark their own thread's slot, so that they do not slow each other down. The child is
 * killed between the two halves of its change: the parent's read says so, and a write puts it right.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

/* What the processes share. The rule that the lock guards: the total is the sum of the prices. */
struct table {
	struct ilk_rwlock lock;
	int price[3], total;
};

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

static void killed_half_way(struct table *t)
{
	if (ilk_rwlock_write(&t->lock) < 0)
		_exit(1);
	t->price[1] = 25;
	raise(SIGKILL);
	t->total += 5;
}

static int put_right(struct table *t)
{
	int rc;

	ILK_WITH_WRITE(&t->lock, rc)
	{
		t->total = t->price[0] + t->price[1] + t->price[2];
		ilk_rwlock_repaired(&t->lock);
	}
	return rc;
}

static int look(struct table *t)
{
	int rc;

	ILK_WITH_READ(&t->lock, rc)
	printf("total %d%s\n", t->total, rc & ILK_RECOVERED ? ", but a writer died" : "");
	return rc;
}

int main(void)
{
	struct ilk_segment *seg;
	struct table *t;
	void *memory;
	pid_t child;
	int rc = ilk_segment_anonymous("shop", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "table", sizeof *t, &memory);
	if (rc < 0)
		return say(rc);
	t = memory;
	*t = (struct table){.price = {10, 20, 30}, .total = 60};
	rc = ilk_rwlock_init(seg, &t->lock, "prices", NULL);
	if (rc < 0)
		return say(rc);

	child = fork();
	if (child < 0)
		return 1;
	if (child == 0)
		killed_half_way(t);
	waitpid(child, NULL, 0);

	rc = look(t);
	if (rc > 0 && rc & ILK_RECOVERED)
		rc = put_right(t);
	if (rc >= 0)
		rc = look(t);
	if (rc < 0)
		return say(rc);
	return ilk_segment_close(seg);
}
