/* socket.c - SCM_RIGHTS of unix(7). */
#include "os/socket.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One byte of data, since a message without any carries nothing; and room for one descriptor. */
struct parcel {
	char byte;
	struct iovec data;
	struct msghdr message;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
};

static void wrap(struct parcel *p)
{
	memset(p, 0, sizeof *p);
	p->byte = 'i';
	p->data = (struct iovec){.iov_base = &p->byte, .iov_len = 1};
	p->message = (struct msghdr){
		.msg_iov = &p->data,
		.msg_iovlen = 1,
		.msg_control = p->control.bytes,
		.msg_controllen = sizeof p->control.bytes,
	};
}

int ilk_socket_send_(int socket, int fd)
{
	struct parcel p;
	struct cmsghdr *c;
	ssize_t n;

	wrap(&p);
	c = CMSG_FIRSTHDR(&p.message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	do
		n = sendmsg(socket, &p.message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int ilk_socket_receive_(int socket)
{
	struct parcel p;
	struct cmsghdr *c;
	ssize_t n;
	int fd;

	wrap(&p);
	do
		n = recvmsg(socket, &p.message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	c = CMSG_FIRSTHDR(&p.message);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(sizeof fd))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}
