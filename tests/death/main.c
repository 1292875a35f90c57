/* main.c - the command line of the death suite. */
#include "campaign.h"
#include "scenarios.h"
#include "setup.h"
#include "step.h"
#include "watch.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIPPED = 77, EXIT_USAGE = 2 };

static const char help[] =
	"Usage: death [OPTION]...\n"
	"Kills a real process at each instruction of every operation on an Ilk segment, and lets\n"
	"survivors meet the remains. Exit status 0: all survived; 1: not all; 2: wrong usage;\n"
	"77: this machine cannot step.\n\n"
	"  --soak              kill at every instruction, not at every state and a sample\n"
	"  --operation NAME    only this one (see --list)\n"
	"  --point N           only at this instruction (0: before the first)\n"
	"  --order WHO         who meets the remains first: early, late (attached before or after\n"
	"                      the death) or together\n"
	"  --zombie            the dead stay zombies until the survivors have finished\n"
	"  --second[=N]        a second process is killed during the repair (at its point N)\n"
	"  --seed N            of the sample (default 1)\n"
	"  --sample N          instructions an operation, beside its states (default 12)\n"
	"  --most N            of the deaths so planned N an operation, chosen by the seed\n"
	"  --limit MS          that a survivor has for each thing it does (default 2000)\n"
	"  --seconds LIMIT     begin no new trial after so long, and say what was left out\n"
	"  --list              the operations\n"
	"  --help              this\n";

enum choice {
	SOAK,
	OPERATION,
	POINT,
	ORDER,
	ZOMBIE,
	SECOND,
	SEED,
	SAMPLE,
	MOST,
	LIMIT,
	SECONDS,
	LIST,
	HELP
};

static const struct option table[] = {
	{"soak", no_argument, NULL, SOAK},
	{"operation", required_argument, NULL, OPERATION},
	{"point", required_argument, NULL, POINT},
	{"order", required_argument, NULL, ORDER},
	{"zombie", no_argument, NULL, ZOMBIE},
	{"second", optional_argument, NULL, SECOND},
	{"seed", required_argument, NULL, SEED},
	{"sample", required_argument, NULL, SAMPLE},
	{"most", required_argument, NULL, MOST},
	{"limit", required_argument, NULL, LIMIT},
	{"seconds", required_argument, NULL, SECONDS},
	{"list", no_argument, NULL, LIST},
	{"help", no_argument, NULL, HELP},
	{0},
};

struct request {
	struct options options;
	const char *operation;
	int64_t seconds;
};

static void usage(const char *wrong, const char *value)
{
	fprintf(stderr, "death: %s%s%s; see --help\n", wrong, value ? ": " : "",
		value ? value : "");
	exit(EXIT_USAGE);
}

static int64_t number(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (!*text || *end || n < 0 || n > INT32_MAX)
		usage("not a number", text);
	return n;
}

static int order_named(const char *text)
{
	static const char *const names[] = {"early", "late", "together"};

	for (int i = 0; i < ORDER_COUNT; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	usage("no such order", text);
	return -1;
}

static void list(void)
{
	for (const struct operation *const *op = scenarios; *op; op++)
		printf("%-22s %s\n", (*op)->name, (*op)->what);
	exit(0);
}

static void take_mode(struct options *o, int option, const char *value)
{
	o->modes |= option == ZOMBIE ? MODE_ZOMBIE : MODE_SECOND;
	if (value)
		o->point2 = (long)number(value);
}

static void take_number(struct request *r, int option, int64_t n)
{
	switch (option) {
	case POINT:
		r->options.point = (long)n;
		break;
	case SEED:
		r->options.seed = (uint64_t)n;
		break;
	case SAMPLE:
		r->options.sample = (int)n;
		break;
	case MOST:
		r->options.most = (long)n;
		break;
	case LIMIT:
		r->options.limit_ms = (int)n;
		break;
	default:
		r->seconds = n;
	}
}

static void take(struct request *r, int option, const char *value)
{
	switch (option) {
	case SOAK:
		r->options.soak = true;
		break;
	case OPERATION:
		r->operation = value;
		break;
	case ORDER:
		r->options.order = order_named(value);
		break;
	case ZOMBIE:
	case SECOND:
		take_mode(&r->options, option, value);
		break;
	case LIST:
		list();
		break;
	case HELP:
		fputs(help, stdout);
		exit(0);
	case '?':
		exit(EXIT_USAGE);
	default:
		take_number(r, option, number(value));
	}
}

static struct request parse(int count, char **words)
{
	struct request r = {
		.options = {.point = -1,
			.point2 = -1,
			.order = -1,
			.seed = 1,
			.sample = 12,
			.limit_ms = 2000,
			.failures = 8,
			.program = words[0]},
	};
	int option;

	while ((option = getopt_long(count, words, "", table, NULL)) != -1)
		take(&r, option, optarg);
	if (optind < count)
		usage("unexpected word", words[optind]);
	return r;
}

/* Sums up; the time that is left is shared by the operations that are left. */
static bool run(const struct request *r, int count, struct tally *sum)
{
	int64_t end = r->seconds ? now_ns() + r->seconds * 1000000000 : INT64_MAX;
	bool all = true;

	for (const struct operation *const *op = scenarios; *op; op++) {
		struct options options = r->options;
		struct tally t;

		if (r->operation && strcmp(r->operation, (*op)->name) != 0)
			continue;
		options.until = r->seconds ? now_ns() + (end - now_ns()) / count-- : INT64_MAX;
		all &= campaign_run(*op, &options, &t);
		campaign_row(*op, &t);
		sum->points += t.points;
		sum->states += t.states;
		sum->tried += t.tried;
		sum->survived += t.survived;
		sum->left_out += t.left_out;
		if (t.slowest > sum->slowest)
			sum->slowest = t.slowest;
	}
	return all;
}

static int count_operations(const char *name)
{
	int count = 0;

	for (const struct operation *const *op = scenarios; *op; op++)
		count += !name || strcmp(name, (*op)->name) == 0;
	return count;
}

int main(int count, char **words)
{
	struct request r = parse(count, words);
	int operations = count_operations(r.operation);
	struct tally sum = {0};
	const char *why;
	bool all;

	if (!operations)
		usage("no such operation", r.operation);
	setup_harness(words);
	setvbuf(stdout, NULL, _IOLBF, 0);
	why = step_unsupported();
	if (why) {
		printf("death: skipped: %s\n", why);
		return EXIT_SKIPPED;
	}
	printf("death: seed %lu, %s /dev/shm\n", (unsigned long)r.options.seed,
		shm_isolate() ? "private" : "shared");
	campaign_title();
	all = run(&r, operations, &sum);
	printf("%d operations, %ld points, %ld states: %ld killed, %ld survived (%.1f %%), slowest "
	       "%.2f ms%s\n",
		operations, sum.points, sum.states, sum.tried, sum.survived,
		sum.tried ? 100.0 * (double)sum.survived / (double)sum.tried : 0.0,
		(double)sum.slowest / 1e6, sum.left_out ? "; some left out" : "");
	return all && sum.tried > 0 ? 0 : 1;
}
