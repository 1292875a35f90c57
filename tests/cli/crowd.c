/*
 * crowd.c - a segment with many objects and many threads, to be looked at.
 *
 *	crowd NAME OBJECTS HAMMERS IDLERS
 *
 * Makes the segment with OBJECTS mutexes m0, m1... and one more, "gate", that is held. HAMMERS threads
 * lock and unlock all the time, any of the objects. IDLERS threads hold the objects between them, and
 * every eighth waits for the gate. When all is there it says "ready". Then, for each number of
 * milliseconds on its standard input, it prints how many locks were taken meanwhile, and in how many
 * nanoseconds of CPU time. Ends with its standard input.
 */
#include <ilk.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WAITERS = 8, ROOM = 512 }; /* bytes for an object, and what belongs to it */

static struct ilk_segment *seg;
static struct ilk_mutex **mutexes, *gate;
static unsigned objects, hammers, idlers, ready;

/* A line of the cache each. */
static struct hammer {
	pthread_t thread;
	uint64_t locks; /* by the thread alone */
	char rest[48];
} * hammer;

static void must(const char *what, int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "crowd: %s: %s (%s)\n", what, ilk_strerror(rc), ilk_last_error());
	exit(2);
}

static void *hammer_on(void *arg)
{
	struct hammer *h = arg;
	uint64_t chance = (uint64_t)(h - hammer) + 1;

	for (;;) {
		struct ilk_mutex *m;

		chance = chance * 6364136223846793005u + 1442695040888963407u;
		m = mutexes[(chance >> 33) % objects];
		must("lock", ilk_mutex_lock(m));
		ilk_mutex_unlock(m);
		ilk_store_relaxed_(&h->locks, h->locks + 1);
	}
	return NULL;
}

static void *idle(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	for (unsigned k = i; k < objects; k += idlers)
		must("lock", ilk_mutex_lock(mutexes[k]));
	ilk_add_full_(&ready, 1);
	if (i % WAITERS == 0)
		ilk_mutex_lock(gate);
	for (;;)
		pause();
	return NULL;
}

static void make_segment(const char *name)
{
	struct ilk_segment_options options = {.size = sizeof options,
		.bytes = (1 << 20) + (size_t)objects * ROOM,
		.threads = 512};
	char object[32];

	must("segment", ilk_segment_create(name, &options, &seg));
	mutexes = calloc(objects, sizeof *mutexes);
	for (unsigned i = 0; i < objects; i++) {
		snprintf(object, sizeof object, "m%u", i);
		must(object, ilk_mutex_open(seg, object, NULL, &mutexes[i]));
	}
	must("gate", ilk_mutex_open(seg, "gate", NULL, &gate));
	must("gate", ilk_mutex_lock(gate));
}

static void begin_threads(void)
{
	pthread_t thread;

	hammer = calloc(hammers + 1, sizeof *hammer);
	for (uintptr_t i = 0; i < idlers; i++)
		must("thread", -pthread_create(&thread, NULL, idle, (void *)i));
	while (ilk_load_acquire_(&ready) < idlers)
		usleep(1000);
	for (unsigned i = 0; i < hammers; i++)
		must("thread", -pthread_create(&hammer[i].thread, NULL, hammer_on, &hammer[i]));
}

static void add_up(uint64_t *locks, uint64_t *ns)
{
	*locks = *ns = 0;
	for (unsigned i = 0; i < hammers; i++) {
		clockid_t clock;
		struct timespec t;

		*locks += ilk_load_relaxed_(&hammer[i].locks);
		pthread_getcpuclockid(hammer[i].thread, &clock);
		clock_gettime(clock, &t);
		*ns += (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
}

int main(int argc, char **argv)
{
	uint64_t locks, ns, locks_after, ns_after;
	unsigned ms;

	if (argc != 5) {
		fputs("usage: crowd NAME OBJECTS HAMMERS IDLERS\n", stderr);
		return 2;
	}
	objects = (unsigned)atoi(argv[2]);
	hammers = (unsigned)atoi(argv[3]);
	idlers = (unsigned)atoi(argv[4]);
	make_segment(argv[1]);
	begin_threads();
	puts("ready");
	fflush(stdout);
	while (scanf("%u", &ms) == 1) {
		add_up(&locks, &ns);
		usleep(ms * 1000);
		add_up(&locks_after, &ns_after);
		printf("%llu %llu\n", (unsigned long long)(locks_after - locks),
			(unsigned long long)(ns_after - ns));
		fflush(stdout);
	}
	_exit(0);
}
