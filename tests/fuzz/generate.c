/*
 * generate.c - damaged segments as files.
 *
 *	generate corpus FOLDER              the seeds, and one of each kind of damage: where fuzzers start
 *	generate segments PREFIX COUNT      /dev/shm/ilk.PREFIX-0 and so on, originals, for the command
 */
#include "body.h"
#include "mutate.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A prime to the number of families, so that COUNT cases are of all of them. */
enum { STRIDE = 7919 };

static struct seed seeds[FUZZ_SEEDS];

static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

static void fill(int fd, const char *path, const uint8_t *bytes, size_t count)
{
	if (write(fd, bytes, count) == (ssize_t)count)
		return;
	perror(path);
	exit(2);
}

static void put_file(const char *folder, const char *name, const uint8_t *bytes, size_t count)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
	fd = make_file(path);
	fill(fd, path, bytes, count);
	close(fd);
}

static int make_corpus(const char *folder)
{
	static struct victim v;
	char name[32];

	for (int i = 0; i < FUZZ_SEEDS; i++)
		put_file(folder, seeds[i].name, seeds[i].bytes, seeds[i].count);
	for (unsigned i = 0; i < mutate_families(); i++) {
		mutate(i, &v);
		snprintf(name, sizeof name, "case-%u", i);
		put_file(folder, name, v.bytes, v.count);
	}
	return 0;
}

static int make_segments(const char *prefix, int count)
{
	static struct victim v;
	char path[128];

	for (int i = 0; i < count; i++) {
		unsigned family = mutate((uint64_t)i * STRIDE, &v);
		int fd;

		snprintf(path, sizeof path, "/dev/shm/ilk.%s-%d", prefix, i);
		fd = make_file(path);
		fill(fd, path, v.bytes, v.count);
		fuzz_make_original(fd);
		close(fd);
		printf("%s-%d %s, of the seed %s\n", prefix, i, mutate_name(family), v.seed->name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	seeds_make(seeds);
	mutate_begin(seeds);
	if (argc == 3 && strcmp(argv[1], "corpus") == 0)
		return make_corpus(argv[2]);
	if (argc == 4 && strcmp(argv[1], "segments") == 0)
		return make_segments(argv[2], atoi(argv[3]));
	fputs("usage: generate corpus FOLDER | segments PREFIX COUNT\n", stderr);
	return 2;
}
