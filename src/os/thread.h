/* thread.h - what a thread asks of the scheduler and of the thread library. */
#ifndef ILK_OS_THREAD_H
#define ILK_OS_THREAD_H

#include <pthread.h>
#include <sched.h>

/* Lets another thread have the core. */
static inline void ilk_yield_(void)
{
	sched_yield();
}

/* Puts pthread_cancel() off; what it returns goes to ilk_cancel_on_(). Can be nested. */
static inline int ilk_cancel_off_(void)
{
	int before = PTHREAD_CANCEL_ENABLE;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void ilk_cancel_on_(int before)
{
	pthread_setcancelstate(before, NULL);
}

#endif
