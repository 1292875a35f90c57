/* error.h - the particulars of a failure, kept for ilk_last_error(). */
#ifndef ILK_SEGMENT_ERROR_H
#define ILK_SEGMENT_ERROR_H

/* Notes the particulars for this thread and returns RESULT, so that a failing call ends in one
 * line. */
int ilk_fail_(int result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How often this thread has noted particulars. */
unsigned ilk_failures_(void);

/*
 * Ends a public call that began at BEFORE failures: if RC is an error for which nothing was noted,
 * NAME is, so that the particulars of an earlier failure do not stand for it. Returns RC.
 */
int ilk_conclude_(int rc, unsigned before, const char *name);

#endif
