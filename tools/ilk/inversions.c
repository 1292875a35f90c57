/* inversions.c - see inversions.h. */
#include "ilk/inversions.h"
#include "ilk/report.h"
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
	if (!memory)
		exit(complain("deadlock", "out of memory"));
	return memory;
}

/* --- which circles count --- */

static int is_one_threads(const struct inversion *v)
{
	const struct ilk_order_info *a = v->orders[0];

	for (size_t i = 0; i < v->count; i++) {
		const struct ilk_order_info *b = v->orders[i];

		if (b->others || b->tid == 0 || b->tid != a->tid || b->pid != a->pid ||
			b->joined != a->joined)
			return 0;
	}
	return 1;
}

static int has_gate(const struct ilk_order_info *o, uint64_t gate)
{
	for (int i = 0; i < ILK_ORDER_GATES; i++)
		if (o->gates[i] == gate)
			return 1;
	return 0;
}

static int has_common_gate(const struct inversion *v)
{
	for (int k = 0; k < ILK_ORDER_GATES; k++) {
		uint64_t gate = v->orders[0]->gates[k];
		size_t i = 1;

		while (gate && i < v->count && has_gate(v->orders[i], gate))
			i++;
		if (gate && i == v->count)
			return 1;
	}
	return 0;
}

static int only(unsigned ways, unsigned permitted)
{
	return (ways & ~permitted) == 0;
}

/* Is there a lock in V that is asked for, and held, to read alone? */
static int needs_writer(const struct inversion *v)
{
	for (size_t i = 0; i < v->count; i++) {
		unsigned asked = v->orders[i]->ways, held = v->orders[(i + 1) % v->count]->ways;

		if (only(asked, ILK_ORDER_LOCK_READ | ILK_ORDER_READ_READ) &&
			only(held, ILK_ORDER_READ_LOCK | ILK_ORDER_READ_READ))
			return 1;
	}
	return 0;
}

/* --- finding them --- */

struct finder {
	const struct ilk_inspection *in;
	size_t *from, *depth, *queue; /* by order: what led to it, how far it is; 0 not reached */
};

/* The first order that begins with the lock at OFFSET; they are sorted by that. */
static size_t first_with(const struct ilk_inspection *in, uint64_t offset)
{
	size_t low = 0, high = in->order_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (in->orders[middle].first_offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * From order START on, breadth first, over orders behind START in number, so that each circle is
 * found once: from its first. The order that leads back to START's first lock; order_count: none.
 */
static size_t search(struct finder *f, size_t start)
{
	const struct ilk_inspection *in = f->in;
	size_t head = 0, tail = 0;

	memset(f->depth, 0, in->order_count * sizeof *f->depth);
	f->depth[start] = 1;
	f->queue[tail++] = start;
	for (; head < tail; head++) {
		size_t at = f->queue[head];

		if (in->orders[at].then_offset == in->orders[start].first_offset)
			return at;
		for (size_t i = first_with(in, in->orders[at].then_offset);
			i < in->order_count && f->depth[at] < INVERSION_ORDERS &&
			in->orders[i].first_offset == in->orders[at].then_offset;
			i++) {
			if (i <= start || f->depth[i])
				continue;
			f->depth[i] = f->depth[at] + 1;
			f->from[i] = at;
			f->queue[tail++] = i;
		}
	}
	return in->order_count;
}

static void add(struct inversions *to, const struct inversion *v)
{
	to->all = need(realloc(to->all, (to->count + 1) * sizeof *to->all));
	to->all[to->count++] = *v;
}

void inversions_add(struct inversions *to, const struct ilk_inspection *in, size_t look)
{
	size_t n = in->order_count;
	struct finder f = {.in = in,
		.from = need(calloc(n + 1, sizeof *f.from)),
		.depth = need(calloc(n + 1, sizeof *f.depth)),
		.queue = need(calloc(n + 1, sizeof *f.queue))};

	for (size_t start = 0; start < n; start++) {
		struct inversion v = {.look = look};
		size_t at = search(&f, start);

		if (at == n)
			continue;
		v.count = f.depth[at];
		for (size_t i = v.count; i-- > 0; at = f.from[at])
			v.orders[i] = &in->orders[at];
		v.needs_writer = needs_writer(&v);
		if (!is_one_threads(&v) && !has_common_gate(&v))
			add(to, &v);
	}
	free(f.from);
	free(f.depth);
	free(f.queue);
}

void inversions_free(struct inversions *i)
{
	free(i->all);
}
