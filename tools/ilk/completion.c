/* completion.c - ilk completion: what a shell needs to complete our commands, from their tables. */
#include "ilk/command.h"
#include "ilk/report.h"
#include "race/frame.h"
#include <stdio.h>
#include <string.h>

static const struct option_page page = {
	.command = "completion",
	.operands = "bash | zsh",
	.min = 1,
	.max = 1,
	.summary = "print what a shell needs to complete ilk's commands",
	.details =
		"An installed Ilk has put it where bash and zsh look for it. For this shell alone:\n\n"
		"  source <(ilk completion bash)\n"
		"  source <(ilk completion zsh)\n",
};

/* Calls EACH for the page of every command, and of those within commands. */
static void for_each_page(void (*each)(const struct option_page *p))
{
	for (const struct command *const *c = commands; *c; c++) {
		each((*c)->page);
		for (const struct option_page *const *p = (*c)->within; p && *p; p++)
			each(*p);
	}
}

static void print_command_names(void)
{
	for (const struct command *const *c = commands; *c; c++)
		printf("%s%s", c == commands ? "" : " ", (*c)->page->command);
}

/* The words of "bash | zsh", of "NAME OBJECT post [N] | wait"; none where there is no choice. */
static void print_choice(const struct option_page *p)
{
	static const char names[] = "NAME OBJECT ";
	const char *at = p->operands;

	if (!strchr(at, '|'))
		return;
	if (strncmp(at, names, strlen(names)) == 0)
		at += strlen(names);
	for (; at; at = strchr(at, '|') ? strchr(at, '|') + 2 : NULL)
		printf("%.*s ", (int)strcspn(at, " "), at);
}

/* The words that an operand of P can be, where they are not segments. */
static void print_operands(const struct option_page *p)
{
	if (strcmp(p->operands, "[COMMAND]") == 0)
		print_command_names();
	else if (strcmp(p->operands, "SCENARIO") == 0)
		for (const struct race_scenario *const *s = race_scenarios; *s; s++)
			printf("%s%s", s == race_scenarios ? "" : " ", (*s)->name);
	else
		print_choice(p);
}

/* Is its first operand a segment: "NAME", "[NAME...]"? */
static int takes_segments(const struct option_page *p)
{
	return strncmp(p->operands + (p->operands[0] == '['), "NAME", 4) == 0;
}

/* --- bash --- */

static void bash_page(const struct option_page *p)
{
	printf("\t\"%s \"*)\n\t\toptions=\"--help", p->command);
	for (const struct option_row *r = p->rows; r && r->name; r++)
		printf(" --%s", r->name);
	fputs("\"\n\t\toperands=\"", stdout);
	if (takes_segments(p)) {
		fputs("$(_ilk_segments) ", stdout);
		print_choice(p);
	} else {
		print_operands(p);
	}
	fputs("\" ;;\n", stdout);
}

static void print_bash(void)
{
	fputs("# Completion of ilk for bash; made by `ilk completion bash`.\n"
	      "_ilk_segments()\n{\n"
	      "\tlocal file\n\n"
	      "\tfor file in /dev/shm/ilk.*; do\n"
	      "\t\t[ -e \"$file\" ] && echo \"${file#/dev/shm/ilk.}\"\n"
	      "\tdone\n}\n\n"
	      "_ilk()\n{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} line options operands\n\n"
	      "\tline=\"${COMP_WORDS[*]:1:COMP_CWORD-1} \"\n"
	      "\tcase \"$line\" in\n"
	      "\t\" \")\n\t\toptions=\"--help --version\"\n\t\toperands=\"",
		stdout);
	print_command_names();
	fputs("\" ;;\n", stdout);
	/* `race run` before `race`: the first that fits is taken. */
	for (const struct command *const *c = commands; *c; c++) {
		for (const struct option_page *const *p = (*c)->within; p && *p; p++)
			bash_page(*p);
		bash_page((*c)->page);
	}
	fputs("\tesac\n"
	      "\t[[ $current == -* ]] && operands=$options\n"
	      "\tif [[ $current == */* ]]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
	      "\telse\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$operands\" -- \"$current\")\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _ilk ilk\n",
		stdout);
}

/* --- zsh --- */

/* TEXT on one line, without what means something to _arguments. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		putchar(strchr("[]:'\n", *text) ? ' ' : *text);
}

static void zsh_page(const struct option_page *p)
{
	const char *within = strchr(p->command, ' ');

	printf("_ilk_%.*s%s%s()\n{\n\t_arguments -s '(- *)--help[print the help]'",
		(int)strcspn(p->command, " "), p->command, within ? "_" : "",
		within ? within + 1 : "");
	for (const struct option_row *r = p->rows; r && r->name; r++) {
		printf(" \\\n\t\t'--%s%s[", r->name, r->kind == OPTION_FLAG ? "" : "=");
		print_plain(r->help);
		printf("]%s%s%s'", r->kind == OPTION_FLAG ? "" : ":",
			r->kind == OPTION_FLAG ? "" : r->value, r->kind == OPTION_FLAG ? "" : ":");
	}
	if (takes_segments(p) && strchr(p->operands, '|')) {
		fputs(" \\\n\t\t'1:segment:_ilk_complete_segments' '2:object:' \\\n\t\t'3:act:(",
			stdout);
		print_choice(p);
		fputs(")'\n}\n\n", stdout);
		return;
	}
	if (takes_segments(p)) {
		fputs(" \\\n\t\t'*:segment:_ilk_complete_segments'\n}\n\n", stdout);
		return;
	}
	fputs(" \\\n\t\t'*:operand:(", stdout);
	print_operands(p);
	fputs(")'\n}\n\n", stdout);
}

static void print_zsh(void)
{
	fputs("#compdef ilk\n"
	      "# Completion of ilk for zsh; made by `ilk completion zsh`.\n"
	      "_ilk_segments()\n{\n"
	      "\tlocal file\n\n"
	      "\tfor file in /dev/shm/ilk.*(N); do\n"
	      "\t\techo ${file#/dev/shm/ilk.}\n"
	      "\tdone\n}\n\n"
	      "_ilk_complete_segments()\n{\n"
	      "\t[[ $PREFIX == */* ]] && _files && return\n"
	      "\tcompadd -- ${(f)\"$(_ilk_segments)\"}\n}\n\n",
		stdout);
	for_each_page(zsh_page);
	fputs("_ilk()\n{\n\tlocal -a commands=(\n", stdout);
	for (const struct command *const *c = commands; *c; c++) {
		printf("\t\t'%s:", (*c)->page->command);
		print_plain((*c)->page->summary);
		puts("'");
	}
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tlocal within=_ilk_$words[2]\n"
	      "\twords=(\"${(@)words[2,-1]}\")\n"
	      "\t(( CURRENT-- ))\n"
	      "\tif (( CURRENT > 2 )) && (( $+functions[${within}_$words[2]] )); then\n"
	      "\t\twithin=${within}_$words[2]\n"
	      "\t\twords=(\"${(@)words[2,-1]}\")\n"
	      "\t\t(( CURRENT-- ))\n"
	      "\tfi\n"
	      "\t(( $+functions[$within] )) && $within\n"
	      "}\n"
	      "if [ \"$funcstack[1]\" = _ilk ]; then\n"
	      "\t_ilk \"$@\"\n"
	      "else\n"
	      "\tcompdef _ilk ilk\n"
	      "fi\n",
		stdout);
}

static int completion_main(int argc, char **argv)
{
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (strcmp(argv[0], "bash") == 0)
		print_bash();
	else if (strcmp(argv[0], "zsh") == 0)
		print_zsh();
	else
		return complain(page.command,
			"'%s' is no shell that is known here; choose bash or zsh", argv[0]);
	return EXIT_FINE;
}

const struct command completion_command = {.page = &page, .run = completion_main};
