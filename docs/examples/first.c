/*
 * first.c - two processes count together, and none of the counts is lost.
 *
 * The segment is anonymous: the child inherits it by fork, and nothing is left behind.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

int main(void)
{
	struct ilk_segment *seg;
	struct ilk_counter *hits;
	int rc = ilk_segment_anonymous("first", NULL, &seg);

	if (rc == 0)
		rc = ilk_counter_open(seg, "hits", &hits);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}

	pid_t child = fork();
	if (child < 0)
		return 1;
	for (int i = 0; i < 1000000; i++)
		ilk_counter_add(hits, 1);
	if (child == 0)
		_exit(0);

	waitpid(child, NULL, 0);
	printf("%lld\n", (long long)ilk_counter_read(hits));
	ilk_segment_close(seg);
	return 0;
}
