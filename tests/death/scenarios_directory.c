/*
 * scenarios_directory.c - making a named object: a name is absent or whole, and no memory is lost.
 *
 * Lost memory is found by filling the segment: as many objects must fit as in one where nobody
 * died.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <stdio.h>

enum { BLOCK = 1000 };
static const char fresh[] = "new";

/* ---- the kinds of object ---- */

struct kind {
	struct setting setting; /* first: a row's `setting` is this */
	int (*make)(const char *name);
	void (*touch)(void);    /* adds one to it; under the scene's mutex */
	int64_t (*total)(void); /* 2 after two touches */
};

static const struct kind *kind_of(const struct stage *s)
{
	return s->operation->setting;
}

static uint64_t *block;
static struct ilk_counter *counter;
static struct ilk_sharded *sharded;
static struct ilk_mutex *mutex;
static struct ilk_condition *condition;
static struct ilk_event *event;
static struct ilk_latch *latch;
static struct ilk_once *once;
static struct ilk_barrier *barrier;
static struct ilk_snapshot_handle snapshot;
static struct ilk_rwlock *rwlock;
static struct ilk_semaphore *semaphore;
static struct ilk_permits *permits;
static struct ilk_ring *ring;
static struct ilk_channel *channel;
static struct ilk_array_handle array;
static struct ilk_map_handle map;

static int make_block(const char *name)
{
	void *memory = NULL;
	int rc = ilk_block_open(mine.segment, name, BLOCK, &memory);

	block = memory;
	return rc;
}

static int make_counter(const char *name)
{
	return ilk_counter_open(mine.segment, name, &counter);
}

static int make_sharded(const char *name)
{
	return ilk_sharded_open(mine.segment, name, &sharded);
}

static int make_mutex(const char *name)
{
	return ilk_mutex_open(mine.segment, name, NULL, &mutex);
}

static int make_condition(const char *name)
{
	return ilk_condition_open(mine.segment, name, &condition);
}

static int make_event(const char *name)
{
	return ilk_event_open(mine.segment, name, NULL, &event);
}

static int make_latch(const char *name)
{
	const struct ilk_latch_options options = {.size = sizeof options, .count = 2};

	return ilk_latch_open(mine.segment, name, &options, &latch);
}

static int make_once(const char *name)
{
	return ilk_once_open(mine.segment, name, &once);
}

static int make_barrier(const char *name)
{
	return ilk_barrier_open(mine.segment, name, NULL, &barrier);
}

static int make_snapshot(const char *name)
{
	return ilk_snapshot_open(mine.segment, name, BLOCK, NULL, &snapshot);
}

static int make_rwlock(const char *name)
{
	return ilk_rwlock_open(mine.segment, name, NULL, &rwlock);
}

static int make_semaphore(const char *name)
{
	return ilk_semaphore_open(mine.segment, name, NULL, &semaphore);
}

static int make_permits(const char *name)
{
	const struct ilk_permits_options two = {.size = sizeof two, .permits = 2};

	return ilk_permits_open(mine.segment, name, &two, &permits);
}

static int make_array(const char *name)
{
	return ilk_array_open(mine.segment, name, ILK_ARRAY_I64, 10, &array);
}

static int make_map(const char *name)
{
	const struct ilk_map_options two = {.size = sizeof two, .stripes = 2};

	return ilk_map_open(mine.segment, name, 4, 8, &two, &map);
}

static const struct ilk_ring_options small = {.size = sizeof small, .bytes = 128};

static int make_ring(const char *name)
{
	return ilk_ring_open(mine.segment, name, &small, &ring);
}

static int make_channel(const char *name)
{
	return ilk_channel_open(mine.segment, name, &small, &channel);
}

static void touch_block(void)
{
	block[0]++;
	block[BLOCK / sizeof *block - 1]++;
}

static void touch_counter(void)
{
	ilk_counter_add(counter, 1);
}

static void touch_sharded(void)
{
	struct ilk_sharded_handle handle;

	if (ilk_sharded_mine(sharded, &handle) == 0)
		ilk_sharded_add(&handle, 1);
}

static void touch_mutex(void)
{
	if (ilk_mutex_lock(mutex) == 0)
		ilk_mutex_unlock(mutex);
}

/* Lets go of the scene's mutex, which the caller holds, and has it again. */
/* Who is interrupted at the wrong moment finds the time up before it waits. */
static void touch_condition(void)
{
	uint64_t before = condition->waits;
	int rc;

	do
		rc = ilk_condition_wait_until(condition, mine.mutex, ilk_after_ns(1000));
	while (rc >= 0 && condition->waits == before);
}

static void touch_event(void)
{
	ilk_event_set(event);
}

static void touch_latch(void)
{
	ilk_latch_count_down(latch, 1);
}

/* The first does it, and the second finds it done. */
static void touch_once(void)
{
	if (ilk_once_begin(once, NULL) == ILK_ELECTED)
		ilk_once_done(once, 2);
}

static void touch_barrier(void)
{
	if (ilk_barrier_wait(barrier) == ILK_ELECTED)
		ilk_barrier_detach(barrier);
}

static void touch_snapshot(void)
{
	ilk_snapshot_publish(&snapshot, (char[BLOCK]){0}, NULL);
}

static void touch_rwlock(void)
{
	if (ilk_rwlock_write(rwlock) == 0 && ilk_rwlock_downgrade(rwlock) == 0)
		ilk_rwlock_unlock(rwlock);
}

static void touch_semaphore(void)
{
	ilk_semaphore_post(semaphore);
}

/* The other survivor may have the side, for a moment. */
static void touch_ring(void)
{
	struct ilk_ring_writer w;

	while (ilk_ring_writer_open(ring, 0, &w) == -EBUSY)
		continue;
	ilk_ring_try_put(&w, "x", 1);
	ilk_ring_writer_close(&w);
}

static void touch_channel(void)
{
	struct ilk_channel_end end;

	while (ilk_channel_end_open(channel, 0, 0, &end) == -EBUSY)
		continue;
	ilk_channel_try_put(&end, "x", 1);
	ilk_channel_end_close(&end);
}

static void touch_array(void)
{
	ilk_array_add_i64(&array, 9, 1, NULL);
}

static int add_one(void *value, size_t *bytes, void *arg)
{
	++*(int64_t *)value;
	*bytes = sizeof(int64_t);
	(void)arg;
	return 0;
}

static void touch_map(void)
{
	ilk_map_update(&map, "key", add_one, NULL);
}

static void touch_permits(void)
{
	if (ilk_permits_acquire(permits, 2) == 0)
		ilk_permits_release(permits, 2);
}

static int64_t total_block(void)
{
	return (int64_t)(block[0] + block[BLOCK / sizeof *block - 1]) / 2;
}

static int64_t total_counter(void)
{
	return ilk_counter_read(counter);
}

static int64_t total_sharded(void)
{
	return ilk_sharded_read(sharded);
}

static int64_t total_mutex(void)
{
	struct ilk_mutex_owner owner;

	if (ilk_mutex_owner(mutex, &owner) < 0 || owner.holder != ILK_HELD_BY_NOBODY)
		return -1;
	return owner.damaged ? -1 : 2;
}

static int64_t total_condition(void)
{
	return ilk_condition_signal(condition) == 0 ? (int64_t)condition->waits : -1;
}

static int64_t total_event(void)
{
	return ilk_event_is_set(event) == 1 ? 2 : -1;
}

static int64_t total_latch(void)
{
	unsigned left = 2;

	return ilk_latch_left(latch, &left) < 0 ? -1 : 2 - (int64_t)left;
}

static int64_t total_once(void)
{
	int64_t value = 0;

	return ilk_once_value(once, &value) < 0 ? -1 : value;
}

static int64_t total_barrier(void)
{
	struct ilk_barrier_status status;

	return ilk_barrier_status(barrier, &status) < 0 || status.cause || status.members
		       ? -1
		       : (int64_t)status.phases;
}

static int64_t total_snapshot(void)
{
	return (int64_t)ilk_snapshot_version(&snapshot);
}

static int64_t total_rwlock(void)
{
	return ilk_rwlock_try_write(rwlock) == 0 && ilk_rwlock_unlock(rwlock) == 0 ? 2 : -1;
}

static int64_t total_semaphore(void)
{
	unsigned value;

	return ilk_semaphore_value(semaphore, &value) < 0 ? -1 : (int64_t)value;
}

static int64_t total_ring(void)
{
	struct ilk_ring_status status;

	return ilk_ring_status(ring, &status) < 0 ? -1 : (int64_t)status.put;
}

static int64_t total_channel(void)
{
	struct ilk_channel_status status;

	return ilk_channel_status(channel, &status) < 0 ? -1 : (int64_t)status.put[0];
}

static int64_t total_permits(void)
{
	unsigned left;

	return ilk_permits_left(permits, &left) < 0 ? -1 : (int64_t)left;
}

static int64_t total_array(void)
{
	int64_t value;

	return ilk_array_get_i64(&array, 9, &value) < 0 ? -1 : value;
}

static int64_t total_map(void)
{
	int64_t value;

	return ilk_map_get(&map, "key", &value, sizeof value, NULL) < 0 ? -1 : value;
}

static const struct kind arrays = {{8, 8, 0}, make_array, touch_array, total_array},
			 maps = {{8, 8, 0}, make_map, touch_map, total_map};
static const struct kind blocks = {{8, 8, 0}, make_block, touch_block, total_block};
static const struct kind counters = {{8, 8, 0}, make_counter, touch_counter, total_counter};
static const struct kind shardeds = {{8, 8, 0}, make_sharded, touch_sharded, total_sharded};
static const struct kind mutexes = {{8, 8, 0}, make_mutex, touch_mutex, total_mutex};
static const struct kind conditions = {{8, 8, 0}, make_condition, touch_condition, total_condition};
static const struct kind events = {{8, 8, 0}, make_event, touch_event, total_event};
static const struct kind latches = {{8, 8, 0}, make_latch, touch_latch, total_latch};
static const struct kind onces = {{8, 8, 0}, make_once, touch_once, total_once};
static const struct kind barriers = {{8, 8, 0}, make_barrier, touch_barrier, total_barrier};
static const struct kind snapshots = {{8, 8, 0}, make_snapshot, touch_snapshot, total_snapshot};
static const struct kind rwlocks = {{8, 8, 0}, make_rwlock, touch_rwlock, total_rwlock};
static const struct kind rings = {{8, 8, 0}, make_ring, touch_ring, total_ring},
			 channels = {{8, 8, 0}, make_channel, touch_channel, total_channel};
static const struct kind permit_sets = {{8, 8, 0}, make_permits, touch_permits, total_permits};
static const struct kind semaphores = {{8, 8, 0}, make_semaphore, touch_semaphore, total_semaphore};

/* ---- the death ---- */

static int make_fresh(struct stage *s)
{
	return expect(s, "opening the new object", kind_of(s)->make(fresh), 0);
}

/* Asked of the inspector, which must cope with any state, too. */
static int look_for_fresh(struct stage *s)
{
	return scene_look_for(s, fresh);
}

static int find_fresh(struct stage *s)
{
	return make_fresh(s) < 0 ? -1 : scene_use(s);
}

/* The same object for both survivors. */
static int use_fresh(struct stage *s)
{
	if (EXPECT(s, ilk_mutex_lock(mine.mutex), 0) < 0)
		return -1;
	kind_of(s)->touch();
	if (EXPECT(s, ilk_mutex_unlock(mine.mutex), 0) < 0)
		return -1;
	return scene_check(s);
}

/* ---- lost memory ---- */

/* Makes objects until there is no room; how many. -1: another error. */
static long fill(int (*make)(const char *name), const char *form)
{
	char name[32];
	long made = 0;
	int rc;

	do {
		snprintf(name, sizeof name, "%s %ld", form, made);
		rc = make(name);
		made += rc == 0;
	} while (rc == 0);
	return rc == -ENOSPC ? made : -1;
}

static int make_crumb(const char *name)
{
	void *memory;

	return ilk_block_open(mine.segment, name, 1, &memory);
}

static int compare(struct stage *s, int i, long count)
{
	if (s->reference)
		s->board->reference[i] = count;
	if (count == s->board->reference[i])
		return 0;
	return fail(
		s, "%ld objects fit, where %ld fit without a death", count, s->board->reference[i]);
}

static int audit_room(struct stage *s)
{
	int64_t total = kind_of(s)->total();

	if (total != 2)
		return fail(s, "two survivors made %ld of it", (long)total);
	if (compare(s, 0, fill(kind_of(s)->make, "same")) < 0)
		return -1;
	if (compare(s, 1, fill(make_crumb, "crumb")) < 0)
		return -1;
	return scene_audit(s);
}

/* ---- rows ---- */

#define OPEN_ROW(row, named, does, of)  \
	const struct operation row = {  \
		.name = named,          \
		.what = does,           \
		.setting = &of,         \
		.found = scene_found,   \
		.attach = scene_attach, \
		.prepare = scene_join,  \
		.operate = make_fresh,  \
		.look = look_for_fresh, \
		.recover = find_fresh,  \
		.check = use_fresh,     \
		.audit = audit_room,    \
		.before = 0,            \
		.after = 1,             \
	}

OPEN_ROW(block_open_row, "block_open", "makes a named block", blocks);
OPEN_ROW(counter_open_row, "counter_open", "makes a named counter", counters);
OPEN_ROW(sharded_open_row, "sharded_open", "makes a named sharded counter", shardeds);
OPEN_ROW(mutex_open_row, "mutex_open", "makes a named mutex", mutexes);
OPEN_ROW(condition_open_row, "condition_open", "makes a named condition", conditions);
OPEN_ROW(event_open_row, "event_open", "makes a named event", events);
OPEN_ROW(latch_open_row, "latch_open", "makes a named latch", latches);
OPEN_ROW(once_open_row, "once_open", "makes a named once", onces);
OPEN_ROW(barrier_open_row, "barrier_open", "makes a named barrier", barriers);
OPEN_ROW(snapshot_open_row, "snapshot_open", "makes a named snapshot", snapshots);
OPEN_ROW(rwlock_open_row, "rwlock_open", "makes a named rwlock", rwlocks);
OPEN_ROW(ring_open_row, "ring_open", "makes a named ring", rings);
OPEN_ROW(channel_open_row, "channel_open", "makes a named channel", channels);
OPEN_ROW(permits_open_row, "permits_open", "makes named permits", permit_sets);
OPEN_ROW(semaphore_open_row, "semaphore_open", "makes a named semaphore", semaphores);
OPEN_ROW(array_open_row, "array_open", "makes a named array", arrays);
OPEN_ROW(map_open_row, "map_open", "makes a named map", maps);
