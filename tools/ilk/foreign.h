/* foreign.h - the files of /dev/shm that are not Ilk's: shared memory and semaphores of POSIX. */
#ifndef ILK_TOOLS_FOREIGN_H
#define ILK_TOOLS_FOREIGN_H

#include <stdint.h>

struct foreign {
	const char *name; /* as sem_open() and shm_open() take it, but for the '/' */
	const char *kind; /* "semaphore", "shm"; "folder" and what else is no object */
	uint64_t bytes, used, inode;
	int64_t born; /* CLOCK_REALTIME nanoseconds; 0 unknown */
	uint32_t uid, mode;
	int has_value;
	uint32_t value;   /* of a semaphore */
	char trouble[80]; /* why there is no value; "" */
};

/* Calls EACH for every file of /dev/shm but ilk.*, in order of name. 0; -1: errno says why not. */
int foreign_each(void (*each)(const struct foreign *f, void *arg), void *arg);

#endif
