/* deadlock.h - what `ilk deadlock` has found, and its three faces: text, JSON, graphviz. */
#ifndef ILK_TOOLS_DEADLOCK_H
#define ILK_TOOLS_DEADLOCK_H

#include "ilk/graph.h"
#include "ilk/inversions.h"

struct deadlock {
	struct graph g;
	struct graph_look *looks;
	size_t count;      /* segments */
	size_t skipped;    /* that could not be read, of all of the host */
	int64_t sample_ms; /* between the two looks; 0: there was no second one */
	int wants_potential;
	struct inversions inversions;
	size_t blockers; /* roots that will not go on by themselves */
};

enum { DEADLOCK_TEXT = 200 };

/* "worker (pid 41, thread 43)". Returns OUT. */
const char *deadlock_who(const struct deadlock *d, size_t node, char out[DEADLOCK_TEXT]);
/* "stock", or with several segments "shop/stock". Returns OUT. */
const char *deadlock_what(const struct deadlock *d, size_t object, char out[DEADLOCK_TEXT]);

/* "stopped", "dead", "running"...: what a node is doing that waits for no holder. */
const char *deadlock_state(const struct deadlock *d, size_t node);
/* It will not go on by itself: stopped, dead, dumping core. */
int deadlock_is_blocker(const struct deadlock *d, size_t node);

/* For how long, at D's first look; -1: unknown. */
int64_t deadlock_since(const struct deadlock *d, size_t look, ilk_time when);

/* The members of cycle NUMBER, each followed by one that it needs, as far as that goes. */
size_t deadlock_members(const struct deadlock *d, size_t cycle, size_t *nodes);

void deadlock_print_text(const struct deadlock *d);
void deadlock_print_json(const struct deadlock *d);
void deadlock_print_dot(const struct deadlock *d);

#endif
