/*
 * segment.c - create, open, close, unlink: the life of a segment's name.
 *
 * Invariant  [I1] A name leads to a complete segment or to none: it is linked last.
 * Ordering   The kernel's link and open order the creator's writes before an opener's reads.
 * Death      A creator killed before the link leaves an unnamed file, which goes with it. After the
 *            link the segment is complete; its creator's slot is then that of a dead member.
 */
#include "os/clock.h"
#include "os/shm.h"
#include "os/thread.h"
#include "segment/arena.h"
#include "segment/attach.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/wait.h"
#include <errno.h>
#include <string.h>

static const struct ilk_segment_options defaults = {.size = sizeof defaults};

/* --- making one --- */

/* Fills the new file behind FD. */
static int fill(int fd, const char *name, const struct ilk_segment_options *o)
{
	struct ilk_map_ map;
	struct ilk_file_facts_ facts;
	void *base;
	int rc = ilk_header_plan_(o, name, &map.header);

	if (rc == 0)
		rc = ilk_shm_resize_(fd, map.header.bytes, (int)(o->flags & ILK_SEGMENT_SPARSE));
	if (rc == 0)
		rc = ilk_shm_facts_(fd, &facts);
	if (rc == 0)
		rc = ilk_shm_map_(fd, map.header.bytes, 0, &base);
	if (rc < 0)
		return rc;
	map.base = base;
	map.bytes = map.header.bytes;
	map.header.device = facts.device;
	map.header.inode = facts.inode;
	memcpy(map.base, &map.header, sizeof map.header);
	ilk_arena_format_(&map);
	ilk_shm_unmap_(map.base, map.bytes);
	return 0;
}

/* Makes the new file behind FD a complete segment, still without a name, and attaches to it. */
static int build(int fd, const char *name, const char *path, const struct ilk_segment_options *o,
	struct ilk_segment **seg)
{
	int rc = ilk_shm_mode_(fd, o->mode ? o->mode : 0600);

	if (rc == 0)
		rc = fill(fd, name, o);
	if (rc < 0) {
		ilk_shm_close_(fd);
		return rc == -ENOSPC ? ilk_fail_(rc, "%s: no room in /dev/shm", name) : rc;
	}
	return ilk_attach_(fd, path, 0, seg);
}

static int create_new(const char *name, const char *path, const struct ilk_segment_options *o,
	struct ilk_segment **out)
{
	struct ilk_segment *seg;
	int fd = ilk_shm_unnamed_();
	int rc = fd < 0 ? fd : build(fd, name, path, o, &seg);

	if (rc < 0)
		return rc;
	rc = ilk_shm_link_(seg->member->fd, path);
	if (rc < 0)
		ilk_segment_close(seg);
	else
		*out = seg;
	return rc;
}

/* --- opening by name --- */

static int open_path(const char *path, int read_only)
{
	int fd = ilk_shm_open_(path, read_only);

	if (fd == -ENOENT)
		return ilk_fail_(fd, "there is no %s", path);
	if (fd == -EACCES)
		return ilk_fail_(fd, "%s: permission denied", path);
	if (fd == -EISDIR || fd == -ELOOP || fd == -ENXIO)
		return ilk_fail_(-EMEDIUMTYPE, "%s is no regular file", path);
	return fd < 0 ? ilk_fail_(fd, "%s cannot be opened", path) : fd;
}

static int open_existing(
	const char *path, const struct ilk_segment_options *o, struct ilk_segment **seg)
{
	int fd = open_path(path, (o->flags & ILK_SEGMENT_READ_ONLY) != 0);

	return fd < 0 ? fd : ilk_attach_as_asked_(fd, path, o, seg);
}

int ilk_segment_open(
	const char *name, const struct ilk_segment_options *options, struct ilk_segment **seg)
{
	const struct ilk_segment_options *o = options ? options : &defaults;
	unsigned before = ilk_failures_();
	int cancel = ilk_cancel_off_();
	char path[ILK_PATH_BYTES_];
	int rc = ilk_segment_path_(name, path);

	if (rc == 0)
		rc = ilk_options_check_(o);
	if (rc == 0)
		rc = open_existing(path, o, seg);
	ilk_cancel_on_(cancel);
	return ilk_conclude_(rc, before, name);
}

int ilk_segment_open_until(const char *name, const struct ilk_segment_options *options,
	ilk_time deadline, struct ilk_segment **seg)
{
	ilk_time pause = ILK_NS_PER_MS / 4;

	for (;;) {
		int rc = ilk_segment_open(name, options, seg);
		ilk_time now = ilk_now();

		if (rc != -ENOENT)
			return rc;
		if (now >= deadline)
			return ilk_fail_(-ETIMEDOUT, "no segment %s appeared in time", name);
		ilk_sleep_until_(deadline - now < pause ? deadline : now + pause);
		if (pause < 16 * ILK_NS_PER_MS)
			pause *= 2;
	}
}

/* Open it or make it, until one of both succeeds; each failure means that another was faster. */
static int create_or_open(const char *name, const char *path, const struct ilk_segment_options *o,
	struct ilk_segment **seg)
{
	int exclusive = (o->flags & ILK_SEGMENT_EXCLUSIVE) != 0;

	for (int tries = 0; tries < 1000; tries++) {
		int rc = exclusive ? -ENOENT : open_existing(path, o, seg);

		if (rc != -ENOENT)
			return rc;
		rc = create_new(name, path, o, seg);
		if (rc == -EEXIST && exclusive)
			return ilk_fail_(rc, "segment %s is there already", name);
		if (rc != -EEXIST)
			return rc;
	}
	return ilk_fail_(-EEXIST, "%s comes and goes too fast", name);
}

int ilk_segment_create(
	const char *name, const struct ilk_segment_options *options, struct ilk_segment **seg)
{
	const struct ilk_segment_options *o = options ? options : &defaults;
	unsigned before = ilk_failures_();
	int cancel = ilk_cancel_off_();
	char path[ILK_PATH_BYTES_];
	int rc = ilk_segment_path_(name, path);

	if (rc == 0)
		rc = ilk_options_check_(o);
	if (rc == 0 && o->flags & ILK_SEGMENT_READ_ONLY)
		rc = ilk_fail_(-EINVAL, "a segment cannot be created read-only");
	if (rc == 0)
		rc = create_or_open(name, path, o, seg);
	ilk_cancel_on_(cancel);
	return ilk_conclude_(rc, before, name);
}

static int create_anonymous(
	const char *label, const struct ilk_segment_options *o, struct ilk_segment **out)
{
	struct ilk_segment *seg;
	int fd = ilk_shm_memfd_(label);
	int rc = fd < 0 ? fd : build(fd, label, "", o, &seg);

	if (rc < 0)
		return rc;
	rc = ilk_shm_seal_(seg->member->fd);
	if (rc < 0)
		ilk_detach_(seg);
	else
		*out = seg;
	return rc;
}

int ilk_segment_anonymous(
	const char *label, const struct ilk_segment_options *options, struct ilk_segment **seg)
{
	const struct ilk_segment_options *o = options ? options : &defaults;
	unsigned before = ilk_failures_();
	int cancel = ilk_cancel_off_();
	int rc = ilk_options_check_(o);

	if (rc == 0 && label && strlen(label) >= ILK_NAME_BYTES_)
		rc = ilk_fail_(-ENAMETOOLONG, "the label has more than 63 bytes");
	if (rc == 0 && o->flags & (ILK_SEGMENT_READ_ONLY | ILK_SEGMENT_EXCLUSIVE))
		rc = ilk_fail_(-EINVAL, "these flags need a segment with a name");
	if (rc == 0)
		rc = create_anonymous(label ? label : "", o, seg);
	ilk_cancel_on_(cancel);
	return ilk_conclude_(rc, before, label);
}

int ilk_segment_unlink(const char *name)
{
	char path[ILK_PATH_BYTES_];
	int rc = ilk_segment_path_(name, path);

	if (rc == 0)
		rc = ilk_shm_unlink_(path);
	if (rc == -EISDIR)
		return ilk_fail_(-EMEDIUMTYPE, "%s is no regular file", path);
	if (rc == -EPERM || rc == -EACCES)
		return ilk_fail_(-EACCES, "%s: permission denied", path);
	return rc == -ENOENT ? ilk_fail_(rc, "there is no %s", path) : rc;
}

/* --- closing --- */

int ilk_segment_close(struct ilk_segment *seg)
{
	if (seg)
		ilk_detach_(seg);
	return 0;
}

const char *ilk_segment_name(const struct ilk_segment *seg)
{
	return seg->map.header.name;
}

size_t ilk_segment_bytes(const struct ilk_segment *seg)
{
	return seg->map.bytes;
}
