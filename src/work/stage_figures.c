/*
 * stage_figures.c - what a stage tells the inspector besides its state: counts that its workers keep in the
 * segment anyway, and whether the process that runs the pipeline is alive.
 */
#include "segment/member.h"
#include "segment/types.h"
#include "work/stage.h"

/* Of the process that OWNER names: generation 63..32, slot + 1. */
static const char *life_of(const struct ilk_map_ *map, uint64_t owner)
{
	static const char *const lives[] = {"unknown", "alive", "dead"};
	uint32_t slot = (uint32_t)owner - 1, generation = (uint32_t)(owner >> 32);
	const struct ilk_process_slot_ *process;

	if (!map->is_original || !map->picture_of || slot >= map->header.process_slots)
		return lives[ILK_LIFE_UNKNOWN];
	process = ilk_process_slot_(map, slot);
	if (ilk_map_look_(map, (uint64_t)((const char *)process - map->base), sizeof *process) < 0)
		return lives[ILK_LIFE_UNKNOWN];
	return process->generation == generation
		       ? lives[ilk_life_of_process_(map->picture_of - 1, slot)]
		       : lives[ILK_LIFE_DEAD];
}

/* Messages that were let in and are not done, of COUNT words; at the first stage each worker has a word,
 * which also tells the one that it would begin next. */
static uint64_t count_in(const struct ilk_shared_stage_ *s, uint64_t count, int is_first)
{
	uint64_t in = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t word = ilk_load_relaxed_(&s->word[i]);

		in += ilk_message_what_(word) == ILK_MESSAGE_IN_ &&
		      (!is_first || ilk_message_begun_(word) > 0);
	}
	return in;
}

/* What stands in the first stage. */
static void tell_pipeline(struct ilk_description_ *out, const struct ilk_shared_stage_ *s)
{
	uint64_t failure = ilk_load_acquire_(&s->failure), at = ilk_load_acquire_(&s->failed_at);

	ilk_tell_(out, "finished", ilk_load_acquire_(&s->low) - 1);
	ilk_tell_as_(out, "source_ended", ILK_FIGURE_YES_NO, ilk_load_acquire_(&s->over) != 0);
	if (!failure)
		return;
	ilk_tell_(out, "failed_stage", (failure >> 32) - 1);
	ilk_tell_(out, "failed_errno", (uint32_t)failure);
	if (at)
		ilk_tell_(out, "failed_message", at - 1);
}

void ilk_stage_tell_(const struct ilk_map_ *map, const struct ilk_shared_stage_ *s, uint64_t words,
	struct ilk_description_ *out)
{
	uint32_t index = ilk_load_relaxed_(&s->index);

	ilk_tell_(out, "stage", index);
	ilk_tell_text_(out, "pipeline", life_of(map, ilk_load_relaxed_(&s->owner)));
	ilk_tell_(out, "workers", ilk_load_relaxed_(&s->workers));
	ilk_tell_(out, "running", ilk_load_relaxed_(&s->running));
	ilk_tell_(out, "tries", ilk_load_relaxed_(&s->tries));
	ilk_tell_(out, "window", ilk_load_relaxed_(&s->window));
	ilk_tell_(out, "taken", ilk_load_relaxed_(&s->taken));
	ilk_tell_(out, "sent", ilk_load_relaxed_(&s->sent));
	ilk_tell_(out, "in_work", count_in(s, words, index == 0));
	ilk_tell_(out, "again", ilk_load_relaxed_(&s->again));
	ilk_tell_(out, "skipped", ilk_load_relaxed_(&s->skipped));
	ilk_tell_(out, "doubled", ilk_load_relaxed_(&s->doubled));
	ilk_tell_(out, "died", ilk_load_relaxed_(&s->died));
	ilk_tell_as_(out, "busy_ns", ILK_FIGURE_NS, ilk_load_relaxed_(&s->busy_ns));
	if (index == 0)
		tell_pipeline(out, s);
}
