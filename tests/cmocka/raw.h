/* raw.h - checks compiled without ilk/cmocka.h, as those of a library of helpers are. */
#ifndef ILK_TESTS_RAW_H
#define ILK_TESTS_RAW_H

/* cmocka's own assert_int_equal(a, b). */
void raw_equal(int a, int b);

#endif
