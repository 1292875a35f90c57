/* leaks.c - what a test leaves behind: children, segments, slots, descriptors, mappings. */
#include "leaks.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <ilk/inspect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WATCHED = 8 };

static const char *watched[WATCHED];

void ilk_test_watch(const char *prefix)
{
	for (int i = 0; i < WATCHED; i++)
		if (!watched[i] || strcmp(watched[i], prefix) == 0) {
			watched[i] = prefix;
			return;
		}
	ilk_test_fail_here_("more than %d prefixes", WATCHED);
}

/* --- segments --- */

static int is_ours(const char *segment)
{
	const char *own = ilk_test_own_prefix_();

	if (strncmp(segment, own, strlen(own)) == 0)
		return 1;
	for (int i = 0; i < WATCHED && watched[i]; i++)
		if (strncmp(segment, watched[i], strlen(watched[i])) == 0)
			return 1;
	return 0;
}

/* Everything in /dev/shm of our names, segment or not; taken away with REMOVE. */
void ilk_test_add_segments_(struct report *r, int remove)
{
	DIR *folder = opendir("/dev/shm");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, "ilk.", 4) != 0 || !is_ours(entry->d_name + 4))
			continue;
		ilk_test_add_line_(r, "left behind: /dev/shm/%s", entry->d_name);
		if (remove && unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	if (folder)
		closedir(folder);
}

/* --- slots --- */

struct slots {
	struct report *report; /* NULL: count only */
	int count;
};

static void add_slots(struct slots *s, const char *name, const struct ilk_inspection *in)
{
	for (size_t i = 0; i < in->process_count; i++)
		if (in->processes[i].pid == getpid() && in->processes[i].life == ILK_LIFE_ALIVE) {
			s->count++;
			if (s->report)
				ilk_test_add_line_(s->report,
					"left behind: our process slot %d in segment %s",
					in->processes[i].slot, name);
		}
	for (size_t i = 0; i < in->thread_count; i++) {
		int process = in->threads[i].process;

		if (process == ILK_NO_INDEX || in->processes[process].pid != getpid() ||
			in->processes[process].life != ILK_LIFE_ALIVE)
			continue;
		s->count++;
		if (s->report)
			ilk_test_add_line_(s->report,
				"left behind: our thread slot %d in segment %s",
				in->threads[i].slot, name);
	}
}

static int add_slots_in(const char *name, void *arg)
{
	struct ilk_inspection *in;

	if (ilk_inspect(name, &in) < 0)
		return 0;
	add_slots(arg, name, in);
	ilk_inspection_free(in);
	return 0;
}

/* The slots of this process in segments that have names; told to R if that is not NULL. */
static int count_slots(struct report *r)
{
	struct slots s = {r, 0};

	ilk_inspect_each(add_slots_in, &s);
	return s.count;
}

static const char *life(enum ilk_life life)
{
	static const char *const words[] = {"unknown", "living", "dead"};

	return words[life];
}

void ilk_test_assert_no_slots(const char *name)
{
	struct report r = {.used = 0};
	struct ilk_inspection *in;
	int rc = ilk_inspect(name, &in);

	if (rc < 0)
		ilk_test_fail_here_("segment %s: %s", name, ilk_strerror(rc));
	for (size_t i = 0; i < in->process_count; i++)
		if (in->processes[i].pid != getpid() || in->processes[i].life != ILK_LIFE_ALIVE)
			ilk_test_add_line_(&r, "process slot %d of segment %s: %s process %d (%s)",
				in->processes[i].slot, name, life(in->processes[i].life),
				(int)in->processes[i].pid, in->processes[i].name);
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];

		if (t->process == ILK_NO_INDEX || t->life != ILK_LIFE_ALIVE ||
			in->processes[t->process].pid != getpid())
			ilk_test_add_line_(&r, "thread slot %d of segment %s: %s thread %d (%s)",
				t->slot, name, life(t->life), (int)t->tid, t->name);
	}
	ilk_inspection_free(in);
	ilk_test_raise_(&r);
}

/* --- children --- */

struct known {
	pid_t pid;
	int found;
};

static void compare(struct ilk_test_child *child, void *arg)
{
	struct known *k = arg;

	k->found |= child->pid == k->pid;
}

static void add_child(struct ilk_test_child *child, void *report)
{
	ilk_test_add_line_(report, "left behind: child %d (pid %d), not waited for", child->number,
		(int)child->pid);
}

/* Children that the test has forked on its own. */
static void add_strangers(struct report *r, int end)
{
	char path[64];
	siginfo_t info;
	FILE *list;
	int pid;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)gettid());
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &pid) == 1) {
		struct known k = {pid, 0};

		ilk_test_each_child_(compare, &k);
		if (k.found)
			continue;
		ilk_test_add_line_(r, "left behind: process %d, forked by the test", pid);
		if (end && kill(pid, SIGKILL) == 0)
			waitpid(pid, NULL, 0);
	}
	if (list)
		fclose(list);
}

void ilk_test_add_children_(struct report *r, int end)
{
	ilk_test_each_child_(add_child, r);
	add_strangers(r, end);
}

/* --- descriptors and mappings --- */

enum { DESCRIPTORS = 4096 };

static struct {
	int descriptors, mappings, slots;
	unsigned char is_open[DESCRIPTORS];
} before;

/* Calls EACH for every open descriptor but that of the looking. How many. */
static int each_descriptor(void (*each)(int fd, void *arg), void *arg)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	int count = 0;

	while (folder && (entry = readdir(folder))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(folder))
			continue;
		count++;
		if (each)
			each(fd, arg);
	}
	if (folder)
		closedir(folder);
	return count;
}

int ilk_test_count_descriptors(void)
{
	return each_descriptor(NULL, NULL);
}

static void remember_descriptor(int fd, void *arg)
{
	(void)arg;
	if (fd < DESCRIPTORS)
		before.is_open[fd] = 1;
}

static void add_descriptor(int fd, void *report)
{
	char path[64], target[120];
	ssize_t length;

	if (fd < DESCRIPTORS && before.is_open[fd])
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof target - 1);
	target[length > 0 ? length : 0] = 0;
	ilk_test_add_line_(report, "left open: descriptor %d, %s", fd, target);
}

/* The mappings of segments; told to R if that is not NULL. */
static int count_mappings(struct report *r)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	while (maps && fgets(line, sizeof line, maps)) {
		if (!strstr(line, "/dev/shm/") && !strstr(line, "/memfd:"))
			continue;
		count++;
		if (r)
			ilk_test_add_line_(r, "\tmapped: %.*s", (int)strcspn(line, "\n"), line);
	}
	if (maps)
		fclose(maps);
	return count;
}

int ilk_test_count_mappings(void)
{
	return count_mappings(NULL);
}

/* --- all of it --- */

void ilk_test_remember_(void)
{
	memset(before.is_open, 0, sizeof before.is_open);
	before.descriptors = each_descriptor(remember_descriptor, NULL);
	before.mappings = count_mappings(NULL);
	before.slots = count_slots(NULL);
}

void ilk_test_add_left_open_(struct report *r)
{
	int descriptors = ilk_test_count_descriptors(), mappings = count_mappings(NULL);

	if (count_slots(NULL) > before.slots)
		count_slots(r);
	if (descriptors > before.descriptors) {
		ilk_test_add_line_(r, "left open: %d descriptors, before the test %d", descriptors,
			before.descriptors);
		each_descriptor(add_descriptor, r);
	}
	if (mappings > before.mappings) {
		ilk_test_add_line_(
			r, "left open: %d mappings, before the test %d", mappings, before.mappings);
		count_mappings(r);
	}
}

void ilk_test_assert_nothing_left(void)
{
	struct report r = {.used = 0};

	ilk_test_add_children_(&r, 0);
	ilk_test_add_segments_(&r, 0);
	ilk_test_add_left_open_(&r);
	ilk_test_raise_(&r);
}
