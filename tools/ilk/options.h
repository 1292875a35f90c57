/*
 * options.h - one table per subcommand; it drives both the parsing and the help.
 *
 *	static int64_t size;
 *	static int json;
 *	static const struct option_row rows[] = {
 *		{.name = "size", .letter = 's', .kind = OPTION_SIZE, .value = "BYTES", .low = 1,
 *			.high = INT64_MAX, .help = "of the whole segment", .target = &size},
 *		OPTION_JSON(&json),
 *		OPTION_END,
 *	};
 *	static const struct option_page page = {.command = "create", .operands = "NAME",
 *		.min = 1, .max = 1, .summary = "make a segment", .rows = rows};
 *
 *	int code = options_parse(&page, &argc, argv);
 *	if (code != OPTIONS_GO)
 *		return code;            // --help was printed, or an error: exit so
 *	create(argv[0]);                // argc and argv are the operands now
 *
 * Options may stand before, between and after operands, as --size 4M, --size=4M, -s 4M, -s4M.
 * "--" ends them. -5 is an operand, where it is not the letter of an option. Every page has -h and --help without a row.
 */
#ifndef ILK_TOOLS_OPTIONS_H
#define ILK_TOOLS_OPTIONS_H

#include <stdint.h>

/* Which type the target has, and what the text of the value may be. */
enum option_kind {
	OPTION_FLAG,   /* int; set to 1; takes no value */
	OPTION_TEXT,   /* const char * */
	OPTION_NUMBER, /* int64_t, decimal */
	OPTION_SIZE,   /* int64_t, bytes; K, M, G are 1024 and its powers */
	OPTION_MODE,   /* int64_t, octal */
	OPTION_SECONDS, /* int64_t, nanoseconds; the text is seconds, with a fraction if need be, or with
			 * a unit: us, ms, s, m, h, d */
};

struct option_row {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;      /* 0: has none */
	enum option_kind kind;
	const char *value; /* what the help calls the value */
	const char *help;  /* one line or several */
	void *target;
	int64_t low,
		high; /* permitted values, both ends included; of all kinds but FLAG and TEXT */
};

#define OPTION_JSON(target_)                                                               \
	{                                                                                  \
		.name = "json", .kind = OPTION_FLAG, .help = "print JSON instead of text", \
		.target = (target_)                                                        \
	}
/* TARGET is an int64_t that begins negative: for ever. For ticks_deadline() of ticks.h. */
#define OPTION_WAIT(target_)                                                               \
	{                                                                                  \
		.name = "wait", .letter = 'w', .kind = OPTION_SECONDS, .value = "SECONDS", \
		.low = 0, .high = INT64_MAX,                                               \
		.help = "give up after so long, 0 at once (default: wait for ever)",       \
		.target = (target_)                                                        \
	}
/* Columns of the table that is printed: TARGET is a const char *, for table_choose() of table.h. */
#define OPTION_COLUMNS(target_)                                                            \
	{                                                                                  \
		.name = "columns", .letter = 'o', .kind = OPTION_TEXT, .value = "COLUMNS", \
		.help = "print these columns, in this order: their heads in small\n"       \
			"letters, with '-' for a blank",                                   \
		.target = (target_)                                                        \
	}
#define OPTION_END \
	{          \
		0  \
	}

struct option_page {
	const char *command;  /* as it is called: "create", "race run" */
	const char *operands; /* as the usage line shows them; "" none */
	int min, max;         /* number of operands; max -1: any */
	const char *summary;  /* one line, beginning small, without a full stop */
	const char *details;  /* further paragraphs, or NULL */
	const struct option_row *rows;
};

enum { OPTIONS_GO = -1 };

/*
 * Parses argv[1..*argc-1] by PAGE into the targets of its rows. OPTIONS_GO: *argc and argv[0...]
 * are the operands, in their order. Else the command is over with this exit code: 0, the help was
 * asked for and is printed; 2, a mistake, of which one line on stderr tells.
 */
int options_parse(const struct option_page *page, int *argc, char **argv);

/* Reads TEXT as KIND (not FLAG, not TEXT) into *VALUE. 0, or -1: it is no such thing. */
int options_read(enum option_kind kind, const char *text, int64_t *value);

void options_print_help(const struct option_page *page);

#endif
