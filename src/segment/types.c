/* types.c - the rows, in the order of their numbers. */
#include "segment/types.h"

#define DECLARE(name) extern const struct ilk_type_ ilk_type_##name##_;
#define ROW(name) &ilk_type_##name##_,

ILK_TYPES_(DECLARE)

static const struct ilk_type_ *const rows[] = {ILK_TYPES_(ROW)};

_Static_assert(sizeof rows / sizeof *rows == ILK_TYPES_END_ - 1, "a number for each row");

const struct ilk_type_ *ilk_type_(uint32_t type)
{
	return type > ILK_TYPE_NONE_ && type < ILK_TYPES_END_ ? rows[type - 1] : NULL;
}
