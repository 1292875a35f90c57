/*
 * attach.c - a process's way into an open file that is a segment, and out again.
 *
 * Invariant  [I1] An attachment's checked copy of the header is what offsets are taken from.
 *            [I2] A file has one member per process, however often it is attached.
 */
#include "segment/attach.h"
#include "os/membarrier.h"
#include "os/pages.h"
#include "os/shm.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/header.h"
#include "segment/member.h"
#include "segment/opened.h"
#include "segment/transient.h"
#include "segment/wait.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint32_t last_member; /* under the registry lock */

static int lock_pages(const struct ilk_map_ *map)
{
	uint64_t limit;
	int rc = ilk_pages_lock_(map->base, map->bytes, &limit);

	return rc < 0 ? ilk_fail_(rc,
				"%zu bytes cannot be locked in memory: RLIMIT_MEMLOCK is %" PRIu64,
				map->bytes, limit)
		      : 0;
}

/* Maps the file, and has its pages as FLAGS ask. */
static int map_as_asked(int fd, unsigned flags, struct ilk_map_ *map)
{
	int read_only = (flags & ILK_SEGMENT_READ_ONLY) != 0;
	/* Pages of hugetlbfs are huge already. */
	int seeks_huge = flags & ILK_SEGMENT_HUGE && map->page == ILK_PAGE_BYTES_;
	void *base = NULL;
	int rc = (seeks_huge ? ilk_pages_map_huge_ : ilk_shm_map_)(
		fd, map->header.bytes, read_only, &base);

	if (rc < 0)
		return rc;
	map->base = base;
	map->bytes = map->header.bytes;
	if (flags & (ILK_SEGMENT_PREFAULT | ILK_SEGMENT_LOCKED))
		rc = ilk_pages_populate_(fd, base, map->bytes, read_only);
	if (rc == -ENOSPC)
		ilk_fail_(rc, "there is no room for the pages of the sparse segment");
	if (rc == 0 && flags & ILK_SEGMENT_LOCKED)
		rc = lock_pages(map);
	if (rc < 0)
		ilk_shm_unmap_(base, map->bytes);
	return rc;
}

static int map_file(int fd, unsigned flags, struct ilk_map_ *map)
{
	struct ilk_file_facts_ facts;
	int rc = ilk_header_read_(fd, &map->header, &facts);

	if (rc < 0)
		return rc;
	rc = ilk_header_is_original_(&map->header, &facts);
	map->is_original = rc == 0;
	if (rc < 0 && !(flags & ILK_SEGMENT_READ_ONLY))
		return rc;
	map->device = facts.device;
	map->inode = facts.inode;
	rc = ilk_pages_size_(fd, &map->page);
	if (rc < 0)
		return ilk_fail_(rc, "it lies on no memory file system (tmpfs or hugetlbfs)");
	return map_as_asked(fd, flags, map);
}

static struct ilk_member_ *new_member(int fd, const struct ilk_map_ *map, const char *path)
{
	struct ilk_member_ *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->identities = calloc(map->header.thread_slots, sizeof *m->identities);
	m->path = strdup(path);
	if (!m->identities || !m->path) {
		free(m->path);
		free(m->identities);
		free(m);
		return NULL;
	}
	m->fd = fd;
	m->serial = ++last_member;
	m->device = map->device;
	m->inode = map->inode;
	m->is_original = map->is_original;
	m->thread_slots = map->header.thread_slots;
	m->page = map->page;
	return m;
}

static void free_member(struct ilk_member_ *m)
{
	ilk_member_close_fd_(m);
	ilk_opened_forget_(m);
	free(m->path);
	free(m->identities);
	free(m);
}

static struct ilk_member_ *find_member(const struct ilk_map_ *map)
{
	struct ilk_member_ *m = ilk_members_;

	while (m && (m->device != map->device || m->inode != map->inode))
		m = m->next;
	return m;
}

/* It was received without a name, and now found by one; or by another, its own leading nowhere. */
static void learn_path(struct ilk_member_ *m, const char *path)
{
	char *copy;

	if (!path[0] || ilk_shm_is_at_(m->path, m->device, m->inode))
		return;
	copy = strdup(path);
	if (!copy)
		return;
	free(m->path);
	m->path = copy;
}

/* M's tables are as large as the header said at its first attachment: is it the same still? */
static int check_same_header(const struct ilk_member_ *m, const struct ilk_map_ *map)
{
	const struct ilk_segment *other = ilk_attachments_;

	while (other && other->member != m)
		other = other->next;
	if (!other ||
		memcmp(&other->map.header, &map->header, offsetof(struct ilk_header_, guard)) == 0)
		return 0;
	return ilk_fail_(-EBADMSG, "header damaged: it has changed since this process attached");
}

/* This process's member for SEG's file, made where there is none. Keeps FD if it made one. */
static int find_or_make_member(struct ilk_segment *seg, int fd, const char *path)
{
	struct ilk_member_ *m = find_member(&seg->map);

	if (m) {
		int rc = check_same_header(m, &seg->map);

		if (rc < 0)
			return rc;
	} else {
		m = new_member(fd, &seg->map, path);
		if (!m)
			return -ENOMEM;
		m->next = ilk_members_;
		ilk_members_ = m;
	}
	seg->member = m;
	m->attachments++;
	learn_path(m, path);
	return 0;
}

static void drop_member(struct ilk_segment *seg)
{
	struct ilk_member_ *m = seg->member, **at = &ilk_members_;

	if (--m->attachments > 0)
		return;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	free_member(m);
}

/* Under the registry lock. Keeps FD on success, or closes it where the member has another. */
static int enter(struct ilk_segment *seg, int fd, const char *path)
{
	int rc = find_or_make_member(seg, fd, path);
	struct ilk_member_ *m = seg->member;

	if (rc < 0)
		return rc;
	if (!seg->read_only && !m->joined)
		rc = ilk_member_join_(m, &seg->map);
	if (rc < 0) {
		if (m->fd == fd)
			m->fd = -1;
		drop_member(seg);
		return rc;
	}
	m->writers += !seg->read_only;
	if (m->fd != fd)
		ilk_shm_close_(fd);
	return 0;
}

static int enter_registry(struct ilk_segment *seg, int fd, const char *path)
{
	unsigned round = 0;
	int rc;

	do {
		ilk_registry_lock_();
		rc = enter(seg, fd, path);
		if (rc == 0)
			ilk_registry_add_(seg);
		ilk_registry_unlock_();
	} while (rc == -EBUSY && ilk_transient_wait_(&round));
	return rc;
}

/* Zeroed; its copy of the header is aligned to a cache line. NULL: no memory. */
static struct ilk_segment *new_attachment(void)
{
	struct ilk_segment *seg = aligned_alloc(ILK_LINE_BYTES_, sizeof *seg);

	return seg ? memset(seg, 0, sizeof *seg) : NULL;
}

int ilk_attach_(int fd, const char *path, unsigned flags, struct ilk_segment **out)
{
	struct ilk_segment *seg = new_attachment();
	int rc = seg ? map_file(fd, flags, &seg->map) : -ENOMEM;

	if (rc == 0) {
		int read_only = (flags & ILK_SEGMENT_READ_ONLY) != 0;

		seg->read_only = read_only;
		seg->asymmetric = ilk_header_is_asymmetric_(&seg->map.header);
		if (seg->asymmetric && !read_only)
			rc = ilk_membarrier_register_();
		if (rc == 0)
			rc = enter_registry(seg, fd, path);
		if (rc < 0)
			ilk_shm_unmap_(seg->map.base, seg->map.bytes);
	}
	if (rc < 0) {
		ilk_shm_close_(fd);
		free(seg);
		return rc;
	}
	*out = seg;
	return 0;
}

/* --- and out --- */

static void leave(struct ilk_segment *seg)
{
	if (!seg->read_only && --seg->member->writers == 0)
		ilk_member_leave_(seg->member, &seg->map);
	ilk_registry_remove_(seg);
	drop_member(seg);
}

void ilk_detach_(struct ilk_segment *seg)
{
	/* A forked child first learns here that its parent's sleepers are not its own. */
	ilk_registry_lock_();
	ilk_registry_unlock_();
	ilk_wait_cancel_(seg);
	ilk_directory_leave_(seg);
	ilk_registry_lock_();
	leave(seg);
	ilk_registry_unlock_();
	ilk_shm_unmap_(seg->map.base, seg->map.bytes);
	free(seg);
}

/* --- in, as the caller asks --- */

int ilk_attach_as_asked_(
	int fd, const char *path, const struct ilk_segment_options *o, struct ilk_segment **out)
{
	struct ilk_segment *seg;
	int rc;

	if (o->flags & ILK_SEGMENT_SEALED && !ilk_shm_is_sealed_(fd)) {
		ilk_shm_close_(fd);
		return ilk_fail_(-EPERM, "the segment is not sealed: others can cut it off");
	}
	rc = ilk_attach_(fd, path, o->flags, &seg);
	if (rc < 0)
		return rc;
	rc = ilk_header_fits_(&seg->map.header, o, seg->map.page);
	if (rc < 0)
		ilk_detach_(seg);
	else
		*out = seg;
	return rc;
}
