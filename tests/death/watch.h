/* watch.h - what a victim has changed: the segment's bytes, and the names in /dev/shm. */
#ifndef DEATH_WATCH_H
#define DEATH_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/* A segment's bytes, now and at the last look. It may appear between two looks. */
struct watch {
	char path[64];
	unsigned char *now, *then;
	size_t bytes;
};

void watch_begin(struct watch *w, const char *segment);
/* Have its bytes changed since the last look? */
bool watch_changed(struct watch *w);
void watch_end(struct watch *w);

/*
 * A /dev/shm of our own, where permitted: whatever is left there is left by the victims, and
 * nothing of ours stays behind. False: we share it with everybody.
 */
bool shm_isolate(void);
/*
 * Is there anything in /dev/shm that belongs to a trial, other than the segment's name? Then its
 * name is in LEFT. In a shared one only files named after SEGMENT or after process PID count.
 */
bool shm_leftover(const char *segment, int pid, char *left, size_t size);
/* Removes SEGMENT's name and what a trial left beside it. */
void shm_clean(const char *segment);
/* Bytes that files in /dev/shm take, with a name or without; 0 where others use it too. */
size_t shm_used(void);

#endif
