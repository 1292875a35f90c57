/*
 * shm.c - files in memory, and mappings of them.
 *
 * Naming last: linkat with AT_EMPTY_PATH needs a capability on older kernels; the same through
 * /proc/self/fd does not. Both failing (no /proc, no capability) is reported as it is.
 */
#include "os/shm.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, CHUNK = 16 << 20 };

static int result(int rc)
{
	return rc < 0 ? -errno : rc;
}

int ilk_shm_unnamed_(const char *folder)
{
	return result(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

int ilk_shm_folder_(char *path, size_t size)
{
	return getcwd(path, size) ? 0 : -errno;
}

int ilk_shm_memfd_(const char *label)
{
	return result(memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

int ilk_shm_seal_(int fd)
{
	return result(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
}

int ilk_shm_is_sealed_(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && seals & F_SEAL_SHRINK;
}

void ilk_shm_path_(int fd, char *path, size_t size)
{
	char self[32];
	ssize_t n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	n = readlink(self, path, size - 1);
	path[n < 0 ? 0 : n] = 0;
	/* A name that is gone says " (deleted)"; and the place may be another file's by now. */
	if (path[0] != '/' || !ilk_shm_leads_(path, fd))
		path[0] = 0;
}

int ilk_shm_is_at_(const char *path, uint64_t device, uint64_t inode)
{
	struct stat named;

	return lstat(path, &named) == 0 && named.st_dev == device && named.st_ino == inode;
}

int ilk_shm_leads_(const char *path, int fd)
{
	struct stat s;

	return fstat(fd, &s) == 0 && ilk_shm_is_at_(path, s.st_dev, s.st_ino);
}

int ilk_shm_mode_(int fd, mode_t mode)
{
	return result(fchmod(fd, mode));
}

/*
 * One chunk; a signal makes the kernel undo it and start again, so a chunk is small. ramfs cannot,
 * and never says that it is full. Not posix_fallocate: where the kernel cannot, that reads a byte of
 * each page and writes it back, over what others write meanwhile.
 */
static int reserve_chunk(int fd, off_t from, off_t bytes)
{
	int rc;

	do
		rc = result(fallocate(fd, 0, from, bytes));
	while (rc == -EINTR);
	return rc == -EOPNOTSUPP ? 0 : rc;
}

int ilk_shm_reserve_(int fd, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += CHUNK) {
		size_t part = bytes - at < CHUNK ? bytes - at : CHUNK;
		int rc = reserve_chunk(fd, (off_t)at, (off_t)part);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int ilk_shm_resize_(int fd, size_t bytes, int sparse)
{
	if (ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	return sparse ? 0 : ilk_shm_reserve_(fd, bytes);
}

int ilk_shm_link_(int fd, const char *path)
{
	char self[32];

	if (linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	return result(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
}

int ilk_shm_open_(const char *path, int read_only)
{
	int access = read_only ? O_RDONLY : O_RDWR;

	/* Not blocked by a FIFO somebody put there, nor led astray by a link. */
	return result(open(path, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

int ilk_shm_open_any_(const char *path)
{
	return result(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

int ilk_shm_reopen_(int fd)
{
	char self[32];

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	return result(open(self, O_RDWR | O_CLOEXEC));
}

int ilk_shm_facts_(int fd, struct ilk_file_facts_ *facts)
{
	struct stat s;

	if (fstat(fd, &s) < 0)
		return -errno;
	*facts = (struct ilk_file_facts_){
		.bytes = (uint64_t)s.st_size,
		.device = s.st_dev,
		.inode = s.st_ino,
		.uid = s.st_uid,
		.mode = s.st_mode & 07777,
		.links = (unsigned)s.st_nlink,
		.is_folder = S_ISDIR(s.st_mode),
	};
	return S_ISREG(s.st_mode) || S_ISDIR(s.st_mode) ? 0 : -EMEDIUMTYPE;
}

int ilk_shm_read_(int fd, void *bytes, size_t count, uint64_t offset)
{
	for (size_t done = 0; done < count;) {
		ssize_t n = pread(fd, (char *)bytes + done, count - done, (off_t)(offset + done));

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

int ilk_shm_unlink_(const char *path)
{
	return result(unlink(path));
}

static int unlink_own(int at, const char *last, int fd)
{
	struct stat own, named;

	if (fstat(fd, &own) < 0 || fstatat(at, last, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (named.st_dev != own.st_dev || named.st_ino != own.st_ino)
		return -ENOENT;
	return result(unlinkat(at, last, 0));
}

int ilk_shm_unlink_own_(const char *folder, const char *last, int fd)
{
	int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), rc;

	if (at < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	rc = unlink_own(at, last, fd);
	close(at);
	return rc;
}

void ilk_shm_close_(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int map_at(void **base, size_t bytes, int access, int flags, int fd)
{
	void *at = mmap(NULL, bytes, access, flags, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*base = at;
	return 0;
}

int ilk_shm_private_(size_t bytes, void **base)
{
	return map_at(base, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

int ilk_shm_map_(int fd, size_t bytes, int read_only, void **base)
{
	return map_at(base, bytes, read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd);
}

void ilk_shm_unmap_(void *base, size_t bytes)
{
	munmap(base, bytes);
}

int ilk_shm_map_anchor_(int fd, size_t bytes, void **page)
{
	/* Of a huge page, which would else be set aside for a mapping that never touches it. */
	void *at = mmap(NULL, bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	if (madvise(at, bytes, MADV_DONTFORK) < 0) {
		int error = errno;

		munmap(at, bytes);
		return -error;
	}
	*page = at;
	return 0;
}

void *ilk_shm_fork_page_(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	madvise(at, PAGE, MADV_WIPEONFORK);
	return at;
}
