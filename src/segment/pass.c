/*
 * pass.c - a segment goes to another process over a socket, by its descriptor.
 *
 * A descriptor that was passed shares the sender's file description; member.c opens one of its own
 * for the life lock, as in a forked child.
 */
#include "os/shm.h"
#include "os/socket.h"
#include "os/thread.h"
#include "segment/attach.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/member.h"
#include "segment/name.h"
#include <errno.h>

static int send_segment(struct ilk_segment *seg, int socket)
{
	int cancel = ilk_cancel_off_(), fd, rc;

	ilk_registry_lock_();
	fd = ilk_member_fd_(seg->member);
	ilk_registry_unlock_();
	/* Not under the lock: a peer who does not read may keep us for ever. */
	rc = fd < 0 ? -EBADF : ilk_socket_send_(socket, fd);
	ilk_cancel_on_(cancel);
	return rc;
}

int ilk_segment_send(struct ilk_segment *seg, int socket)
{
	unsigned before = ilk_failures_();

	return ilk_conclude_(send_segment(seg, socket), before, "sending a segment");
}

int ilk_segment_receive(
	int socket, const struct ilk_segment_options *options, struct ilk_segment **seg)
{
	static const struct ilk_segment_options defaults = {.size = sizeof defaults};
	const struct ilk_segment_options *o = options ? options : &defaults;
	unsigned before = ilk_failures_();
	int cancel = ilk_cancel_off_();
	int rc = ilk_options_check_(o);
	char path[ILK_PATH_BYTES_];
	int fd = rc < 0 ? rc : ilk_socket_receive_(socket);

	if (fd >= 0) {
		ilk_shm_path_(fd, path, sizeof path);
		rc = ilk_attach_as_asked_(fd, path, o, seg);
	} else if (rc == 0) {
		rc = fd == -EBADMSG ? ilk_fail_(-EMEDIUMTYPE, "what came is no descriptor") : fd;
	}
	ilk_cancel_on_(cancel);
	return ilk_conclude_(rc, before, "receiving a segment");
}
