/* yield.h - lets another thread have the core. */
#ifndef ILK_OS_YIELD_H
#define ILK_OS_YIELD_H

#include <sched.h>

static inline void ilk_yield_(void)
{
	sched_yield();
}

#endif
