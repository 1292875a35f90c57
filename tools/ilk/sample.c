/* sample.c - see sample.h. */
#include "ilk/sample.h"
#include "ilk/report.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *need(void *memory)
{
	if (!memory)
		exit(complain("", "out of memory"));
	return memory;
}

static struct sampled *add(struct sample *s, const char *name)
{
	s->segments = need(realloc(s->segments, (s->count + 1) * sizeof *s->segments));
	s->segments[s->count] = (struct sampled){.name = need(strdup(name)), .is_listed = 1};
	return &s->segments[s->count++];
}

void sample_begin(struct sample *s, char *const *names, int count)
{
	*s = (struct sample){.all = count == 0};
	for (int i = 0; i < count; i++)
		add(s, names[i]);
}

/* --- one segment --- */

static void forget(struct sampled *one)
{
	ilk_inspection_free(one->before);
	ilk_inspection_free(one->now);
	free(one->rates);
	one->before = one->now = NULL;
	one->rates = NULL;
}

static void note_failure(struct sampled *one)
{
	const char *particulars = ilk_last_error();

	if (one->result == -ENOENT)
		snprintf(one->trouble, sizeof one->trouble, "there is no such segment");
	else if (one->result == -EACCES)
		snprintf(one->trouble, sizeof one->trouble, "no permission to read it");
	else
		snprintf(one->trouble, sizeof one->trouble, "%s",
			particulars[0] ? particulars : ilk_strerror(one->result));
}

static void look(struct sampled *one)
{
	struct ilk_inspection *in;

	one->trouble[0] = '\0';
	one->result = ilk_inspect(one->name, &in);
	if (one->result < 0) {
		note_failure(one);
		forget(one);
		return;
	}
	ilk_inspection_free(one->before);
	free(one->rates);
	one->before = one->now;
	one->now = in;
	one->rates = need(rates_between(one->before, in));
	if (in->damage[0])
		snprintf(one->trouble, sizeof one->trouble, "%s", in->damage);
}

/* --- all of them --- */

static int list_one(const char *name, void *arg)
{
	struct sample *s = arg;

	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->segments[i].name, name) == 0) {
			s->segments[i].is_listed = 1;
			return 0;
		}
	add(s, name);
	return 0;
}

static void drop(struct sampled *one)
{
	forget(one);
	free(one->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sampled *)a)->name, ((const struct sampled *)b)->name);
}

/* Keeps just those that are there now, in order of their names. */
static int list_all(struct sample *s)
{
	size_t kept = 0;
	int rc;

	for (size_t i = 0; i < s->count; i++)
		s->segments[i].is_listed = 0;
	rc = ilk_inspect_each(list_one, s);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->count; i++)
		if (s->segments[i].is_listed)
			s->segments[kept++] = s->segments[i];
		else
			drop(&s->segments[i]);
	s->count = kept;
	if (kept > 1)
		qsort(s->segments, kept, sizeof *s->segments, by_name);
	return 0;
}

int sample_take(struct sample *s)
{
	ilk_time begin = ilk_now();
	struct timespec now;
	int rc = s->all ? list_all(s) : 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->count; i++)
		look(&s->segments[i]);
	clock_gettime(CLOCK_REALTIME, &now);
	s->taken_unix = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	s->cost = ilk_now() - begin;
	return 0;
}

void sample_end(struct sample *s)
{
	for (size_t i = 0; i < s->count; i++)
		drop(&s->segments[i]);
	free(s->segments);
}
