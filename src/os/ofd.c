/* ofd.c - F_OFD_SETLK and F_OFD_GETLK of fcntl(2). */
#include "os/ofd.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The locks of one member, side by side, are shown as one. */
enum { MOST_OF_ONE_MEMBER = 2 };

static int lock_bytes(int fd, int command, struct flock *lock, int64_t first, int64_t count)
{
	lock->l_whence = SEEK_SET;
	lock->l_start = first;
	lock->l_len = count;
	lock->l_pid = 0;
	return fcntl(fd, command, lock) == 0 ? 0 : -errno;
}

int ilk_ofd_lock_range_(int fd, int64_t first, int64_t count)
{
	struct flock lock = {.l_type = F_WRLCK};
	int rc = lock_bytes(fd, F_OFD_SETLK, &lock, first, count);

	return rc == -EACCES ? -EAGAIN : rc;
}

int ilk_ofd_lock_(int fd, int64_t byte)
{
	return ilk_ofd_lock_range_(fd, byte, 1);
}

int ilk_ofd_unlock_range_(int fd, int64_t first, int64_t count)
{
	struct flock lock = {.l_type = F_UNLCK};

	return lock_bytes(fd, F_OFD_SETLK, &lock, first, count);
}

int ilk_ofd_unlock_(int fd, int64_t byte)
{
	return ilk_ofd_unlock_range_(fd, byte, 1);
}

int ilk_ofd_held_range_(int fd, int64_t first, int64_t count)
{
	struct flock lock = {.l_type = F_RDLCK};
	int rc = lock_bytes(fd, F_OFD_GETLK, &lock, first, count);

	if (rc < 0 || lock.l_type == F_UNLCK)
		return rc;
	return lock.l_len >= 1 && lock.l_len <= MOST_OF_ONE_MEMBER ? 1 : ILK_OFD_RANGE_;
}

int ilk_ofd_held_(int fd, int64_t byte)
{
	return ilk_ofd_held_range_(fd, byte, 1);
}
