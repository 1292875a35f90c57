/* command.h - what a subcommand is; main.c has the list. */
#ifndef ILK_TOOLS_COMMAND_H
#define ILK_TOOLS_COMMAND_H

#include "ilk/options.h"

struct command {
	const struct option_page *page;
	/* Gets what main() got from the subcommand's name on: argv[0] is the name. An exit code. */
	int (*run)(int argc, char **argv);
	const struct option_page *const *within; /* commands within it, ends with NULL; or NULL */
};

extern const struct command create_command, ls_command, show_command, deadlock_command, top_command,
	watch_command, wait_for_command, rm_command, gc_command, doctor_command, counter_command,
	lock_command, sem_command, permits_command, event_command, barrier_command, latch_command,
	put_command, get_command, work_command, race_command, bench_command, completion_command;

extern const struct command *const commands[]; /* all; ends with NULL */

#endif
