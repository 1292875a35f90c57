/* types.c - the rows, in the order of their numbers; figures, as a row's describe() tells them. */
#include "segment/types.h"
#include <stdio.h>

#define DECLARE(name) extern const struct ilk_type_ ilk_type_##name##_;
#define ROW(name) &ilk_type_##name##_,

ILK_TYPES_(DECLARE)

static const struct ilk_type_ *const rows[] = {ILK_TYPES_(ROW)};

_Static_assert(sizeof rows / sizeof *rows == ILK_TYPES_END_ - 1, "a number for each row");

const struct ilk_type_ *ilk_type_(uint32_t type)
{
	return type > ILK_TYPE_NONE_ && type < ILK_TYPES_END_ ? rows[type - 1] : NULL;
}

static void tell(struct ilk_description_ *out, const struct ilk_figure_info *f)
{
	if (out->figures && out->figure_count < ILK_FIGURES_)
		out->figures[out->figure_count++] = *f;
}

void ilk_tell_as_(
	struct ilk_description_ *out, const char *name, enum ilk_figure_kind kind, uint64_t value)
{
	const struct ilk_figure_info f = {.name = name, .kind = kind, .value = value};

	tell(out, &f);
}

void ilk_tell_(struct ilk_description_ *out, const char *name, uint64_t value)
{
	ilk_tell_as_(out, name, ILK_FIGURE_COUNT, value);
}

void ilk_tell_text_(struct ilk_description_ *out, const char *name, const char *text)
{
	struct ilk_figure_info f = {.name = name, .kind = ILK_FIGURE_TEXT};

	snprintf(f.text, sizeof f.text, "%s", text);
	tell(out, &f);
}
