/* test.cpp - the same as C++17. */
#include "test.c"
