/*
 * actors.h - the processes of one trial, as the harness sees them: started, told, awaited, killed.
 *
 * What returns bool is true if all went well; else the verdict says what did not.
 */
#ifndef DEATH_ACTORS_H
#define DEATH_ACTORS_H

#include "harness.h"
#include "step.h"

struct actor {
	pid_t pid; /* 0: not started, or reaped */
	int socket;
	bool traced;
};

struct run {
	const struct trial *trial;
	const struct operation *operation;
	struct stage stage;
	struct actor actors[ROLE_COUNT];
	struct traced victim, second;
	bool partner_went, released;
	size_t shm_before;
	struct verdict *verdict;
};

/* Notes for the verdict that WHO did WHAT; the first note stays. Returns false. */
bool complain(struct run *r, const char *who, const char *what);
/* ROLE did not do what was expected: its own words, or else WHAT. */
bool complain_of(struct run *r, enum role role, const char *what);

struct traced *traced_of(struct run *r, enum role role);

bool spawn(struct run *r, enum role role);
/* Lets ROLE go on. */
void go(struct run *r, enum role role);

/* Waits until ROLE has done what it was DOING; until it has ended well. */
bool await_told(struct run *r, enum role role, const char *doing);
bool await_end(struct run *r, enum role role, const char *doing);

/* Kills ROLE; reaps it unless the dead stay. */
void kill_role(struct run *r, enum role role);

#endif
