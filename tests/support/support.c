/* support.c - names, failing, waiting, the board, leak checks and shorthand. */
#include "support.h"
#include "children.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAMES = 8 };

static struct support_board *board;
static pid_t runner;
static unsigned serial;
static int descriptors_before, mappings_before;

/* --- names --- */

static const char *prefix(void)
{
	static char text[40];

	snprintf(text, sizeof text, "test-%d-", (int)runner);
	return text;
}

const char *support_name(const char *suffix)
{
	static char names[NAMES][64];
	static unsigned next;
	char *name = names[next++ % NAMES];

	snprintf(name, 64, "%s%u%s", prefix(), serial, suffix);
	return name;
}

const char *support_path(const char *name)
{
	static char paths[NAMES][96];
	static unsigned next;
	char *path = paths[next++ % NAMES];

	snprintf(path, 96, "/dev/shm/ilk.%s", name);
	return path;
}

/* --- failing --- */

/* Removes what a test left in /dev/shm, saying so. How much it was. */
static int sweep(void)
{
	DIR *folder = opendir("/dev/shm");
	struct dirent *entry;
	char start[48];
	int found = 0;

	snprintf(start, sizeof start, "ilk.%s", prefix());
	while (folder && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, start, strlen(start)) != 0)
			continue;
		print_error("left behind: /dev/shm/%s\n", entry->d_name);
		if (unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
		found++;
	}
	if (folder)
		closedir(folder);
	return found;
}

void support_fail_(const char *file, int line, const char *format, ...)
{
	char what[400], text[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	snprintf(text, sizeof text, "%s:%d: %s", file, line, what);
	if (support_in_child_())
		support_report_(text);
	if (gettid() == runner) {
		fail_msg("%s", text);
	}
	fprintf(stderr, "in a thread: %s\n", text);
	sweep();
	abort();
}

void support_fail_rc_(const char *file, int line, const char *call, int got, int expected)
{
	support_fail_(file, line, "%s returned %d (%s %s), expected %d", call, got,
		ilk_strerror(got), got < 0 ? ilk_last_error() : "", expected);
}

/* --- surroundings --- */

int support_emulated(void)
{
	const char *set = getenv("ILK_TEST_EMULATED");

	return set && strcmp(set, "1") == 0;
}

int support_slow(void)
{
	return SUPPORT_TSAN || SUPPORT_ASAN || support_emulated();
}

int support_is_root(void)
{
	return geteuid() == 0;
}

int64_t support_patience_ms(void)
{
	return support_slow() ? 60000 : 15000;
}

/* --- waiting --- */

void support_sleep_ms(int ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void support_sleep_for_ever(void)
{
	for (;;)
		pause();
}

void support_until_(
	const char *file, int line, const char *what, int (*is_true)(void *arg), void *arg)
{
	ilk_time deadline = ilk_after_ms(support_patience_ms());

	while (!is_true(arg)) {
		if (ilk_now() > deadline)
			support_fail_(file, line, "waited in vain for %s", what);
		support_look_after_children_();
		support_sleep_ms(1);
	}
}

struct support_board *support_board(void)
{
	return board;
}

void support_say(unsigned step)
{
	ilk_store_release_(&board->step[step], 1u);
}

int support_was_said(unsigned step)
{
	return ilk_load_acquire_(&board->step[step]) != 0;
}

static int is_said(void *step)
{
	return support_was_said(*(unsigned *)step);
}

void support_await(unsigned step)
{
	support_until_(__FILE__, __LINE__, "a step of the other side", is_said, &step);
}

struct call {
	int (*f)(void *arg);
	void *arg;
	int result;
};

static void *run_call(void *arg)
{
	struct call *call = arg;

	call->result = call->f(call->arg);
	return NULL;
}

int support_in_thread(int (*f)(void *arg), void *arg)
{
	struct call call = {.f = f, .arg = arg};
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, run_call, &call) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	return call.result;
}

enum { MOST_AT_ONCE = 16 };

struct body {
	void (*run)(void *arg);
	void *arg;
};

static void *run_body(void *arg)
{
	struct body *body = arg;

	body->run(body->arg);
	return NULL;
}

void support_in_threads(int n, void (*body)(void *arg), void *arg)
{
	struct body shared = {body, arg};
	pthread_t threads[MOST_AT_ONCE];

	CHECK(n <= MOST_AT_ONCE);
	for (int i = 0; i < n; i++)
		CHECK(pthread_create(&threads[i], NULL, run_body, &shared) == 0);
	for (int i = 0; i < n; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

void support_in_children(int n, void (*body)(void *arg), void *arg)
{
	struct support_child *children[MOST_AT_ONCE];

	CHECK(n <= MOST_AT_ONCE);
	for (int i = 0; i < n; i++)
		children[i] = support_start(body, arg);
	for (int i = 0; i < n; i++)
		support_join(children[i]);
}

struct sleepers {
	const char *name;
	int count;
};

static int are_asleep(void *arg)
{
	const struct sleepers *s = arg;
	struct ilk_inspection *in;
	int asleep = 0;

	CHECK_RC(ilk_inspect(s->name, &in), 0);
	for (size_t i = 0; i < in->thread_count; i++)
		asleep += in->threads[i].waits_for != ILK_NO_INDEX &&
			  in->threads[i].life == ILK_LIFE_ALIVE && in->threads[i].sleeps > 0;
	ilk_inspection_free(in);
	return asleep >= s->count;
}

void support_await_sleepers(const char *name, int count)
{
	struct sleepers s = {name, count};

	UNTIL(are_asleep, &s);
}

/* --- leaks --- */

int support_count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	if (!folder)
		return 0;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

int support_count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	while (maps && fgets(line, sizeof line, maps))
		count += strstr(line, "/dev/shm/") != NULL || strstr(line, "/memfd:") != NULL;
	if (maps)
		fclose(maps);
	return count;
}

static int more(const char *what, int before, int now)
{
	if (now <= before)
		return 0;
	print_error("left open: %d %s, before the test %d\n", now, what, before);
	return 1;
}

int support_setup(void **state)
{
	(void)state;
	if (!board) {
		board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		runner = getpid();
	}
	if (board == MAP_FAILED)
		return -1;
	memset(board, 0, sizeof *board);
	serial++;
	descriptors_before = support_count_descriptors();
	mappings_before = support_count_mappings();
	return 0;
}

int support_teardown(void **state)
{
	int leaks;

	(void)state;
	support_end_children_();
	leaks = sweep();
	leaks += more("descriptors", descriptors_before, support_count_descriptors());
	leaks += more("mappings", mappings_before, support_count_mappings());
	return leaks ? -1 : 0;
}

/* --- shorthand --- */

struct ilk_segment *support_create(const char *name, const struct ilk_segment_options *options)
{
	struct ilk_segment *seg = NULL;

	CHECK_RC(ilk_segment_create(name, options, &seg), 0);
	return seg;
}

struct ilk_segment *support_open(const char *name)
{
	struct ilk_segment *seg = NULL;

	CHECK_RC(ilk_segment_open(name, NULL, &seg), 0);
	return seg;
}

struct ilk_mutex *support_mutex(struct ilk_segment *seg, const char *name)
{
	struct ilk_mutex *m = NULL;

	CHECK_RC(ilk_mutex_open(seg, name, NULL, &m), 0);
	return m;
}

struct ilk_counter *support_counter(struct ilk_segment *seg, const char *name)
{
	struct ilk_counter *c = NULL;

	CHECK_RC(ilk_counter_open(seg, name, &c), 0);
	return c;
}

void support_unlink(const char *name)
{
	CHECK_RC(ilk_segment_unlink(name), 0);
}
