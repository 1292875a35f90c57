/*
 * body.c - meets a segment that may be anything: looks at it, attaches, checks, uses, closes.
 *
 * The file is a memfd that attaching gets over a socket: there is no name that a crash could leave.
 * Attached for writing it is met twice, as the copy that it is, and made an original; then the
 * member in process slot 1 lives, and all others are dead. What is read and written through the
 * results lies in the segment, or hits a fence (fence.c).
 */
#include "body.h"
#include "segment/layout.h"
#include "use.h"
#include <errno.h>
#include <fcntl.h>
#include <ilk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIVING = 1, NOT_TRIED = 1 };

/* Ends the program: the fuzzers and their parents take that for a find. */
__attribute__((noreturn)) static void object_to(const char *what, int rc)
{
	fprintf(stderr, "%s: %d (%s: %s)\n", what, rc, ilk_strerror(rc), ilk_last_error());
	abort();
}

/* The system failed us, not Ilk. */
__attribute__((noreturn)) static void give_up(const char *what)
{
	perror(what);
	exit(2);
}

/* RC is 0 or one of the COUNT results that are listed. */
static int expect(const char *what, int rc, const int *listed, size_t count)
{
	int known = rc == 0;

	for (size_t i = 0; i < count; i++)
		known |= rc == listed[i];
	if (!known)
		object_to(what, rc);
	if (rc < 0 && !*ilk_last_error())
		object_to("no particulars", rc);
	return rc;
}

#define EXPECT(call, ...)                                 \
	expect(#call, (call), (const int[]){__VA_ARGS__}, \
		sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* --- the file --- */

static int make_file(const uint8_t *bytes, size_t count)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		give_up("memfd");
	return fd;
}

#define PATCH(fd, field, value)                                                             \
	if (pwrite((fd), &(value), sizeof(value), offsetof(struct ilk_header_, field)) < 0) \
	give_up("pwrite")

void fuzz_make_original(int fd)
{
	static const uint8_t unknown[16];
	struct stat s;
	uint64_t device, inode;

	if (fstat(fd, &s) < 0)
		give_up("fstat");
	if (s.st_size < (off_t)sizeof(struct ilk_header_))
		return;
	device = s.st_dev;
	inode = s.st_ino;
	PATCH(fd, device, device);
	PATCH(fd, inode, inode);
	PATCH(fd, boot_id, unknown);
}

/* A description of the file that has the life byte of LIVING locked, as a member's has. */
static int let_one_live(int fd)
{
	struct flock lock = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = ILK_LIFE_BYTE_(LIVING),
		.l_len = 1};
	char path[32];
	int own;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_RDWR | O_CLOEXEC);
	if (own < 0 || fcntl(own, F_OFD_SETLK, &lock) < 0)
		give_up("a lock");
	return own;
}

static int attach(int fd, unsigned flags, struct ilk_segment **seg)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};
	union {
		char bytes[CMSG_SPACE(sizeof fd)];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec data = {.iov_base = "i", .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	int ends[2], rc;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || sendmsg(ends[0], &message, 0) != 1)
		give_up("a socket");
	rc = ilk_segment_receive(ends[1], &options, seg);
	close(ends[0]);
	close(ends[1]);
	return rc;
}

/* --- looking --- */

static int inspect(int fd, struct ilk_inspection **in)
{
	char path[32];
	int rc;

	*in = NULL;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	rc = EXPECT(ilk_inspect(path, in), -EMEDIUMTYPE, -EPROTO, -EBADMSG);
	if (*in)
		use_inspection(*in);
	return rc;
}

static int inspect_only(int fd)
{
	struct ilk_inspection *in;
	int rc = inspect(fd, &in);

	ilk_inspection_free(in);
	return rc;
}

static int look(int fd)
{
	struct ilk_inspection *in;
	struct ilk_segment *seg;
	int rc = EXPECT(attach(fd, ILK_SEGMENT_READ_ONLY, &seg), -EMEDIUMTYPE, -EPROTO, -EBADMSG);

	if (rc < 0)
		return rc;
	inspect(fd, &in);
	use_objects(seg, in);
	ilk_inspection_free(in);
	ilk_segment_close(seg);
	return 0;
}

/* --- the guard --- */

static uint32_t guard_of(int fd)
{
	uint32_t owner = 0;

	if (pread(fd, &owner, sizeof owner, offsetof(struct ilk_header_, guard.owner)) < 0)
		give_up("pread");
	return owner;
}

static void free_guard(int fd)
{
	const uint32_t nobody = 0;

	PATCH(fd, guard.owner, nobody);
}

/* Is the guard's owner a thread of the one that lives? To wait for it is right, and without end. */
static int is_guard_living(int fd)
{
	uint32_t owner = guard_of(fd);
	struct ilk_header_ h;
	uint64_t life;

	if (!ilk_owner_is_thread_(owner) || pread(fd, &h, sizeof h, 0) != sizeof h ||
		ilk_owner_slot_(owner) >= h.thread_slots)
		return 0;
	if (pread(fd, &life, sizeof life,
		    (off_t)(h.threads_at +
			    ilk_owner_slot_(owner) * sizeof(struct ilk_thread_slot_) +
			    offsetof(struct ilk_thread_slot_, life))) != sizeof life)
		return 0;
	return ilk_life_generation_(life) == ilk_owner_generation_(owner) &&
	       ilk_life_process_(life) == LIVING + 1;
}

/* --- all of it --- */

static int check(int fd, struct ilk_segment *seg)
{
	int rc;

	if (is_guard_living(fd))
		free_guard(fd);
	rc = EXPECT(ilk_segment_valid(seg), -EBADMSG, -EUSERS);
	/* What nobody could get past stands in the way of all that follows. */
	if (ilk_owner_is_thread_(guard_of(fd)))
		free_guard(fd);
	return rc;
}

static void meet_original(int fd, struct story *story)
{
	struct ilk_inspection *in;
	struct ilk_segment *seg;
	int one = let_one_live(fd);
	int rc = EXPECT(attach(fd, 0, &seg), -EMEDIUMTYPE, -EPROTO, -EBADMSG, -EUSERS);

	story->rc[STORY_OPENED] = rc;
	inspect(fd, &in);
	if (rc == 0) {
		story->rc[STORY_VALID] = check(fd, seg);
		use_objects(seg, in);
		use_memory(seg);
		use_removal(seg);
		EXPECT(ilk_segment_valid(seg), -EBADMSG, -EUSERS);
		inspect_only(fd);
		ilk_segment_close(seg);
	}
	ilk_inspection_free(in);
	close(one);
}

void fuzz_body(const uint8_t *bytes, size_t count, struct story *story)
{
	struct ilk_segment *seg;
	int fd = make_file(bytes, count);

	for (int i = 0; i < STORY_PARTS; i++)
		story->rc[i] = NOT_TRIED;
	story->rc[STORY_INSPECTED] = inspect_only(fd);
	story->rc[STORY_LOOKED] = look(fd);
	story->rc[STORY_AS_IS] = EXPECT(attach(fd, 0, &seg), -EMEDIUMTYPE, -EPROTO, -EBADMSG);
	if (story->rc[STORY_AS_IS] == 0)
		ilk_segment_close(seg);
	fuzz_make_original(fd);
	meet_original(fd, story);
	close(fd);
}
