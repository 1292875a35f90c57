/*
 * segment.c - create, open, close, unlink: the life of a segment's name.
 *
 * Invariant  [I1] A name leads to a complete segment or to none: it is linked last.
 * Ordering   The kernel's link and open order the creator's writes before an opener's reads.
 * Death      Of a creator: build.c. Of one who removes the name: transient.c.
 */
#include "os/clock.h"
#include "os/pages.h"
#include "os/shm.h"
#include "os/thread.h"
#include "segment/attach.h"
#include "segment/build.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/name.h"
#include "segment/transient.h"
#include "segment/wait.h"
#include <errno.h>
#include <string.h>

static const struct ilk_segment_options defaults = {.size = sizeof defaults};

/* --- opening by name --- */

static int open_failed(int rc, const char *path)
{
	if (rc == -ENOENT)
		return ilk_fail_(rc, "there is no %s", path);
	if (rc == -EACCES)
		return ilk_fail_(rc, "%s: permission denied", path);
	if (rc == -EISDIR || rc == -ELOOP || rc == -ENXIO)
		return ilk_fail_(-EMEDIUMTYPE, "%s is no regular file", path);
	return ilk_fail_(rc, "%s cannot be opened", path);
}

static int open_path(const char *path, int read_only)
{
	int fd = ilk_shm_open_(path, read_only);

	return fd < 0 ? open_failed(fd, path) : fd;
}

/* -EBUSY: it is being removed. */
static int open_existing(
	const char *path, const struct ilk_segment_options *o, struct ilk_segment **out)
{
	int fd = open_path(path, (o->flags & ILK_SEGMENT_READ_ONLY) != 0);
	struct ilk_segment *seg;
	int rc;

	if (fd < 0)
		return fd;
	rc = ilk_transient_look_(fd, path);
	if (rc < 0) {
		ilk_shm_close_(fd);
		return rc;
	}
	rc = ilk_attach_as_asked_(fd, path, o, &seg);
	if (rc < 0)
		return rc;
	rc = ilk_transient_stay_(seg, path);
	if (rc < 0)
		ilk_detach_(seg);
	else
		*out = seg;
	return rc;
}

/* What every call that makes or opens begins and ends with. */
struct call {
	const struct ilk_segment_options *options;
	unsigned failures;
	int cancel;
};

static int begin(struct call *c, const struct ilk_segment_options *options)
{
	c->options = options ? options : &defaults;
	c->failures = ilk_failures_();
	c->cancel = ilk_cancel_off_();
	return ilk_options_check_(c->options);
}

static int end(const struct call *c, int rc, const char *name)
{
	ilk_cancel_on_(c->cancel);
	return ilk_conclude_(rc, c->failures, name);
}

int ilk_segment_open(
	const char *name, const struct ilk_segment_options *options, struct ilk_segment **seg)
{
	char path[ILK_PATH_BYTES_];
	struct call c;
	int rc = begin(&c, options);

	if (rc == 0)
		rc = ilk_name_path_(name, path);
	if (rc == 0)
		rc = open_existing(path, c.options, seg);
	if (rc == -EBUSY)
		rc = ilk_fail_(-ENOENT, "%s is being removed", path);
	return end(&c, rc, name);
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

/* For who wants a new one. -ENOENT: try; -EEXIST: somebody lives there; -EBUSY, -EACCES as above. */
static int clear_way(const char *path)
{
	int fd = ilk_shm_open_(path, 0);
	int rc = fd < 0 ? -ENOENT : ilk_transient_look_(fd, path);

	ilk_shm_close_(fd);
	return rc == 0 ? -EEXIST : rc;
}

/* Open it or make it, until one of both succeeds; each failure means that another was faster. */
static int create_or_open(const char *name, const char *path, const struct ilk_segment_options *o,
	struct ilk_segment **seg)
{
	int exclusive = (o->flags & ILK_SEGMENT_EXCLUSIVE) != 0;
	ilk_time patience = ilk_after_ms(1000); /* attaching may have waited as long itself */
	unsigned round = 0;

	for (int tries = 0; tries < 1000; tries++) {
		int rc = exclusive ? clear_way(path) : open_existing(path, o, seg);

		if (rc == -EBUSY && ilk_now() < patience && ilk_transient_wait_(&round))
			continue;
		if (rc == -EBUSY)
			return ilk_fail_(
				rc, "%s is being removed, by one who does not go on", name);
		if (rc == -ENOENT)
			rc = ilk_build_(path, o, seg);
		else if (!exclusive)
			return rc;
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
	char path[ILK_PATH_BYTES_];
	struct call c;
	int rc = begin(&c, options);

	if (rc == 0)
		rc = ilk_name_path_(name, path);
	if (rc == 0 && c.options->flags & ILK_SEGMENT_READ_ONLY)
		rc = ilk_fail_(-EINVAL, "a segment cannot be created read-only");
	if (rc == 0)
		rc = create_or_open(name, path, c.options, seg);
	return end(&c, rc, name);
}

int ilk_segment_anonymous(
	const char *label, const struct ilk_segment_options *options, struct ilk_segment **seg)
{
	struct call c;
	int rc = begin(&c, options);

	if (rc == 0 && label && strlen(label) >= ILK_NAME_BYTES_)
		rc = ilk_fail_(-ENAMETOOLONG, "the label has more than 63 bytes");
	if (rc == 0 && c.options->flags & (ILK_SEGMENT_READ_ONLY | ILK_SEGMENT_EXCLUSIVE))
		rc = ilk_fail_(-EINVAL, "these flags need a segment with a name");
	if (rc == 0)
		rc = ilk_build_anonymous_(label ? label : "", c.options, seg);
	return end(&c, rc, label);
}

/* --- the end of it --- */

/* By a path of his own a user may mean anything: only what begins as a segment does is removed. */
static int check_removable(int fd)
{
	struct ilk_header_ h;
	struct ilk_file_facts_ facts;
	int rc = ilk_header_read_(fd, &h, &facts);

	return rc == -EMEDIUMTYPE ? rc : 0;
}

static int remove_file(const char *path, int is_checked)
{
	int fd = ilk_shm_open_(path, 0), rc;
	unsigned round = 0;

	if (fd == -EACCES)
		fd = ilk_shm_open_(path, 1);
	if (fd < 0)
		return is_checked ? open_failed(fd, path) : ilk_shm_unlink_(path);
	rc = is_checked ? check_removable(fd) : 0;
	if (rc == 0) {
		do
			rc = ilk_transient_unlink_(fd, path);
		while (rc == -EBUSY && ilk_transient_wait_(&round));
	}
	ilk_shm_close_(fd);
	return rc;
}

int ilk_segment_unlink(const char *name)
{
	char path[ILK_PATH_BYTES_];
	struct call c;
	int rc = begin(&c, NULL);

	if (rc == 0)
		rc = ilk_name_path_(name, path);
	if (rc == 0)
		rc = remove_file(path, strchr(name, '/') != NULL);
	if (rc == -EISDIR)
		rc = ilk_fail_(-EMEDIUMTYPE, "%s is no regular file", path);
	else if (rc == -EPERM || rc == -EACCES)
		rc = ilk_fail_(-EACCES, "%s: permission denied", path);
	else if (rc == -ENOENT)
		ilk_fail_(rc, "there is no %s", path);
	return end(&c, rc, name);
}

/* May what is behind FD be removed, once nobody is in it? */
static int check_collectable(int fd, unsigned flags)
{
	struct ilk_header_ h;
	struct ilk_file_facts_ facts;
	int rc = ilk_header_read_(fd, &h, &facts);

	return rc < 0 || flags & ILK_COLLECT_COPIES ? rc : ilk_header_is_original_(&h, &facts);
}

static int collect_file(int fd, const char *path, unsigned flags)
{
	int rc = check_collectable(fd, flags);

	if (rc < 0)
		return rc;
	if (flags & ILK_COLLECT_ASK) {
		rc = ilk_transient_ask_(fd);
		return rc == -ENOENT ? 0 : rc == 0 ? -EBUSY : rc;
	}
	rc = ilk_transient_bury_(fd, path);
	return rc == -EAGAIN ? -EBUSY : rc;
}

/* In one, or a child of fork() could inherit the descriptor, and keep its locks beyond our death. */
static int collect(const char *path, unsigned flags)
{
	int fd, rc;

	ilk_registry_lock_();
	fd = open_path(path, (flags & ILK_COLLECT_ASK) != 0);
	rc = fd < 0 ? fd : collect_file(fd, path, flags);
	ilk_shm_close_(fd);
	ilk_registry_unlock_();
	if (rc == -EBUSY)
		return ilk_fail_(rc, "%s: a living process is in it, or just attaches", path);
	if (rc == -EACCES)
		return ilk_fail_(rc, "%s: permission denied", path);
	return rc;
}

int ilk_segment_collect(const char *name, unsigned flags)
{
	char path[ILK_PATH_BYTES_];
	struct call c;
	int rc = begin(&c, NULL);

	if (flags & ~(unsigned)(ILK_COLLECT_ASK | ILK_COLLECT_COPIES))
		rc = ilk_fail_(-EINVAL, "unknown flags");
	if (rc == 0)
		rc = ilk_name_path_(name, path);
	if (rc == 0)
		rc = collect(path, flags);
	return end(&c, rc, name);
}

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

size_t ilk_segment_huge_bytes(const struct ilk_segment *seg)
{
	int cancel = ilk_cancel_off_();
	size_t bytes = ilk_pages_huge_(seg->map.base, seg->map.bytes);

	ilk_cancel_on_(cancel);
	return bytes;
}
