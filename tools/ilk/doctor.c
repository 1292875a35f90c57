/* doctor.c - ilk doctor: everything suspicious, with evidence and cure. Reads only, but for --fix. */
#include "ilk/doctor.h"
#include "ilk/command.h"
#include "ilk/diagnosis_tell.h"
#include "ilk/json.h"
#include "ilk/mappers.h"
#include "ilk/report.h"
#include "ilk/table.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 300 }; /* between two looks at a queue that is full */

static int json, fix, yes;
static const char *columns;

static const struct option_row rows[] = {
	{.name = "fix",
		.kind = OPTION_FLAG,
		.help = "do what is safe, one by one: repair what the dead left, remove\n"
			"segments that nobody is in; asks before each",
		.target = &fix},
	{.name = "yes",
		.letter = 'y',
		.kind = OPTION_FLAG,
		.help = "with --fix: do not ask",
		.target = &yes},
	OPTION_COLUMNS(&columns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "doctor",
	.operands = "[NAME]",
	.max = 1,
	.summary = "say what is suspicious, why, and what to do about it",
	.details =
		"Of all segments of this host and of the host itself, or of the segment NAME: what\n"
		"the dead left, what waits for repair, queues that are full and that nobody reads,\n"
		"room and slots nearly used up, segments that nobody is in, files that are none;\n"
		"/dev/shm nearly full, RemoveIPC. Each with its evidence and its cure.\n\n"
		"It reads the files, takes no lock, joins nothing, and works when all are dead or\n"
		"stopped; only --fix changes anything. What the application must put right, --fix\n"
		"leaves alone.\n\n"
		"Columns: level, segment, kind, object, evidence, cure, fix. Exit code 1 if\n"
		"something is wrong in the end; what is only worth knowing is a note.\n",
	.rows = rows,
};

static const char *const heads[] = {
	"LEVEL", "SEGMENT", "KIND", "OBJECT", "EVIDENCE", "CURE", "FIX", NULL};

/* The examination as it goes on. */
struct examination {
	struct diagnoses all;
	struct table table;
	struct json j;
	struct mappers mappers;
	struct host host;
	int has_mappers, segments, fixed;
	int left; /* what is wrong in the end */
};

/* --- one diagnosis --- */

/* What came of the remedy. */
struct treatment {
	int is_done, is_well;
	char words[300];
};

static const char *level(const struct diagnosis *d)
{
	return d->is_note ? "note" : "wrong";
}

static const char *remedy_name(enum remedy remedy)
{
	static const char *const names[] = {NULL, "repair", "collect"};

	return names[remedy];
}

static void print_clean(enum term_style style, const char *text)
{
	char clean[1000];

	term_print(stdout, style, term_clean(clean, sizeof clean, text));
}

static void print_diagnosis(const struct diagnosis *d)
{
	const char *parts[] = {d->segment, d->kind, d->object, d->evidence};

	term_print(stdout, d->is_note ? TERM_BOLD : TERM_BAD, level(d));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (!parts[i])
			continue;
		fputs(": ", stdout);
		print_clean(TERM_PLAIN, parts[i]);
	}
	fputs("\n  cure: ", stdout);
	print_clean(TERM_PLAIN, d->cure);
	putchar('\n');
}

static void print_treatment(const struct treatment *t)
{
	printf("  %s: ", t->is_well ? "fixed" : "not fixed");
	print_clean(TERM_PLAIN, t->words);
	putchar('\n');
}

static void add_to_table(struct table *t, const struct diagnosis *d, const struct treatment *done)
{
	table_cell(t, d->is_note ? TERM_PLAIN : TERM_BAD, "%s", level(d));
	table_cell(t, TERM_PLAIN, "%s", d->segment ? d->segment : "-");
	table_cell(t, TERM_PLAIN, "%s", d->kind);
	table_cell(t, TERM_PLAIN, "%s", d->object ? d->object : "-");
	table_cell(t, TERM_PLAIN, "%s", d->evidence);
	table_cell(t, TERM_PLAIN, "%s", d->cure);
	if (done->is_done)
		table_cell(t, TERM_PLAIN, "%s: %s", done->is_well ? "fixed" : "not fixed",
			done->words);
	else
		table_cell(t, TERM_PLAIN, "%s",
			d->remedy == REMEDY_NONE ? "-" : remedy_name(d->remedy));
}

static void add_to_json(struct json *j, const struct diagnosis *d, const struct treatment *t)
{
	json_open(j, NULL, '{');
	json_bool(j, "wrong", !d->is_note);
	json_string(j, "segment", d->segment);
	json_string(j, "kind", d->kind);
	json_string(j, "object", d->object);
	json_string(j, "evidence", d->evidence);
	json_string(j, "cure", d->cure);
	json_string(j, "remedy", remedy_name(d->remedy));
	if (t->is_done)
		json_bool(j, "fixed", t->is_well);
	else
		json_null(j, "fixed");
	json_string(j, "treatment", t->is_done ? t->words : NULL);
	json_close(j);
}

static void treat(const struct diagnosis *d, struct treatment *t)
{
	if (!fix || d->remedy == REMEDY_NONE)
		return;
	if (!yes && !doctor_ask(d))
		return;
	t->is_done = 1;
	t->is_well = doctor_fix(d, t->words, sizeof t->words);
}

static void take(const struct diagnosis *d, void *arg)
{
	struct examination *e = arg;
	struct treatment t = {.is_done = 0};
	int in_text = !json && !columns;

	if (in_text)
		print_diagnosis(d);
	treat(d, &t);
	e->fixed += t.is_well;
	if (json)
		add_to_json(&e->j, d, &t);
	else if (columns)
		add_to_table(&e->table, d, &t);
	else if (t.is_done)
		print_treatment(&t);
}

/* --- one segment --- */

static const char *who_maps(struct examination *e, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	struct stat s;

	if (!e->has_mappers)
		mappers_read(&e->mappers, "/dev/shm");
	e->has_mappers = 1;
	snprintf(path, sizeof path, "%s%s", diagnosis_folder(name), name);
	if (lstat(path, &s) < 0)
		return strcpy(out, "-");
	return mappers_text(&e->mappers, s.st_ino, out, size);
}

static struct ilk_inspection *look_again(const char *name)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	struct ilk_inspection *later;

	nanosleep(&pause, NULL);
	return ilk_inspect(name, &later) == 0 ? later : NULL;
}

static void examine_file(struct examination *e, const char *name, int result)
{
	char particulars[300], mapped_by[120];

	snprintf(particulars, sizeof particulars, "%s", ilk_last_error());
	diagnose_failure(
		&e->all, name, result, particulars, who_maps(e, name, mapped_by, sizeof mapped_by));
}

static void examine_segment(
	struct diagnoses *all, const char *name, const struct ilk_inspection *in)
{
	struct ilk_inspection *later = diagnosis_needs_later(in) ? look_again(name) : NULL;

	diagnose_segment(all, name, in, later);
	ilk_inspection_free(later);
}

static void ignore(const struct diagnosis *d, void *arg)
{
	(void)d, (void)arg;
}

/* What is wrong after something was done: a lock that was repaired waits for its users. */
static int count_left(const char *name)
{
	struct diagnoses all = {.each = ignore};
	struct ilk_inspection *in;

	if (ilk_inspect(name, &in) < 0)
		return 0;
	examine_segment(&all, name, in);
	ilk_inspection_free(in);
	return all.wrong;
}

static int examine(const char *name, void *arg)
{
	struct examination *e = arg;
	int wrong = e->all.wrong, fixed = e->fixed;
	struct ilk_inspection *in;
	int rc = ilk_inspect(name, &in);

	if (rc == -ENOENT)
		return 0; /* it went meanwhile */
	e->segments++;
	if (rc < 0) {
		examine_file(e, name, rc);
	} else {
		e->host.of_users += in->uid > HOST_LAST_SYSTEM_UID;
		examine_segment(&e->all, name, in);
		ilk_inspection_free(in);
	}
	e->left += e->fixed > fixed ? count_left(name) : e->all.wrong - wrong;
	return 0;
}

/* --- all of it --- */

static int examine_host(struct examination *e)
{
	int rc, wrong;

	host_look(&e->host, "");
	rc = ilk_inspect_each(examine, e);
	wrong = e->all.wrong;
	diagnose_host(&e->all, &e->host);
	e->left += e->all.wrong - wrong;
	return rc;
}

static void finish(struct examination *e)
{
	if (json) {
		json_close(&e->j);
		json_integer(&e->j, "segments", e->segments);
		json_integer(&e->j, "wrong", e->all.wrong);
		json_integer(&e->j, "fixed", e->fixed);
		json_integer(&e->j, "left", e->left);
		json_close(&e->j);
	} else if (columns) {
		table_print(&e->table, stdout);
	} else {
		printf("%d segment%s: %d wrong, %d note%s", e->segments,
			e->segments == 1 ? "" : "s", e->all.wrong, e->all.notes,
			e->all.notes == 1 ? "" : "s");
		if (fix)
			printf("; %d fixed, %d wrong now", e->fixed, e->left);
		putchar('\n');
	}
	if (e->has_mappers)
		mappers_free(&e->mappers);
}

/* Before anything is printed. */
static int check_there(const char *name)
{
	struct ilk_inspection *in;
	int rc = ilk_inspect(name, &in);

	if (rc == -ENOENT || rc == -EINVAL || rc == -ENAMETOOLONG || rc == -ENOTDIR)
		return complain_of(page.command, name, rc);
	if (rc == 0)
		ilk_inspection_free(in);
	return EXIT_FINE;
}

static int check_usage(void)
{
	if (yes && !fix)
		return complain(page.command, "--yes goes with --fix");
	if (fix && !yes && (json || columns))
		return complain(page.command, "--fix asks, and prints for people: give --yes too");
	if (fix && !yes && !isatty(STDIN_FILENO))
		return complain(
			page.command, "--fix asks on a terminal, and this is none: give --yes");
	return EXIT_FINE;
}

static int doctor_main(int argc, char **argv)
{
	struct examination e = {.all = {.each = take, .arg = &e}};
	int code = options_parse(&page, &argc, argv);
	int rc;

	if (code != OPTIONS_GO)
		return code;
	table_begin(&e.table, heads);
	if (table_choose(&e.table, page.command, columns) != 0 || check_usage() != EXIT_FINE)
		return EXIT_ERROR;
	if (argc && check_there(argv[0]) != EXIT_FINE)
		return EXIT_ERROR;
	if (json) {
		json_document(&e.j, stdout, "doctor", 1);
		json_open(&e.j, "findings", '[');
	}
	rc = argc ? examine(argv[0], &e) : examine_host(&e);
	finish(&e);
	if (rc < 0)
		return complain(page.command, "/dev/shm cannot be read: %s", strerror(-rc));
	return e.left ? EXIT_FINDING : EXIT_FINE;
}

const struct command doctor_command = {.page = &page, .run = doctor_main};
