/* actor.h - what the files of the actor share. */
#ifndef ILK_TESTS_ACTOR_H
#define ILK_TESTS_ACTOR_H

#include <ilk.h>

extern struct ilk_segment *seg; /* opened last */

/* Ends with a message where RC, of WHAT it did to OF, is an error. */
void expect(const char *what, const char *of, int rc);

/* Writes this process's pid to the file PATH, and waits for the file PATH.go. */
void stand_at(const char *path);

/* actor_work.c: each step with its arguments. */
void do_pool(char **a);
void do_submit(char **a);
void do_cancel(char **a);
void do_close_pool(char **a);
void do_toil(char **a);
void do_pipeline(char **a);
void do_array(char **a);
void do_map(char **a);

#endif
