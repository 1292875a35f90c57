/* seeds.c - what processes leave in a segment: little, much, holes, locks, the dead, the waiting. */
#include "seeds.h"
#include "data.h"
#include "loops.h"
#include "pools.h"
#include "queues.h"
#include "stages.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const seed_object_names[] = {"m", "again", "c", "s", "b", "list", "l", NULL};

const struct ilk_ring_options seed_any = {.size = sizeof seed_any, .bytes = FUZZ_RING_BYTES};
const struct ilk_ring_options seed_fixed = {
	.size = sizeof seed_fixed, .bytes = 8 * 24, .message = 24, .flags = ILK_RING_FIXED};
const char *const seed_ring_names[] = {"left", "fixed", "half", NULL};

struct list {
	ILK_REF(uint64_t) ref[8];
};

/* A segment in the making. */
struct making {
	struct ilk_segment *seg;
	int fd;
};

__attribute__((noreturn)) static void give_up(const char *what, int rc)
{
	fprintf(stderr, "no seed: %s: %s (%s)\n", what, ilk_strerror(rc), ilk_last_error());
	exit(2);
}

static void must(int rc, const char *what)
{
	if (rc < 0)
		give_up(what, rc);
}

/* --- what is in it --- */

static struct ilk_mutex *mutex(struct ilk_segment *seg, const char *name, unsigned flags)
{
	const struct ilk_mutex_options options = {.size = sizeof options, .flags = flags};
	struct ilk_mutex *m;

	must(ilk_mutex_open(seg, name, &options, &m), name);
	return m;
}

static struct list *list(struct ilk_segment *seg)
{
	void *memory;

	must(ilk_block_open(seg, "list", sizeof(struct list), &memory), "a list");
	return memory;
}

/* One of each kind. */
static void put_objects(struct ilk_segment *seg)
{
	struct ilk_counter *c;
	struct ilk_sharded *s;
	struct ilk_sharded_handle mine;
	void *block;

	mutex(seg, "m", 0);
	mutex(seg, "again", ILK_MUTEX_RECURSIVE);
	must(ilk_counter_open(seg, "c", &c), "a counter");
	ilk_counter_add(c, 7);
	must(ilk_sharded_open(seg, "s", &s), "a sharded counter");
	must(ilk_sharded_mine(s, &mine), "a share");
	ilk_sharded_add(&mine, 5);
	must(ilk_block_open(seg, "b", 100, &block), "a block");
	list(seg);
}

/* Blocks that references lead to; every second one is freed. */
static void put_holes(struct ilk_segment *seg)
{
	struct list *l = list(seg);
	uint64_t *block[8];

	for (unsigned i = 0; i < 8; i++) {
		must(ilk_alloc(seg, 64 + 100 * i, (void **)&block[i]), "memory");
		must(ilk_publish(seg, block[i], &l->ref[i]), "a reference");
	}
	for (unsigned i = 0; i < 8; i += 2)
		must(ilk_free(seg, block[i], &l->ref[i], ilk_nowhere()), "a hole");
}

static void put_many(struct ilk_segment *seg)
{
	char name[32];
	struct ilk_counter *c;
	void *block;

	put_objects(seg);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "counter %d", i);
		must(ilk_counter_open(seg, name, &c), name);
		snprintf(name, sizeof name, "block %d", i);
		must(ilk_block_open(seg, name, 8 + 40 * (size_t)i, &block), name);
	}
	put_holes(seg);
}

static struct room *room(struct ilk_segment *seg)
{
	void *memory;

	must(ilk_block_open(seg, "room", sizeof(struct room), &memory), "a room");
	return memory;
}

static void furnish(struct ilk_segment *seg)
{
	const struct ilk_barrier_options two = {.size = sizeof two, .parties = 2};
	const struct ilk_barrier_options any = {.size = sizeof any, .flags = ILK_BARRIER_SHRINK};
	const struct ilk_event_options each = {.size = sizeof each, .flags = ILK_EVENT_AUTO};
	struct ilk_permits_options some = {.size = sizeof some, .permits = FUZZ_PERMITS};
	struct room *r = room(seg);

	must(ilk_semaphore_init(seg, &r->semaphore, "semaphore", NULL), "a semaphore");
	must(ilk_barrier_init(seg, &r->barrier, "barrier", &two), "a barrier");
	must(ilk_barrier_init(seg, &r->phaser, "phaser", &any), "a phaser");
	must(ilk_mutex_init(seg, &r->mutex, "mutex", NULL), "a mutex");
	must(ilk_condition_init(seg, &r->condition, "condition"), "a condition");
	must(ilk_event_init(seg, &r->event, "event", NULL), "an event");
	must(ilk_event_init(seg, &r->signal, "signal", &each), "a signal");
	must(ilk_latch_init(seg, &r->latch, "latch", NULL), "a latch");
	must(ilk_once_init(seg, &r->once, "once"), "a once");
	must(ilk_permits_init(seg, &r->permits.permits, "permits", &some), "permits");
	some.flags = ILK_PERMITS_PROCESS;
	must(ilk_permits_init(seg, &r->of_process.permits, "of process", &some), "permits");
}

/* Some laps of messages, of which some are left, one is shown, and one reserved. */
static void run_ring(struct ilk_ring *ring)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	char bytes[24] = {0};
	const void *shown;
	void *place;

	must(ilk_ring_writer_open(ring, 0, &w), "a writer");
	must(ilk_ring_reader_open(ring, 0, &r), "a reader");
	for (int i = 0; i < 40; i++) {
		must(ilk_ring_try_put(&w, bytes, sizeof bytes), "a message");
		if (i > 4)
			must(ilk_ring_try_get(&r, bytes, sizeof bytes, NULL), "a message");
	}
	must(ilk_ring_try_peek(&r, &shown, NULL), "a look");
	must(ilk_ring_try_reserve(&w, sizeof bytes, &place), "room");
	memset(place, 0x77, sizeof bytes);
}

static struct ilk_ring *ring(
	struct ilk_segment *seg, const char *name, const struct ilk_ring_options *options)
{
	struct ilk_ring *found;

	must(ilk_ring_open(seg, name, options, &found), name);
	return found;
}

static struct ilk_channel *channel(struct ilk_segment *seg)
{
	struct ilk_channel *found;

	must(ilk_channel_open(seg, "talk", &seed_any, &found), "a channel");
	return found;
}

/* --- processes --- */

/* A child that runs BODY and then waits to be killed; returns when it has run. */
static pid_t start(struct ilk_segment *seg, void (*body)(struct ilk_segment *seg))
{
	int ends[2];
	char byte;
	pid_t child;

	if (pipe(ends) < 0)
		give_up("a pipe", -errno);
	child = fork();
	if (child < 0)
		give_up("a child", -errno);
	if (child == 0) {
		close(ends[0]);
		body(seg);
		if (write(ends[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		give_up("a child ended", 0);
	close(ends[0]);
	return child;
}

static void finish(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* Holds one mutex, another twice over, and memory that nobody else knows of. */
static void hold(struct ilk_segment *seg)
{
	struct ilk_mutex *again = mutex(seg, "again", ILK_MUTEX_RECURSIVE);
	void *memory;

	must(ilk_mutex_lock(mutex(seg, "m", 0)), "m");
	must(ilk_mutex_lock(again), "again");
	must(ilk_mutex_lock(again), "again");
	must(ilk_alloc(seg, 200, &memory), "memory");
}

/* Has of each what one can have. */
static void occupy(struct ilk_segment *seg)
{
	struct room *r = room(seg);

	must(ilk_barrier_attach(&r->barrier), "a place");
	must(ilk_barrier_attach(&r->phaser), "a place");
	must(ilk_once_begin(&r->once, NULL), "being elected");
	must(ilk_permits_acquire(&r->permits.permits, 2), "two permits");
	must(ilk_permits_acquire(&r->of_process.permits, 2), "two permits");
}

static void occupy_and_die(struct ilk_segment *seg)
{
	struct room *r = room(seg);

	must(ilk_barrier_attach(&r->phaser), "a place");
	must(ilk_permits_acquire(&r->permits.permits, 2), "two permits");
	must(ilk_permits_acquire(&r->of_process.permits, 2), "two permits");
}

static void await_sleeper(const struct making *made)
{
	struct ilk_inspection *in;
	char path[32];
	int sleeps = 0;

	snprintf(path, sizeof path, "/proc/self/fd/%d", made->fd);
	while (!sleeps) {
		must(ilk_inspect(path, &in), "looking at it");
		for (size_t i = 0; i < in->thread_count; i++)
			sleeps |= in->threads[i].waits_for != ILK_NO_INDEX && in->threads[i].sleeps;
		ilk_inspection_free(in);
		usleep(1000);
	}
}

static pid_t start_waiting(struct ilk_segment *seg)
{
	pid_t child = fork();

	if (child < 0)
		give_up("a child", -errno);
	if (child == 0) {
		ilk_mutex_lock(mutex(seg, "m", 0));
		_exit(0);
	}
	return child;
}

/* --- one of them --- */

static void copy(const struct making *made, struct seed *seed)
{
	seed->count = ilk_segment_bytes(made->seg);
	if (pread(made->fd, seed->bytes, seed->count, 0) != (ssize_t)seed->count)
		give_up("reading it", -EIO);
}

static void make_empty(const struct making *made, struct seed *seed)
{
	copy(made, seed);
}

static void make_many(const struct making *made, struct seed *seed)
{
	put_many(made->seg);
	copy(made, seed);
}

static void make_holes(const struct making *made, struct seed *seed)
{
	mutex(made->seg, "m", 0);
	put_holes(made->seg);
	copy(made, seed);
}

/* The holder is in process slot 1, which the body lets live. */
static void make_held(const struct making *made, struct seed *seed)
{
	pid_t holder, sleeper;

	put_objects(made->seg);
	holder = start(made->seg, hold);
	sleeper = start_waiting(made->seg);
	await_sleeper(made);
	copy(made, seed);
	finish(sleeper);
	finish(holder);
}

/* The holder was in process slot 2; what the body lets live, slot 1, is another. */
static void make_dead(const struct making *made, struct seed *seed)
{
	pid_t other;

	put_objects(made->seg);
	other = start(made->seg, put_holes);
	finish(start(made->seg, hold));
	copy(made, seed);
	finish(other);
}

/* Objects whose names are gone, kept for slot 1, which lives, and for slot 2, which is dead. */
static void make_removed(const struct making *made, struct seed *seed)
{
	static const char *const names[] = {"m", "again", "c", "b", "s"};
	pid_t holder;

	put_objects(made->seg);
	holder = start(made->seg, hold);
	finish(start(made->seg, put_objects));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		must(ilk_object_remove(made->seg, names[i]), names[i]);
	mutex(made->seg, "m", 0);
	copy(made, seed);
	finish(holder);
}

static struct ilk_rwlock *rwlock(struct ilk_segment *seg)
{
	struct ilk_rwlock *l;

	must(ilk_rwlock_open(seg, "l", NULL, &l), "a rwlock");
	return l;
}

/* Both orders of two, with an embedded one and a rwlock around them; ends holding three. */
static void lock_in_order(struct ilk_segment *seg)
{
	struct ilk_mutex *m = mutex(seg, "m", 0), *again = mutex(seg, "again", ILK_MUTEX_RECURSIVE);
	void *inner;

	must(ilk_block_open(seg, "inner", sizeof *m, &inner), "inner");
	must(ilk_mutex_init(seg, inner, "inner", NULL), "inner");
	must(ilk_rwlock_read(rwlock(seg)), "reading");
	must(ilk_mutex_lock(again), "again");
	must(ilk_mutex_lock(m), "m");
	must(ilk_mutex_unlock(again), "again");
	must(ilk_mutex_lock(again), "again");
	must(ilk_mutex_lock(inner), "inner");
	must(ilk_mutex_unlock(m), "m");
}

static void make_order(const struct making *made, struct seed *seed)
{
	pid_t holder;

	put_objects(made->seg);
	finish(start(made->seg, lock_in_order));
	mutex(made->seg, "m", 0);
	holder = start(made->seg, hold);
	copy(made, seed);
	finish(holder);
}

/* Slot 1 lives, in which there is the first; the second was in slot 2. */
static void make_room(const struct making *made, struct seed *seed)
{
	pid_t first;

	furnish(made->seg);
	first = start(made->seg, occupy);
	finish(start(made->seg, occupy_and_die));
	copy(made, seed);
	finish(first);
}

static void write_half(struct ilk_segment *seg)
{
	struct ilk_channel_end end;
	struct ilk_ring_writer w;

	must(ilk_ring_writer_open(ring(seg, "half", &seed_any), 0, &w), "a writer");
	must(ilk_ring_put(&w, "half", 4), "a message");
	must(ilk_channel_end_open(channel(seg), 0, 0, &end), "an end");
	must(ilk_channel_put(&end, "hello", 5), "a message");
}

static void leave_rings(struct ilk_segment *seg)
{
	struct ilk_channel_end end;
	char got[8];

	run_ring(ring(seg, "left", &seed_any));
	run_ring(ring(seg, "fixed", &seed_fixed));
	must(ilk_channel_end_open(channel(seg), 1, 0, &end), "an end");
	must(ilk_channel_put(&end, "answer", 6), "a message");
	must(ilk_channel_get(&end, got, sizeof got, NULL), "a message");
}

/* Slot 1 lives, and writes; who was in slot 2 wrote and read, and left messages. */
static void make_rings(const struct making *made, struct seed *seed)
{
	pid_t writer = start(made->seg, write_half);

	finish(start(made->seg, leave_rings));
	copy(made, seed);
	finish(writer);
}

/* The same: of who lives, and of the dead. */
static void make_queues(const struct making *made, struct seed *seed)
{
	pid_t first;

	queues_furnish(made->seg);
	first = start(made->seg, queues_occupy);
	finish(start(made->seg, queues_occupy));
	copy(made, seed);
	finish(first);
}

/* The same. */
static void make_data(const struct making *made, struct seed *seed)
{
	pid_t first;

	data_furnish(made->seg);
	first = start(made->seg, data_occupy);
	finish(start(made->seg, data_occupy));
	copy(made, seed);
	finish(first);
}

static void make_loops(const struct making *made, struct seed *seed)
{
	pid_t first;

	loops_furnish(made->seg);
	first = start(made->seg, loops_occupy);
	finish(start(made->seg, loops_occupy));
	copy(made, seed);
	finish(first);
}

/* The same. */
static void make_pool(const struct making *made, struct seed *seed)
{
	pid_t first;

	pools_furnish(made->seg);
	first = start(made->seg, pools_occupy);
	finish(start(made->seg, pools_occupy));
	copy(made, seed);
	finish(first);
}

static void make_stages(const struct making *made, struct seed *seed)
{
	pid_t first = start(made->seg, stages_occupy);

	copy(made, seed);
	finish(first);
}

static const struct recipe {
	const char *name;
	size_t bytes;
	unsigned flags;
	void (*make)(const struct making *made, struct seed *seed);
} recipes[FUZZ_SEEDS] = {
	{"empty", 8 << 10, 0, make_empty},
	{"many", 32 << 10, 0, make_many},
	{"fenced", 32 << 10, ILK_SEGMENT_FENCED, make_many},
	{"holes", 16 << 10, 0, make_holes},
	{"held", 16 << 10, 0, make_held},
	{"dead", 16 << 10, 0, make_dead},
	{"removed", 32 << 10, 0, make_removed},
	{"order", 32 << 10, ILK_SEGMENT_ORDER, make_order},
	{"room", 32 << 10, 0, make_room},
	{"fenced room", 32 << 10, ILK_SEGMENT_FENCED, make_room},
	{"rings", 32 << 10, 0, make_rings},
	{"fenced rings", 32 << 10, ILK_SEGMENT_FENCED, make_rings},
	{"queues", 32 << 10, 0, make_queues},
	{"data", 32 << 10, 0, make_data},
	{"loops", 32 << 10, 0, make_loops},
	{"pool", 32 << 10, 0, make_pool},
	{"stages", 32 << 10, 0, make_stages},
};

/* The name is there only until its file is open. */
static void make(const struct recipe *recipe, struct seed *seed)
{
	const struct ilk_segment_options options = {
		.size = sizeof options,
		.bytes = recipe->bytes,
		.processes = 4,
		.threads = 8,
		.flags = recipe->flags | (unsigned)ILK_SEGMENT_EXCLUSIVE,
	};
	struct making made;
	char name[48], path[80];

	snprintf(name, sizeof name, "fuzz-seed-%d", (int)getpid());
	snprintf(path, sizeof path, "/dev/shm/ilk.%s", name);
	must(ilk_segment_create(name, &options, &made.seg), name);
	made.fd = open(path, O_RDWR | O_CLOEXEC);
	ilk_segment_unlink(name);
	if (made.fd < 0)
		give_up(path, -errno);
	seed->name = recipe->name;
	recipe->make(&made, seed);
	ilk_segment_close(made.seg);
	close(made.fd);
}

void seeds_make(struct seed seeds[FUZZ_SEEDS])
{
	for (int i = 0; i < FUZZ_SEEDS; i++)
		make(&recipes[i], &seeds[i]);
}
