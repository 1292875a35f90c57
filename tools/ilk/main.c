/* main.c - the command ilk: finds the subcommand and runs it. */
#include "ilk/command.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include <errno.h>
#include <ilk/base.h>
#include <stdio.h>
#include <string.h>

static int version_main(int argc, char **argv);
static int help_main(int argc, char **argv);

static const struct option_page version_page = {
	.command = "version", .operands = "", .summary = "print the version"};
static const struct command version_command = {.page = &version_page, .run = version_main};

static const struct option_page help_page = {
	.command = "help",
	.operands = "[COMMAND]",
	.max = 2,
	.summary = "print the help of a command",
};
static const struct command help_command = {.page = &help_page, .run = help_main};

const struct command *const commands[] = {&create_command, &ls_command, &show_command,
	&deadlock_command, &top_command, &watch_command, &wait_for_command, &rm_command,
	&gc_command, &doctor_command, &counter_command, &lock_command, &sem_command,
	&permits_command, &event_command, &barrier_command, &latch_command, &put_command,
	&get_command, &work_command, &race_command, &bench_command, &completion_command,
	&version_command, &help_command, NULL};

static void print_overview(FILE *out)
{
	fputs("Usage: ilk COMMAND [ARGUMENT...]\n"
	      "Shared-memory synchronization between processes that survives kill -9.\n\n",
		out);
	for (int i = 0; commands[i]; i++)
		fprintf(out, "  %-11s %s\n", commands[i]->page->command,
			commands[i]->page->summary);
	fputs("\n`ilk help COMMAND` tells more. A segment NAME shows as /dev/shm/ilk.NAME; with a '/'\n"
	      "in it, it is the path of the file.\n"
	      "Exit code: 0 all is well, 1 something was found that is not, 2 error.\n",
		out);
}

static int version_main(int argc, char **argv)
{
	int code = options_parse(&version_page, &argc, argv);

	if (code == OPTIONS_GO)
		printf("ilk %s\n", ilk_version());
	return code == OPTIONS_GO ? EXIT_FINE : code;
}

static const struct command *find(const char *name)
{
	for (int i = 0; commands[i]; i++)
		if (strcmp(commands[i]->page->command, name) == 0)
			return commands[i];
	return NULL;
}

static int complain_unknown(const char *name)
{
	struct suggestion s;

	suggest_begin(&s, name, strlen(name));
	for (int i = 0; commands[i]; i++)
		suggest_offer(&s, commands[i]->page->command);
	if (s.best)
		return complain(
			"", "there is no command '%s'; did you mean `ilk %s`?", name, s.best);
	return complain("", "there is no command '%s'; `ilk help` lists them", name);
}

/* `ilk help X Y` is `ilk X Y --help`. */
static int help_main(int argc, char **argv)
{
	char option[] = "--help";
	const struct command *command;
	int code = options_parse(&help_page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (argc == 0) {
		print_overview(stdout);
		return EXIT_FINE;
	}
	command = find(argv[0]);
	if (!command)
		return complain_unknown(argv[0]);
	/* argv had "help" before the operands, so one more fits. */
	argv[argc++] = option;
	return command->run(argc, argv);
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_overview(stderr);
		return EXIT_ERROR;
	}
	if (strcmp(argv[1], "--version") == 0)
		return version_main(1, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_overview(stdout);
		return EXIT_FINE;
	}
	command = find(argv[1]);
	return command ? command->run(argc - 1, argv + 1) : complain_unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (fflush(stdout) != 0 || ferror(stdout))
		return complain("", "the output could not be written: %s", strerror(errno));
	return code;
}
