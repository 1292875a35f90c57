/* leaks.h - finding what is left behind; each adds a line for every thing. */
#ifndef ILK_CMOCKA_LEAKS_H
#define ILK_CMOCKA_LEAKS_H

#include "internal.h"

/* Children of this process, known or not; END ends those that are not. */
void ilk_test_add_children_(struct report *r, int end);
/* What stands in /dev/shm under our names; REMOVE takes it away. */
void ilk_test_add_segments_(struct report *r, int remove);
/* Remembers what is open; what is more than that: slots of ours, descriptors, mappings. */
void ilk_test_remember_(void);
void ilk_test_add_left_open_(struct report *r);

/* How the names of this program's segments begin. */
const char *ilk_test_own_prefix_(void);

#endif
