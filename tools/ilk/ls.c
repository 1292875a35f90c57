/* ls.c - ilk ls: the segments of this host, and with --all what else is in /dev/shm. Reads only. */
#include "ilk/ls.h"
#include "ilk/command.h"
#include "ilk/findings.h"
#include "ilk/report.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER "/dev/shm"

static int json, all;
static const char *columns;

static const struct option_row rows[] = {
	{.name = "all",
		.letter = 'a',
		.kind = OPTION_FLAG,
		.help = "also shared memory and semaphores of POSIX that are not Ilk's,\n"
			"and which processes have what mapped",
		.target = &all},
	OPTION_COLUMNS(&columns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "ls",
	.operands = "",
	.summary = "list the segments of this host",
	.details =
		"Per segment: its size, what is given out of it, member processes alive and dead,\n"
		"objects, age, owner; and, where something is wrong, what. Reads the files, takes no\n"
		"lock and joins nothing. Exit code 1 if something is wrong.\n\n"
		"Columns: name, kind, size, used, alive, dead, objects, value (of a semaphore), age,\n"
		"owner, mapped-by, trouble.\n",
	.rows = rows,
};

/* The listing as it grows. */
struct listing {
	struct table table;
	struct json j;
	struct mappers *mappers; /* NULL: nobody wants to know */
	int lines, wrong;
};

static void add_line(struct listing *listing, const struct line *line)
{
	listing->lines++;
	listing->wrong += line->is_wrong;
	if (json)
		ls_to_json(&listing->j, line, listing->mappers);
	else
		ls_to_table(&listing->table, line, listing->mappers);
}

/* --- segments --- */

static void ignore(const struct finding *f, void *arg)
{
	(void)f, (void)arg;
}

static void look(struct line *line)
{
	const struct ilk_inspection *in = line->in;
	int wrong = findings_each(in, ignore, NULL);

	for (size_t i = 0; i < in->process_count; i++) {
		line->alive += in->processes[i].life == ILK_LIFE_ALIVE;
		line->dead += in->processes[i].life == ILK_LIFE_DEAD;
	}
	line->is_wrong = wrong > 0;
	if (in->damage[0])
		snprintf(line->trouble, sizeof line->trouble, "%s", in->damage);
	else if (wrong > 0)
		snprintf(line->trouble, sizeof line->trouble, "%d wrong: ilk show %s", wrong,
			line->name);
	else if (in->liveness == ILK_LIFE_UNKNOWN)
		snprintf(
			line->trouble, sizeof line->trouble, "a copy: who is alive cannot be told");
}

static void note_failure(struct line *line, int rc)
{
	const char *particulars = ilk_last_error();

	if (rc == -EMEDIUMTYPE)
		line->kind = "file";
	/* Other people's segments are nothing wrong. */
	line->is_wrong = rc != -EACCES;
	if (rc == -EACCES)
		snprintf(line->trouble, sizeof line->trouble, "no permission to read it");
	else
		snprintf(line->trouble, sizeof line->trouble, "%s",
			particulars[0] ? particulars : ilk_strerror(rc));
}

static uint64_t inode_of(const char *name)
{
	char path[sizeof FOLDER "/ilk." + NAME_MAX];
	struct stat s;

	snprintf(path, sizeof path, FOLDER "/ilk.%s", name);
	return lstat(path, &s) == 0 ? s.st_ino : 0;
}

static int add_segment(const char *name, void *arg)
{
	struct listing *listing = arg;
	struct line line = {.name = name, .kind = "segment"};
	struct ilk_inspection *in = NULL;
	int rc = ilk_inspect(name, &in);

	if (rc == -ENOENT)
		return 0; /* it went meanwhile */
	line.in = in;
	line.inode = listing->mappers ? inode_of(name) : 0;
	if (rc == 0)
		look(&line);
	else
		note_failure(&line, rc);
	add_line(listing, &line);
	ilk_inspection_free(in);
	return 0;
}

/* --- what is not Ilk's --- */

static void add_foreign(const struct foreign *f, void *arg)
{
	struct line line = {.name = f->name, .kind = f->kind, .foreign = f, .inode = f->inode};

	snprintf(line.trouble, sizeof line.trouble, "%s", f->trouble);
	add_line(arg, &line);
}

/* --- all of it --- */

static int list(struct listing *listing)
{
	int rc;

	if (json) {
		json_document(&listing->j, stdout, "ls", 1);
		json_open(&listing->j, "segments", '[');
	}
	rc = ilk_inspect_each(add_segment, listing);
	if (json)
		json_close(&listing->j);
	if (json && all)
		json_open(&listing->j, "others", '[');
	if (rc == 0 && all && foreign_each(add_foreign, listing) < 0)
		rc = -errno;
	if (json && all)
		json_close(&listing->j);
	return rc;
}

static void finish(struct listing *listing)
{
	const struct mappers *m = listing->mappers;

	if (json) {
		if (m)
			json_integer(&listing->j, "processes_not_read", m->unread);
		json_close(&listing->j);
		return;
	}
	if (listing->lines == 0)
		printf(all ? "nothing in /dev/shm\n"
			   : "no segments; `ilk create NAME` makes one\n");
	else
		table_print(&listing->table, stdout);
	if (m && m->no_proc)
		printf("note: there is no /proc: who has what mapped cannot be told\n");
	else if (m && m->unread)
		printf("note: %d process%s may not be looked at, and may have some of it mapped, "
		       "too\n",
			m->unread, m->unread == 1 ? "" : "es");
}

static const char *columns_shown(void)
{
	if (columns)
		return columns;
	return all ? "name,kind,size,used,alive,dead,value,age,owner,mapped-by,trouble"
		   : "name,size,used,alive,dead,objects,age,owner,trouble";
}

static int ls_main(int argc, char **argv)
{
	struct listing listing = {.lines = 0};
	struct mappers mappers;
	int code = options_parse(&page, &argc, argv);
	int rc;

	if (code != OPTIONS_GO)
		return code;
	table_begin(&listing.table, ls_heads);
	if (table_choose(&listing.table, page.command, columns_shown()) != 0)
		return EXIT_ERROR;
	if (json ? all : table_shows(&listing.table, "mapped-by")) {
		mappers_read(&mappers, FOLDER);
		listing.mappers = &mappers;
	}
	rc = list(&listing);
	finish(&listing);
	if (listing.mappers)
		mappers_free(&mappers);
	if (rc < 0)
		return complain(page.command, "/dev/shm cannot be read: %s", strerror(-rc));
	return listing.wrong ? EXIT_FINDING : EXIT_FINE;
}

const struct command ls_command = {.page = &page, .run = ls_main};
