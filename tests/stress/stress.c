/* stress.c - crews, tallies, random numbers. */
#include "stress.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef STRESS_SOAK_SECONDS
#define STRESS_SOAK_SECONDS 60
#endif
#ifndef STRESS_MS
#define STRESS_MS 1500
#endif
enum { SOAK_SECONDS = STRESS_SOAK_SECONDS, KILL_EVERY_MS = 6 };

static struct tally *tallies;
static ilk_time the_end;

struct tally *tally_of(unsigned worker)
{
	return &tallies[worker];
}

/* --- time --- */

/* What ILK_SOAK asks for: 0 nothing, 1 what is usual, more: so many seconds. */
static int soak_length(void)
{
	const char *soak = getenv("ILK_SOAK");
	int n = soak ? atoi(soak) : 0;

	return n > 0 ? n : 0;
}

static int length_ms(void)
{
	int n = soak_length();

	return n > 1 ? 1000 * n : n == 1 ? 1000 * SOAK_SECONDS : STRESS_MS;
}

void begin_time(void)
{
	the_end = ilk_after_ms(length_ms());
}

int time_is_over(void)
{
	return ilk_now() >= the_end;
}

int stress_setup(void **state)
{
	if (!tallies)
		tallies = mmap(NULL, WORKERS * sizeof *tallies, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tallies == MAP_FAILED)
		return -1;
	memset(tallies, 0, WORKERS * sizeof *tallies);
	for (unsigned i = 0; i < WORKERS; i++)
		tallies[i].seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15u + i;
	return ilk_test_setup(state);
}

int stress_teardown(void **state)
{
	return ilk_test_teardown(state);
}

/* --- chance --- */

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t random_below(unsigned worker, uint64_t limit)
{
	return next_random(&tallies[worker].seed) % limit;
}

void dawdle(unsigned worker, uint64_t limit)
{
	for (uint64_t n = random_below(worker, limit); n; n--)
		ilk_pause_();
}

/* --- processes --- */

static void (*the_body)(unsigned worker);
static unsigned numbers[WORKERS];

static void be_worker(void *number)
{
	/* The crew's own limit is the time of the test: a soak outlasts the usual one. */
	alarm((unsigned)(1 + length_ms() / 1000 + 2 * ilk_test_limit_ms() / 1000));
	the_body(*(unsigned *)number);
}

static struct ilk_test_child *start(unsigned worker)
{
	numbers[worker] = worker;
	return ilk_test_start(be_worker, &numbers[worker]);
}

static void kill_now_and_then(
	struct ilk_test_child **crew, void (*bereaved)(unsigned worker), uint64_t *seed)
{
	unsigned victim = (unsigned)(next_random(seed) % WORKERS);

	/* A soak is for many: about as often as processes can be started. */
	ilk_test_sleep_ms(soak_length() ? 1 : 1 + (int)(next_random(seed) % (2 * KILL_EVERY_MS)));
	tallies[victim].killed = ilk_now();
	ilk_test_kill(crew[victim]);
	tallies[victim].deaths++;
	if (bereaved)
		bereaved(victim);
	crew[victim] = start(victim);
}

static int run_crew(void (*body)(unsigned worker), void (*bereaved)(unsigned worker), int killing)
{
	struct ilk_test_child *crew[WORKERS];
	uint64_t seed = (uint64_t)ilk_now();
	int deaths = 0;

	the_body = body;
	begin_time();
	for (unsigned i = 0; i < WORKERS; i++)
		crew[i] = start(i);
	for (; killing && !time_is_over(); deaths++)
		kill_now_and_then(crew, bereaved, &seed);
	while (!time_is_over())
		ilk_test_sleep_ms(10);
	for (unsigned i = 0; i < WORKERS; i++)
		ilk_test_join(crew[i]);
	return deaths;
}

int run_processes(void (*body)(unsigned worker), void (*bereaved)(unsigned worker))
{
	int deaths = run_crew(body, bereaved, 1);

	print_message("%d workers, %d times killed\n", WORKERS, deaths);
	return deaths;
}

void run_undisturbed(void (*body)(unsigned worker))
{
	run_crew(body, NULL, 0);
}

/* --- threads --- */

static void *be_thread(void *number)
{
	the_body(*(unsigned *)number);
	return NULL;
}

/* Starts a worker's threads, one after the other. */
static void *be_foreman(void *number)
{
	pthread_t thread;

	while (!time_is_over()) {
		CHECK(pthread_create(&thread, NULL, be_thread, number) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	return NULL;
}

void run_threads(void (*body)(unsigned worker))
{
	pthread_t foremen[WORKERS];

	the_body = body;
	begin_time();
	for (unsigned i = 0; i < WORKERS; i++) {
		numbers[i] = i;
		CHECK(pthread_create(&foremen[i], NULL, be_foreman, &numbers[i]) == 0);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		CHECK(pthread_join(foremen[i], NULL) == 0);
}

/* --- the rest --- */

struct ilk_segment *open_elsewhere(unsigned worker, const char *name)
{
	size_t bytes = 4096 * (1 + (size_t)random_below(worker, 1000));

	/* Stays mapped for as long as the worker lives. */
	CHECK(mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	return support_open(name);
}

void check_longest_stall(void)
{
	int64_t longest = 0, limit_ms = support_slow() ? 20000 : 1000;

	for (unsigned i = 0; i < WORKERS; i++)
		if (tallies[i].longest > longest)
			longest = tallies[i].longest;
	print_message(
		"longest stall: %.1f ms (100 or less on an idle machine)\n", (double)longest / 1e6);
	assert_true(longest < limit_ms * 1000000);
}
