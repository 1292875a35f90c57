/*
 * pages.c - madvise(2), mlock(2) and /proc/self/smaps.
 *
 * Huge pages of tmpfs. A file that is filled by fallocate() gets small pages, whatever was advised:
 * they are collapsed afterwards (MADV_COLLAPSE, Linux 6.1), which takes no more of the file system
 * than they had, and does not depend on what is set in /sys/kernel/mm. Older kernels collapse them
 * when they come to it, if at all.
 */
#include "os/pages.h"
#include "os/shm.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>

/* Of Linux 5.14 and 6.1: newer than some C libraries. */
enum { POPULATE_READ = 22, POPULATE_WRITE = 23, COLLAPSE = 25 };
enum { SMALL = 4096 };
static const size_t huge = 2 << 20;

static int check_kind(const struct statfs *s)
{
	return s->f_type == TMPFS_MAGIC || s->f_type == RAMFS_MAGIC || s->f_type == HUGETLBFS_MAGIC
		       ? 0
		       : -EMEDIUMTYPE;
}

int ilk_pages_size_(int fd, size_t *bytes)
{
	struct statfs s;

	if (fstatfs(fd, &s) < 0)
		return -errno;
	*bytes = s.f_type == HUGETLBFS_MAGIC ? (size_t)s.f_bsize : SMALL;
	return check_kind(&s);
}

int ilk_pages_folder_(const char *folder)
{
	struct statfs s;

	return statfs(folder, &s) < 0 ? -errno : check_kind(&s);
}

static int protection(int read_only)
{
	return read_only ? PROT_READ : PROT_READ | PROT_WRITE;
}

int ilk_pages_map_huge_(int fd, size_t bytes, int read_only, void **base)
{
	size_t room = bytes + huge, before;
	char *at = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	before = -(uintptr_t)at % huge;
	if (mmap(at + before, bytes, protection(read_only), MAP_SHARED | MAP_FIXED, fd, 0) ==
		MAP_FAILED) {
		int error = errno;

		munmap(at, room);
		return -error;
	}
	if (before > 0)
		munmap(at, before);
	if (before < huge)
		munmap(at + before + bytes, huge - before);
	*base = at + before;
	madvise(*base, bytes, MADV_HUGEPAGE);
	/* By a reader too it would only be moved; but a reader is to change nothing at all. */
	if (!read_only && bytes >= huge)
		madvise(*base, bytes / huge * huge, COLLAPSE);
	return 0;
}

int ilk_pages_populate_(int fd, void *base, size_t bytes, int read_only)
{
	/* First what can be refused, which a fault could only answer by SIGBUS. */
	int rc = read_only ? 0 : ilk_shm_reserve_(fd, bytes);

	if (rc < 0)
		return rc;
	do
		rc = madvise(base, bytes, read_only ? POPULATE_READ : POPULATE_WRITE) == 0 ? 0
											   : -errno;
	while (rc == -EINTR || rc == -EAGAIN);
	if (rc == -EFAULT)
		return -ENOSPC;
	if (rc != -EINVAL)
		return rc;
	/* An older kernel: the same mapping once more. It says of nothing that it could not be. */
	return mmap(base, bytes, protection(read_only), MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd,
		       0) == MAP_FAILED
		       ? -errno
		       : 0;
}

int ilk_pages_lock_(void *base, size_t bytes, uint64_t *limit)
{
	struct rlimit r = {0};

	if (mlock(base, bytes) == 0)
		return 0;
	if (errno != EPERM)
		errno = ENOMEM;
	*limit = getrlimit(RLIMIT_MEMLOCK, &r) == 0 ? r.rlim_cur : 0;
	return -errno;
}

/* Bytes that a line of smaps tells of, if it is about huge pages of files. */
static size_t huge_of_line(const char *line)
{
	static const char *const keys[] = {
		"ShmemPmdMapped:", "FilePmdMapped:", "Shared_Hugetlb:", "Private_Hugetlb:"};
	size_t kib;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0 &&
			sscanf(line + strlen(keys[i]), "%zu", &kib) == 1)
			return kib << 10;
	return 0;
}

size_t ilk_pages_huge_(const void *base, size_t bytes)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	uintptr_t first, end;
	char line[512];
	size_t sum = 0;
	int is_inside = 0;

	while (smaps && fgets(line, sizeof line, smaps)) {
		/* A line that begins an area, with its addresses, or one about it. */
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2)
			is_inside = first - (uintptr_t)base < bytes;
		else if (is_inside)
			sum += huge_of_line(line);
	}
	if (smaps)
		fclose(smaps);
	return sum;
}
