/*
 * transient.c - the end of a name: who takes it away, when nobody is in the segment any more.
 *
 * State      header.flags: TRANSIENT, fixed. Locks on bytes of the file: claim and life of each
 *            process slot (member.c); `gate` and all of those together ("the range"), by who
 *            removes; `removal`, by who unlinks, with or without the range.
 * Invariant  [I1] Whoever holds the range knows that nobody is a member, and that nobody becomes one
 *            before he lets it go: taking a slot needs its two bytes.
 *            [I2] Of us, only who holds the removal byte of the file that a name leads to removes
 *            that name, having seen under it that it leads there. So a name that was made anew
 *            meanwhile, for another file, stays.
 *            [I3] Who attached by name was a member, and after that saw that the file has a name
 *            (of a transient one: this very name): while he is one, nobody can take the range, and
 *            the name stays.
 *            [I4] A segment has a living member when it gets its name: its creator.
 * Protocol   leave a transient one: give up the life byte, try the range. Got: unlink. Not got:
 *            somebody is a member, and tries after us; or is about to join, and tries when he
 *            fails, or leaves; or holds the range himself. So the last one always gets it.
 *            attach to a transient one by name: try the range first. Got: all are gone and could
 *            not unlink (they died): unlink, there is no segment.
 *            attach to any by name: take a slot, then look at the name [I3]. It is gone: we came
 *            too late, and leave again.
 *            collect any: try the range. Got: unlink. Not got: somebody lives in it, or joins.
 *            attach without a name (a child after fork, a descriptor received): take a slot. With
 *            the name gone the segment lives on without.
 *            Who wants a slot and meets the range waits: it is held for a few system calls.
 * Ordering   The kernel's: of locks on the file, and of its name.
 * Death      The kernel lets all locks go. Before the unlink: the name leads to a segment without
 *            members, and the next to create or open it (a transient one), or to collect it,
 *            removes it. After it: all is done.
 *            A segment of which a member died after we could not get the range, and before we had
 *            a slot, is one that we joined before that death.
 * Not ours   unlink(2) or rm by hand takes no lock: at the same instant as a removal of ours, and
 *            followed by a new segment of that name, that one's name can go.
 */
#include "segment/transient.h"
#include "os/ofd.h"
#include "os/shm.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/member.h"
#include "segment/name.h"
#include "segment/wait.h"
#include <errno.h>
#include <string.h>

enum { FIRST_PAUSE = 1 << 16, DOUBLINGS = 8, ROUNDS = 68 }; /* ns; a second in all */

int ilk_transient_wait_(unsigned *round)
{
	unsigned doublings = *round < DOUBLINGS ? *round : DOUBLINGS;

	if (++*round > ROUNDS)
		return 0;
	ilk_sleep_until_(ilk_now() + ((ilk_time)FIRST_PAUSE << doublings));
	return 1;
}

/*
 * [I2] Under the registry lock, that no child of fork() shares FD's description meanwhile. Whom FD
 * does not let lock (-EBADF: he may only read) does it without.
 */
static int unlink_name(int fd, const char *path)
{
	int rc = ilk_ofd_lock_(fd, ILK_REMOVAL_BYTE_);
	char folder[ILK_PATH_BYTES_];

	if (rc < 0 && rc != -EBADF)
		return rc == -EAGAIN ? -EBUSY : rc;
	ilk_name_folder_(path, folder);
	rc = ilk_shm_unlink_own_(folder, strrchr(path, '/') + 1, fd);
	ilk_ofd_unlock_(fd, ILK_REMOVAL_BYTE_);
	return rc == -EPERM ? -EACCES : rc;
}

int ilk_transient_bury_(int fd, const char *path)
{
	int rc = ilk_ofd_lock_range_(fd, ILK_GATE_BYTE_, ILK_MEMBER_BYTES_);

	if (rc < 0)
		return rc;
	rc = unlink_name(fd, path);
	ilk_ofd_unlock_range_(fd, ILK_GATE_BYTE_, ILK_MEMBER_BYTES_);
	return rc;
}

int ilk_transient_unlink_(int fd, const char *path)
{
	int rc;

	ilk_registry_lock_();
	rc = unlink_name(fd, path);
	ilk_registry_unlock_();
	return rc;
}

int ilk_transient_ask_(int fd)
{
	int held = ilk_ofd_held_range_(fd, ILK_GATE_BYTE_, ILK_MEMBER_BYTES_);

	if (held < 0)
		return held;
	return held == 0 ? -ENOENT : held == ILK_OFD_RANGE_ ? -EBUSY : 0;
}

static int is_transient(int fd)
{
	struct ilk_header_ h;
	struct ilk_file_facts_ facts;

	/* What is wrong with it, attaching will tell. */
	return ilk_header_read_(fd, &h, &facts) == 0 && ilk_header_is_transient_(&h) &&
	       ilk_header_is_original_(&h, &facts) == 0;
}

int ilk_transient_look_(int fd, const char *path)
{
	int rc;

	if (!is_transient(fd))
		return 0;
	ilk_registry_lock_();
	rc = ilk_transient_bury_(fd, path);
	ilk_registry_unlock_();
	if (rc == -EACCES)
		return ilk_fail_(
			rc, "%s: all who were in it are gone, but we may not remove it", path);
	/* -EBADF: open for reading only, it can be asked about but not locked. */
	if (rc == -EAGAIN || rc == -EBADF)
		rc = ilk_transient_ask_(fd);
	else if (rc == 0)
		rc = -ENOENT;
	return rc == -ENOENT ? ilk_fail_(rc, "%s: all who were in it are gone", path) : rc;
}

/* The descriptor, which is asked in less time than a path, closefrom() may have taken away. */
static int has_name(const struct ilk_segment *seg, const char *path)
{
	struct ilk_file_facts_ facts;

	if (!ilk_header_is_transient_(&seg->map.header) &&
		ilk_shm_facts_(ilk_load_acquire_(&seg->member->fd), &facts) == 0 &&
		facts.device == seg->map.device && facts.inode == seg->map.inode)
		return facts.links > 0;
	return ilk_shm_is_at_(path, seg->map.device, seg->map.inode);
}

int ilk_transient_stay_(const struct ilk_segment *seg, const char *path)
{
	return has_name(seg, path) ? 0 : ilk_fail_(-ENOENT, "%s was removed meanwhile", path);
}

void ilk_transient_leave_(struct ilk_member_ *member, const struct ilk_map_ *map)
{
	int fd;

	if (!ilk_header_is_transient_(&map->header) || !member->path[0])
		return;
	/* Of our own: who inherited a description would share its locks. */
	fd = ilk_member_description_(member);
	if (fd < 0)
		return;
	ilk_transient_bury_(fd, member->path);
	ilk_shm_close_(fd);
}
