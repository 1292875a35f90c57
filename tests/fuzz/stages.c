/* stages.c - a pipeline, in work. */
#include "stages.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WINDOW = 4, PATIENCE_MS = 10000 };

static uint32_t *is_kept; /* shared with the workers */

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	return ilk_work_send(w, &w->number, sizeof w->number);
}

static int keep(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	if (w->number == 0)
		return 0;
	ilk_store_release_(is_kept, 1u);
	for (;;)
		pause();
}

void stages_occupy(struct ilk_segment *seg)
{
	static const struct ilk_stage stages[] = {
		{.name = "generate", .body = generate, .out_bytes = sizeof(uint64_t)},
		{.name = "keep", .body = keep},
	};
	const struct ilk_pipeline_options o = {.size = sizeof o, .window = WINDOW};
	ilk_time until = ilk_after_ms(PATIENCE_MS);
	struct ilk_pipeline *p;

	is_kept = mmap(
		NULL, sizeof *is_kept, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(is_kept != MAP_FAILED, "there is memory");
	must(ilk_pipeline_start(seg, "flow", stages, 2, &o, &p) == 0, "a pipeline");
	while (!ilk_load_acquire_(is_kept)) {
		must(ilk_now() < until, "a message arrives");
		usleep(1000);
	}
}
