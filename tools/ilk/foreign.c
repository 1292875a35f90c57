/*
 * foreign.c - see foreign.h.
 *
 * A semaphore's value is the low half of the first 64 bits of its file: the layout of the GNU C
 * library since 2.21. A file of another size, or a value beyond SEM_VALUE_MAX, is none of these.
 */
#include "ilk/foreign.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/dev/shm/"
static const char own[] = "ilk.", semaphore[] = "sem.";

static int starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int is_foreign(const struct dirent *entry)
{
	return !starts_with(entry->d_name, own) && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* The first 64 bits of the file. 0, or an errno. */
static int read_word(const char *path, uint64_t *word)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;
	int error;

	if (fd < 0)
		return errno;
	n = read(fd, word, sizeof *word);
	error = n < 0 ? errno : n == sizeof *word ? 0 : EIO;
	close(fd);
	return error;
}

static void read_value(struct foreign *f, const char *path)
{
	uint64_t word;
	int error;

	if (f->bytes != sizeof(sem_t) || sizeof word != sizeof(void *)) {
		snprintf(f->trouble, sizeof f->trouble, "%llu bytes: no semaphore of this system",
			(unsigned long long)f->bytes);
		return;
	}
	error = read_word(path, &word);
	f->value = (uint32_t)word;
	if (error)
		snprintf(f->trouble, sizeof f->trouble, "its value cannot be read: %s",
			strerror(error));
	else if (f->value > INT_MAX)
		snprintf(f->trouble, sizeof f->trouble, "%u is no semaphore's value", f->value);
	else
		f->has_value = 1;
}

static int64_t nanoseconds(const struct statx_timestamp *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static void look(const char *name, void (*each)(const struct foreign *f, void *arg), void *arg)
{
	struct foreign f = {.name = name, .kind = "shm"};
	char path[sizeof FOLDER + NAME_MAX];
	struct statx s;

	snprintf(path, sizeof path, FOLDER "%s", name);
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &s) < 0)
		return; /* it went meanwhile */
	f.bytes = s.stx_size;
	f.used = s.stx_blocks * 512;
	f.inode = s.stx_ino;
	f.uid = s.stx_uid;
	f.mode = s.stx_mode & 07777;
	f.born = s.stx_mask & STATX_BTIME ? nanoseconds(&s.stx_btime) : 0;
	if (S_ISDIR(s.stx_mode)) {
		f.kind = "folder";
	} else if (!S_ISREG(s.stx_mode)) {
		f.kind = "special";
	} else if (starts_with(name, semaphore)) {
		f.kind = "semaphore";
		f.name = name + strlen(semaphore);
		read_value(&f, path);
	}
	each(&f, arg);
}

int foreign_each(void (*each)(const struct foreign *f, void *arg), void *arg)
{
	struct dirent **entries;
	int n = scandir(FOLDER, &entries, is_foreign, alphasort);

	for (int i = 0; i < n; i++) {
		look(entries[i]->d_name, each, arg);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n < 0 ? -1 : 0;
}
