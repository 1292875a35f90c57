/*
 * fence.c - what the library maps lies between inaccessible pages, a GiB on either side: an access
 * that misses the segment faults, and does not end in other memory unseen. An offset that leads
 * further leads almost surely to addresses where nothing is.
 *
 * The linker (--wrap) sends mmap and munmap here. By system call, since a sanitizer would take note
 * of each GiB.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { MOST = 64, PAGE = 4096 };
static const size_t fence = (size_t)1 << 30;

/* What is fenced; at NULL there is room. Used by one thread at a time. */
static struct {
	char *at;
	size_t bytes;
} fenced[MOST];

void *__wrap_mmap(void *at, size_t bytes, int access, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t bytes);

static void *map(void *at, size_t bytes, int access, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, at, bytes, access, flags, fd, offset);
}

static int find(const char *at)
{
	int i = 0;

	while (i < MOST && fenced[i].at != at)
		i++;
	return i;
}

void *__wrap_mmap(void *at, size_t bytes, int access, int flags, int fd, off_t offset)
{
	const size_t whole = (bytes + PAGE - 1) / PAGE * PAGE + 2 * fence;
	int i = find(NULL);
	char *around;
	void *mapped;

	if (at || i == MOST)
		return map(at, bytes, access, flags, fd, offset);
	around = map(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (around == MAP_FAILED)
		return around;
	mapped = map(around + fence, bytes, access, flags | MAP_FIXED, fd, offset);
	if (mapped == MAP_FAILED) {
		syscall(SYS_munmap, around, whole);
		return mapped;
	}
	fenced[i].at = mapped;
	fenced[i].bytes = whole;
	return mapped;
}

int __wrap_munmap(void *at, size_t bytes)
{
	int i = find(at);

	if (!at || i == MOST)
		return (int)syscall(SYS_munmap, at, bytes);
	fenced[i].at = NULL;
	return (int)syscall(SYS_munmap, (char *)at - fence, fenced[i].bytes);
}
