/* view.c - what the faces of `ilk show` share. */
#include "ilk/findings.h"
#include "ilk/show.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int view_is_held(const struct ilk_holder_info *h)
{
	return strcmp(h->how, "awaited") != 0 && strcmp(h->how, "will write") != 0;
}

/* Whose list H is in; one more than there are: nobody's. */
static size_t list_of(const struct ilk_inspection *in, const struct ilk_holder_info *h)
{
	if (h->thread != ILK_NO_INDEX)
		return (size_t)h->thread;
	return h->process != ILK_NO_INDEX ? in->thread_count + (size_t)h->process
					  : in->thread_count + in->process_count;
}

int view_begin(struct view *v)
{
	const struct ilk_inspection *in = v->in;
	size_t lists = in->thread_count + in->process_count + 1;

	v->held = calloc(in->holder_count + 1, sizeof *v->held);
	v->held_at = calloc(lists + 2, sizeof *v->held_at);
	v->holders_at = calloc(in->object_count + 1, sizeof *v->holders_at);
	if (!v->held || !v->held_at || !v->holders_at)
		return -1;
	for (size_t o = 0, h = 0; o <= in->object_count; o++) {
		while (h < in->holder_count && (size_t)in->holders[h].object < o)
			h++;
		v->holders_at[o] = h;
	}
	for (size_t h = 0; h < in->holder_count; h++)
		v->held_at[list_of(in, &in->holders[h]) + 2]++;
	for (size_t i = 2; i < lists + 2; i++)
		v->held_at[i] += v->held_at[i - 1];
	/* held_at[i + 1] moves from the begin of list i to its end, which is the next one's begin. */
	for (size_t h = 0; h < in->holder_count; h++)
		v->held[v->held_at[list_of(in, &in->holders[h]) + 1]++] = h;
	return 0;
}

void view_end(struct view *v)
{
	free(v->held);
	free(v->held_at);
	free(v->holders_at);
}

int64_t view_since(const struct view *v, ilk_time when)
{
	if (when <= 0 || v->in->liveness == ILK_LIFE_UNKNOWN)
		return -1;
	return when < v->in->taken ? v->in->taken - when : 0;
}

/* "stock", "prices (reads)", "jobs (runs square)", "slots (permits, 3)". How long it is, or would be. */
static size_t name_holding(
	const struct ilk_inspection *in, const struct ilk_holder_info *h, char *out, size_t size)
{
	const char *name = in->objects[h->object].name;
	int is_plain = strcmp(h->how, "held") == 0;
	char how[FINDINGS_HOW];
	int n;

	if (is_plain && h->count <= 1)
		n = snprintf(out, size, "%s", name);
	else if (is_plain)
		n = snprintf(out, size, "%s (%u times)", name, h->count);
	else if (h->count <= 1)
		n = snprintf(out, size, "%s (%s)", name, findings_how(h, how));
	else
		n = snprintf(out, size, "%s (%s, %u)", name, findings_how(h, how), h->count);
	return n < 0 ? 0 : (size_t)n;
}

enum { MORE = 24 }; /* bytes for "..., and N more" */

/* Embedded locks that nobody waits for are known from the history of orders alone. */
static size_t count_unseen(const struct ilk_inspection *in, int thread)
{
	size_t n = 0;

	for (size_t i = 0; i < in->held_count; i++)
		n += in->held[i].thread == thread && in->held[i].object == ILK_NO_INDEX;
	return n;
}

const char *view_holdings(const struct view *v, int i, int is_process, char *out, size_t size)
{
	size_t list = (size_t)i + (is_process ? v->in->thread_count : 0);
	size_t at = 0, left = is_process ? 0 : count_unseen(v->in, i);

	for (size_t h = v->held_at[list]; h < v->held_at[list + 1]; h++) {
		const struct ilk_holder_info *holder = &v->in->holders[v->held[h]];
		char one[200];
		size_t length = name_holding(v->in, holder, one, sizeof one);

		if (!view_is_held(holder))
			continue;
		if (left || at + length + 2 + MORE > size) {
			left++;
			continue;
		}
		at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", one);
	}
	if (left)
		snprintf(out + at, size - at, "%s%zu more", at ? ", and " : "", left);
	return at || left ? out : strcpy(out, "-");
}
