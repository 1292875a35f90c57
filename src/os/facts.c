/* facts.c - /proc, ids, and randomness. */
#include "os/facts.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reads a small file whole, as a string. Its length; 0 where that cannot be done. */
static size_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		n = 0;
	text[n] = 0;
	return (size_t)n;
}

/* "pid (any name) S ...": the state follows the last ')', the start time is field 22. */
static char parse_stat(const char *text, uint64_t *start_time)
{
	const char *at = strrchr(text, ')');
	char state;

	if (!at || at[1] != ' ' || !at[2])
		return '?';
	state = at[2];
	at++; /* the space before field 3 */
	for (int field = 3; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	*start_time = at ? strtoull(at + 1, NULL, 10) : 0;
	return state;
}

char ilk_run_state_(int32_t pid, uint64_t *start_time)
{
	char path[32], text[512];

	*start_time = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (!read_file(path, text, sizeof text))
		return '?';
	return parse_stat(text, start_time);
}

uint64_t ilk_pid_space_(void)
{
	struct stat s;

	return stat("/proc/self/ns/pid", &s) == 0 ? s.st_ino : 0;
}

static void process_name(char *name, size_t size)
{
	size_t n = read_file("/proc/self/comm", name, size);

	if (n && name[n - 1] == '\n')
		name[n - 1] = 0;
}

void ilk_facts_of_self_(struct ilk_facts_ *facts)
{
	char text[512];

	memset(facts, 0, sizeof *facts);
	facts->pid = getpid();
	facts->uid = getuid();
	if (read_file("/proc/self/stat", text, sizeof text))
		parse_stat(text, &facts->start_time);
	facts->pid_space = ilk_pid_space_();
	process_name(facts->name, sizeof facts->name);
}

int32_t ilk_thread_id_(void)
{
	return (int32_t)syscall(SYS_gettid);
}

void ilk_thread_name_(char *name, size_t size)
{
	char comm[16] = "";

	prctl(PR_GET_NAME, comm);
	snprintf(name, size, "%.15s", comm);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void parse_boot_id(const char *text, uint8_t id[16])
{
	int n = 0;

	for (const char *at = text; *at && n < 32; at++) {
		int digit = hex_digit(*at);

		if (digit < 0)
			continue;
		id[n / 2] = (uint8_t)(id[n / 2] << 4 | digit);
		n++;
	}
}

void ilk_boot_id_(uint8_t id[16])
{
	char text[64];

	memset(id, 0, 16);
	if (read_file("/proc/sys/kernel/random/boot_id", text, sizeof text))
		parse_boot_id(text, id);
}

void ilk_random_(void *bytes, size_t count)
{
	if (getrandom(bytes, count, 0) != (ssize_t)count)
		memset(bytes, 0, count);
}
