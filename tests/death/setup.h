/* setup.h - the harness's own process: always the same addresses, one processor. */
#ifndef DEATH_SETUP_H
#define DEATH_SETUP_H

#include <stdbool.h>

/* Once, first of all in main: may execute the program again. */
void setup_harness(char **arguments);
/* Once in each child; STEPPED ones stay on the harness's processor. */
void setup_child(bool stepped);

#endif
