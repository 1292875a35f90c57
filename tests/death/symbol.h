/* symbol.h - the function an address lies in, for reports. */
#ifndef DEATH_SYMBOL_H
#define DEATH_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

/* Writes "function+0x12 (file+0x3456)" or as much of it as is known. */
void symbol_describe(uint64_t address, char *text, size_t size);

#endif
