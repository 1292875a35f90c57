/* barrier_scene.h - a barrier, who is in it, and who must be told of whose death. */
#ifndef DEATH_BARRIER_SCENE_H
#define DEATH_BARRIER_SCENE_H

#include "scene.h"

struct barrier_kind {
	struct setting setting; /* first: a row's `setting` is this */
	unsigned flags, parties;
};

/* Parts of rows. */
int barrier_found(struct stage *s);
int barrier_attach(struct stage *s);

/* The victim, or who dies before it: is the loss of whom others are told; is just a member. */
int barrier_join(struct stage *s);
int barrier_attach_and_join(struct stage *s);
int barrier_member(struct stage *s);
int barrier_attach_as_member(struct stage *s);
int barrier_attach_to_a_broken_one(struct stage *s);
int barrier_cross(struct stage *s);
int barrier_leave(struct stage *s);
int barrier_time_out(struct stage *s);
int barrier_abort_it(struct stage *s);
int barrier_reset(struct stage *s);
int barrier_find_it_broken(struct stage *s);
int barrier_pass_the_dead(struct stage *s);

/* The partner: waits; outcome: 1 it passed, 0 it was told that somebody died, 2 of a time-out or an
 * abort. */
int barrier_wait_and_tell(struct stage *s);

/* The survivors. */
int barrier_look(struct stage *s);
int barrier_recover(struct stage *s);
int barrier_check(struct stage *s);
int barrier_audit(struct stage *s);

#endif
