/* figures.c - see figures.h. */
#include "ilk/figures.h"
#include <string.h>

/* The first of object I, or of a later one: they are in the order of their objects. */
static size_t first_figure(const struct ilk_inspection *in, int i)
{
	size_t low = 0, high = in->figure_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (in->figures[middle].object < i)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct ilk_figure_info *figures_of(const struct ilk_inspection *in, int i, size_t *count)
{
	size_t first = first_figure(in, i);

	*count = first_figure(in, i + 1) - first;
	return *count ? &in->figures[first] : NULL;
}

const char *figures_name(const struct ilk_figure_info *f, char out[FIGURES_NAME])
{
	size_t length = strlen(f->name), unit = f->kind == ILK_FIGURE_NS ? strlen("_ns") : 0;

	snprintf(out, FIGURES_NAME, "%.*s", (int)(length - (length > unit ? unit : 0)), f->name);
	return out;
}

const char *figures_text(const struct ilk_figure_info *f, char out[TERM_TEXT])
{
	switch (f->kind) {
	case ILK_FIGURE_BYTES:
		return term_bytes(out, f->value);
	case ILK_FIGURE_NS:
		return term_duration(out, (int64_t)f->value);
	case ILK_FIGURE_YES_NO:
		snprintf(out, TERM_TEXT, "%s", f->value ? "yes" : "no");
		return out;
	case ILK_FIGURE_TEXT:
		return term_clean(out, TERM_TEXT, f->text);
	default:
		return term_number(out, (int64_t)f->value);
	}
}

void figures_json(struct json *j, const struct ilk_inspection *in, int i)
{
	size_t count;
	const struct ilk_figure_info *f = figures_of(in, i, &count);

	json_open(j, "figures", '{');
	for (size_t k = 0; k < count; k++)
		if (f[k].kind == ILK_FIGURE_TEXT)
			json_string(j, f[k].name, f[k].text);
		else if (f[k].kind == ILK_FIGURE_YES_NO)
			json_bool(j, f[k].name, f[k].value != 0);
		else
			json_integer(j, f[k].name, (int64_t)f[k].value);
	json_close(j);
}
