/* shm.h - files in memory: made without a name, named last, mapped, opened again. */
#ifndef ILK_OS_SHM_H
#define ILK_OS_SHM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ILK_SHM_FOLDER_ "/dev/shm"
#define ILK_SHM_PREFIX_ "ilk."

struct ilk_file_facts_ {
	uint64_t bytes, device, inode;
	uint32_t uid, mode;
	unsigned links;
	int is_folder;
};

/* A file without a name in FOLDER. The descriptor; -E... */
int ilk_shm_unnamed_(const char *folder);

/* The working folder. 0; -ERANGE it does not fit; -E... */
int ilk_shm_folder_(char *path, size_t size);

/* A memfd that can later be sealed. The descriptor; -E... */
int ilk_shm_memfd_(const char *label);

/* Forbids resizing a memfd. 0; -E... */
int ilk_shm_seal_(int fd);

/* Can the file's length not be changed any more? */
int ilk_shm_is_sealed_(int fd);

/* The path that leads to the file behind FD; "" where none does. */
void ilk_shm_path_(int fd, char *path, size_t size);

/* Does PATH itself, not a link there, lead to that file; to the one behind FD? */
int ilk_shm_is_at_(const char *path, uint64_t device, uint64_t inode);
int ilk_shm_leads_(const char *path, int fd);

/* Sets the permissions whatever the umask. 0; -E... */
int ilk_shm_mode_(int fd, mode_t mode);

/* Gives the file its length, and its pages too unless SPARSE. 0; -ENOSPC; -E... */
int ilk_shm_resize_(int fd, size_t bytes, int sparse);

/* Gives the file all its pages. 0; -ENOSPC; -E... */
int ilk_shm_reserve_(int fd, size_t bytes);

/* Gives an unnamed file its name. 0; -EEXIST; -E... */
int ilk_shm_link_(int fd, const char *path);

/* Opens PATH, which is not to be a link. The descriptor; -E... */
int ilk_shm_open_(const char *path, int read_only);

/* Opens PATH for reading, wherever it leads: for what a user named. The descriptor; -E... */
int ilk_shm_open_any_(const char *path);

/* Opens the file behind FD once more, as a description of its own. The descriptor; -E... */
int ilk_shm_reopen_(int fd);

int ilk_shm_facts_(int fd, struct ilk_file_facts_ *facts);

/* Reads the COUNT bytes at OFFSET. 0; -EIO there are fewer; -E... */
int ilk_shm_read_(int fd, void *bytes, size_t count, uint64_t offset);

int ilk_shm_unlink_(const char *path);

/* The same for LAST in FOLDER, if that leads to the file behind FD; whatever becomes of FOLDER's path
 * meanwhile. 0; -ENOENT it does not; -E... */
int ilk_shm_unlink_own_(const char *folder, const char *last, int fd);

/* Calls EACH for every named file of ours, without the prefix, in order, until it returns other
 * than 0. That; 0; -E... */
int ilk_shm_each_(int (*each)(const char *name, void *arg), void *arg);

void ilk_shm_close_(int fd);

/* Zeroed private memory, which takes up room only where it is written. 0; -E... */
int ilk_shm_private_(size_t bytes, void **base);

/* Maps the whole file, shared. 0; -E... */
int ilk_shm_map_(int fd, size_t bytes, int read_only, void **base);
void ilk_shm_unmap_(void *base, size_t bytes);

/*
 * One page of FD, of BYTES, without any access, not inherited by fork: it keeps FD's open file
 * description, and the locks on it, alive for as long as this address space. ilk_shm_unmap_ ends it.
 * 0; -E...
 */
int ilk_shm_map_anchor_(int fd, size_t bytes, void **page);

/* A private page that reads as zero in every child, however it was forked. NULL: no memory. */
void *ilk_shm_fork_page_(void);

#endif
