/* scenarios.c - the scenarios of the race lab. A new one is a file and a line here. */
#include "race/frame.h"

extern const struct race_scenario race_lost_update;

const struct race_scenario *const race_scenarios[] = {&race_lost_update, (void *)0};
