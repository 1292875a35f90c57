/* create.c - ilk create: makes a segment. */
#include "ilk/command.h"
#include "ilk/report.h"
#include "ilk/term.h"
#include <errno.h>
#include <ilk/segment.h>
#include <stdio.h>

/* 0 means that nothing was asked: the library's default, and no comparison with what is there. */
static int64_t size, mode, processes, threads;
static int fenced, exclusive, huge, order, sparse;

static const struct option_row rows[] = {
	{.name = "size",
		.letter = 's',
		.kind = OPTION_SIZE,
		.value = "SIZE",
		.low = 4096,
		.high = INT64_MAX,
		.help = "bytes of the whole segment, rounded up to pages; K, M and G\n"
			"are 1024 and its powers (default 1M)",
		.target = &size},
	{.name = "mode",
		.letter = 'm',
		.kind = OPTION_MODE,
		.value = "MODE",
		.low = 0400,
		.high = 0777,
		.help = "permissions, octal, whatever the umask (default 0600)",
		.target = &mode},
	{.name = "processes",
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = 4095,
		.help = "members at a time (default 64)",
		.target = &processes},
	{.name = "threads",
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = 4095,
		.help = "threads of members at a time (default 256)",
		.target = &threads},
	{.name = "fenced",
		.kind = OPTION_FLAG,
		.help = "hot paths use fences: for where membarrier(2) is missing",
		.target = &fenced},
	{.name = "huge",
		.kind = OPTION_FLAG,
		.help = "in huge pages, as far as the kernel grants them",
		.target = &huge},
	{.name = "order",
		.kind = OPTION_FLAG,
		.help = "keep lock-order history: which locks were taken while which others were\n"
			"held; locking takes ten times as long, and more",
		.target = &order},
	{.name = "sparse",
		.kind = OPTION_FLAG,
		.help = "take memory only when it is used: a full file system may then\n"
			"end a process by SIGBUS",
		.target = &sparse},
	{.name = "exclusive",
		.kind = OPTION_FLAG,
		.help = "an error if NAME is there already",
		.target = &exclusive},
	OPTION_END,
};

static const struct option_page page = {
	.command = "create",
	.operands = "NAME",
	.min = 1,
	.max = 1,
	.summary = "make a segment",
	.details =
		"NAME is 1 to 63 letters, digits, '.', '_' and '-', the first of them a letter,\n"
		"a digit or '_'; or, with a '/' in it, the path of a file on tmpfs or hugetlbfs.\n"
		"A segment of that name that is there already and does not differ from what is\n"
		"asked is left as it is. The segment stays until `ilk rm`.\n",
	.rows = rows,
};

static int create(const char *name, unsigned flags)
{
	struct ilk_segment_options options = {
		.size = sizeof options,
		.bytes = (size_t)size,
		.mode = (unsigned)mode,
		.processes = (unsigned)processes,
		.threads = (unsigned)threads,
		.flags = flags | (fenced ? ILK_SEGMENT_FENCED : 0u) |
			 (huge ? ILK_SEGMENT_HUGE | ILK_SEGMENT_PREFAULT : 0u) |
			 (order ? ILK_SEGMENT_ORDER : 0u) | (sparse ? ILK_SEGMENT_SPARSE : 0u),
	};
	struct ilk_segment *seg;
	char bytes[TERM_TEXT], shown[600];
	int rc = ilk_segment_create(name, &options, &seg);

	if (rc < 0)
		return rc;
	printf("%s %s: %s", flags & ILK_SEGMENT_EXCLUSIVE ? "made" : "was there already:",
		term_clean(shown, sizeof shown, name), term_bytes(bytes, ilk_segment_bytes(seg)));
	if (huge)
		printf(", %s of it in huge pages", term_bytes(bytes, ilk_segment_huge_bytes(seg)));
	putchar('\n');
	return ilk_segment_close(seg);
}

static int create_main(int argc, char **argv)
{
	int code = options_parse(&page, &argc, argv);
	int rc;

	if (code != OPTIONS_GO)
		return code;
	/* First as a new one, so that we can say which it was. */
	rc = create(argv[0], ILK_SEGMENT_EXCLUSIVE);
	if (rc == -EEXIST && !exclusive)
		rc = create(argv[0], 0);
	if (rc == -EEXIST && exclusive)
		return complain(page.command,
			"%s is there already; leave out --exclusive to use it, or remove it: ilk "
			"rm %s",
			argv[0], argv[0]);
	return rc < 0 ? complain_of(page.command, argv[0], rc) : EXIT_FINE;
}

const struct command create_command = {.page = &page, .run = create_main};
