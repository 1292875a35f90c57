/* ofd.c - F_OFD_SETLK and F_OFD_GETLK of fcntl(2). */
#include "os/ofd.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int lock_byte(int fd, int command, struct flock *lock, int64_t byte)
{
	lock->l_whence = SEEK_SET;
	lock->l_start = byte;
	lock->l_len = 1;
	lock->l_pid = 0;
	return fcntl(fd, command, lock) == 0 ? 0 : -errno;
}

int ilk_ofd_lock_(int fd, int64_t byte)
{
	struct flock lock = {.l_type = F_WRLCK};
	int rc = lock_byte(fd, F_OFD_SETLK, &lock, byte);

	return rc == -EACCES ? -EAGAIN : rc;
}

int ilk_ofd_unlock_(int fd, int64_t byte)
{
	struct flock lock = {.l_type = F_UNLCK};

	return lock_byte(fd, F_OFD_SETLK, &lock, byte);
}

int ilk_ofd_held_(int fd, int64_t byte)
{
	struct flock lock = {.l_type = F_RDLCK};
	int rc = lock_byte(fd, F_OFD_GETLK, &lock, byte);

	return rc < 0 ? rc : lock.l_type != F_UNLCK;
}
