/* sem.c - ilk sem: posts to a semaphore, waits for it, prints its value. */
#include "ilk/command.h"
#include "ilk/meet.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <ilk/semaphore.h>

static int64_t first = ILK_SEMAPHORE_AS_IS, wait_ns = -1;
static int json;

static const struct option_row rows[] = {
	{.name = "value",
		.letter = 'v',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 0,
		.high = ILK_SEMAPHORE_MAX,
		.help = "permits that a new one begins with (default 0)",
		.target = &first},
	OPTION_WAIT(&wait_ns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "sem",
	.operands = "NAME OBJECT post [N] | wait | value",
	.min = 3,
	.max = 4,
	.summary = "post to a semaphore, wait for it, or print its value",
	.details = "OBJECT is a semaphore in the segment NAME.\n"
		   "  post   adds a permit, or N of them, and wakes as many who wait\n"
		   "  wait   takes one, waiting until there is one\n"
		   "  value  prints how many there are, reading only\n"
		   "post and wait make segment and semaphore on first use. What was taken nobody "
		   "gives\n"
		   "back: for a limit, where what the killed had comes back, use `ilk permits`.\n\n"
		   "Exit code: 0 done; 75 the time ran out; 2 other errors.\n",
	.rows = rows,
};

static int open_one(struct ilk_segment *seg, const char *name, void **object)
{
	const struct ilk_semaphore_options options = {
		.size = sizeof options, .value = (unsigned)first};
	struct ilk_semaphore *s;
	int rc = ilk_semaphore_open(seg, name, &options, &s);

	*object = rc < 0 ? NULL : s;
	return rc;
}

static int post(void *object, unsigned n, int64_t *value)
{
	(void)value;
	return ilk_semaphore_post_n(object, n);
}

static int wait_for_one(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_semaphore_wait_until(object, ticks_deadline(wait_ns));
}

static int read_value(void *object, unsigned n, int64_t *value)
{
	unsigned found = 0;
	int rc = ilk_semaphore_value(object, &found);

	(void)n;
	*value = found;
	return rc;
}

static int tell(const struct meet_place *at, int rc)
{
	if (rc != -EOVERFLOW)
		return OPTIONS_GO;
	return complain(at->command,
		"%s in %s has no room for so many: it would have more than %u; nothing was posted",
		at->object, at->segment, ILK_SEMAPHORE_MAX);
}

static const struct meet_act acts[] = {
	{"post", MEET_COUNTS, post},
	{"wait", MEET_WAITS, wait_for_one},
	{"value", MEET_READS, read_value},
	{0},
};

static const struct meet meet = {
	.page = &page,
	.type = "semaphore",
	.acts = acts,
	.most = ILK_SEMAPHORE_MAX,
	.late = "there is no permit",
	.made = "--value",
	.wait_ns = &wait_ns,
	.json = &json,
	.open = open_one,
	.tell = tell,
};

static int sem_main(int argc, char **argv)
{
	return meet_main(&meet, argc, argv);
}

const struct command sem_command = {.page = &page, .run = sem_main};
