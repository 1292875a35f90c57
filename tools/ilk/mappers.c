/* mappers.c - see mappers.h. */
#include "ilk/mappers.h"
#include "ilk/report.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* --- reading --- */

static void read_name(int pid, char name[16])
{
	char path[48];
	FILE *file;

	name[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(name, 16, file))
		name[0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

/* A file that is mapped several times, as segments are, counts once: the lines of a file are
 * neighbours often, and mappers_read() drops what is left. */
static void note(struct mappers *m, uint64_t inode, int pid)
{
	struct mapper new = {.inode = inode, .pid = pid};

	if (m->count && m->all[m->count - 1].pid == pid) {
		if (m->all[m->count - 1].inode == inode)
			return;
		memcpy(new.name, m->all[m->count - 1].name, sizeof new.name);
	} else {
		read_name(pid, new.name);
	}
	/* Room doubles at powers of two. */
	if ((m->count & (m->count - 1)) == 0) {
		m->all = realloc(m->all, (2 * m->count + 2) * sizeof *m->all);
		if (!m->all)
			exit(complain("", "out of memory"));
	}
	m->all[m->count++] = new;
}

static void read_maps(struct mappers *m, int pid)
{
	unsigned major, minor;
	unsigned long long inode;
	char path[48], line[512];
	int begins = 1;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file) {
		m->unread += errno == EACCES || errno == EPERM;
		return;
	}
	while (fgets(line, sizeof line, file)) {
		/* What follows in a line that is longer than ours is its path. */
		if (begins && sscanf(line, "%*s %*s %*s %x:%x %llu", &major, &minor, &inode) == 3 &&
			inode != 0 && makedev(major, minor) == m->device)
			note(m, inode, pid);
		begins = strchr(line, '\n') != NULL;
	}
	if (ferror(file) && (errno == EACCES || errno == EPERM))
		m->unread++;
	fclose(file);
}

static int compare(const void *a, const void *b)
{
	const struct mapper *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void sort(struct mappers *m)
{
	size_t kept = 0;

	if (m->count)
		qsort(m->all, m->count, sizeof *m->all, compare);
	for (size_t i = 0; i < m->count; i++)
		if (i == 0 || compare(&m->all[i], &m->all[kept - 1]) != 0)
			m->all[kept++] = m->all[i];
	m->count = kept;
}

void mappers_read(struct mappers *m, const char *folder)
{
	struct stat s;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	*m = (struct mappers){.no_proc = proc == NULL};
	if (!proc)
		return;
	if (stat(folder, &s) == 0) {
		m->device = s.st_dev;
		while ((entry = readdir(proc)))
			if (isdigit((unsigned char)entry->d_name[0]))
				read_maps(m, atoi(entry->d_name));
	}
	closedir(proc);
	sort(m);
}

void mappers_free(struct mappers *m)
{
	free(m->all);
	*m = (struct mappers){.count = 0};
}

/* --- asking --- */

const struct mapper *mappers_next(const struct mappers *m, uint64_t inode, size_t *at)
{
	while (*at < m->count && m->all[*at].inode < inode)
		++*at;
	return *at < m->count && m->all[*at].inode == inode ? &m->all[(*at)++] : NULL;
}

const char *mappers_text(const struct mappers *m, uint64_t inode, char *out, size_t size)
{
	enum { ROOM_FOR_MORE = 24, ROOM_FOR_ONE = 32 };
	const struct mapper *who;
	size_t at = 0, length = 0;
	int more = 0;

	out[0] = '\0';
	while ((who = mappers_next(m, inode, &at))) {
		if (length + ROOM_FOR_ONE + ROOM_FOR_MORE > size)
			more++;
		else
			length += (size_t)snprintf(out + length, size - length, "%s%s %d",
				length ? ", " : "", who->name, who->pid);
	}
	if (more)
		snprintf(out + length, size - length, " and %d more", more);
	return length ? out : strcpy(out, "-");
}
