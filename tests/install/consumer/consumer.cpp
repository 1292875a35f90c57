/* consumer.cpp - the same as C++17. */
#include "consumer.c"
