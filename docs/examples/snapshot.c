/*
 * snapshot.c - a table that one process changes all the time, and another reads, always whole.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { ROWS = 1000, READS = 200 };

struct table {
	long row[ROWS]; /* all the same, or it is not whole */
};

/* Until it is killed, wherever that meets it. */
static void change_for_ever(const struct ilk_snapshot_handle *h)
{
	void *value;

	while (ilk_snapshot_begin(h, &value) == 0) {
		struct table *t = value;

		for (int i = 0; i < ROWS; i++)
			t->row[i]++;
		ilk_snapshot_commit(h, NULL);
	}
}

static int is_whole(const struct table *t)
{
	for (int i = 1; i < ROWS; i++)
		if (t->row[i] != t->row[0])
			return 0;
	return 1;
}

int main(void)
{
	static struct table t;
	struct ilk_snapshot_handle h;
	struct ilk_segment *seg;
	uint64_t version = 0;
	int torn = 0;
	int rc = ilk_segment_anonymous("table", NULL, &seg);

	if (rc == 0)
		rc = ilk_snapshot_open(seg, "table", sizeof t, NULL, &h);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}

	pid_t writer = fork();
	if (writer == 0) {
		change_for_ever(&h);
		_exit(1);
	}
	/* Each read is of a later version. */
	for (int i = 0; i < READS && rc == 0; i++) {
		rc = ilk_snapshot_wait_until(&h, version, ilk_after_ms(10000), NULL);
		if (rc == 0)
			rc = ilk_snapshot_read(&h, &t, &version);
		torn += !is_whole(&t) || t.row[0] != (long)version;
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);

	if (rc == 0)
		rc = ilk_snapshot_read(&h, &t, &version);
	printf("%d torn; after the writer's death: %s\n", torn,
		rc == 0 && is_whole(&t) ? "whole" : ilk_strerror(rc));
	ilk_segment_close(seg);
	return 0;
}
