/* facts.c - /proc, ids, and randomness. */
#include "os/facts.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/* Of the fields of /proc/PID/stat: state is the third, after a name that may hold anything. */
struct stat_fields {
	char state; /* '?': unreadable */
	uint64_t threads, start_time;
};

enum { FIELD_STATE = 3, FIELD_THREADS = 20, FIELD_START_TIME = 22 };

static struct stat_fields parse_stat(const char *text)
{
	struct stat_fields f = {.state = '?'};
	const char *at = strrchr(text, ')');

	at = at ? strchr(at, ' ') : NULL;
	for (int field = FIELD_STATE; at && field <= FIELD_START_TIME; field++) {
		if (field == FIELD_STATE)
			f.state = at[1];
		else if (field == FIELD_THREADS)
			f.threads = strtoull(at + 1, NULL, 10);
		else if (field == FIELD_START_TIME)
			f.start_time = strtoull(at + 1, NULL, 10);
		at = strchr(at + 1, ' ');
	}
	return f;
}

static struct stat_fields read_stat(const char *path)
{
	char text[512];

	if (!read_file(path, text, sizeof text))
		return (struct stat_fields){.state = '?'};
	return parse_stat(text);
}

/* In a new pid namespace /proc may still be that of the old one, with other pids. */
static int is_proc_ours(void)
{
	char self[16];
	ssize_t n = readlink("/proc/self", self, sizeof self - 1);

	self[n < 0 ? 0 : n] = 0;
	return atoi(self) == getpid();
}

static struct stat_fields read_stat_of(int32_t pid)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	return is_proc_ours() ? read_stat(path) : (struct stat_fields){.state = '?'};
}

void ilk_run_of_(int32_t pid, struct ilk_run_ *run)
{
	struct stat_fields f = read_stat_of(pid);

	*run = (struct ilk_run_){
		.state = f.state, .start_time = f.start_time, .tasks = (int)f.threads};
}

char ilk_thread_state_(int32_t pid, int32_t tid)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
	return is_proc_ours() ? read_stat(path).state : '?';
}

int ilk_is_dumping_(int32_t pid)
{
	char path[32], text[4096];
	const char *at;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	if (!is_proc_ours() || !read_file(path, text, sizeof text))
		return 0;
	at = strstr(text, "\nCoreDumping:\t");
	return at && at[sizeof "\nCoreDumping:\t" - 1] == '1';
}

int ilk_pid_is_gone_(int32_t pid)
{
	struct stat_fields f;

	if (pid <= 0)
		return 0;
	if (kill(pid, 0) < 0)
		return errno == ESRCH;
	/* A zombie; but the first thread is one already while others still run. */
	f = read_stat_of(pid);
	return f.state == 'Z' && f.threads == 1;
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
	memset(facts, 0, sizeof *facts);
	facts->pid = getpid();
	facts->uid = getuid();
	facts->start_time = read_stat("/proc/self/stat").start_time;
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
