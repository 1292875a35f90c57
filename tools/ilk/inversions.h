/*
 * inversions.h - locks that were taken in orders that go round in a circle: deadlocks that have not
 * happened yet. Of segments that keep the history of orders (struct ilk_order_info).
 *
 * Not among them: a circle that one thread alone went through; one all of whose orders were taken
 * under a lock that they have in common. Of several circles through the same order the shortest is
 * found.
 */
#ifndef ILK_TOOLS_INVERSIONS_H
#define ILK_TOOLS_INVERSIONS_H

#include <ilk/inspect.h>
#include <stddef.h>

enum { INVERSION_ORDERS = 8 }; /* a longer circle is not looked for */

struct inversion {
	size_t look;  /* of which segment */
	size_t count; /* of orders in it: each asks for what the next one holds */
	const struct ilk_order_info *orders[INVERSION_ORDERS];
	int needs_writer; /* a lock in it is only read: it hangs if a writer comes in between */
};

struct inversions {
	struct inversion *all;
	size_t count;
};

/* Adds those of IN, which must outlive them. Ends the program without memory. */
void inversions_add(struct inversions *to, const struct ilk_inspection *in, size_t look);
void inversions_free(struct inversions *i);

#endif
