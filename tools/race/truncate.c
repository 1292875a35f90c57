/*
 * truncate.c - somebody shrinks the file under a mapping: the next touch of it is SIGBUS.
 *
 * The memory is a file, and whoever may write it may cut it off. Every process that has it mapped is
 * killed by the next access behind the end, wherever it is at the time.
 */
#include "race/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <ilk/atomics.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 1 << 16, WRITES = 10000 };

static int file = -1; /* made before there are workers; they inherit it */

static _Thread_local struct {
	char *memory;
	int64_t *refused;
} my;

static int open_mapping(struct ilk_segment *seg)
{
	void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (memory == MAP_FAILED)
		return -errno;
	my.memory = memory;
	return race_block(seg, "refused", sizeof *my.refused, &my.refused);
}

static int prepare(unsigned seals)
{
	if (file >= 0)
		close(file);
	file = memfd_create("race.truncate", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (file < 0 || ftruncate(file, BYTES) < 0 ||
		(seals && fcntl(file, F_ADD_SEALS, seals) < 0))
		return -errno;
	return 0;
}

static int prepare_open(struct ilk_segment *seg)
{
	(void)seg;
	return prepare(0);
}

static int prepare_sealed(struct ilk_segment *seg)
{
	(void)seg;
	return prepare(F_SEAL_SHRINK | F_SEAL_GROW);
}

/* The first worker shrinks it now and then, and makes it large again; the others use it. */
static int work(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		if (me->index == 0) {
			usleep(10);
			if (ftruncate(file, BYTES / 2) < 0)
				ilk_add_relaxed_(my.refused, 1);
			else
				race_note(me, "has cut it to", BYTES / 2);
			if (ftruncate(file, BYTES) < 0)
				return -errno;
		} else {
			race_note(me, "writes its last byte, round", times);
			for (int i = 0; i < WRITES; i++)
				ilk_store_relaxed_(&my.memory[BYTES - 1], (char)i);
		}
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->got = count->expected;
}

static const struct race_variant variants[] = {
	{"open", "a file that can be cut off", RACE_FAILS, prepare_open, open_mapping, work, judge,
		NULL},
	{"sealed", "a memfd, sealed against it (ILK_SEGMENT_SEALED)", RACE_HOLDS, prepare_sealed,
		open_mapping, work, judge, NULL},
};

const struct race_scenario race_truncate = {
	.name = "truncate",
	.bug = "maps a file that others may shrink",
	.breaks = "one ftruncate(), and all who use it die of SIGBUS",
	.fix = "a sealed memfd",
	.failures = "missed",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.only_processes = 1,
	.iterations = 5000,
	.chunk = 100,
	.is_noted = 1,
};
