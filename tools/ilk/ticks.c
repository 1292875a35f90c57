/* ticks.c - see ticks.h. */
#include "ilk/ticks.h"
#include <errno.h>
#include <time.h>

void ticks_begin(struct ticks *t, int64_t every)
{
	ilk_time now = ilk_now();

	*t = (struct ticks){.begun = now, .next = now + every, .every = every};
}

ilk_time ticks_next_at(struct ticks *t)
{
	ilk_time now = ilk_now();

	if (t->next < now - t->every)
		t->next += (now - t->next) / t->every * t->every;
	return t->next;
}

void ticks_done(struct ticks *t)
{
	t->next += t->every;
}

void ticks_sleep(int64_t ns)
{
	struct timespec left = {ns / 1000000000, ns % 1000000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void ticks_wait(struct ticks *t)
{
	ilk_time until = ticks_next_at(t);

	for (ilk_time now = ilk_now(); now < until; now = ilk_now())
		ticks_sleep(until - now);
	ticks_done(t);
}

ilk_time ticks_deadline(int64_t ns)
{
	return ns < 0 ? ILK_FOREVER : ns == 0 ? ILK_NOW : ilk_after_ns(ns);
}
