/*
 * results.c - a map of results that several processes fill, one of which is killed in the midst.
 *
 * Each word of a text is counted: what Python writes as results[word] += 1 is one step here, so no
 * count is lost. The one who is killed dies within such a step: what it had begun has not happened.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { WORKERS = 4, WORD = 15 };

static const char *const words[] = {
	"one", "flew", "east", "one", "flew", "west", "one", "flew", "over", "the", "nest"};

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

/* ARG says whether to die of it. */
static int count_one(void *value, size_t *bytes, void *arg)
{
	++*(unsigned *)value;
	*bytes = sizeof(unsigned);
	if (*(int *)arg)
		raise(SIGKILL);
	return 0;
}

static int work(const struct ilk_map_handle *results, int dies)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof words / sizeof *words && rc == 0; i++) {
		int now = dies && strcmp(words[i], "over") == 0;

		rc = ilk_map_update(results, words[i], count_one, &now);
	}
	return rc;
}

static int print_all(const struct ilk_map_handle *results)
{
	struct ilk_map_cursor cursor = {0, 0};
	unsigned count, total = 0;
	char word[WORD + 1];
	int rc;

	while ((rc = ilk_map_next(results, &cursor, word, &count, sizeof count, NULL)) == 0)
		total += count;
	rc = ilk_map_get(results, "flew", &count, sizeof count, NULL);
	printf("%u words, %u different ones, %u times \"flew\"\n", total,
		(unsigned)ilk_map_count(results), count);
	return rc;
}

int main(void)
{
	struct ilk_map_handle results;
	struct ilk_segment *seg;
	int rc = ilk_segment_anonymous("results", NULL, &seg);

	if (rc == 0)
		rc = ilk_map_open(
			seg, "results", ILK_MAP_TEXT(WORD), sizeof(unsigned), NULL, &results);
	if (rc < 0)
		return say(rc);
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			_exit(work(&results, i == 0) < 0);
	while (wait(NULL) > 0)
		continue;
	rc = print_all(&results);
	if (rc < 0)
		return say(rc);
	return ilk_segment_close(seg);
}
