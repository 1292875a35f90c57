/* eventfd.c - eventfd(2). */
#include "os/eventfd.h"
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ilk_eventfd_(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void ilk_eventfd_ring_(int fd)
{
	uint64_t one = 1;
	int before = errno;

	/* It can only be full, and is readable then. */
	if (write(fd, &one, sizeof one) < 0)
		errno = before;
}

void ilk_eventfd_close_(int fd)
{
	close(fd);
}
