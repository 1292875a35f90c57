/*
 * build.c - a new segment: made without a name, filled, joined, and named last.
 *
 * Death      Killed before the link, it leaves an unnamed file, which goes with it. After the link
 *            the segment is complete; its creator's slot is then that of a dead member.
 */
#include "segment/build.h"
#include "os/pages.h"
#include "os/shm.h"
#include "segment/arena.h"
#include "segment/attach.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/name.h"
#include <errno.h>
#include <string.h>

/* Fills the new file behind FD. */
static int fill(int fd, const char *name, const struct ilk_segment_options *o)
{
	struct ilk_map_ map;
	struct ilk_file_facts_ facts;
	void *base;
	int rc = ilk_pages_size_(fd, &map.page);

	if (rc == 0)
		rc = ilk_header_plan_(o, name, map.page, &map.header);
	/* Huge pages of hugetlbfs are set aside by mapping them: they may as well be there. */
	if (rc == 0)
		rc = ilk_shm_resize_(fd, map.header.bytes,
			o->flags & ILK_SEGMENT_SPARSE && map.page == ILK_PAGE_BYTES_);
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
		return rc;
	}
	return ilk_attach_(fd, path, o->flags, seg);
}

/* A file without a name in FOLDER; not on a disk, whose pages come and go. */
static int new_file(const char *folder)
{
	int rc = ilk_pages_folder_(folder);

	if (rc == -EMEDIUMTYPE)
		return ilk_fail_(rc,
			"%s is of no memory file system: a segment lies on tmpfs or hugetlbfs",
			folder);
	if (rc == 0)
		rc = ilk_shm_unnamed_(folder);
	if (rc == -ENOENT || rc == -ENOTDIR)
		return ilk_fail_(-ENOTDIR, "there is no folder %s", folder);
	if (rc == -EACCES)
		return ilk_fail_(rc, "%s: permission denied", folder);
	return rc;
}

int ilk_build_(const char *path, const struct ilk_segment_options *o, struct ilk_segment **out)
{
	char folder[ILK_PATH_BYTES_], name[ILK_NAME_BYTES_];
	struct ilk_segment *seg;
	unsigned before = ilk_failures_();
	int rc;

	ilk_name_folder_(path, folder);
	ilk_name_label_(path, name);
	rc = new_file(folder);
	if (rc >= 0)
		rc = build(rc, name, path, o, &seg);
	if (rc == -ENOSPC && ilk_failures_() == before)
		return ilk_fail_(rc, "%s: no room in %s", name, folder);
	if (rc < 0)
		return ilk_conclude_(rc, before, path);
	rc = ilk_shm_link_(seg->member->fd, path);
	if (rc < 0)
		ilk_detach_(seg);
	else
		*out = seg;
	return ilk_conclude_(rc, before, path);
}

int ilk_build_anonymous_(
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
