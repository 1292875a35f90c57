/*
 * views.c - damaged segments through the views of the command, in this process, where sanitizers see
 * each access: show, top, watch, wait-for, deadlock, doctor, gc (which removes nothing here), ls, and
 * what top opens. None crashes, hangs, or prints what could steer a terminal. Between two looks the
 * segment becomes another damaged one.
 *
 *	views [COUNT [FIRST]]   ILK_SOAK=1 in the environment: 100000
 *	views --case NUMBER     that one, with what it prints, for a debugger
 */
#include "body.h"
#include "ilk/command.h"
#include "ilk/top.h"
#include "mutate.h"
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CASES = 400,
	SOAK_CASES = 100000,
	SECONDS = 20,
	STRIDE = 7919,
	CODES = 3,
	KEYS = 60,
	COMPLAINTS = 4096
};

static struct seed seeds[FUZZ_SEEDS];
static char name[64], path[96];
static uint64_t *codes; /* shared: how often a view ended with each exit code */
static unsigned faults;

static _Noreturn void give_up(const char *what)
{
	perror(what);
	exit(2);
}

/* --- the segment --- */

/* The file is case NUMBER from here on; it stays the same file. */
static void become(uint64_t number)
{
	static struct victim victim;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	mutate(number, &victim);
	if (fd < 0 || ftruncate(fd, 0) < 0 ||
		write(fd, victim.bytes, victim.count) != (ssize_t)victim.count)
		give_up(path);
	/* Of some it cannot be told who lives. */
	if (number % 4)
		fuzz_make_original(fd);
	close(fd);
}

/* --- the views --- */

/* Runs COMMAND with the words of LINE, in which @ is the segment. */
static void run(const struct command *command, const char *line)
{
	char text[200], *argv[16], *rest = text;
	int argc = 0, code;

	snprintf(text, sizeof text, "%s", line);
	for (char *word; argc < 15 && (word = strtok_r(rest, " ", &rest));)
		argv[argc++] = strcmp(word, "@") == 0 ? name : word;
	argv[argc] = NULL;
	code = command->run(argc, argv);
	if (code < 0 || code >= CODES) {
		fprintf(stderr, "ilk %s: exit code %d\n", line, code);
		abort();
	}
	codes[code]++;
}

static void run_views(uint64_t number)
{
	run(&show_command, "show @");
	run(&show_command, "show @ pool");
	run(&show_command, "show @ flow/keep");
	run(&top_command, "top @ --once --every 10ms");
	run(&watch_command, "watch @ --every 10ms --for 10ms");
	run(&wait_for_command, "wait-for @ m free -t 0");
	run(&wait_for_command, "wait-for @ c value>=10 -t 0");
	run(&wait_for_command, "wait-for @ m damaged -t 0");
	run(&wait_for_command, "wait-for @ q depth==0 -t 0");
	run(&deadlock_command, "deadlock @ --sample 1");
	run(&doctor_command, "doctor @");
	run(&gc_command, "gc --dry-run @");
	run(&ls_command, "ls");
	/* Options stay as they are set: so these come last. */
	run(&show_command, "show @ --json");
	run(&top_command, "top @ --once --every 10ms --json --sort owner");
	run(&watch_command, number % 2 ? "watch @ --every 10ms --for 10ms --csv"
				       : "watch @ --every 10ms --for 10ms --json");
	run(&deadlock_command, number % 2 ? "deadlock @ --sample 1 --potential --dot"
					  : "deadlock @ --sample 1 --potential --json");
	run(&doctor_command, "doctor @ --json");
	run(&gc_command, "gc --dry-run --json @");
	run(&ls_command, "ls --json");
}

/* --- what top opens --- */

static void print_texts(struct top *t)
{
	for (size_t i = 0; i < t->rows.count; i++) {
		const struct row *row = &t->rows.all[i];

		snprintf(t->target.segment, sizeof t->target.segment, "%s", row->segment->name);
		memcpy(t->target.name, row->object->name, sizeof t->target.name);
		t->target.offset = row->object->offset;
		top_print_object(t, stdout);
	}
	for (size_t i = 0; i < t->process_count; i++) {
		t->target.slot = t->processes[i].process->slot;
		t->target.pid = t->processes[i].process->pid;
		top_print_process(t, stdout);
	}
}

static void print_list(struct top *t, size_t page)
{
	const struct top_place *place = top_list_place(t, page);

	rows_print(&t->objects, &t->rows, place->scroll, page, 0);
	table_print_rows(&t->objects, stdout);
	table_clear(&t->objects);
	top_print_processes(t, place->scroll, page);
	table_print_rows(&t->process_table, stdout);
	table_clear(&t->process_table);
	top_header(t, stdout);
	top_print_text(t, stdout);
}

/* Any keys, and what is seen after each, while the segment becomes another again and again. */
static void press_keys(struct top *t, uint64_t number)
{
	static const int keys[] = {TOP_KEY_UP, TOP_KEY_DOWN, TOP_KEY_LEFT, TOP_KEY_RIGHT,
		TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_HOME, TOP_KEY_END, TOP_KEY_ENTER,
		TOP_KEY_ESCAPE, TOP_KEY_ERASE, '\t', '/', 'm', 'r', 's', 'p', 'h', 0x80};
	unsigned chance = (unsigned)number + 1;

	for (int i = 0; i < KEYS; i++) {
		chance = chance * 1103515245u + 12345u;
		top_press(t, keys[(chance >> 16) % (sizeof keys / sizeof keys[0])],
			(chance >> 8) % 5);
		if (i % 8 == 0) {
			become(number + (uint64_t)i);
			top_take(t);
		}
		print_list(t, (chance >> 24) % 4);
	}
}

static void open_all(uint64_t number)
{
	char *names[] = {name};
	struct top t = {.list = TOP_PROCESSES,
		.view = TOP_PROCESSES,
		.sort = ROWS_WAITING,
		.every = TICKS_SECOND};

	table_begin(&t.objects, rows_heads);
	table_begin(&t.process_table, top_process_heads);
	sample_begin(&t.sample, names, 1);
	for (uint64_t look = 0; look < 3; look++) {
		become(number + look);
		top_take(&t);
		print_texts(&t);
	}
	press_keys(&t, number);
	rows_free(&t.rows);
	free(t.processes);
	sample_end(&t.sample);
}

static void meet(uint64_t number)
{
	become(number);
	run_views(number);
	open_all(number);
}

/* --- a case in a child --- */

/* What it printed cannot steer a terminal. */
static void check_print(FILE *printed)
{
	int c;

	fflush(stdout);
	rewind(printed);
	while ((c = getc(printed)) != EOF)
		if (iscntrl(c) && c != '\n') {
			fprintf(stderr, "control character %#x was printed\n", (unsigned)c);
			abort();
		}
}

static _Noreturn void be_child(uint64_t number)
{
	FILE *printed = tmpfile();

	/* What is wrong with the segment stands in both; sanitizers tell on another. */
	if (!printed || dup2(fileno(printed), STDOUT_FILENO) < 0)
		give_up("a file for what is printed");
	alarm(SECONDS);
	meet(number);
	check_print(printed);
	fclose(printed);
	exit(0);
}

/* What the case that failed complained of, at its end. */
static void tell_complaints(void)
{
	static char text[COMPLAINTS];
	off_t end = lseek(STDERR_FILENO, 0, SEEK_END);
	ssize_t n = pread(STDERR_FILENO, text, sizeof text,
		end > (off_t)sizeof text ? end - (off_t)sizeof text : 0);

	printf("%.*s\n", n > 0 ? (int)n : 0, text);
}

static void run_case(uint64_t number)
{
	pid_t child;
	int status;

	fflush(stdout);
	if (ftruncate(STDERR_FILENO, 0) < 0 || lseek(STDERR_FILENO, 0, SEEK_SET) < 0)
		give_up("the file for complaints");
	child = fork();
	if (child == 0)
		be_child(number);
	if (child < 0 || waitpid(child, &status, 0) != child)
		give_up("a child");
	if (status == 0)
		return;
	faults++;
	printf("FAILED: %s (fuzz_views --case %llu)\n",
		WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "ended by a sanitizer",
		(unsigned long long)number);
	tell_complaints();
}

/* Where complaints go: only those of a case that failed are read. */
static void hide_complaints(void)
{
	FILE *file = tmpfile();

	if (!file || dup2(fileno(file), STDERR_FILENO) < 0)
		give_up("a file for complaints");
	fclose(file);
}

int main(int argc, char **argv)
{
	const char *soak = getenv("ILK_SOAK");
	int debugs = argc == 3 && strcmp(argv[1], "--case") == 0;
	uint64_t cases = soak && strcmp(soak, "1") == 0 ? SOAK_CASES : CASES, first = 0;

	if (argc > 1 && !debugs)
		cases = strtoull(argv[1], NULL, 10);
	if (argc > 2 && !debugs)
		first = strtoull(argv[2], NULL, 10);
	seeds_make(seeds);
	mutate_begin(seeds);
	codes = mmap(NULL, CODES * sizeof *codes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (codes == MAP_FAILED)
		give_up("mmap");
	snprintf(name, sizeof name, "fuzz-views-%d", (int)getpid());
	snprintf(path, sizeof path, "/dev/shm/ilk.%s", name);
	if (debugs) {
		meet(strtoull(argv[2], NULL, 10));
		unlink(path);
		return 0;
	}
	hide_complaints();
	for (uint64_t i = first; i < first + cases; i++)
		run_case(i * STRIDE);
	unlink(path);
	printf("%llu cases: %llu views ended with 0, %llu with 1, %llu with 2; %u faults\n",
		(unsigned long long)cases, (unsigned long long)codes[0],
		(unsigned long long)codes[1], (unsigned long long)codes[2], faults);
	/* Some were refused, and some not: else they are not what they are to be. */
	for (int i = 0; i < CODES; i++)
		if (codes[i] < cases / 4)
			faults++;
	return faults != 0;
}
