/* data.h - arrays and maps in the seeds, and their use when they are damaged. */
#ifndef ILK_FUZZ_DATA_H
#define ILK_FUZZ_DATA_H

#include <ilk.h>

/* Two arrays, a map of numbers and one of texts, with entries in them. */
void data_furnish(struct ilk_segment *seg);

/* Holds the lock of an array, and is in the midst of changing an entry. */
void data_occupy(struct ilk_segment *seg);

/* Whatever can be done with them, if they are there: in vain, or not; it comes to an end. */
void data_use(struct ilk_segment *seg);

#endif
