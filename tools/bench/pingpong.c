/*
 * pingpong.c - how far apart two cores are at this moment.
 *
 * A flag on one cache line is bounced between a process on each; the figure is nanoseconds per
 * round trip (there and back). Virtual machines move their cores: on some hosts the figure flips
 * between about 90 and about 400 every few minutes, and what crosses cores flips with it.
 */
#include "bench/rows.h"
#include "bench/work.h"

#include <sched.h>
#include <sys/mman.h>

enum { CHUNKS = 16, ROUND_TRIPS = 1000 }; /* the first chunk is the warm-up */

/* Odd values go there, even values come back. Gives up when nothing comes for a second or so. */
static int await_flag(const uint32_t *flag, uint32_t value)
{
	ilk_time give_up = 0;

	for (unsigned spins = 1; ilk_load_acquire_(flag) != value; spins++) {
		if (spins % 1000000)
			continue;
		if (give_up == 0)
			give_up = ilk_after_ms(1000);
		else if (ilk_now() > give_up)
			return -1;
	}
	return 0;
}

static int return_flag(void *arg)
{
	uint32_t *flag = (uint32_t *)arg;

	for (uint32_t i = 0; i < 2 * CHUNKS * ROUND_TRIPS; i += 2) {
		if (await_flag(flag, i + 1) != 0)
			return -1;
		ilk_store_release_(flag, i + 2);
	}
	return 0;
}

/* Nanoseconds per round trip, or 0. */
static double send_flag(uint32_t *flag)
{
	double chunks[CHUNKS];
	uint32_t value = 0;

	for (unsigned c = 0; c < CHUNKS; c++) {
		ilk_time begin = ilk_now();

		for (unsigned i = 0; i < ROUND_TRIPS; i++, value += 2) {
			ilk_store_release_(flag, value + 1);
			if (await_flag(flag, value + 2) != 0)
				return 0;
		}
		chunks[c] = (double)(ilk_now() - begin) / ROUND_TRIPS;
	}
	return bench_median(chunks + 1, CHUNKS - 1);
}

double bench_ping_pong(const int cpus[2])
{
	struct bench_sample sample;
	cpu_set_t before;
	double ping = 0;
	uint32_t *flag = (uint32_t *)mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (flag == MAP_FAILED)
		return 0;
	if (sched_getaffinity(0, sizeof(before), &before) == 0 && bench_pin(cpus[0]) == 0) {
		pid_t pid = bench_spawn(cpus[1], return_flag, flag);

		ping = pid > 0 ? send_flag(flag) : 0;
		bench_reap(&pid, 1, ilk_after_ms(2000), &sample);
		sched_setaffinity(0, sizeof(before), &before);
	}
	munmap(flag, 4096);
	return ping;
}

int bench_distance_changed(double ping, double other)
{
	return ping > 1.5 * other || other > 1.5 * ping;
}
