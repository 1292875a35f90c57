/* diagnosis_tell.h - what both parts of the diagnosis share: filling one in, and passing it on. */
#ifndef ILK_TOOLS_DIAGNOSIS_TELL_H
#define ILK_TOOLS_DIAGNOSIS_TELL_H

#include "ilk/diagnosis.h"
#include <stdio.h>
#include <string.h>

void diagnosis_tell(struct diagnoses *all, struct diagnosis *d);

void diagnosis_put(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What stands before a segment's name to make it a path. */
static inline const char *diagnosis_folder(const char *name)
{
	return strchr(name, '/') ? "" : "/dev/shm/ilk.";
}

/* Is 90 % of it taken? */
static inline int diagnosis_is_nearly(uint64_t taken, uint64_t room)
{
	return room > 0 && (double)taken >= 0.9 * (double)room;
}

#define EVIDENCE(d, ...) diagnosis_put((d)->evidence, sizeof(d)->evidence, __VA_ARGS__)
#define CURE(d, ...) diagnosis_put((d)->cure, sizeof(d)->cure, __VA_ARGS__)

#endif
