/* top_draw.h - what top_screen.c has drawn. */
#ifndef ILK_TOOLS_TOP_DRAW_H
#define ILK_TOOLS_TOP_DRAW_H

#include "ilk/top.h"

/* Once, when curses has the terminal: colours, where they are wanted. */
void top_draw_begin(void);

/* Draws all of it. How many rows of a list are seen. */
size_t top_draw(struct top *t);

#endif
