/* name.c - names in /dev/shm, and paths. */
#include "segment/name.h"
#include "os/shm.h"
#include "segment/error.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char start[] = ILK_SHM_FOLDER_ "/" ILK_SHM_PREFIX_;

static int is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static int check_name(const char *name)
{
	if (strlen(name) >= ILK_NAME_BYTES_)
		return ilk_fail_(-ENAMETOOLONG, "the segment's name has more than 63 characters");
	if (*name == '.' || *name == '-')
		return ilk_fail_(-EINVAL, "the segment's name begins with '%c'", *name);
	for (const char *c = name; *c; c++)
		if (!is_name_char(*c))
			return ilk_fail_(-EINVAL,
				"the segment's name has a character that is no letter, digit, '.', "
				"'_' or '-'");
	return 0;
}

/* NAME from the root: it is used again later, when the process may work elsewhere. */
static int make_absolute(const char *name, char path[ILK_PATH_BYTES_])
{
	size_t at = 0;

	if (name[strlen(name) - 1] == '/')
		return ilk_fail_(-EINVAL, "%s is a folder's path, not a segment's", name);
	if (*name != '/') {
		int rc = ilk_shm_folder_(path, ILK_PATH_BYTES_ - 1);

		if (rc < 0 && rc != -ERANGE)
			return ilk_fail_(rc, "%s: the working folder has no path", name);
		at = rc < 0 ? ILK_PATH_BYTES_ : strlen(path);
		if (rc == 0)
			path[at++] = '/';
	}
	if (at + strlen(name) >= ILK_PATH_BYTES_)
		return ilk_fail_(-ENAMETOOLONG, "the segment's path has more than 4095 bytes");
	strcpy(path + at, name);
	return 0;
}

int ilk_name_path_(const char *name, char path[ILK_PATH_BYTES_])
{
	int rc;

	if (!name || !*name)
		return ilk_fail_(-EINVAL, "the segment's name is empty");
	if (strchr(name, '/'))
		return make_absolute(name, path);
	rc = check_name(name);
	if (rc == 0)
		snprintf(path, ILK_PATH_BYTES_, "%s%s", start, name);
	return rc;
}

void ilk_name_folder_(const char *path, char folder[ILK_PATH_BYTES_])
{
	size_t length = (size_t)(strrchr(path, '/') - path);

	if (length == 0)
		length = 1;
	memcpy(folder, path, length);
	folder[length] = 0;
}

void ilk_name_label_(const char *path, char label[ILK_NAME_BYTES_])
{
	const char *last = strrchr(path, '/') + 1;
	size_t prefix = sizeof start - 1, i;

	/* By its path or by its name: it is the same segment. */
	if (strncmp(path, start, prefix) == 0 && last < path + prefix)
		last = path + prefix;
	for (i = 0; last[i] && i < ILK_NAME_BYTES_ - 1; i++)
		label[i] = last[i] > ' ' && last[i] < 0x7f ? last[i] : '?';
	memset(label + i, 0, ILK_NAME_BYTES_ - i);
}
