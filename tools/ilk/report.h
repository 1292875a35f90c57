/* report.h - exit codes, and the one line that tells of an error. */
#ifndef ILK_TOOLS_REPORT_H
#define ILK_TOOLS_REPORT_H

enum {
	EXIT_FINE = 0,
	EXIT_FINDING = 1, /* the command did its work, and what it found is not well */
	EXIT_ERROR = 2,
	EXIT_TRY_LATER = 75, /* the time ran out: EX_TEMPFAIL of sysexits.h */
};

/* Prints "ilk COMMAND: ..." and a newline on stderr. Always EXIT_ERROR. */
int complain(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same for RESULT, a failure of Ilk about NAME (of a segment): what happened, the particulars
 * and what to do next, in the words of the command. To be called right after the failing call.
 */
int complain_of(const char *command, const char *name, int result);

/* The same for a failure of a call about OBJECT in SEGMENT, which was opened. */
int complain_of_use(const char *command, const char *segment, const char *object, int result);

/* The same for a failure to open the plain KIND ("counter") OBJECT in SEGMENT. */
int complain_of_object(
	const char *command, const char *segment, const char *object, const char *kind, int result);

#endif
