/*
 * ofd.h - open file description locks on single bytes: held by a description, not by a pid.
 *
 * The bytes lie far beyond the end of any segment; the kernel does not mind.
 */
#ifndef ILK_OS_OFD_H
#define ILK_OS_OFD_H

#include <stdint.h>

/* Write-locks the byte without waiting. 0; -EAGAIN another description has it; -E... */
int ilk_ofd_lock_(int fd, int64_t byte);

/* Unlocks it. 0; -E... */
int ilk_ofd_unlock_(int fd, int64_t byte);

/* Does a description other than FD's hold a write lock on the byte? 1, 0; -E... Asks as a reader,
 * so that a mere reader's lock does not look like one. */
int ilk_ofd_held_(int fd, int64_t byte);

#endif
