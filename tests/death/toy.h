/* toy.h - a lock of forty lines that survives death, and ways to break it: tests the harness. */
#ifndef DEATH_TOY_H
#define DEATH_TOY_H

#include "harness.h"

enum toy_fault {
	TOY_SOUND,
	TOY_NEVER_LOOKS,       /* nobody asks whether the owner lives */
	TOY_LATE_OWNER,        /* taken first, signed later */
	TOY_ASKS_BY_PID,       /* liveness by kill(pid, 0): zombies live */
	TOY_REPAIRS_AT_ATTACH, /* only who attaches looks for dead owners */
	TOY_FRAGILE_REPAIR,    /* who repairs marks it "in repair", unsigned */
	TOY_HANDS_OVER,        /* unlock gives it to the sleeper, dead or not */
	TOY_HIDES_DEATH,       /* the next locker is not told */
	TOY_TELLS_LIES,        /* the next locker is told of a death, though all was released */
	TOY_LITTERS,           /* a file stays when killed */
	TOY_FAULTS,
};

extern enum toy_fault toy_fault;
extern const struct operation toy_lock_row, toy_unlock_row, toy_asleep_row, toy_woken_row;

#endif
