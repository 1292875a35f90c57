/* scene.h - the segment that the scenarios share: a mutex and what it guards, counters. */
#ifndef DEATH_SCENE_H
#define DEATH_SCENE_H

#include "harness.h"
#include <ilk.h>

/* What a row asks of its segment; a row's `setting`. */
struct setting {
	unsigned processes, threads;
	unsigned mutex_flags;
};

/* Guarded by the mutex: A and B are the same, but in the middle of change_guarded(). */
struct guarded {
	uint64_t a, b, entries;
};

enum { SCENE_BASE = 1000, SCENE_ROUNDS = 50 };

/* This process's view. */
struct mine {
	struct ilk_segment *segment;
	struct ilk_mutex *mutex;
	struct guarded *guarded;
	struct ilk_counter *counter;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle handle;
};
extern struct mine mine;

const struct setting *scene_setting(const struct stage *s);
struct ilk_segment_options scene_options(const struct stage *s);

/* Parts of rows. */
int scene_found(struct stage *s);                    /* makes the segment with all that is in it */
int scene_found_as(struct stage *s, unsigned flags); /* the same, with FLAGS of a segment */
int scene_attach(struct stage *s);                   /* opens it */
int scene_objects(struct stage *s);                  /* opens what is in it */
int scene_join(struct stage *s); /* attaches, and gives this thread an identity */
int scene_look(struct stage *s); /* the inspector must find nothing damaged */
int scene_look_for(struct stage *s, const char *name); /* outcome: the object NAME is there */
int scene_recover(struct stage *s);     /* locks, puts right, unlocks; outcome: told of a death? */
int scene_use(struct stage *s);         /* locks, no owner having died, changes the data, unlocks */
int scene_check(struct stage *s);       /* locks many times, and finds everything in order */
int scene_audit(struct stage *s);       /* all is valid; no two were in it at the same time */
int scene_audit_slots(struct stage *s); /* and all slots but the survivors' can be taken */

/* A change of what the mutex guards, TOLD or not of a death. */
int scene_change(struct stage *s, int told);

/* expect() with the text of the expression. */
#define EXPECT(s, expression, wanted) expect((s), #expression, (expression), (wanted))

#endif
