/*
 * absent.c - which of the optional peers this build and this machine have.
 */
#include "bench/absent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *absent_boost(void)
{
#ifdef BENCH_HAS_BOOST
	return NULL;
#else
	return "not built in: tools/bench/peers installs it; then configure and build again";
#endif
}

const char *absent_ck(void)
{
#ifdef BENCH_HAS_CK
	return NULL;
#else
	return "not built in: tools/bench/peers installs it; then configure and build again";
#endif
}

const char *absent_python(void)
{
	const char *folder = getenv("PATH");
	char file[4096];

	while (folder && *folder) {
		int length = (int)strcspn(folder, ":");

		snprintf(file, sizeof(file), "%.*s/python3", length, folder);
		if (access(file, X_OK) == 0)
			return NULL;
		folder += length + (folder[length] == ':');
	}
	return "no python3 in PATH: tools/bench/peers installs it";
}
