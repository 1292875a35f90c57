/* children.h - between children.c and support.c. */
#ifndef ILK_TESTS_CHILDREN_H
#define ILK_TESTS_CHILDREN_H

int support_in_child_(void);
/* In a child: sends TEXT to the parent and ends the child. */
__attribute__((noreturn)) void support_report_(const char *text);
/* Fails if one of them has ended by failing. */
void support_look_after_children_(void);
/* Kills and reaps all that are left. */
void support_end_children_(void);

#endif
