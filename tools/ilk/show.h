/* show.h - what `ilk show` shows, and its two faces: tables and JSON. */
#ifndef ILK_TOOLS_SHOW_H
#define ILK_TOOLS_SHOW_H

#include "ilk/rates.h"
#include <ilk/inspect.h>

struct view {
	const char *name; /* as the user calls the segment */
	const struct ilk_inspection *in;
	const struct rate *rates; /* of each object, over sample_ms; NULL: no sample was taken */
	int64_t sample_ms;
	int object;          /* the one that is asked for; ILK_NO_INDEX: all */
	const char *columns; /* of the table of objects; NULL: all */
	/* What threads, and processes as such, hold: indexes in holders[], those of thread i from
	 * held_at[i] to held_at[i + 1]; processes come after the threads. */
	size_t *held, *held_at;
	size_t *holders_at; /* those of object i: from holders_at[i] to holders_at[i + 1] */
};

/* Sorts the holders. 0; -1: no memory. */
int view_begin(struct view *v);
void view_end(struct view *v);

/* For how long at the inspection; -1: unknown, or of another boot. */
int64_t view_since(const struct view *v, ilk_time when);

/* Thread I, or process I, holds nothing of that kind: members that a barrier awaits do not hold it. */
int view_is_held(const struct ilk_holder_info *h);

/* The names of what thread I holds, or with IS_PROCESS process I, with commas; "-". Returns OUT. */
const char *view_holdings(const struct view *v, int i, int is_process, char *out, size_t size);

/* Each prints all of V on stdout, what is wrong last, and returns how many things are wrong. -1: an
 * error, told. */
int show_tables(const struct view *v);
int show_json(const struct view *v);

/* Parts of show_tables(). -1: an error, told. */
int show_objects(const struct view *v);
void show_queues(const struct view *v);
void show_people(const struct view *v);

#endif
