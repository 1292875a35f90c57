/*
 * ring.c - orders from one process to another; the writer is killed, and its successor goes on.
 *
 * The second writer asks the ring how many orders were put, and so puts each just once. Had it been
 * a pipe, nobody could say which of the dead one's orders came through.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { ORDERS = 1000, KILLED_AFTER = 400 };

struct order {
	uint64_t number;
	char what[24];
};

static void write_orders(struct ilk_ring *ring)
{
	struct ilk_ring_status status;
	struct ilk_ring_writer w;

	if (ilk_ring_writer_open(ring, 0, &w) < 0 || ilk_ring_status(ring, &status) < 0)
		_exit(1);
	for (uint64_t i = status.put + 1; i <= ORDERS; i++) {
		void *message;

		if (ilk_ring_reserve(&w, sizeof(struct order), &message) < 0)
			_exit(1);
		*(struct order *)message = (struct order){.number = i, .what = "buy"};
		if (status.put == 0 && i == KILLED_AFTER)
			raise(SIGKILL); /* in the midst of one */
		ilk_ring_commit(&w, sizeof(struct order));
	}
	ilk_ring_writer_close(&w);
	_exit(0);
}

/* Waits for the writer that it starts; 1 if that was killed. */
static int start_writer(struct ilk_ring *ring)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		write_orders(ring);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status);
}

int main(void)
{
	struct ilk_segment *seg;
	struct ilk_ring *ring;
	struct ilk_ring_reader r;
	const void *message;
	uint64_t last = 0;
	int wrong = 0, killed;
	size_t n;
	int rc = ilk_segment_anonymous("orders", NULL, &seg);

	if (rc == 0)
		rc = ilk_ring_open(seg, "orders", NULL, &ring);
	if (rc == 0)
		rc = ilk_ring_reader_open(ring, 0, &r);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	killed = start_writer(ring);
	killed += start_writer(ring);
	while ((rc = ilk_ring_peek(&r, &message, &n)) == 0) {
		uint64_t number = ((const struct order *)message)->number;

		wrong += number != ++last;
		ilk_ring_release(&r);
	}
	printf("%d writer killed; %llu orders, %d out of order; then: %s\n", killed,
		(unsigned long long)last, wrong, rc == -EPIPE ? "no more" : ilk_strerror(rc));
	return ilk_segment_close(seg);
}
