/*
 * diagnosis.h - what is suspicious in a segment or on a host: evidence, cure, and what can be done at
 * once. All of it follows from what is given: nothing is looked at here.
 */
#ifndef ILK_TOOLS_DIAGNOSIS_H
#define ILK_TOOLS_DIAGNOSIS_H

#include "ilk/host.h"
#include <ilk/inspect.h>

/* What `ilk doctor --fix` does about it: what is safe, whoever is in the segment. */
enum remedy {
	REMEDY_NONE,    /* it is up to people, or to the application */
	REMEDY_REPAIR,  /* ilk_object_repair() */
	REMEDY_COLLECT, /* ilk_segment_collect() */
};

struct diagnosis {
	const char *kind;    /* "dead owner", "unused", ... */
	const char *segment; /* NULL: it is about the host */
	const char *object;  /* NULL: about all of the segment */
	int is_note;         /* worth knowing, and nothing is wrong */
	enum remedy remedy;
	char evidence[400], cure[320];
};

struct diagnoses {
	void (*each)(const struct diagnosis *d, void *arg);
	void *arg;
	int wrong, notes; /* how many there were */
};

/*
 * The segment NAME, as inspected. LATER, another inspection a while after, may be NULL: then nothing
 * is said about what needs two, such as a queue that nobody reads.
 */
void diagnose_segment(struct diagnoses *all, const char *name, const struct ilk_inspection *in,
	const struct ilk_inspection *later);

/* Is there something in it that needs another look? */
int diagnosis_needs_later(const struct ilk_inspection *in);

/* A file of a segment's name that could not be inspected: with RESULT, for the reason PARTICULARS.
 * MAPPED_BY is who has it mapped, as text. */
void diagnose_failure(struct diagnoses *all, const char *name, int result, const char *particulars,
	const char *mapped_by);

void diagnose_host(struct diagnoses *all, const struct host *host);

#endif
