/* ls_print.c - a line of `ilk ls`, for people and for programs. */
#include "ilk/ls.h"
#include <pwd.h>
#include <string.h>
#include <time.h>

const char *const ls_heads[] = {"NAME", "KIND", ">SIZE", ">USED", ">ALIVE", ">DEAD", ">OBJECTS",
	">VALUE", ">AGE", "OWNER", "MAPPED BY", "TROUBLE", NULL};

static const char *user_name(uint32_t uid, char out[TERM_TEXT])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(out, TERM_TEXT, "%s", user->pw_name);
	else
		snprintf(out, TERM_TEXT, "%u", uid);
	return out;
}

static int64_t since(int64_t when)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - when;
}

/* What both kinds of line have; 0 where it is not known. */
struct common {
	int known;
	uint64_t bytes, used;
	int64_t born;
	uint32_t uid;
};

static struct common common_of(const struct line *line)
{
	if (line->in)
		return (struct common){
			1, line->in->bytes, line->in->used, line->in->created, line->in->uid};
	if (line->foreign)
		return (struct common){1, line->foreign->bytes, line->foreign->used,
			line->foreign->born, line->foreign->uid};
	return (struct common){.known = 0};
}

/* --- the table --- */

static void add_blank(struct table *t)
{
	table_cell(t, TERM_PLAIN, "-");
}

static void add_size(struct table *t, int known, uint64_t bytes)
{
	char text[TERM_TEXT];

	table_cell(t, TERM_PLAIN, "%s", known ? term_bytes(text, bytes) : "-");
}

static void add_members(struct table *t, const struct line *line)
{
	if (!line->in) {
		for (int i = 0; i < 3; i++)
			add_blank(t);
		return;
	}
	table_cell(t, TERM_PLAIN, "%d", line->alive);
	table_cell(t, line->dead ? TERM_BAD : TERM_PLAIN, "%d", line->dead);
	table_cell(t, TERM_PLAIN, "%zu", line->in->object_count);
}

static void add_mappers(struct table *t, const struct line *line, const struct mappers *mappers)
{
	char text[120];

	if (mappers && line->inode)
		table_cell(
			t, TERM_PLAIN, "%s", mappers_text(mappers, line->inode, text, sizeof text));
	else
		add_blank(t);
}

void ls_to_table(struct table *t, const struct line *line, const struct mappers *mappers)
{
	const struct common c = common_of(line);
	char text[TERM_TEXT];

	table_cell(t, TERM_PLAIN, "%s", line->name);
	table_cell(t, TERM_PLAIN, "%s", line->kind);
	add_size(t, c.known, c.bytes);
	add_size(t, c.known, c.used);
	add_members(t, line);
	if (line->foreign && line->foreign->has_value)
		table_cell(t, TERM_PLAIN, "%u", line->foreign->value);
	else
		add_blank(t);
	table_cell(t, TERM_PLAIN, "%s", c.born ? term_duration(text, since(c.born)) : "-");
	table_cell(t, TERM_PLAIN, "%s", c.known ? user_name(c.uid, text) : "-");
	add_mappers(t, line, mappers);
	table_cell(t, line->is_wrong ? TERM_BAD : TERM_PLAIN, "%s", line->trouble);
}

/* --- JSON --- */

static void put_mappers(struct json *j, uint64_t inode, const struct mappers *mappers)
{
	const struct mapper *who;
	size_t at = 0;

	json_open(j, "mapped_by", '[');
	while (inode && (who = mappers_next(mappers, inode, &at))) {
		json_open(j, NULL, '{');
		json_integer(j, "pid", who->pid);
		json_string(j, "name", who->name);
		json_close(j);
	}
	json_close(j);
}

static void put_common(struct json *j, const struct common *c)
{
	char user[TERM_TEXT];

	if (!c->known)
		return;
	json_integer(j, "bytes", (int64_t)c->bytes);
	json_integer(j, "used", (int64_t)c->used);
	if (c->born)
		json_integer(j, "age_ns", since(c->born));
	else
		json_null(j, "age_ns");
	json_integer(j, "uid", c->uid);
	json_string(j, "user", user_name(c->uid, user));
}

void ls_to_json(struct json *j, const struct line *line, const struct mappers *mappers)
{
	const struct common c = common_of(line);

	json_open(j, NULL, '{');
	json_string(j, "name", line->name);
	json_string(j, "kind", line->kind);
	put_common(j, &c);
	if (line->in) {
		json_integer(j, "processes_alive", line->alive);
		json_integer(j, "processes_dead", line->dead);
		json_integer(j, "objects", (int64_t)line->in->object_count);
	}
	if (line->foreign && line->foreign->has_value)
		json_integer(j, "value", line->foreign->value);
	if (mappers)
		put_mappers(j, line->inode, mappers);
	json_string(j, "trouble", line->trouble[0] ? line->trouble : NULL);
	json_close(j);
}
