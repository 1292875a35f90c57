/*
 * fault.h - planted faults, for the test of the tests.
 *
 * The library is built without ILK_FAULTS, and then ILK_FAULTY_() is the constant 0. The self-test
 * of the death harness compiles it once more with ILK_FAULTS, selects a fault, and must see it
 * fail.
 */
#ifndef ILK_FAULT_H
#define ILK_FAULT_H

enum {
	ILK_FAULT_NONE,
	ILK_FAULT_ALWAYS_ALIVE,  /* liveness always says alive */
	ILK_FAULT_LATE_OWNER,    /* the owner is written after the acquire */
	ILK_FAULT_SILENT_UNLOCK, /* a store without wake, and no sleeper looks again by itself */
};

#ifdef ILK_FAULTS
extern int ilk_fault_;
#define ILK_FAULTY_(fault) (ilk_fault_ == (fault))
#else
#define ILK_FAULTY_(fault) 0
#endif

#endif
