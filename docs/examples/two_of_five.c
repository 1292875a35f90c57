/*
 * two_of_five.c - five processes, of which at most two are inside; and one of them is killed there.
 *
 * Had the permits no owners, each such death would leave one less, until nobody came in any more.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { WORKERS = 5, ROUNDS = 1000 };

/* What the processes share. */
struct room {
	ILK_PERMITS(2) doors;
	struct ilk_counter inside;
	struct ilk_counter visits, crowded;
};

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

static void killed_inside(struct room *room)
{
	if (ilk_permits_acquire(&room->doors.permits, 1) == 0)
		raise(SIGKILL);
	_exit(1);
}

static void come_and_go(struct room *room)
{
	for (int i = 0; i < ROUNDS; i++) {
		int64_t before = 0;

		if (ilk_permits_acquire(&room->doors.permits, 1) < 0)
			_exit(1);
		ilk_counter_fetch_add(&room->inside, 1, &before);
		if (before >= 2)
			ilk_counter_add(&room->crowded, 1);
		ilk_counter_add(&room->visits, 1);
		ilk_counter_sub(&room->inside, 1);
		if (ilk_permits_release(&room->doors.permits, 1) < 0)
			_exit(1);
	}
	_exit(0);
}

static void start(void (*body)(struct room *room), struct room *room)
{
	if (fork() == 0)
		body(room);
}

int main(void)
{
	const struct ilk_permits_options two = {.size = sizeof two, .permits = 2};
	struct ilk_segment *seg;
	unsigned left = 0;
	void *memory;
	struct room *room;
	int rc = ilk_segment_anonymous("two of five", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "room", sizeof *room, &memory);
	if (rc < 0)
		return say(rc);
	room = memory;
	rc = ilk_permits_init(seg, &room->doors.permits, "doors", &two);
	if (rc < 0)
		return say(rc);
	start(killed_inside, room);
	start(killed_inside, room);
	for (int i = 0; i < WORKERS; i++)
		start(come_and_go, room);
	while (wait(NULL) > 0)
		continue;
	ilk_permits_left(&room->doors.permits, &left);
	printf("%lld visits, %lld times more than two inside, %u permits left\n",
		(long long)ilk_counter_read(&room->visits),
		(long long)ilk_counter_read(&room->crowded), left);
	return ilk_segment_close(seg);
}
