/* scene.c - founding, attaching, and the recovery that most scenarios share. */
#include "scene.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct mine mine;

enum { BYTES = 64 * 1024 };

const struct setting *scene_setting(const struct stage *s)
{
	static const struct setting plain = {.processes = 8, .threads = 8};

	return s->operation->setting ? s->operation->setting : &plain;
}

struct ilk_segment_options scene_options(const struct stage *s)
{
	return (struct ilk_segment_options){
		.size = sizeof(struct ilk_segment_options),
		.bytes = BYTES,
		.processes = scene_setting(s)->processes,
		.threads = scene_setting(s)->threads,
	};
}

int scene_objects(struct stage *s)
{
	struct ilk_mutex_options options = {
		.size = sizeof options, .flags = scene_setting(s)->mutex_flags};
	void *guarded;

	if (EXPECT(s, ilk_mutex_open(mine.segment, "mutex", &options, &mine.mutex), 0) < 0)
		return -1;
	if (EXPECT(s, ilk_block_open(mine.segment, "guarded", sizeof *mine.guarded, &guarded), 0) <
		0)
		return -1;
	mine.guarded = guarded;
	if (EXPECT(s, ilk_counter_open(mine.segment, "counter", &mine.counter), 0) < 0)
		return -1;
	return EXPECT(s, ilk_sharded_open(mine.segment, "sharded", &mine.sharded), 0);
}

int scene_found_as(struct stage *s, unsigned flags)
{
	struct ilk_segment_options options = scene_options(s);

	options.flags = ILK_SEGMENT_EXCLUSIVE | flags;
	if (EXPECT(s, ilk_segment_create(s->segment, &options, &mine.segment), 0) < 0)
		return -1;
	if (scene_objects(s) < 0)
		return -1;
	if (EXPECT(s, ilk_counter_add(mine.counter, SCENE_BASE), 0) < 0)
		return -1;
	if (EXPECT(s, ilk_sharded_mine(mine.sharded, &mine.handle), 0) < 0)
		return -1;
	return EXPECT(s, ilk_sharded_add(&mine.handle, SCENE_BASE), 0);
}

int scene_found(struct stage *s)
{
	return scene_found_as(s, 0);
}

int scene_attach(struct stage *s)
{
	if (EXPECT(s, ilk_segment_open(s->segment, NULL, &mine.segment), 0) < 0)
		return -1;
	return scene_objects(s);
}

int scene_join(struct stage *s)
{
	if (scene_attach(s) < 0)
		return -1;
	return EXPECT(s, ilk_sharded_mine(mine.sharded, &mine.handle), 0);
}

int scene_change(struct stage *s, int told)
{
	struct guarded *g = mine.guarded;

	if (told)
		g->b = g->a;
	if (g->a != g->b)
		return fail(s, "0 from lock, but the data is half-done (%lu, %lu)", g->a, g->b);
	g->a++;
	ilk_compiler_barrier_();
	g->b++;
	return 0;
}

/* ---- looking ---- */

static int find_damage(struct stage *s, const struct ilk_inspection *in)
{
	if (*in->damage)
		return fail(s, "the segment: %s", in->damage);
	for (size_t i = 0; i < in->object_count; i++)
		if (*in->objects[i].damage)
			return fail(s, "%s: %s", in->objects[i].name, in->objects[i].damage);
	return 0;
}

static bool has_object(const struct ilk_inspection *in, const char *name)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, name) == 0)
			return true;
	return false;
}

int scene_look_for(struct stage *s, const char *name)
{
	struct ilk_inspection *in;
	int rc;

	if (EXPECT(s, ilk_inspect(s->segment, &in), 0) < 0)
		return -1;
	rc = find_damage(s, in);
	if (name)
		s->board->outcome = has_object(in, name);
	ilk_inspection_free(in);
	return rc;
}

int scene_look(struct stage *s)
{
	return scene_look_for(s, NULL);
}

/* ---- the mutex ---- */

/* Does ilk_mutex_owner() say before what the lock says after? */
static int foretell(struct stage *s, int *dead)
{
	struct ilk_mutex_owner owner;

	if (EXPECT(s, ilk_mutex_owner(mine.mutex, &owner), 0) < 0)
		return -1;
	if (owner.holder != ILK_HELD_BY_DEAD && owner.holder != ILK_HELD_BY_NOBODY)
		return fail(s, "ilk_mutex_owner calls the dead %d", owner.holder);
	*dead = owner.holder == ILK_HELD_BY_DEAD || owner.damaged;
	return 0;
}

int scene_recover(struct stage *s)
{
	int rc, told, foretold = 0;

	if (s->first && foretell(s, &foretold) < 0)
		return -1;
	rc = ilk_mutex_lock(mine.mutex);
	if (rc != 0 && rc != ILK_RECOVERED)
		return expect(s, "ilk_mutex_lock", rc, ILK_RECOVERED);
	told = rc == ILK_RECOVERED;
	if (s->first && told != foretold)
		return fail(s, "lock gave %d, after ilk_mutex_owner spoke of %d", told, foretold);
	if (told || s->board->outcome == NO_OUTCOME)
		s->board->outcome = told;
	if (scene_change(s, told) < 0)
		return -1;
	if (told && EXPECT(s, ilk_mutex_repaired(mine.mutex), 0) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

static int use(struct stage *s, unsigned entries)
{
	int rc = ilk_mutex_lock(mine.mutex), wanted = 0;

	if (s->second && entries == 0 && rc == ILK_RECOVERED)
		wanted = rc; /* the second victim died in here */
	if (expect(s, "ilk_mutex_lock", rc, wanted) < 0 || scene_change(s, rc != 0) < 0)
		return -1;
	if (rc && EXPECT(s, ilk_mutex_repaired(mine.mutex), 0) < 0)
		return -1;
	mine.guarded->entries += entries;
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

int scene_use(struct stage *s)
{
	return use(s, 0);
}

int scene_check(struct stage *s)
{
	for (int i = 0; i < SCENE_ROUNDS; i++)
		if (use(s, 1) < 0)
			return -1;
	return 0;
}

int scene_audit(struct stage *s)
{
	if (EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0)
		return -1;
	return expect(s, "the number of entries", (int)mine.guarded->entries, 2 * SCENE_ROUNDS);
}

/* ---- slots ---- */

/* A child that joins, says how that went, and stays until HOLD is closed. */
static _Noreturn void join_and_stay(const int *hold, int told)
{
	char byte;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(hold[1]);
	rc = ilk_mutex_lock(mine.mutex);
	if (rc == 0)
		ilk_mutex_unlock(mine.mutex);
	if (write(told, &rc, sizeof rc) == sizeof rc && read(hold[0], &byte, 1) == 0)
		_exit(0);
	_exit(1);
}

/* So many children can join; *LAST gets what the first one got that could not. */
static unsigned join_children(unsigned most, const int *hold, const int *told, int *last)
{
	unsigned joined;

	for (joined = 0, *last = 0; joined < most; joined++) {
		pid_t pid = fork();

		if (pid == 0)
			join_and_stay(hold, told[1]);
		if (pid < 0 || read(told[0], last, sizeof *last) != sizeof *last)
			*last = -ECHILD;
		if (*last != 0)
			break;
	}
	return joined;
}

static unsigned room_for_members(const struct stage *s)
{
	const struct setting *setting = scene_setting(s);
	unsigned tight =
		setting->processes < setting->threads ? setting->processes : setting->threads;

	return tight - 2;
}

int scene_audit_slots(struct stage *s)
{
	unsigned room = room_for_members(s), joined;
	int hold[2], told[2], last;

	if (scene_audit(s) < 0)
		return -1;
	if (pipe(hold) < 0 || pipe(told) < 0)
		return fail(s, "pipe");
	joined = join_children(room + 1, hold, told, &last);
	close(hold[1]);
	while (wait(NULL) > 0)
		continue;
	if (joined < room)
		return fail(s, "only %u of %u can join (%d): a slot is lost", joined, room, last);
	return expect(s, "joining a full segment", last, -EUSERS);
}
