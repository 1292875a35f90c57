/* scenarios_array.c - adding to an element of an array: done, or not. */
#include "scenarios.h"
#include "scene.h"

enum { ELEMENTS = 3, MIDDLE = 1, OLD = 3, NEW = 4, ROUNDS = 30 };

static struct ilk_array_handle array;

static int open_array(struct stage *s)
{
	return EXPECT(s, ilk_array_open(mine.segment, "array", ILK_ARRAY_F64, ELEMENTS, &array), 0);
}

static int found_array(struct stage *s)
{
	if (scene_found(s) < 0 || open_array(s) < 0)
		return -1;
	return EXPECT(s, ilk_array_set_f64(&array, MIDDLE, OLD), 0);
}

static int attach_array(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_array(s);
}

static int add_to_array(struct stage *s)
{
	return EXPECT(s, ilk_array_add_f64(&array, MIDDLE, NEW - OLD, NULL), 0);
}

static int read_array(struct stage *s)
{
	double value = 0;

	if (EXPECT(s, ilk_array_get_f64(&array, MIDDLE, &value), 0) < 0)
		return -1;
	if (s->first)
		s->board->outcome = (long)value;
	return 0;
}

static int add_many(struct stage *s)
{
	for (int i = 0; i < ROUNDS; i++)
		if (EXPECT(s, ilk_array_add_f64(&array, 0, 0.5, NULL), 0) < 0)
			return -1;
	return 0;
}

static int audit_array(struct stage *s)
{
	double value = 0;

	if (EXPECT(s, ilk_array_get_f64(&array, 0, &value), 0) < 0)
		return -1;
	if (expect(s, "the sum", (int)value, ROUNDS) < 0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

const struct operation array_add_row = {
	.name = "array_add",
	.what = "adds to an element",
	.found = found_array,
	.attach = attach_array,
	.prepare = attach_array,
	.operate = add_to_array,
	.look = scene_look,
	.recover = read_array,
	.check = add_many,
	.audit = audit_array,
	.before = OLD,
	.after = NEW,
};
