/* channel.c - a question, an answer, and no endless wait for the one who was killed before his. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

static void answer(struct ilk_channel *channel)
{
	struct ilk_channel_end end;
	char question[64];
	size_t n;

	if (ilk_channel_end_open(channel, 1, 0, &end) < 0)
		_exit(1);
	while (ilk_channel_get(&end, question, sizeof question, &n) == 0) {
		if (n == 5)
			raise(SIGKILL); /* a hard one */
		ilk_channel_put(&end, "42", 2);
	}
	_exit(0);
}

static void ask(struct ilk_channel_end *end, const char *question, size_t length)
{
	char got[64];
	size_t n = 0;
	int rc = ilk_channel_put(end, question, length);

	if (rc == 0)
		rc = ilk_channel_get(end, got, sizeof got, &n);
	if (rc == 0)
		printf("%s %.*s\n", question, (int)n, got);
	else
		printf("%s %s\n", question, rc == -EPIPE ? "nobody is there to answer" : "?");
}

int main(void)
{
	struct ilk_segment *seg;
	struct ilk_channel *channel;
	struct ilk_channel_end end;
	int rc = ilk_segment_anonymous("talk", NULL, &seg);

	if (rc == 0)
		rc = ilk_channel_open(seg, "talk", NULL, &channel);
	if (rc == 0)
		rc = ilk_channel_end_open(channel, 0, 0, &end);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	if (fork() == 0)
		answer(channel);
	ask(&end, "six times seven?", 16);
	ask(&end, "why??", 5);
	wait(NULL);
	return ilk_segment_close(seg);
}
