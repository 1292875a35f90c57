/* gather.c - an event loop with a timer that gathers several futures as well. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <ilk.h>

enum { TASKS = 4, TICK_MS = 5 };

static int slow(struct ilk_task *task, const void *argument, size_t bytes)
{
	usleep(30000);
	return ilk_task_result(task, argument, bytes);
}

static const struct ilk_task_function functions[] = {{"slow", slow}};

static int timer(void)
{
	const struct itimerspec each = {
		{.tv_nsec = TICK_MS * 1000000}, {.tv_nsec = TICK_MS * 1000000}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	timerfd_settime(fd, 0, &each, NULL);
	return fd;
}

/* How many of F are over by now; they are got. */
static int get_some(struct ilk_future *f)
{
	int result, got = 0;
	size_t i;

	while (ilk_future_any(f, TASKS, &i, ILK_NOW) == 0)
		got += ilk_future_get(&f[i], &result, sizeof result, NULL, ILK_NOW) == 0;
	return got;
}

static void loop(struct ilk_pool *pool, struct ilk_future *f)
{
	int loop = epoll_create1(0), ticks = 0, done = 0;
	int fds[2] = {ilk_pool_fd(pool), timer()};

	for (int i = 0; i < 2; i++)
		epoll_ctl(loop, EPOLL_CTL_ADD, fds[i],
			&(struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]});
	while (done < TASKS) {
		struct epoll_event event;
		uint64_t count;

		if (epoll_wait(loop, &event, 1, 5000) != 1 ||
			read(event.data.fd, &count, sizeof count) < 0)
			break;
		if (event.data.fd == fds[0])
			done += get_some(f);
		else
			ticks++;
	}
	printf("%d tasks done, a timer %s meanwhile\n", done, ticks ? "ticked" : "stood still");
	close(fds[1]);
	close(loop);
	ilk_pool_fd_close(pool);
}

int main(void)
{
	const struct ilk_pool_options o = {.size = sizeof o};
	struct ilk_pool_crew *crew = NULL;
	struct ilk_future f[TASKS];
	struct ilk_segment *seg;
	struct ilk_pool *pool;
	int rc = ilk_segment_anonymous("gather", NULL, &seg);

	if (rc == 0)
		rc = ilk_pool_open(seg, "pool", &o, &pool);
	if (rc == 0)
		rc = ilk_pool_start(pool, 2, functions, 1, NULL, &crew);
	for (int i = 0; i < TASKS && rc == 0; i++)
		rc = ilk_pool_submit(pool, "slow", &i, sizeof i, &f[i], ILK_FOREVER);
	if (rc != 0)
		return fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error()), 1;
	loop(pool, f);
	ilk_pool_stop(crew, ilk_after_ms(1000));
	ilk_segment_close(seg);
	return 0;
}
