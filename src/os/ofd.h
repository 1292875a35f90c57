/*
 * ofd.h - open file description locks on bytes: held by a description, not by a pid.
 *
 * The bytes lie far beyond the end of any segment; the kernel does not mind.
 */
#ifndef ILK_OS_OFD_H
#define ILK_OS_OFD_H

#include <stdint.h>

enum { ILK_OFD_RANGE_ = 2 };

/* Write-locks the byte without waiting. 0; -EAGAIN another description has it; -E... */
int ilk_ofd_lock_(int fd, int64_t byte);

/* The same of COUNT bytes from FIRST on: all or none. */
int ilk_ofd_lock_range_(int fd, int64_t first, int64_t count);

/* Unlocks them. 0; -E... */
int ilk_ofd_unlock_(int fd, int64_t byte);
int ilk_ofd_unlock_range_(int fd, int64_t first, int64_t count);

/*
 * Does a description other than FD's hold a write lock on the byte? 0: none; 1: one of a member,
 * of a byte or two; ILK_OFD_RANGE_: one of a whole range, which shows that no member had any when
 * it was taken. -E... Asks as a reader, so that a mere reader's lock does not look like one.
 */
int ilk_ofd_held_(int fd, int64_t byte);

/* The same of any of COUNT bytes from FIRST on: of one of the locks there. */
int ilk_ofd_held_range_(int fd, int64_t first, int64_t count);

#endif
