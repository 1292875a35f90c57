/* doctor.h - what `ilk doctor --fix` does. */
#ifndef ILK_TOOLS_DOCTOR_H
#define ILK_TOOLS_DOCTOR_H

#include "ilk/diagnosis.h"

/* What it would do, for a person: "repair stock in shop". Returns OUT. */
const char *doctor_intent(const struct diagnosis *d, char *out, size_t size);

/* Does it. 1: it is well now; 0: it is not. OUT says in words which. */
int doctor_fix(const struct diagnosis *d, char *out, size_t size);

/* Asks on the terminal, whether to do so. */
int doctor_ask(const struct diagnosis *d);

#endif
