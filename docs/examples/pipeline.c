/*
 * pipeline.c - generate, times 2, plus 3, collect: four stages, the middle ones with two workers each. One of
 * them kills itself with a message in its hand, and all come out, once and in order.
 */
#include <signal.h>
#include <stdio.h>

#include <ilk.h>

enum { MANY = 1000 };

/* In the segment, since the last stage is a process of its own. */
struct collected {
	long sum;
	unsigned count, out_of_order;
};

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	long n = (long)w->number;

	(void)in, (void)bytes, (void)arg;
	return n < MANY ? ilk_work_send(w, &n, sizeof n) : ILK_STAGE_END;
}

static int times_two(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	long n = 2 * *(const long *)in;

	(void)bytes, (void)arg;
	if (w->number == 500 && w->tries == 1)
		raise(SIGKILL);
	return ilk_work_send(w, &n, sizeof n);
}

static int plus_three(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	long n = *(const long *)in + 3;

	(void)bytes, (void)arg;
	return ilk_work_send(w, &n, sizeof n);
}

static int collect(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	struct collected *c = arg;

	(void)bytes;
	c->sum += *(const long *)in;
	c->out_of_order += w->number != c->count++;
	return 0;
}

int main(void)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = ILK_PIPELINE_ORDERED};
	struct ilk_stage_info twos = {.size = sizeof twos};
	struct ilk_segment *seg;
	struct ilk_pipeline *p;
	struct collected *c;
	void *block;
	int rc = ilk_segment_anonymous("pipeline", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "collected", sizeof *c, &block);
	if (rc == 0) {
		const struct ilk_stage stages[] = {
			{.name = "generate", .body = generate, .out_bytes = sizeof(long)},
			{.name = "times 2",
				.body = times_two,
				.out_bytes = sizeof(long),
				.workers = 2,
				.tries = 2},
			{.name = "plus 3",
				.body = plus_three,
				.out_bytes = sizeof(long),
				.workers = 2},
			{.name = "collect", .body = collect, .arg = block},
		};

		rc = ilk_pipeline_start(seg, "numbers", stages, 4, &o, &p);
	}
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	rc = ilk_pipeline_join(p, ILK_FOREVER);
	ilk_stage_info(p, 1, &twos);
	ilk_pipeline_end(p);
	c = block;
	printf("%s %u collected, %u out of order, sum %ld; %d killed\n", ilk_strerror(rc), c->count,
		c->out_of_order, c->sum, (int)twos.died);
	ilk_segment_close(seg);
	return rc < 0;
}
