/*
 * absent.c - which of the optional peers this build and this machine have.
 */
#include "bench/absent.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOT_BUILT_IN(package)                                                             \
	"not built in: tools/bench/peers installs " package "; then configure and build " \
	"again"

const char *absent_boost(void)
{
#ifdef BENCH_HAS_BOOST
	return NULL;
#else
	return NOT_BUILT_IN("libboost-dev");
#endif
}

const char *absent_ck(void)
{
#ifdef BENCH_HAS_CK
	return NULL;
#else
	return NOT_BUILT_IN("libck-dev");
#endif
}

/* Of a library that is loaded when it is measured: LIBRARY is NULL where it is not built in. */
static const char *absent_library(const char *library, const char *not_built_in)
{
	if (!library)
		return not_built_in;
	return dlopen(library, RTLD_NOW) ? NULL
					 : "its library is gone: tools/bench/peers installs it";
}

#ifndef BENCH_RTE_RING
#define BENCH_RTE_RING NULL
#endif
#ifndef BENCH_QB
#define BENCH_QB NULL
#endif
#ifndef BENCH_ZEROMQ
#define BENCH_ZEROMQ NULL
#endif

const char *absent_rte(void)
{
	return absent_library(BENCH_RTE_RING, NOT_BUILT_IN("libdpdk-dev"));
}

const char *absent_qb(void)
{
	return absent_library(BENCH_QB, NOT_BUILT_IN("libqb-dev"));
}

const char *absent_zeromq(void)
{
	return absent_library(BENCH_ZEROMQ, NOT_BUILT_IN("libzmq3-dev"));
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

const char *absent_numpy(void)
{
	static const char look[] = "python3 -c 'import importlib.util as u, sys; "
				   "sys.exit(not u.find_spec(\"numpy\"))' 2>/dev/null";
	const char *absent = absent_python();

	if (absent)
		return absent;
	return system(look) == 0 ? NULL
				 : "no numpy in python3: tools/bench/peers installs Debian's";
}
