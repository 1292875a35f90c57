/*
 * pool_fd.c - the end of tasks, for event loops: a thread of this process that waits for it, and
 * writes a descriptor.
 *
 * State      watches: private memory, under the registry lock; one for each pool. A forked child has
 *            none: what it inherited are its parent's.
 * Death      A wake-up that was lost with who was to give it: the thread looks every 20 ms whether
 *            others of its process's tasks are over than before. Where there is no place for it, it
 *            writes each time.
 */
#include "os/eventfd.h"
#include "os/futex.h"
#include "os/process.h"
#include "work/future.h"
#include "work/waiting.h"
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

enum { BLIND_EACH = 20 * 1000 * 1000 };

struct watch {
	struct ilk_pool_wait_ wait;
	struct watch *next;
	struct ilk_pool *pool;
	uint64_t process;     /* ilk_fork_serial_() */
	uint64_t ended, over; /* what it found last */
	uint32_t end;         /* it is to end */
	int fd;
	pthread_t thread;
};

static struct watch *watches;

/* --- the thread --- */

/* How many tasks have ended ever: cheap to look at, and short by one where one died in between. */
static uint64_t count_ended(const struct ilk_pool_view_ *v)
{
	const struct ilk_pool_row_ *row = ilk_pool_rows_(v->pool);
	uint64_t ended = ilk_load_acquire_(&v->pool->cancelled) + ilk_load_acquire_(&v->pool->died);

	for (uint32_t i = 0; i < v->shape.rows; i++)
		ended += ilk_load_acquire_(&row[i].done) + ilk_load_acquire_(&row[i].failed);
	return ended;
}

/* Which of this process's are over, and not got: a number that others hardly have; 0: none. */
static uint64_t which_are_over(const struct ilk_pool_view_ *v)
{
	uint64_t mine = ilk_pool_my_process_(ilk_thread_.segment), over = 0;

	for (uint64_t i = 0; i <= v->mask; i++) {
		const struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, i);
		uint64_t word = ilk_load_acquire_(&cell->word);

		if (ilk_task_is_over_(word) && ilk_load_relaxed_(&cell->by) == mine)
			over += (word ^ i << 48) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return over;
}

static int ended_or_not(struct ilk_pool_wait_ *wait)
{
	struct watch *w = (struct watch *)(void *)wait;
	uint64_t ended, over = w->over;

	if (ilk_load_acquire_(&w->end))
		return ILK_POOL_END_;
	if (wait->deep) {
		ilk_pool_sweep_if_due_(wait->view, ilk_now());
		over = which_are_over(wait->view);
	}
	ended = count_ended(wait->view);
	if (ended == w->ended && (over == w->over || over == 0)) {
		w->over = over;
		return ILK_POOL_NONE_;
	}
	w->ended = ended;
	w->over = over;
	return ILK_POOL_GOT_;
}

static void watch_it(struct watch *w, const struct ilk_pool_view_ *v)
{
	int rc;

	ilk_pool_wait_init_(&w->wait, v, ILK_POOL_OVER_, ended_or_not);
	w->wait.many = 1;
	do {
		rc = ilk_pool_wait_for_(&w->wait, ILK_FOREVER);
		/* Also for the end of the pool, so that the futures are asked, and say so. */
		ilk_eventfd_ring_(w->fd);
	} while (rc == ILK_POOL_GOT_);
}

/* There is no place for the thread: until its end, the futures are asked at times. */
static void watch_blindly(struct watch *w)
{
	while (!ilk_load_acquire_(&w->end)) {
		struct ilk_wait_ sleep = {.segment = NULL};

		ilk_eventfd_ring_(w->fd);
		ilk_wait_on_(&sleep, &w->end, 0, ilk_now() + BLIND_EACH, 0);
	}
}

static void *watch_in_thread(void *arg)
{
	struct watch *w = arg;
	const struct ilk_pool_view_ *v;
	struct ilk_segment *seg;

	if (ilk_pool_enter_(w->pool, 0, &v) < 0) {
		watch_blindly(w);
		return NULL;
	}
	seg = ilk_thread_.segment;
	if (ilk_inside_begin_(seg) < 0)
		return NULL;
	watch_it(w, v);
	ilk_inside_end_(seg);
	return NULL;
}

/* --- the calls --- */

static struct watch **find(const struct ilk_pool *pool)
{
	struct watch **at = &watches;

	while (*at && ((*at)->pool != pool || (*at)->process != ilk_fork_serial_()))
		at = &(*at)->next;
	return at;
}

static int start(struct ilk_pool *pool)
{
	struct watch *w = calloc(1, sizeof *w);
	int rc;

	if (!w)
		return -ENOMEM;
	w->pool = pool;
	w->process = ilk_fork_serial_();
	w->fd = ilk_eventfd_();
	rc = w->fd < 0 ? w->fd : ilk_helper_start_(&w->thread, watch_in_thread, w);
	if (rc < 0) {
		if (w->fd >= 0)
			ilk_eventfd_close_(w->fd);
		free(w);
		return rc;
	}
	w->next = watches;
	watches = w;
	return w->fd;
}

int ilk_pool_fd(struct ilk_pool *pool)
{
	const struct ilk_pool_view_ *v;
	struct watch *w;
	int rc = ilk_pool_enter_(pool, 0, &v);

	if (rc < 0)
		return rc;
	ilk_registry_lock_();
	w = *find(pool);
	rc = w ? w->fd : start(pool);
	ilk_registry_unlock_();
	return rc;
}

int ilk_pool_fd_close(struct ilk_pool *pool)
{
	struct watch **at, *w;

	ilk_registry_lock_();
	at = find(pool);
	w = *at;
	if (w)
		*at = w->next;
	ilk_registry_unlock_();
	if (!w)
		return -ENOENT;
	ilk_store_release_(&w->end, 1u);
	if (ilk_find_attachment_(pool))
		ilk_futex_step_and_wake_(&pool->bell[ILK_POOL_OVER_], INT_MAX);
	pthread_join(w->thread, NULL);
	ilk_eventfd_close_(w->fd);
	free(w);
	return 0;
}
