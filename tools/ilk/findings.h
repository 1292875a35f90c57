/* findings.h - what is wrong in a segment, each with its evidence. */
#ifndef ILK_TOOLS_FINDINGS_H
#define ILK_TOOLS_FINDINGS_H

#include <ilk/inspect.h>

struct finding {
	const char
		*kind; /* "damage", "dead owner", "not repaired", "broken"; notes: "held long"... */
	const char *object; /* its name; NULL: the segment */
	int is_note;        /* worth knowing, and nothing is wrong */
	char evidence[320];
	char next[200]; /* the command to type next; "" none */
};

/* Calls EACH for every finding, notes last. The number of findings that are no notes. */
int findings_each(const struct ilk_inspection *in, void (*each)(const struct finding *f, void *arg),
	void *arg);

/* The same of a segment that the user calls NAME, as which it is in `next`: with '/' it is a path. */
int findings_each_of(const char *name, const struct ilk_inspection *in,
	void (*each)(const struct finding *f, void *arg), void *arg);

/* "worker (pid 41, thread 43)"; of owners whose slot is gone, "unknown". Returns OUT. */
const char *findings_thread(const struct ilk_inspection *in, int thread, char *out, size_t size);

/* The same of a holder, which may be a process: "worker (pid 41)". Returns OUT. */
const char *findings_holder(
	const struct ilk_inspection *in, const struct ilk_holder_info *h, char *out, size_t size);

enum { FINDINGS_HOW = 96 };
/* How H holds it: "reads", "runs square". Returns OUT. */
const char *findings_how(const struct ilk_holder_info *h, char out[FINDINGS_HOW]);

/* "alive", "stopped", "dumping core", "dead", "unknown". */
const char *findings_state(const struct ilk_process_info *process);

/* The process is stopped, by a signal or by a debugger. */
int findings_is_stopped(const struct ilk_process_info *process);

#endif
