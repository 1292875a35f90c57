/*
 * wait_condition.h - what `ilk wait-for` waits for: a word, or a comparison.
 *
 *	free  held  owner-dead  exists  gone  closed  damaged
 *	FIELD OP NUMBER     value, waiters, holders, depth, capacity, leases, put, got, acquired,
 *	                    contended, openers;  == != >= <= > <  (= is ==)
 *	state OP TEXT       == != ~  (~: has it in it)
 */
#ifndef ILK_TOOLS_WAIT_CONDITION_H
#define ILK_TOOLS_WAIT_CONDITION_H

#include <ilk/inspect.h>

enum wait_operator { WAIT_EQ, WAIT_NE, WAIT_GE, WAIT_LE, WAIT_GT, WAIT_LT, WAIT_HAS };

struct wait_condition {
	const struct wait_field *field;
	enum wait_operator op; /* of comparisons */
	int64_t number;
	const char *text; /* of state */
};

enum wait_verdict {
	WAIT_NEVER = -1, /* the object is of a kind of which this cannot be said */
	WAIT_NOT_YET = 0,
	WAIT_MET = 1,
	WAIT_DAMAGED = 2, /* what is said of the object is not to be relied on */
};

enum { WAIT_WHY = 200 };

/* Reads TEXT, which stays. 0; -1: it is none, and WHY says what is wrong. */
int wait_condition_read(const char *text, struct wait_condition *c, char why[WAIT_WHY]);

/*
 * Is it so of OBJECT in IN? IN is NULL where there is no such segment. WHY tells how things are; of
 * WAIT_NEVER, why not.
 */
enum wait_verdict wait_condition_test(const struct wait_condition *c,
	const struct ilk_inspection *in, const char *object, char why[WAIT_WHY]);

#endif
