/*
 * embedded_mutex.c - a struct of your own with a mutex in it, and a holder that is killed.
 *
 * A child takes a piece off the shelf and is killed between the two halves of its change. The
 * parent's lock does not hang: it is told, counts again, and goes on.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

/* What the processes share. The rule that the mutex guards: left + sold is 10. */
struct shelf {
	struct ilk_mutex mutex;
	int left, sold;
};

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

static void killed_half_way(struct shelf *shelf)
{
	if (ilk_mutex_lock(&shelf->mutex) < 0)
		_exit(1);
	shelf->left--;
	raise(SIGKILL);
	shelf->sold++;
}

static int sell(struct shelf *shelf)
{
	int rc;

	ILK_WITH_MUTEX (&shelf->mutex, rc) {
		if (rc & ILK_RECOVERED) {
			printf("its last owner died: %d left and %d sold\n", shelf->left,
				shelf->sold);
			shelf->sold = 10 - shelf->left;
			ilk_mutex_repaired(&shelf->mutex);
		}
		shelf->left--;
		shelf->sold++;
	}
	return rc;
}

int main(void)
{
	struct ilk_segment *seg;
	struct shelf *shelf;
	void *memory;
	pid_t child;
	int rc = ilk_segment_anonymous("shop", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "shelf", sizeof *shelf, &memory);
	if (rc < 0)
		return say(rc);
	shelf = memory;
	rc = ilk_mutex_init(seg, &shelf->mutex, "shelf", NULL);
	if (rc < 0)
		return say(rc);
	shelf->left = 10;

	child = fork();
	if (child < 0)
		return 1;
	if (child == 0)
		killed_half_way(shelf);
	waitpid(child, NULL, 0);

	rc = sell(shelf);
	if (rc < 0)
		return say(rc);
	printf("%d left, %d sold\n", shelf->left, shelf->sold);
	return ilk_segment_close(seg);
}
