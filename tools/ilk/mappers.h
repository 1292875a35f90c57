/*
 * mappers.h - which processes have which files of a file system mapped, from /proc.
 *
 *	struct mappers m;
 *	mappers_read(&m, "/dev/shm");
 *	for (size_t at = 0; (who = mappers_next(&m, inode, &at));)
 *		printf("%s (pid %d)\n", who->name, who->pid);
 *	mappers_free(&m);
 *
 * It is of several moments: a process that comes or goes meanwhile may be missing.
 */
#ifndef ILK_TOOLS_MAPPERS_H
#define ILK_TOOLS_MAPPERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapper {
	uint64_t inode;
	int pid;
	char name[16];
};

struct mappers {
	dev_t device;
	struct mapper *all; /* in order of inode and pid */
	size_t count;
	int unread;  /* processes that may not be looked at */
	int no_proc; /* there is no /proc to look at */
};

/* Of the file system that FOLDER lies on. */
void mappers_read(struct mappers *m, const char *folder);

/* The next who maps INODE, beginning with *AT 0; NULL: no other. */
const struct mapper *mappers_next(const struct mappers *m, uint64_t inode, size_t *at);

/* "worker 41, worker 43 and 7 more"; "-" nobody, as far as can be seen. Returns OUT. */
const char *mappers_text(const struct mappers *m, uint64_t inode, char *out, size_t size);

void mappers_free(struct mappers *m);

#endif
