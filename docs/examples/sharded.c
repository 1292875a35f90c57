/*
 * sharded.c - a counter that is written much and read seldom.
 *
 * Each thread has a cache line of its own in the segment, and adds to it by a plain store; the
 * total is the sum of the lines. The share of a process that is gone stays in it.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { WORKERS = 4, ADDS = 100000 };

static int work(struct ilk_sharded *packets)
{
	struct ilk_sharded_handle mine;
	int rc = ilk_sharded_mine(packets, &mine);

	for (int i = 0; rc == 0 && i < ADDS; i++)
		rc = ilk_sharded_add(&mine, 1);
	return rc;
}

int main(void)
{
	struct ilk_segment *seg;
	struct ilk_sharded *packets;
	int status, failed = 0;
	int rc = ilk_segment_anonymous("router", NULL, &seg);

	if (rc == 0)
		rc = ilk_sharded_open(seg, "packets", &packets);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			_exit(work(packets) == 0 ? 0 : 1);
	while (wait(&status) > 0)
		failed |= status;
	printf("%lld\n", (long long)ilk_sharded_read(packets));
	ilk_segment_close(seg);
	return failed ? 1 : 0;
}
