/* clock.h - the two clocks: deadlines on CLOCK_MONOTONIC, dates for people on CLOCK_REALTIME. */
#ifndef ILK_OS_CLOCK_H
#define ILK_OS_CLOCK_H

#include <ilk/base.h>
#include <time.h>

enum { ILK_NS_PER_MS = 1000000, ILK_NS_PER_S = 1000000000 };

int64_t ilk_wall_clock_(void);

/* As ilk_now(), some milliseconds behind it, and at a fraction of the cost. */
ilk_time ilk_now_about_(void);

static inline struct timespec ilk_timespec_(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / ILK_NS_PER_S, .tv_nsec = ns % ILK_NS_PER_S};
}

#endif
