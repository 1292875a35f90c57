/*
 * damaged.c - many damaged segments, met in children: none crashes, hangs, or is read outside of.
 *
 *	damaged [--from FIRST] [--cases COUNT]      ILK_SOAK=1 in the environment: 100000
 *	damaged --case NUMBER                       that one, in this process, for a debugger
 */
#include "body.h"
#include "mutate.h"
#include "use.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CASES = 4000, SOAK_CASES = 100000, BATCH = 500, MOST_FAULTS = 10 };
enum { SECONDS = 2, SECONDS_ALONE = 10 };
enum { RESULTS = 256, FAMILIES = 64 };

/* Shared with the children, so that what they did outlives them. */
static struct board {
	uint64_t at;              /* the case in hand */
	uint64_t worst, worst_ns; /* the case that took longest */
	uint64_t results[STORY_PARTS][RESULTS];
	uint64_t tried[FAMILIES], opened[FAMILIES], valid[FAMILIES];
} * board;

static struct seed seeds[FUZZ_SEEDS];
static unsigned faults;
static int seconds = SECONDS; /* for one case */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- in a child --- */

/* SIGALRM kills who takes longer, in whatever loop or sleep. */
static void set_alarm(int after)
{
	const struct itimerval timer = {.it_value = {.tv_sec = after}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void note(const struct story *story, unsigned family)
{
	for (int part = 0; part < STORY_PARTS; part++)
		if (story->rc[part] <= 0)
			board->results[part][-story->rc[part]]++;
	board->tried[family]++;
	board->opened[family] += story->rc[STORY_OPENED] == 0;
	board->valid[family] += story->rc[STORY_VALID] == 0;
}

static void meet(uint64_t number)
{
	static struct victim victim;
	unsigned family = mutate(number, &victim);
	uint64_t begin = now(), took;
	struct story story;
	/* Exactly as long, so that a sanitizer sees who reads behind it. */
	uint8_t *bytes = malloc(victim.count ? victim.count : 1);

	memcpy(bytes, victim.bytes, victim.count);
	board->at = number;
	use_chance = number;
	set_alarm(seconds);
	fuzz_body(bytes, victim.count, &story);
	set_alarm(0);
	free(bytes);
	note(&story, family);
	took = now() - begin;
	if (took > board->worst_ns) {
		board->worst_ns = took;
		board->worst = number;
	}
}

/* --- the parent --- */

static const char *name_of(uint64_t number)
{
	static struct victim victim;
	static char name[80];
	unsigned family = mutate(number, &victim);

	snprintf(name, sizeof name, "%s, of the seed %s", mutate_name(family), victim.seed->name);
	return name;
}

static int hangs(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
}

static void report(int status)
{
	printf("FAILED: case %llu (%s): %s\n", (unsigned long long)board->at, name_of(board->at),
		hangs(status)         ? "hangs"
		: WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
				      : "ended by a sanitizer");
	fflush(stdout);
	faults++;
}

/* A child meets cases from FROM on, up to END, and says in board->at where it got to. Its status. */
static int run_child(uint64_t from, uint64_t end)
{
	pid_t child;
	int status;

	fflush(stdout);
	board->at = from;
	child = fork();
	if (child == 0) {
		for (uint64_t i = from; i < end; i++)
			meet(i);
		board->at = end;
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("a child");
		exit(2);
	}
	return status;
}

/* The same; where it got to. A busy machine is no hang: who takes long is given a second chance. */
static uint64_t run_batch(uint64_t from, uint64_t end)
{
	int status = run_child(from, end);
	uint64_t at = board->at;

	if (hangs(status)) {
		seconds = SECONDS_ALONE;
		end = at + 1;
		status = run_child(at, end);
		seconds = SECONDS;
		at = board->at;
	}
	if (status == 0)
		return end;
	if (at < end) {
		report(status);
		return at + 1;
	}
	printf("FAILED: cases %llu to %llu: at exit, memory was lost\n", (unsigned long long)from,
		(unsigned long long)end - 1);
	faults++;
	return end;
}

static void run_cases(uint64_t from, uint64_t count)
{
	const uint64_t end = from + count;

	for (uint64_t at = from; at < end && faults < MOST_FAULTS;) {
		at = run_batch(at, at + BATCH < end ? at + BATCH : end);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%llu of %llu", (unsigned long long)(at - from),
				(unsigned long long)count);
	}
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}

/* --- what came of it --- */

static void print_results(void)
{
	printf("%-14s %10s %10s %10s %10s %10s\n", "", "inspected", "looked at", "as a copy",
		"opened", "valid");
	for (int rc = 0; rc < RESULTS; rc++) {
		uint64_t sum = 0;

		for (int part = 0; part < STORY_PARTS; part++)
			sum += board->results[part][rc];
		if (!sum)
			continue;
		printf("%-14s", rc ? strerrorname_np(rc) : "0");
		for (int part = 0; part < STORY_PARTS; part++)
			printf(" %10llu", (unsigned long long)board->results[part][rc]);
		printf("\n");
	}
}

static void print_families(void)
{
	printf("\n%-26s %8s %8s %8s\n", "damage", "cases", "opened", "valid");
	for (unsigned i = 0; i < mutate_families(); i++)
		printf("%-26s %8llu %8llu %8llu\n", mutate_name(i),
			(unsigned long long)board->tried[i], (unsigned long long)board->opened[i],
			(unsigned long long)board->valid[i]);
}

/* Without damage they open and are valid: else nothing behind that was tried at all. */
static void check_seeds(void)
{
	for (int i = 0; i < FUZZ_SEEDS; i++) {
		struct story story;

		fuzz_body(seeds[i].bytes, seeds[i].count, &story);
		if (story.rc[STORY_LOOKED] == 0 && story.rc[STORY_AS_IS] == -EBADMSG &&
			story.rc[STORY_VALID] == 0)
			continue;
		printf("FAILED: the seed %s, undamaged: read %d, opened %d, valid %d\n",
			seeds[i].name, story.rc[STORY_LOOKED], story.rc[STORY_OPENED],
			story.rc[STORY_VALID]);
		faults++;
	}
}

static void begin(void)
{
	seeds_make(seeds);
	mutate_begin(seeds);
	board = mmap(
		NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
}

static int usage(void)
{
	fputs("usage: damaged [--from FIRST] [--cases COUNT] | --case NUMBER\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *soak = getenv("ILK_SOAK");
	uint64_t from = 0, cases = soak && strcmp(soak, "1") == 0 ? SOAK_CASES : CASES;
	uint64_t began = now();

	begin();
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (strcmp(argv[i], "--case") == 0) {
			printf("%s\n", name_of(strtoull(argv[i + 1], NULL, 10)));
			meet(strtoull(argv[i + 1], NULL, 10));
			print_results();
			return 0;
		}
		if (strcmp(argv[i], "--from") == 0)
			from = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--cases") == 0)
			cases = strtoull(argv[i + 1], NULL, 10);
		else
			return usage();
	}
	check_seeds();
	run_cases(from, cases);
	print_results();
	print_families();
	printf("\n%llu cases in %.1f s; the longest, %llu, took %.1f ms; %u faults\n",
		(unsigned long long)cases, (double)(now() - began) / 1e9,
		(unsigned long long)board->worst, (double)board->worst_ns / 1e6, faults);
	return faults != 0;
}
