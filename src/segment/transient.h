/* transient.h - the end of a name: with a transient segment's last member, or of any that nobody is in. */
#ifndef ILK_SEGMENT_TRANSIENT_H
#define ILK_SEGMENT_TRANSIENT_H

#include "segment/registry.h"

/*
 * Before the file behind FD, found at PATH, is attached to. 0: go on. If it is a transient segment
 * that everybody has left or died in, its name is taken away. -ENOENT: that is done; -EBUSY: another
 * is about to do it; -EACCES: we may not.
 */
int ilk_transient_look_(int fd, const char *path);

/* Behind: has the segment, which was found at PATH, its name still? 0; -ENOENT. */
int ilk_transient_stay_(const struct ilk_segment *seg, const char *path);

/* After MEMBER has left, or could not join: the name goes, if nobody else is in it. */
void ilk_transient_leave_(struct ilk_member_ *member, const struct ilk_map_ *map);

/*
 * Under the registry lock: the name PATH of the file behind FD goes, if nobody is in it. 0; -EAGAIN somebody is, or is about
 * to be; -ENOENT the name leads elsewhere; -EBUSY another removes it; -EACCES; -EBADF FD is for
 * reading; -E...
 */
int ilk_transient_bury_(int fd, const char *path);

/* Is somebody in the file behind FD, or about to be? 0; -ENOENT nobody; -EBUSY another removes it. */
int ilk_transient_ask_(int fd);

/* Removes the name PATH of the file behind FD, if it still leads there. 0; -ENOENT; -EBUSY; -E... */
int ilk_transient_unlink_(int fd, const char *path);

/*
 * Waits a little, longer from ROUND to ROUND, for one who removes a name: that is a few system
 * calls. 0: that was a second in all, and he does not go on.
 */
int ilk_transient_wait_(unsigned *round);

#endif
