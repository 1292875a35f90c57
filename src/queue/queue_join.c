/*
 * queue_join.c - waiting until all that was put is done.
 *
 * The first free position is noted for each lane; what was put before lies in the capacity before
 * it, one such position to a cell. Cell by cell it is seen that what it had is over: once it is, it
 * stays so, since messages do not move between cells. A TAKEN cell's word does not tell from when
 * its message is, the lap moves: its serial does, the lap at which it was put. Seen once, it is
 * known by that, however long it is leased. Wakes, and deaths: queue_wait.c. A dead writer's claim is passed over here, too.
 */
#include "queue/taking.h"

enum { LOOK_AGAIN = 2 };

struct joining {
	struct ilk_queue_wait_ wait;
	struct ilk_queue_handle h;
	uint64_t end[ILK_QUEUE_MOST_LANES]; /* the first free position of each lane */
	uint64_t cell;                      /* all before it are done */
	uint32_t is_known, serial;          /* what it was seen TAKEN with */
};

/* The first position of LANE that is not claimed. */
static uint64_t end_of(const struct ilk_queue_handle *h, uint32_t lane)
{
	uint64_t p = ilk_load_relaxed_(&ilk_queue_lane_(h, lane)->tail), next = p;

	for (uint64_t i = 0; i <= 4 * h->mask + 4; i++, p = next) {
		uint64_t word =
			ilk_cell_meaning_(ilk_load_acquire_(&ilk_queue_cell_(h, lane, p)->word));

		next = ilk_cell_first_free_(word, p, h->shift);
		if (next == p)
			break;
	}
	return p;
}

/* Was the message of SERIAL, in a cell of WORD, put later than at position OLD of that cell? */
static int is_later(const struct joining *j, uint32_t serial, uint64_t word, uint64_t old)
{
	uint32_t now = ilk_cell_serial_(word);
	uint32_t then = ilk_cell_serial_(ilk_queue_lap_(&j->h, old));

	return ((now - serial) & ILK_LAPS_) < ((now - then) & ILK_LAPS_);
}

/* The same of what CELL has TAKEN, by WORD; what is not is remembered. 1; 0; LOOK_AGAIN. */
static int is_later_taken(
	struct joining *j, const struct ilk_queue_cell_ *cell, uint64_t word, uint64_t old)
{
	uint32_t serial = ilk_load_acquire_(&cell->serial);

	if (j->is_known)
		return serial != j->serial;
	if (ilk_load_relaxed_(&cell->word) != word)
		return LOOK_AGAIN;
	j->serial = serial;
	j->is_known = !is_later(j, serial, word, old);
	return !j->is_known;
}

/* Is what CELL had at position OLD, or before, over? FOUND is its word. */
static int is_done(
	struct joining *j, const struct ilk_queue_cell_ *cell, uint64_t old, uint64_t *found)
{
	int later;

	do {
		uint64_t word = *found = ilk_cell_meaning_(ilk_load_acquire_(&cell->word));
		uint32_t state = ilk_cell_state_(word), ahead = ilk_queue_ahead_(&j->h, word, old);

		if (state == ILK_CELL_EMPTY_ || state == ILK_CELL_END_)
			return 1;
		if (state != ILK_CELL_TAKEN_)
			return ahead != 0 && ahead != ILK_LAPS_;
		later = is_later_taken(j, cell, word, old);
	} while (later == LOOK_AGAIN);
	return later;
}

static int look_on(struct ilk_queue_wait_ *wait)
{
	struct joining *j = (struct joining *)(void *)wait;
	struct ilk_queue_handle *h = &j->h;

	while (j->cell < ilk_queue_cells_(h)) {
		uint32_t lane = (uint32_t)(j->cell >> h->shift);
		uint64_t first = j->end[lane] - h->mask - 1, word;
		uint64_t old = first + ((j->cell - first) & h->mask);
		struct ilk_queue_cell_ *cell = ilk_queue_cell_(h, lane, old);

		if (is_done(j, cell, old, &word)) {
			j->cell++;
			j->is_known = 0;
			continue;
		}
		if (ilk_cell_state_(word) != ILK_CELL_CLAIMED_) {
			if (wait->deep)
				ilk_queue_look_for_dead_(h);
			return ILK_QUEUE_NONE_;
		}
		wait->owner = ilk_cell_owner_(word);
		if (!wait->deep || !ilk_queue_skip_if_dead_(h, cell, word))
			return ILK_QUEUE_BUSY_;
	}
	return ILK_QUEUE_GOT_;
}

int ilk_queue_join(struct ilk_queue *q, ilk_time deadline)
{
	struct joining j = {.wait = {.queue = q, .attempt = look_on, .kind = ILK_QUEUE_JOINERS_}};
	struct ilk_segment *seg;
	int rc = ilk_queue_attach(q, &j.h);

	if (rc < 0)
		return rc;
	for (uint32_t lane = 0; lane < j.h.lanes; lane++)
		j.end[lane] = end_of(&j.h, lane);
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	rc = ilk_queue_wait_for_(&j.wait, deadline);
	ilk_inside_end_(seg);
	return rc;
}
