/* top_keys.c - what keys do in `ilk top`: they change what is shown, and nothing else. */
#include "ilk/top.h"
#include <string.h>

static const size_t all_the_way = SIZE_MAX / 2;

/* --- where the list stands --- */

size_t top_list_length(const struct top *t)
{
	return t->list == TOP_PROCESSES ? t->process_count : t->rows.count;
}

static int is_list(const struct top *t)
{
	return t->view == t->list;
}

static struct top_place *place(struct top *t)
{
	if (!is_list(t))
		return &t->text_place;
	return t->list == TOP_PROCESSES ? &t->process_place : &t->object_place;
}

struct top_place *top_list_place(struct top *t, size_t page)
{
	size_t length = top_list_length(t);
	struct top_place *p = place(t);

	if (length == 0)
		*p = (struct top_place){0, 0};
	else if (p->selected >= length)
		p->selected = length - 1;
	if (p->scroll > p->selected)
		p->scroll = p->selected;
	if (page > 0 && p->selected >= p->scroll + page)
		p->scroll = p->selected - page + 1;
	return p;
}

/* Text has nothing to select: it scrolls. Who draws it sees to the end. */
static void move(struct top *t, size_t up, size_t down)
{
	struct top_place *p = place(t);
	size_t *at = is_list(t) ? &p->selected : &p->scroll;

	*at = up > *at ? 0 : *at - up + down;
}

/* --- sorting --- */

/* By the next of the columns that are shown, STEP columns on. */
static void sort_by_next(struct top *t, size_t step)
{
	const struct table *table = &t->objects;
	size_t at = 0;

	while (at < table->chosen && table->order[at] != t->sort)
		at++;
	t->sort = (enum rows_column)table->order[(at + step) % table->chosen];
	top_arrange(t);
}

/* --- the filter --- */

static void type(struct top *t, int key)
{
	size_t length = strlen(t->filter);

	if (key == TOP_KEY_ESCAPE)
		t->filter[0] = '\0';
	if (key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER)
		t->is_typing = 0;
	else if (key == TOP_KEY_ERASE)
		do { /* all of a character that has several bytes */
			if (length > 0)
				length--;
		} while (length > 0 && ((unsigned char)t->filter[length] & 0xc0) == 0x80);
	else if (key >= ' ' && key < 256 && key != 0x7f && length + 1 < sizeof t->filter)
		t->filter[length++] = (char)key;
	if (key != TOP_KEY_ESCAPE)
		t->filter[length] = '\0';
	top_arrange(t);
}

/* --- opening, going back --- */

static void open_row(struct top *t, size_t page)
{
	const struct top_place *p = top_list_place(t, page);
	const struct sampled *segment;

	if (top_list_length(t) == 0)
		return;
	if (t->list == TOP_PROCESSES) {
		const struct top_process *process = &t->processes[p->selected];

		segment = process->segment;
		t->target.slot = process->process->slot;
		t->target.pid = process->process->pid;
		t->view = TOP_PROCESS;
	} else {
		const struct row *row = &t->rows.all[p->selected];

		segment = row->segment;
		memcpy(t->target.name, row->object->name, sizeof t->target.name);
		t->target.offset = row->object->offset;
		t->view = TOP_OBJECT;
	}
	snprintf(t->target.segment, sizeof t->target.segment, "%s", segment->name);
	t->text_place = (struct top_place){0, 0};
}

/* From a text to the list, from the processes to the objects, from a filter to all. */
static void go_back(struct top *t)
{
	if (!is_list(t)) {
		t->view = t->list;
	} else if (t->filter[0]) {
		t->filter[0] = '\0';
		top_arrange(t);
	} else {
		t->view = t->list = TOP_OBJECTS;
	}
}

static void change_list(struct top *t)
{
	t->list = t->list == TOP_OBJECTS ? TOP_PROCESSES : TOP_OBJECTS;
	t->view = t->list;
	top_arrange(t);
}

/* --- keys --- */

static void press_moving(struct top *t, int key, size_t page)
{
	switch (key) {
	case TOP_KEY_UP:
		move(t, 1, 0);
		break;
	case TOP_KEY_DOWN:
		move(t, 0, 1);
		break;
	case TOP_KEY_PAGE_UP:
		move(t, page, 0);
		break;
	case TOP_KEY_PAGE_DOWN:
		move(t, 0, page);
		break;
	case TOP_KEY_HOME:
		move(t, all_the_way, 0);
		break;
	case TOP_KEY_END:
		move(t, 0, all_the_way);
		break;
	}
	if (is_list(t))
		top_list_place(t, page);
}

static void press_in_list(struct top *t, int key, size_t page)
{
	switch (key) {
	case TOP_KEY_LEFT:
		sort_by_next(t, t->objects.chosen - 1);
		break;
	case TOP_KEY_RIGHT:
	case 's':
		sort_by_next(t, 1);
		break;
	case 'r':
		t->reversed = !t->reversed;
		top_arrange(t);
		break;
	case '/':
		t->is_typing = 1;
		break;
	case TOP_KEY_ENTER:
		open_row(t, page);
		break;
	}
}

static void press_anywhere(struct top *t, int key)
{
	switch (key) {
	case 'q':
		t->quits = 1;
		break;
	case 'p':
	case ' ':
		t->paused = !t->paused;
		break;
	case 'h':
	case '?':
		t->view = TOP_HELP;
		t->text_place = (struct top_place){0, 0};
		break;
	case TOP_KEY_ESCAPE:
	case TOP_KEY_ERASE:
		go_back(t);
		break;
	case '\t':
		change_list(t);
		break;
	}
}

void top_press(struct top *t, int key, size_t page)
{
	if (t->is_typing) {
		type(t, key);
		return;
	}
	press_moving(t, key, page);
	if (is_list(t))
		press_in_list(t, key, page);
	press_anywhere(t, key);
}
