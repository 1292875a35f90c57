/*
 * actor.c - actor DEED NAME [NUMBER]: puts things into a known state for the tests of the command.
 *
 * It says "ready" when it has done its deed, and sleeps until it is killed.
 */
#include <fcntl.h>
#include <ilk.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void need(int is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "actor: %s failed\n", what);
	exit(1);
}

static struct ilk_segment *attach(const char *name, unsigned flags)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};
	struct ilk_segment *seg;

	need(ilk_segment_open(name, &options, &seg) == 0, "attaching");
	return seg;
}

/* A POSIX semaphore of value NUMBER, and shared memory of 8 KiB, mapped, both called NAME. */
static void be_foreign(const char *name, unsigned number)
{
	char path[100];
	int fd;

	snprintf(path, sizeof path, "/%s", name);
	need(sem_open(path, O_CREAT, 0600, number) != SEM_FAILED, "sem_open");
	fd = shm_open(path, O_CREAT | O_RDWR, 0600);
	need(fd >= 0 && ftruncate(fd, 8192) == 0, "shm_open");
	need(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
}

static void be_member(const char *name, unsigned number)
{
	(void)number;
	attach(name, 0);
}

static void be_reader(const char *name, unsigned number)
{
	(void)number;
	attach(name, ILK_SEGMENT_READ_ONLY);
}

/* NUMBER of five permits. */
static void hold_permits(const char *name, unsigned number)
{
	const struct ilk_permits_options five = {.size = sizeof five, .permits = 5};
	struct ilk_permits *p;

	need(ilk_permits_open(attach(name, 0), "seats", &five, &p) == 0, "opening permits");
	need(ilk_permits_acquire(p, number) == 0, "acquiring");
}

/* A barrier of NUMBER, broken by its only member. */
static void break_barrier(const char *name, unsigned number)
{
	const struct ilk_barrier_options options = {.size = sizeof options, .parties = number};
	struct ilk_barrier *b;

	need(ilk_barrier_open(attach(name, 0), "gate", &options, &b) == 0, "opening a barrier");
	need(ilk_barrier_attach(b) == 0 && ilk_barrier_abort(b) == 0, "aborting");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*act)(const char *name, unsigned number);
	} deeds[] = {{"foreign", be_foreign}, {"member", be_member}, {"reader", be_reader},
		{"permits", hold_permits}, {"barrier", break_barrier}};

	need(argc >= 3, "reading the arguments");
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		if (strcmp(argv[1], deeds[i].name) != 0)
			continue;
		deeds[i].act(argv[2], argc > 3 ? (unsigned)atoi(argv[3]) : 0);
		puts("ready");
		fflush(stdout);
		for (;;)
			pause();
	}
	need(0, "finding that deed");
	return 1;
}
