/* top_absent.c - in the place of top_screen.c, where ncursesw is missing. */
#include "ilk/top.h"

const char *top_screen_absent(void)
{
	return "ilk was built without ncursesw";
}

int top_screen(struct top *t)
{
	(void)t;
	return -1;
}
