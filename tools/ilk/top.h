/*
 * top.h - what the parts of `ilk top` share. top.c has options and the plain face, top_screen.c and
 * top_draw.c the full screen, top_keys.c what keys do; top_views.c and top_details.c tell what is to be seen, to whomever
 * shows it.
 */
#ifndef ILK_TOOLS_TOP_H
#define ILK_TOOLS_TOP_H

#include "ilk/rows.h"
#include "ilk/ticks.h"

enum top_view { TOP_OBJECTS, TOP_PROCESSES, TOP_OBJECT, TOP_PROCESS, TOP_HELP };

/* A process of a segment, as a row. */
struct top_process {
	const struct sampled *segment;
	const struct ilk_process_info *process;
	int threads, waiting, holds;
};

/* Where a list stands. */
struct top_place {
	size_t selected, scroll;
};

/* What was opened: looked for anew in each sample. */
struct top_target {
	char segment[300];
	char name[64]; /* of an object */
	uint64_t offset;
	int slot; /* of a process */
	int32_t pid;
};

struct top {
	struct sample sample;
	struct rows rows;
	struct top_process *processes;
	size_t process_count;
	struct table objects, process_table; /* their columns; cells only while they are shown */
	int64_t every;
	enum top_view view,
		list; /* list: TOP_OBJECTS or TOP_PROCESSES, whence others were opened */
	struct top_place object_place, process_place, text_place;
	struct top_target target;
	enum rows_column sort;
	int reversed, paused, quits;
	int is_typing; /* the filter */
	char filter[64];
};

/* --- top.c --- */

/* Looks at all segments, and finds the rows. 0; -E... as sample_take(). */
int top_take(struct top *t);

/* Filters and sorts what is there anew. */
void top_arrange(struct top *t);

/* --- top_views.c --- */

/* Lines of text that stand above the rows. */
void top_header(const struct top *t, FILE *out);

/* The processes of the sample, filtered; those that wait first. */
void top_gather_processes(struct top *t);

extern const char *const top_process_heads[];
void top_print_processes(struct top *t, size_t first, size_t count); /* as rows_print() */

void top_print_json(const struct top *t, int on_one_line);

/* --- top_details.c: as text, with tables in it --- */

void top_print_object(const struct top *t, FILE *out);
void top_print_process(const struct top *t, FILE *out);
void top_print_help(FILE *out);

/* What is seen now, where that is text and no list. */
void top_print_text(const struct top *t, FILE *out);

/* --- top_keys.c --- */

enum top_key {
	TOP_KEY_UP = 256,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_ERASE,
};

/* KEY is a byte or one of these; PAGE: how many rows are seen. */
void top_press(struct top *t, int key, size_t page);

/* How many rows the list has, and where it stands: within its rows, so that PAGE of them are seen. */
size_t top_list_length(const struct top *t);
struct top_place *top_list_place(struct top *t, size_t page);

/* --- top_screen.c, or where ncursesw is missing, top_absent.c --- */

/* Why there is no full screen; NULL: there may be one. */
const char *top_screen_absent(void);

/* Shows T full screen until its user has enough. An exit code; -1: this terminal cannot. */
int top_screen(struct top *t);

#endif
