/*
 * pool_storm.c - a crew under SIGKILL, and those who submit to it, until so many tasks are got.
 *
 * The runner owns the crew, and kills its workers, whom the inspector shows it, and the submitters,
 * in turn as chance has it. Some tasks kill their worker themselves, at each run. A ledger, which
 * outlives all, counts the runs of each task.
 */
#include "stress.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CREW = 3, SUBMITTERS = 3, CAPACITY = 64, RETRIES = 2, FLIGHT = 16 };
enum { LEDGER = 1 << 17, ITEMS = 200, THE_END = 1 };

static char name[64];
static struct ilk_pool_options options;
static uint8_t *ledger; /* LEDGER tasks of each submitter */
static struct ilk_pool *pool;

/* --- tasks --- */

static uint64_t mix_of(uint64_t x)
{
	return (x + 1) * 0x9e3779b97f4a7c15u;
}

static int is_poison(uint64_t x)
{
	return mix_of(x) >> 57 == 0;
}

static uint8_t *entry_of(uint64_t task)
{
	return &ledger[(task >> 32) * LEDGER + (uint32_t)task];
}

/* A third of them takes a while. */
static int mix(struct ilk_task *task, const void *argument, size_t bytes)
{
	uint64_t x, y;

	CHECK(bytes == sizeof x);
	memcpy(&x, argument, sizeof x);
	ilk_add_full_(entry_of(x), (uint8_t)1);
	if (is_poison(x))
		raise(SIGKILL);
	y = mix_of(x);
	if (y % 3 == 0)
		usleep((useconds_t)(y >> 53));
	return ilk_task_result(task, &y, sizeof y);
}

/* For the map. */
static int echo(struct ilk_task *task, const void *argument, size_t bytes)
{
	return ilk_task_result(task, argument, bytes);
}

static const struct ilk_task_function functions[] = {{"mix", mix}, {"echo", echo}};

/* --- who submits --- */

static void submit_one(struct ilk_pool *to, unsigned worker, struct ilk_future *f, uint64_t *x)
{
	struct tally *t = tally_of(worker);

	CHECK(t->intended < LEDGER);
	*x = (uint64_t)worker << 32 | (uint64_t)t->intended;
	/* A successor goes on behind what may be in. */
	ilk_store_release_(&t->intended, t->intended + 1);
	CHECK_RC(ilk_pool_submit(to, "mix", x, sizeof *x, f, ilk_after_ms(ilk_test_limit_ms())), 0);
}

static void get_one(unsigned worker, struct ilk_future *f, uint64_t x)
{
	struct tally *t = tally_of(worker);
	struct ilk_outcome out;
	uint64_t y = 0;
	int rc = ilk_future_get(f, &y, sizeof y, &out, ilk_after_ms(ilk_test_limit_ms()));

	CHECK(out.runs <= 1 + RETRIES && *entry_of(x) <= out.runs);
	if (rc == ILK_TASK_FAILED) {
		CHECK(out.rc == -EOWNERDEAD && out.runs == 1 + RETRIES);
		CHECK(out.signal == SIGKILL || out.signal == 0);
		t->lost++;
	} else {
		CHECK_RC(rc, 0);
		CHECK(y == mix_of(x) && !is_poison(x) && *entry_of(x) >= 1);
	}
	ilk_store_release_(&t->done, t->done + 1);
}

static void submit_some(struct ilk_pool *to, unsigned worker)
{
	struct ilk_future f[FLIGHT];
	uint64_t x[FLIGHT];
	int count = 1 + (int)random_below(worker, FLIGHT);

	for (int i = 0; i < count; i++)
		submit_one(to, worker, &f[i], &x[i]);
	for (int i = 0; i < count; i++) {
		if (random_below(worker, 16) == 0)
			CHECK_RC(ilk_future_release(&f[i]), 0);
		else
			get_one(worker, &f[i], x[i]);
	}
}

static int submit_until_the_end(void *number)
{
	unsigned worker = *(unsigned *)number;
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct ilk_pool *to;

	CHECK_RC(ilk_pool_open(seg, "pool", NULL, &to), 0);
	while (!ilk_test_was_said(THE_END))
		submit_some(to, worker);
	ilk_segment_close(seg);
	return 0;
}

static struct ilk_child submitter[SUBMITTERS];

static void start_submitter(unsigned i)
{
	static unsigned number[SUBMITTERS];

	number[i] = i;
	CHECK_RC(ilk_spawn(&submitter[i], submit_until_the_end, &number[i], NULL), 0);
}

/* It has not failed before. */
static void join_submitter(unsigned i, int signal)
{
	struct ilk_end end;

	CHECK_RC(ilk_spawn_join(&submitter[i], &end, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(end.signal, signal);
	assert_int_equal(end.code, signal ? -1 : 0);
}

/* --- who is killed --- */

struct deaths {
	int64_t workers, submitters;
};

/* Those of the crew that live, and serve: their pids. How many. */
static int find_workers(pid_t pid[CREW])
{
	struct ilk_inspection *in;
	int count = 0;

	CHECK_RC(ilk_inspect(name, &in), 0);
	for (size_t i = 0; i < in->holder_count && count < CREW; i++) {
		const struct ilk_holder_info *h = &in->holders[i];
		int serves = strcmp(h->how, "serves") == 0 || strcmp(h->how, "runs") == 0;

		/* A place that is kept for one who is being started is this process's. */
		if (serves && h->life == ILK_HOLDER_ALIVE && h->process != ILK_NO_INDEX &&
			in->processes[h->process].pid != getpid())
			pid[count++] = in->processes[h->process].pid;
	}
	ilk_inspection_free(in);
	return count;
}

/* 1: PID was a child of this process, and is killed. */
static int kill_child(pid_t pid)
{
	siginfo_t info;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), is_killed;

	if (fd < 0)
		return 0;
	is_killed = waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	close(fd);
	return is_killed;
}

static void kill_worker(struct deaths *deaths)
{
	pid_t pid[CREW];
	int count = find_workers(pid);

	if (count)
		deaths->workers += kill_child(pid[random_below(SUBMITTERS, (uint64_t)count)]);
}

static void kill_submitter(unsigned victim, struct deaths *deaths)
{
	CHECK_RC(ilk_spawn_signal(&submitter[victim], SIGKILL), 0);
	join_submitter(victim, SIGKILL);
	deaths->submitters++;
}

/* A submitter, or a worker, or both: then its death is noticed while its tasks wait. */
static void kill_some(struct deaths *deaths)
{
	unsigned victim = (unsigned)random_below(SUBMITTERS, SUBMITTERS);
	uint64_t what = random_below(SUBMITTERS, 4);

	ilk_test_sleep_ms(1 + (int)random_below(SUBMITTERS, 5));
	if (what < 2)
		kill_submitter(victim, deaths);
	if (what > 0)
		kill_worker(deaths);
	if (what < 2)
		start_submitter(victim);
}

/* --- a storm --- */

struct sums {
	int64_t intended, done, lost;
	int64_t rerun;       /* tasks that were run again, but not by their own doing */
	int64_t poison_runs; /* each a death */
	int most_runs;
};

static struct sums sum_up(void)
{
	struct sums s = {.most_runs = 0};

	for (unsigned w = 0; w < SUBMITTERS; w++) {
		const struct tally *t = tally_of(w);

		s.intended += ilk_load_acquire_(&t->intended);
		s.done += ilk_load_acquire_(&t->done);
		s.lost += t->lost;
	}
	return s;
}

static void sum_up_ledger(struct sums *s)
{
	for (uint64_t x = 0; x < SUBMITTERS * (uint64_t)LEDGER; x++) {
		uint64_t task = x / LEDGER << 32 | x % LEDGER;
		int runs = ledger[x];

		s->most_runs = runs > s->most_runs ? runs : s->most_runs;
		s->rerun += runs > 1 && !is_poison(task);
		s->poison_runs += is_poison(task) ? runs : 0;
	}
}

/* Those who wait in vain do not live long enough to say so. */
static void kill_until(int64_t most, struct deaths *deaths)
{
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());
	int64_t before = 0, done;

	while ((done = sum_up().done) < most) {
		if (done > before)
			limit = ilk_after_ms(ilk_test_limit_ms());
		else if (ilk_now() > limit)
			ilk_test_fail("nothing is got any more");
		before = done;
		kill_some(deaths);
	}
}

static struct deaths storm(void)
{
	struct deaths deaths = {0, 0};

	for (unsigned i = 0; i < SUBMITTERS; i++)
		start_submitter(i);
	kill_until(getenv("ILK_SOAK") ? 100000 : 3000, &deaths);
	ilk_test_say(THE_END);
	for (unsigned i = 0; i < SUBMITTERS; i++)
		join_submitter(i, 0);
	return deaths;
}

static struct ilk_segment *begin(unsigned segment_flags, unsigned pool_flags)
{
	const struct ilk_segment_options o = {
		.size = sizeof o, .processes = 32, .flags = segment_flags};
	struct ilk_segment *seg;

	ledger = mmap(NULL, SUBMITTERS * (size_t)LEDGER, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(ledger != MAP_FAILED);
	options = (struct ilk_pool_options){.size = sizeof options,
		.capacity = CAPACITY,
		.argument_bytes = 64,
		.result_bytes = 64,
		.workers = CREW + 1,
		.retries = RETRIES,
		.flags = pool_flags};
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &o);
	CHECK_RC(ilk_pool_open(seg, "pool", &options, &pool), 0);
	return seg;
}

/* --- what is left --- */

/* INFO says so, and there are as many workers as were asked for. */
static int is_quiet(void *arg)
{
	struct ilk_pool_info info = {.size = sizeof info};
	pid_t pid[CREW];

	CHECK_RC(ilk_pool_info(pool, &info), 0);
	*(struct ilk_pool_info *)arg = info;
	return info.queued + info.running + info.over == 0 && info.workers == CREW &&
	       find_workers(pid) == CREW;
}

static void check_map(void)
{
	uint64_t x[ITEMS], y[ITEMS];

	for (uint64_t i = 0; i < ITEMS; i++)
		x[i] = i * i;
	CHECK_RC(ilk_pool_map(pool, "echo", x, sizeof *x, ITEMS, y, sizeof *y, NULL,
			 ilk_after_ms(ilk_test_limit_ms())),
		0);
	assert_memory_equal(x, y, sizeof x);
}

/*
 * What was submitted is somewhere, and nothing twice. Who is killed may have been about to submit
 * what it intends, and about to count what it has done.
 */
static void check_numbers(
	const struct sums *s, const struct deaths *deaths, const struct ilk_pool_info *info)
{
	int64_t workers = deaths->workers + s->poison_runs, killed = workers + deaths->submitters;
	int64_t ended = (int64_t)(info->done + info->died + info->dropped);

	print_message("%lld got, %lld given up; killed: %lld workers, %lld submitters; "
		      "again %llu, dropped %llu\n",
		(long long)s->done, (long long)s->lost, (long long)workers,
		(long long)deaths->submitters, (unsigned long long)info->again,
		(unsigned long long)info->dropped);
	assert_true(deaths->workers > 0 && deaths->submitters > 0);
	assert_true(s->rerun > 0 && info->again > 0);
	assert_int_equal(info->dropped > 0, !(options.flags & ILK_POOL_KEEP));
	assert_true(s->most_runs <= 1 + RETRIES);
	assert_int_equal(info->failed + info->cancelled, 0);
	assert_true((int64_t)(info->again + info->died) <= workers);
	assert_true(s->lost <= (int64_t)info->died + killed);
	assert_true(ended <= s->intended && ended >= s->intended - 2 * killed);
	assert_true(!info->closed && info->capacity == CAPACITY && info->retries == RETRIES);
}

/* None is lost of the places for tasks. */
static void check_room(void)
{
	uint64_t x = 1;

	for (int i = 0; i < CAPACITY; i++)
		CHECK_RC(ilk_pool_submit(pool, "mix", &x, sizeof x, NULL, ILK_NOW), 0);
	CHECK_RC(ilk_pool_submit(pool, "mix", &x, sizeof x, NULL, ILK_NOW), -EAGAIN);
}

static void run_storm(unsigned segment_flags, unsigned pool_flags)
{
	struct ilk_segment *seg;
	struct ilk_pool_crew *crew;
	struct ilk_pool_info info;
	struct deaths deaths;
	struct sums sums;

	SKIP_UNDER_TSAN();
	seg = begin(segment_flags, pool_flags);
	CHECK_RC(ilk_pool_start(pool, CREW, functions, 2, NULL, &crew), 0);
	deaths = storm();
	ilk_test_until(is_quiet, &info);
	sums = sum_up();
	sum_up_ledger(&sums);
	check_numbers(&sums, &deaths, &info);
	check_map();
	ilk_test_until(is_quiet, &info);
	CHECK_RC(ilk_pool_stop(crew, ilk_after_ms(ilk_test_limit_ms())), 0);
	check_room();
	CHECK_RC(ilk_segment_valid(seg), 0);
	ilk_segment_close(seg);
	munmap(ledger, SUBMITTERS * (size_t)LEDGER);
	support_unlink(name);
}

static void test_a_crew_and_its_pool_outlast_a_storm(void **state)
{
	(void)state;
	run_storm(0, 0);
}

static void test_a_pool_that_keeps_tasks_outlasts_a_storm(void **state)
{
	(void)state;
	run_storm(ILK_SEGMENT_FENCED, ILK_POOL_KEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_a_crew_and_its_pool_outlast_a_storm),
		STRESS_TEST(test_a_pool_that_keeps_tasks_outlasts_a_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
