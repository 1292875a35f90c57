/*
 * rows.h - the objects of sampled segments as rows of a table: what `top` and `watch` print.
 *
 *	struct table t;
 *	struct rows rows = {.filter = "stock"};
 *	table_begin(&t, rows_heads);
 *	rows_gather(&rows, &sample);
 *	rows_sort(&rows, ROWS_WAITING, 0);
 *	rows_print(&t, &rows, 0, rows.count, 0);        // cells, for table_print_rows()
 *	rows_free(&rows);
 */
#ifndef ILK_TOOLS_ROWS_H
#define ILK_TOOLS_ROWS_H

#include "ilk/json.h"
#include "ilk/sample.h"
#include "ilk/table.h"

enum rows_column {
	ROWS_TIME,
	ROWS_SEGMENT,
	ROWS_OBJECT,
	ROWS_TYPE,
	ROWS_WAITING, /* how many waited on average */
	ROWS_WAITERS, /* how many wait now */
	ROWS_OPS,
	ROWS_CONTENDED,
	ROWS_DEPTH,
	ROWS_PUT,
	ROWS_GOT,
	ROWS_OWNER,
	ROWS_HELD,
	ROWS_STATE,
	ROWS_COLUMNS,
};

extern const char *const rows_heads[]; /* in that order; ends with NULL */

struct row {
	const struct sampled *segment;
	const struct ilk_object_info *object;
	const struct rate *rate;
	const struct ilk_holder_info *holder; /* the first of those that hold it; NULL: none */
	double key;                           /* what it is sorted by */
};

struct rows {
	struct row *all;
	size_t count, room;
	const char *filter; /* keep what has this in segment, object, type or owner; NULL: all */
	char *const *only;  /* keep objects of these names; NULL: all */
	int only_count;
	int64_t taken_unix;
};

/* The objects of S, less what is filtered out. Valid until the next sample is taken. */
void rows_gather(struct rows *r, const struct sample *s);

/* Numbers fall and text rises; the other way round if REVERSED. What is not known comes last. */
void rows_sort(struct rows *r, enum rows_column by, int reversed);

/*
 * Adds COUNT rows from FIRST on as cells to T, whose heads are rows_heads. PLAIN: for programs, numbers
 * without units (durations are in seconds), and nothing where it is unknown.
 */
void rows_print(struct table *t, const struct rows *r, size_t first, size_t count, int plain);

/* The members of a JSON object about ROW. */
void rows_json(struct json *j, const struct row *row);

void rows_free(struct rows *r);

/* "worker (pid 41, thread 43)", whoever holds it, the first of several; "" nobody. Returns OUT. */
const char *rows_owner(const struct row *row, char *out, size_t size);

#endif
