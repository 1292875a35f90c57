/* error.h - the particulars of a failure, kept for ilk_last_error(). */
#ifndef ILK_SEGMENT_ERROR_H
#define ILK_SEGMENT_ERROR_H

/* Notes the particulars for this thread and returns RESULT, so that a failing call ends in one
 * line. */
int ilk_fail_(int result, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
