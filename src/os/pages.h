/* pages.h - the pages of a mapping: how large they are, huge ones, all at once, locked. */
#ifndef ILK_OS_PAGES_H
#define ILK_OS_PAGES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of a page of the file behind FD: lengths and mappings of it are made of whole ones. 0;
 * -EMEDIUMTYPE the file lies on no memory file system (tmpfs, ramfs, hugetlbfs); -E...
 */
int ilk_pages_size_(int fd, size_t *bytes);

/* Does FOLDER lie on one? 0; -EMEDIUMTYPE; -E... */
int ilk_pages_folder_(const char *folder);

/*
 * Maps the whole file at a place where huge pages fit, and asks for them, at once unless READ_ONLY.
 * What the kernel does not grant is no error. 0; -E...
 */
int ilk_pages_map_huge_(int fd, size_t bytes, int read_only, void **base);

/* Maps all pages of the mapping of FD at BASE now. 0; -ENOSPC a hole cannot be filled; -E... */
int ilk_pages_populate_(int fd, void *base, size_t bytes, int read_only);

/* Keeps them in memory. 0; -EPERM, -ENOMEM the limit (*LIMIT bytes) forbids it. */
int ilk_pages_lock_(void *base, size_t bytes, uint64_t *limit);

/* How many bytes of the mapping this process sees through huge pages just now; 0: unknown, too. */
size_t ilk_pages_huge_(const void *base, size_t bytes);

#endif
