/* loops.c - a loop: made, occupied, used. */
#include "loops.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 8, COUNT = 40 };

static jmp_buf out_of_it;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static struct ilk_loop *loop_of(struct ilk_segment *seg)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = BYTES};
	struct ilk_loop *l;

	must(ilk_loop_open(seg, "loop", &o, &l) == 0, "a loop");
	return l;
}

static int begin(struct ilk_loop *l)
{
	const struct ilk_range r = {.size = sizeof r, .count = COUNT, .workers = 2};

	return ilk_loop_begin(l, &r);
}

/* --- making --- */

static int leave_it(const struct ilk_part *part, void *arg)
{
	(void)arg;
	if (part->number % 2 == 0)
		return 0;
	longjmp(out_of_it, 1);
}

void loops_furnish(struct ilk_segment *seg)
{
	must(begin(loop_of(seg)) == 0, "a round");
}

void loops_occupy(struct ilk_segment *seg)
{
	if (setjmp(out_of_it) == 0)
		ilk_loop_run(loop_of(seg), leave_it, NULL, ILK_NOW);
}

/* --- using: whatever numbers there are, parts are not empty, and their results can be written --- */

static int use_part(const struct ilk_part *part, void *arg)
{
	(void)arg;
	must(part->begin < part->end, "a part is not empty");
	must(part->number < ILK_LOOP_PARTS, "a part's number");
	if (part->result)
		memset(part->result, 0x5a, 1);
	return part->number == 7 ? -5 : 0;
}

static void use_result(void *into, const void *result, void *arg)
{
	(void)arg;
	*(char *)into = (char)(*(char *)into + *(const char *)result);
}

static ilk_time soon(void)
{
	return ilk_after_ns(200000);
}

void loops_use(struct ilk_segment *seg)
{
	struct ilk_loop *l;
	char sum = 0;

	if (ilk_loop_open(seg, "loop", NULL, &l) < 0)
		return;
	ilk_loop_wait(l, soon());
	ilk_loop_run(l, use_part, NULL, soon());
	ilk_loop_reduce(l, &sum, use_result, NULL);
	ilk_loop_cancel(l);
	for (int i = 0; i < 3; i++) {
		begin(l);
		ilk_loop_run(l, use_part, NULL, soon());
		ilk_loop_reduce(l, &sum, use_result, NULL);
	}
	ilk_loop_close(l);
	ilk_loop_serve(l, use_part, NULL, soon());
}
