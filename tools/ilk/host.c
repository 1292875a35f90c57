/* host.c - see host.h. Files that cannot be read say nothing. */
#include "ilk/host.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- /dev/shm --- */

static void look_at_room(struct host *host, const char *root)
{
	struct statvfs s;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/dev/shm", root);
	if (statvfs(path, &s) < 0)
		return;
	host->bytes = s.f_blocks * s.f_frsize;
	host->bytes_free = s.f_bavail * s.f_frsize;
	host->files = s.f_files;
	host->files_free = s.f_favail;
}

/* --- logind.conf --- */

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strcspn(text, "\n");
	while (length > 0 && strchr(" \t\r", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static int is_yes(const char *value)
{
	static const char *const words[] = {"yes", "y", "true", "t", "on", "1"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(value, words[i]) == 0)
			return 1;
	return 0;
}

/* The last assignment counts. */
static void read_conf(struct host *host, const char *path)
{
	FILE *file = fopen(path, "re");
	char text[512], *line, *value;
	int in_login = 0;

	while (file && fgets(text, sizeof text, file)) {
		line = trim(text);
		if (line[0] == '[')
			in_login = strcmp(line, "[Login]") == 0;
		value = strchr(line, '=');
		if (!in_login || !value || line[0] == '#' || line[0] == ';')
			continue;
		*value++ = '\0';
		if (strcmp(trim(line), "RemoveIPC") != 0)
			continue;
		host->remove_ipc = is_yes(trim(value)) ? REMOVE_IPC_YES : REMOVE_IPC_NO;
		snprintf(host->remove_ipc_file, sizeof host->remove_ipc_file, "%s", path);
	}
	if (file)
		fclose(file);
}

/* Of files of one name in several folders the first folder's counts. */
static const char *const folders[] = {
	"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"};
enum { FOLDERS = sizeof folders / sizeof folders[0], MOST_FILES = 256 };

struct drop_in {
	char name[NAME_MAX + 1];
	int folder;
};

static int compare(const void *a, const void *b)
{
	const struct drop_in *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->folder - y->folder;
}

static size_t list_drop_ins(struct drop_in *files, const char *root)
{
	char path[PATH_MAX];
	struct dirent *entry;
	size_t n = 0;

	for (int i = 0; i < FOLDERS; i++) {
		DIR *folder;

		snprintf(path, sizeof path, "%s%s/logind.conf.d", root, folders[i]);
		folder = opendir(path);
		while (folder && n < MOST_FILES && (entry = readdir(folder))) {
			const char *dot = strrchr(entry->d_name, '.');

			if (!dot || strcmp(dot, ".conf") != 0)
				continue;
			strcpy(files[n].name, entry->d_name);
			files[n++].folder = i;
		}
		if (folder)
			closedir(folder);
	}
	qsort(files, n, sizeof *files, compare);
	return n;
}

static void look_at_logind(struct host *host, const char *root)
{
	struct drop_in *files = calloc(MOST_FILES, sizeof *files);
	char path[PATH_MAX];
	size_t n = files ? list_drop_ins(files, root) : 0;
	int i = 0;

	do
		snprintf(path, sizeof path, "%s%s/logind.conf", root, folders[i]);
	while (access(path, R_OK) < 0 && ++i < FOLDERS);
	read_conf(host, path);
	for (size_t k = 0; k < n; k++) {
		if (k > 0 && strcmp(files[k].name, files[k - 1].name) == 0)
			continue;
		snprintf(path, sizeof path, "%s%s/logind.conf.d/%s", root, folders[files[k].folder],
			files[k].name);
		read_conf(host, path);
	}
	free(files);
	/* It makes this one when it starts. */
	snprintf(path, sizeof path, "%s/run/systemd/seats", root);
	host->has_logind = access(path, F_OK) == 0;
}

void host_look(struct host *host, const char *root)
{
	*host = (struct host){.remove_ipc = REMOVE_IPC_UNSET};
	look_at_room(host, root);
	look_at_logind(host, root);
}
