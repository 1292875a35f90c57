/* clock.c - reading the clocks, and deadlines that do not overflow. */
#include "os/clock.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * ILK_NS_PER_S + t.tv_nsec;
}

ilk_time ilk_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

ilk_time ilk_now_about_(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t ilk_wall_clock_(void)
{
	return read_clock(CLOCK_REALTIME);
}

ilk_time ilk_after_ns(int64_t nanoseconds)
{
	ilk_time now = ilk_now();

	if (nanoseconds <= 0)
		return now;
	return nanoseconds > ILK_FOREVER - now ? ILK_FOREVER : now + nanoseconds;
}

ilk_time ilk_after_ms(int64_t milliseconds)
{
	if (milliseconds > ILK_FOREVER / ILK_NS_PER_MS)
		return ILK_FOREVER;
	return ilk_after_ns(milliseconds < 0 ? 0 : milliseconds * ILK_NS_PER_MS);
}
