/*
 * factorials.c - factorials of large numbers, by a team of processes and by one of threads.
 *
 * What is computed is the same; what differs is what one worker's death, or its wild pointer, can do to the
 * others. Each number is a part of its own, since they are not equally much work.
 */
#include <stdio.h>
#include <string.h>

#include <ilk.h>

enum { NUMBERS = 24, LARGEST = 1200, DIGITS = 3200, WORKERS = 3 };

/* In the segment: how many decimal digits each factorial has, and their sum. */
struct results {
	unsigned digits[NUMBERS], sum[NUMBERS];
};

static unsigned multiply(unsigned char *digits, unsigned count, unsigned by)
{
	unsigned carry = 0;

	for (unsigned i = 0; i < count; i++, carry /= 10) {
		carry += digits[i] * by;
		digits[i] = (unsigned char)(carry % 10);
	}
	for (; carry; carry /= 10)
		digits[count++] = (unsigned char)(carry % 10);
	return count;
}

static int factorial(const struct ilk_part *part, void *arg)
{
	struct results *r = arg;

	for (uint64_t i = part->begin; i < part->end; i++) {
		unsigned n = LARGEST / NUMBERS * (unsigned)(i + 1), count = 1, sum = 0;
		unsigned char digits[DIGITS] = {1};

		for (unsigned by = 2; by <= n; by++)
			count = multiply(digits, count, by);
		for (unsigned d = 0; d < count; d++)
			sum += digits[d];
		r->digits[i] = count;
		r->sum[i] = sum;
	}
	return 0;
}

static int by_team(struct ilk_segment *seg, struct results *r, unsigned flags)
{
	const struct ilk_team_options o = {.size = sizeof o, .flags = flags};
	const struct ilk_range all = {.size = sizeof all, .count = NUMBERS, .least = 1};
	struct ilk_team team;
	int rc = ilk_team_start(&team, seg, WORKERS, factorial, r, &o);

	memset(r, 0, sizeof *r);
	if (rc < 0)
		return rc;
	rc = ilk_team_run(&team, &all);
	ilk_team_stop(&team);
	return rc;
}

int main(void)
{
	struct ilk_segment *seg;
	struct results *r, processes;
	void *block;
	int rc = ilk_segment_anonymous("factorials", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "results", sizeof *r, &block);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	r = block;
	rc = by_team(seg, r, 0);
	processes = *r;
	if (rc == 0)
		rc = by_team(seg, r, ILK_TEAM_THREADS);
	printf("%s 1200! has %u digits, their sum is %u; threads say %s\n", ilk_strerror(rc),
		processes.digits[NUMBERS - 1], processes.sum[NUMBERS - 1],
		memcmp(r, &processes, sizeof *r) == 0 ? "the same" : "otherwise");
	ilk_segment_close(seg);
	return rc < 0;
}
