/*
 * team.c - a loop with workers of its own, children or threads; and loops with workers for once.
 *
 * The loop is an object without a name, which the workers have open as well: its memory goes back when
 * the last of them has ended, however they do. If the starter is killed they are, too, but a little
 * later. The workers end with the process, or when the loop is closed. Who dies in a part leaves it to
 * the others, the caller among them: so a round ends as long as the caller lives.
 */
#include "segment/error.h"
#include "sync/object.h"
#include "work/loop.h"
#include <ilk/object.h>
#include <pthread.h>

enum { GRACE_MS = 1000 };

static int serve_in_child(void *arg)
{
	const struct ilk_team *team = arg;

	return ilk_loop_serve(team->loop, team->body, team->arg, ILK_FOREVER) == -EPIPE ? 0 : 1;
}

static void *serve_in_thread(void *arg)
{
	serve_in_child(arg);
	return NULL;
}

/* --- workers --- */

static int start_one(struct ilk_team *team, unsigned i)
{
	const struct ilk_spawn_options o = {.size = sizeof o, .name = "ilk-team"};
	pthread_t thread;
	int rc;

	if (!(team->flags & ILK_TEAM_THREADS))
		return ilk_spawn(&team->children[i], serve_in_child, team, &o);
	rc = pthread_create(&thread, NULL, serve_in_thread, team);
	if (rc == 0)
		memcpy(&team->threads[i], &thread, sizeof thread);
	return -rc;
}

_Static_assert(sizeof(pthread_t) <= sizeof(uint64_t), "a thread's name fits");

static void join_one(struct ilk_team *team, unsigned i)
{
	pthread_t thread;

	if (!(team->flags & ILK_TEAM_THREADS)) {
		if (team->children[i].pid && ilk_spawn_join(&team->children[i], NULL,
						     ilk_after_ms(GRACE_MS)) == -ETIMEDOUT)
			ilk_spawn_terminate(&team->children[i], NULL, ILK_NOW);
		return;
	}
	memcpy(&thread, &team->threads[i], sizeof thread);
	pthread_join(thread, NULL);
}

static void stop_workers(struct ilk_team *team)
{
	ilk_loop_close(team->loop);
	for (unsigned i = 0; i < team->others; i++)
		join_one(team, i);
	team->others = 0;
}

/* Those that have died. What cannot be started now may be next time. */
static void replace_the_dead(struct ilk_team *team)
{
	if (team->flags & ILK_TEAM_THREADS)
		return;
	for (unsigned i = 0; i < team->others; i++)
		if (ilk_spawn_join(&team->children[i], NULL, ILK_NOW) != -ETIMEDOUT &&
			start_one(team, i) < 0)
			team->children[i] = (struct ilk_child){.joined = -ECHILD, .fd = -1};
}

/* --- teams --- */

static int make_loop(struct ilk_team *team, size_t result_bytes)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = result_bytes};

	return ilk_loop_make_nameless_(team->segment, "team", &o, &team->loop);
}

static int check(unsigned workers, ilk_loop_body *body, const struct ilk_team_options *options)
{
	if (!body || workers == 0 || workers > ILK_LOOP_WORKERS)
		return ilk_fail_(
			-EINVAL, "a team has a body, and 1 to %d workers", ILK_LOOP_WORKERS);
	if (options &&
		(options->size != sizeof *options || options->flags & ~(unsigned)ILK_TEAM_THREADS))
		return ilk_fail_(-EINVAL, "team options: wrong size or unknown flags");
	return 0;
}

/* Starts the others, as many as go. 0; of the first that does not. */
static int start_workers(struct ilk_team *team, unsigned others)
{
	int rc = 0;

	for (; team->others < others && rc == 0; team->others += rc == 0)
		rc = start_one(team, team->others);
	return rc;
}

static int make_team(struct ilk_team *team, struct ilk_segment *seg, ilk_loop_body *body, void *arg,
	const struct ilk_team_options *options)
{
	memset(team, 0, sizeof *team);
	team->segment = seg;
	team->body = body;
	team->arg = arg;
	team->flags = options ? options->flags : 0;
	return make_loop(team, options ? options->result_bytes : 0);
}

int ilk_team_start(struct ilk_team *team, struct ilk_segment *seg, unsigned workers,
	ilk_loop_body *body, void *arg, const struct ilk_team_options *options)
{
	int rc = check(workers, body, options);

	if (rc == 0)
		rc = make_team(team, seg, body, arg, options);
	if (rc < 0)
		return rc;
	rc = start_workers(team, workers - 1);
	if (rc < 0)
		ilk_team_stop(team);
	return rc;
}

int ilk_team_run(struct ilk_team *team, const struct ilk_range *range)
{
	struct ilk_range r = *range;
	int rc;

	if (r.size != sizeof r)
		return -EINVAL;
	if (!r.workers)
		r.workers = team->others + 1;
	replace_the_dead(team);
	rc = ilk_loop_begin(team->loop, &r);
	return rc < 0 ? rc : ilk_loop_run(team->loop, team->body, team->arg, ILK_FOREVER);
}

void ilk_team_stop(struct ilk_team *team)
{
	stop_workers(team);
	ilk_object_close(team->loop);
	team->loop = NULL;
}

/* --- once --- */

static int run_once(struct ilk_team *team, uint64_t count, unsigned workers)
{
	const struct ilk_range range = {.size = sizeof range, .count = count, .workers = workers};
	int rc = ilk_loop_begin(team->loop, &range);

	/* Begun first, so that the children find it; with fewer it takes longer. */
	if (rc == 0)
		start_workers(team, workers - 1);
	return rc < 0 ? rc : ilk_loop_run(team->loop, team->body, team->arg, ILK_FOREVER);
}

int ilk_parallel_for(
	struct ilk_segment *seg, uint64_t count, unsigned workers, ilk_loop_body *body, void *arg)
{
	struct ilk_team team;
	int rc = check(workers, body, NULL);

	if (rc == 0)
		rc = make_team(&team, seg, body, arg, NULL);
	if (rc < 0)
		return rc;
	rc = run_once(&team, count, workers);
	ilk_team_stop(&team);
	return rc;
}

int ilk_parallel_reduce(struct ilk_segment *seg, uint64_t count, unsigned workers,
	ilk_loop_body *body, void *arg, void *result, size_t bytes,
	void (*combine)(void *into, const void *result, void *arg))
{
	const struct ilk_team_options o = {.size = sizeof o, .result_bytes = bytes};
	struct ilk_team team;
	int rc = check(workers, body, NULL);

	if (rc == 0 && (!combine || bytes == 0 || bytes > ILK_LOOP_MOST_RESULT))
		rc = ilk_fail_(-EINVAL, "results of 1 to %d bytes", ILK_LOOP_MOST_RESULT);
	if (rc == 0)
		rc = make_team(&team, seg, body, arg, &o);
	if (rc < 0)
		return rc;
	memset(result, 0, bytes);
	rc = run_once(&team, count, workers);
	if (rc == 0)
		rc = ilk_loop_reduce(team.loop, result, combine, arg);
	ilk_team_stop(&team);
	return rc;
}
