/* children.h - what the two files of spawn share. */
#ifndef ILK_WORK_CHILDREN_H
#define ILK_WORK_CHILDREN_H

#include <ilk/spawn.h>
#include <pthread.h>

/* Under it handles are read and changed; a forked child has its own. spawn.c */
pthread_mutex_t *ilk_spawn_joining_(void);

#endif
