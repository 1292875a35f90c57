/*
 * machine.c - which two cores the benches use, and who else uses them.
 */
#include "bench/rows.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Reads a number that the kernel tells about a core; -1 if it does not. */
static int topology(int cpu, const char *what)
{
	char path[128];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, what);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* Are these two threads of one core? Not known: no. */
static int same_core(int a, int b)
{
	return topology(a, "core_id") >= 0 && topology(a, "core_id") == topology(b, "core_id") &&
	       topology(a, "physical_package_id") == topology(b, "physical_package_id");
}

int bench_two_cores(int cpus[2])
{
	cpu_set_t allowed;
	int sibling = -1;

	cpus[0] = cpus[1] = -1;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE && cpus[1] < 0; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &allowed))
			continue;
		if (cpus[0] < 0)
			cpus[0] = cpu;
		else if (!same_core(cpus[0], cpu))
			cpus[1] = cpu;
		else if (sibling < 0)
			sibling = cpu;
	}
	if (cpus[1] < 0)
		cpus[1] = sibling;
	return cpus[1] < 0 ? -1 : 0;
}

static double seconds_of(int whom)
{
	struct rusage u;

	getrusage(whom, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

double bench_used_by_others(void)
{
	/* user nice system idle iowait irq softirq steal: all but the fourth and fifth are use. */
	double ticks[8] = {0}, used = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return 0;
	if (fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
		    &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) == 8)
		for (int i = 0; i < 8; i++)
			used += i == 3 || i == 4 ? 0 : ticks[i];
	fclose(f);
	return used / (double)sysconf(_SC_CLK_TCK) - seconds_of(RUSAGE_SELF) -
	       seconds_of(RUSAGE_CHILDREN);
}
