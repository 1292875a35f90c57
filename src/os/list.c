/* list.c - the named files of ours. */
#include "os/shm.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_ours(const struct dirent *entry)
{
	return strncmp(entry->d_name, ILK_SHM_PREFIX_, sizeof ILK_SHM_PREFIX_ - 1) == 0;
}

int ilk_shm_each_(int (*each)(const char *name, void *arg), void *arg)
{
	struct dirent **entries;
	int n = scandir(ILK_SHM_FOLDER_, &entries, is_ours, alphasort);
	int rc = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = each(entries[i]->d_name + sizeof ILK_SHM_PREFIX_ - 1, arg);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return rc;
}
