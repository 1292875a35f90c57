/*
 * actor.c - a process that does what its arguments say, one after the other, in one thread: to put
 * segments into states that are known. It sleeps for ever at the end, and dies with its parent.
 *
 *	actor open SEGMENT lock a touch FILE await FILE lock b
 */
#include "actor.h"
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct ilk_segment *seg;

void expect(const char *what, const char *of, int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "actor: %s %s: %s (%s)\n", what, of, ilk_strerror(rc), ilk_last_error());
	exit(1);
}

/* --- the steps --- */

static void do_open(char **a)
{
	expect("open", a[0], ilk_segment_open(a[0], NULL, &seg));
}

static void do_open_to_read(char **a)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY};

	expect("open", a[0], ilk_segment_open(a[0], &options, &seg));
}

static void do_create(char **a)
{
	struct ilk_segment_options options = {.size = sizeof options, .flags = ILK_SEGMENT_ORDER};

	expect("create", a[0], ilk_segment_create(a[0], &options, &seg));
}

static struct ilk_mutex *mutex(const char *name)
{
	struct ilk_mutex *m;

	expect("mutex", name, ilk_mutex_open(seg, name, NULL, &m));
	return m;
}

static void do_lock(char **a)
{
	expect("lock", a[0], ilk_mutex_lock(mutex(a[0])));
}

static void do_unlock(char **a)
{
	expect("unlock", a[0], ilk_mutex_unlock(mutex(a[0])));
}

static struct ilk_rwlock *rwlock(const char *name)
{
	struct ilk_rwlock *l;

	expect("rwlock", name, ilk_rwlock_open(seg, name, NULL, &l));
	return l;
}

static void do_read(char **a)
{
	expect("read", a[0], ilk_rwlock_read(rwlock(a[0])));
}

static void do_write(char **a)
{
	expect("write", a[0], ilk_rwlock_write(rwlock(a[0])));
}

/* NAME TOTAL COUNT */
static void take_permits(char **a, unsigned flags)
{
	const struct ilk_permits_options options = {
		.size = sizeof options, .permits = (unsigned)atoi(a[1]), .flags = flags};
	struct ilk_permits *p;

	expect("permits", a[0], ilk_permits_open(seg, a[0], &options, &p));
	expect("acquire", a[0], ilk_permits_acquire(p, (unsigned)atoi(a[2])));
}

static void do_permits(char **a)
{
	take_permits(a, 0);
}

static void do_process_permits(char **a)
{
	take_permits(a, ILK_PERMITS_PROCESS);
}

/* NAME PARTIES */
static struct ilk_barrier *barrier(char **a)
{
	const struct ilk_barrier_options options = {
		.size = sizeof options, .parties = (unsigned)atoi(a[1])};
	struct ilk_barrier *b;

	expect("barrier", a[0], ilk_barrier_open(seg, a[0], &options, &b));
	return b;
}

static void do_attach(char **a)
{
	expect("attach", a[0], ilk_barrier_attach(barrier(a)));
}

/* A barrier that breaks is no failure of ours. */
static void do_meet(char **a)
{
	ilk_barrier_wait(barrier(a));
}

static void do_abort(char **a)
{
	struct ilk_barrier *b = barrier(a);

	expect("attach", a[0], ilk_barrier_attach(b));
	expect("abort", a[0], ilk_barrier_abort(b));
}

static void do_once(char **a)
{
	struct ilk_once *o;

	expect("once", a[0], ilk_once_open(seg, a[0], &o));
	expect("begin", a[0], ilk_once_begin(o, NULL));
}

static void do_event(char **a)
{
	struct ilk_event *e;

	expect("event", a[0], ilk_event_open(seg, a[0], NULL, &e));
	expect("wait", a[0], ilk_event_wait(e));
}

/* --- messages --- */

static struct ilk_queue_handle queue(const char *name)
{
	const struct ilk_queue_options options = {
		.size = sizeof options, .capacity = 8, .message_bytes = 16};
	struct ilk_queue_handle h;
	struct ilk_queue *q;

	expect("queue", name, ilk_queue_open(seg, name, &options, &q));
	expect("attach", name, ilk_queue_attach(q, &h));
	return h;
}

/* NAME COUNT: waits for room. */
static void do_put(char **a)
{
	struct ilk_queue_handle h = queue(a[0]);

	for (int i = 0; i < atoi(a[1]); i++)
		expect("put", a[0], ilk_queue_put(&h, "message", 7, ILK_FOREVER));
}

/* NAME COUNT: takes so many, and finishes none. */
static void do_lease(char **a)
{
	struct ilk_queue_handle h = queue(a[0]);
	struct ilk_queue_lease l;

	for (int i = 0; i < atoi(a[1]); i++)
		expect("lease", a[0], ilk_queue_lease(&h, &l, ILK_FOREVER));
}

/* NAME: and neither commits nor aborts. */
static void do_reserve(char **a)
{
	struct ilk_queue_handle h = queue(a[0]);
	void *room;

	expect("reserve", a[0], ilk_queue_reserve(&h, 7, &room, ILK_FOREVER));
}

static void do_close(char **a)
{
	struct ilk_queue_handle h = queue(a[0]);

	expect("close", a[0], ilk_queue_close(h.queue));
}

/* NAME MS: gets and puts, for so long. */
static void do_pump(char **a)
{
	struct ilk_queue_handle h = queue(a[0]);
	ilk_time end = ilk_after_ms(atoi(a[1]));
	char message[16];

	while (ilk_now() < end) {
		expect("get", a[0], ilk_queue_get(&h, message, sizeof message, NULL, ILK_FOREVER));
		expect("put", a[0], ilk_queue_put(&h, "message", 7, ILK_FOREVER));
	}
}

static struct ilk_ring *ring(const char *name)
{
	const struct ilk_ring_options options = {.size = sizeof options, .bytes = 1024};
	struct ilk_ring *r;

	expect("ring", name, ilk_ring_open(seg, name, &options, &r));
	return r;
}

/* NAME COUNT: messages of 300 bytes, of which 3 fit; waits for room. */
static void do_send(char **a)
{
	static struct ilk_ring_writer w;
	static const char message[300];

	expect("writer", a[0], ilk_ring_writer_open(ring(a[0]), 0, &w));
	for (int i = 0; i < atoi(a[1]); i++)
		expect("send", a[0], ilk_ring_put(&w, message, sizeof message));
}

/* NAME COUNT */
static void do_receive(char **a)
{
	static struct ilk_ring_reader r;
	char message[300];
	size_t n;

	expect("reader", a[0], ilk_ring_reader_open(ring(a[0]), 0, &r));
	for (int i = 0; i < atoi(a[1]); i++)
		expect("receive", a[0], ilk_ring_get(&r, message, sizeof message, &n));
}

/* --- more --- */

/* NAME COUNT: so many counters, and in each fourth place a mutex. */
static void do_many(char **a)
{
	for (int i = 0; i < atoi(a[1]); i++) {
		struct ilk_counter *c;
		char name[40];

		snprintf(name, sizeof name, "%s%d", a[0], i);
		if (i % 4 == 0)
			mutex(name);
		else
			expect("counter", name, ilk_counter_open(seg, name, &c));
	}
}

/* NAME MS: adds 1 to the counter, and locks and unlocks the mutex NAME-m, for so long. */
static void do_busy(char **a)
{
	ilk_time end = ilk_after_ms(atoi(a[1]));
	struct ilk_counter *c;
	struct ilk_mutex *m;
	char name[40];

	snprintf(name, sizeof name, "%s-m", a[0]);
	m = mutex(name);
	expect("counter", a[0], ilk_counter_open(seg, a[0], &c));
	while (ilk_now() < end)
		for (int i = 0; i < 100; i++) {
			expect("add", a[0], ilk_counter_add(c, 1));
			expect("lock", name, ilk_mutex_lock(m));
			expect("unlock", name, ilk_mutex_unlock(m));
		}
}

/* NAME VALUE: a semaphore and 8 KiB of shared memory of that name, both mapped, none of it Ilk's. */
static void do_foreign(char **a)
{
	char path[100];
	int fd;

	snprintf(path, sizeof path, "/%s", a[0]);
	fd = shm_open(path, O_CREAT | O_RDWR, 0600);
	expect("shm_open", path, fd < 0 ? fd : ftruncate(fd, 8192));
	if (mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ||
		sem_open(path, O_CREAT, 0600, (unsigned)atoi(a[1])) == SEM_FAILED)
		expect("mapping", path, -1);
}

static void do_touch(char **a)
{
	FILE *file = fopen(a[0], "w");

	expect("touch", a[0], file ? 0 : -1);
	fclose(file);
}

static void await_file(const char *path)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	while (access(path, F_OK) != 0)
		nanosleep(&pause, NULL);
}

static void do_await(char **a)
{
	await_file(a[0]);
}

/* The file is there at once with all that is in it. */
void stand_at(const char *path)
{
	char made[300], go[300];
	FILE *file;

	snprintf(made, sizeof made, "%s.new", path);
	snprintf(go, sizeof go, "%s.go", path);
	file = fopen(made, "w");
	expect("stand at", path, file ? 0 : -1);
	fprintf(file, "%d\n", (int)getpid());
	fclose(file);
	expect("stand at", path, rename(made, path));
	await_file(go);
}

/* --- all of them --- */

static const struct step {
	const char *name;
	int arguments;
	void (*run)(char **a);
} steps[] = {
	{"open", 1, do_open},
	{"open-to-read", 1, do_open_to_read},
	{"create", 1, do_create},
	{"lock", 1, do_lock},
	{"unlock", 1, do_unlock},
	{"read", 1, do_read},
	{"write", 1, do_write},
	{"permits", 3, do_permits},
	{"process-permits", 3, do_process_permits},
	{"attach", 2, do_attach},
	{"meet", 2, do_meet},
	{"abort", 2, do_abort},
	{"once", 1, do_once},
	{"event", 1, do_event},
	{"put", 2, do_put},
	{"lease", 2, do_lease},
	{"reserve", 1, do_reserve},
	{"close", 1, do_close},
	{"pump", 2, do_pump},
	{"send", 2, do_send},
	{"receive", 2, do_receive},
	{"many", 2, do_many},
	{"busy", 2, do_busy},
	{"foreign", 2, do_foreign},
	{"pool", 2, do_pool},
	{"submit", 3, do_submit},
	{"cancel", 1, do_cancel},
	{"close-pool", 1, do_close_pool},
	{"toil", 3, do_toil},
	{"pipeline", 2, do_pipeline},
	{"array", 2, do_array},
	{"map", 2, do_map},
	{"touch", 1, do_touch},
	{"await", 1, do_await},
};

static const struct step *find(const char *name)
{
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (strcmp(steps[i].name, name) == 0)
			return &steps[i];
	fprintf(stderr, "actor: there is no step %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < argc;) {
		const struct step *s = find(argv[i]);

		if (i + s->arguments >= argc)
			expect(argv[i], "needs more arguments", -1);
		s->run(&argv[i + 1]);
		i += 1 + s->arguments;
	}
	for (;;)
		pause();
}
