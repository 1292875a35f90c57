/* models.c - each a few lines that can be seen to be right. */
#include "models.h"
#include <errno.h>
#include <ilk.h>

/* --- what has owners: how many each player has, in a byte of the state --- */

static uint64_t free_of(uint64_t state, uint64_t total)
{
	for (unsigned i = 0; i < LINEAR_PLAYERS; i++)
		total -= state >> 8 * i & 0xff;
	return total;
}

static int give_back(uint64_t *state, unsigned player, const struct linear_step *s)
{
	int has_enough = (int64_t)(*state >> 8 * player & 0xff) >= s->arg;

	if (has_enough)
		*state -= (uint64_t)s->arg << 8 * player;
	return s->result == (has_enough ? 0 : -EPERM);
}

/* MAY_FAIL: it can be in vain though so many are free. */
static int take_some(
	uint64_t *state, unsigned player, const struct linear_step *s, uint64_t total, int may_fail)
{
	int is_free = free_of(*state, total) >= (uint64_t)s->arg;

	if (s->result < 0)
		return !is_free || may_fail;
	*state += (uint64_t)s->arg << 8 * player;
	return is_free;
}

int model_lock(uint64_t *state, unsigned player, const struct linear_step *s)
{
	return s->action == TAKE ? take_some(state, player, s, 1, 0) : give_back(state, player, s);
}

/* Somebody else's look for several can be in the way for a moment. */
int model_permits(uint64_t *state, unsigned player, const struct linear_step *s)
{
	return s->action == TAKE ? take_some(state, player, s, PERMITS, !s->is_alone)
				 : give_back(state, player, s);
}

/* --- one number --- */

int model_semaphore(uint64_t *state, unsigned player, const struct linear_step *s)
{
	(void)player;
	if (s->action == LOOK)
		return s->result == (int64_t)*state;
	if (s->action == GIVE) {
		*state += (uint64_t)s->arg;
		return 1;
	}
	return s->result < 0 ? *state == 0 : (*state)-- > 0;
}

/* Of auto reset: who takes it clears it. */
int model_event(uint64_t *state, unsigned player, const struct linear_step *s)
{
	uint64_t before = *state;

	(void)player;
	if (s->action == LOOK)
		return s->result == (int64_t)before;
	*state = s->action == GIVE;
	return s->action != TAKE || (s->result == 0) == (before == 1);
}

int model_latch(uint64_t *state, unsigned player, const struct linear_step *s)
{
	int64_t left = (int64_t)*state;

	(void)player;
	if (s->action == LOOK)
		return s->result == left;
	if (s->action == TAKE)
		return (s->result == 0) == (left == 0);
	if (s->arg > left)
		return s->result == -ERANGE;
	*state -= (uint64_t)s->arg;
	return s->result == 0;
}

int model_versions(uint64_t *state, unsigned player, const struct linear_step *s)
{
	uint64_t version = *state >> 32;

	(void)player;
	if (s->action == LOOK)
		return (uint64_t)s->result == *state;
	if (s->action == NUMBER)
		return (uint64_t)s->result == version;
	*state = (version + 1) << 32 | (uint64_t)s->arg;
	return (uint64_t)s->result == version + 1;
}

/* ARG: the key, what is to be there, and what was. */
int model_map(uint64_t *state, unsigned player, const struct linear_step *s)
{
	unsigned at = 8 * (s->arg & 0xff);
	uint64_t is = *state >> at & 0xff, value = s->arg >> 8 & 0xff, becomes = is;
	int64_t result = 0;

	(void)player;
	if (s->action == ADD)
		result = is ? -EEXIST : 0;
	else if (s->action == REPLACE)
		result = is == 0 ? -ENOENT : is == (uint64_t)s->arg >> 16 ? 0 : -EAGAIN;
	else if (s->action == RAISE)
		result = (int64_t)(becomes = is % 200 + 1);
	else if (s->action != PUT)
		result = is ? (int64_t)is : -ENOENT;
	if (result == 0)
		becomes = value;
	if (s->action == TAKE)
		becomes = 0;
	*state = (*state & ~(UINT64_C(0xff) << at)) | becomes << at;
	return s->result == result;
}

/* --- a barrier of all players --- */

enum { ALL = (1 << LINEAR_PLAYERS) - 1 };

/* As bits of players, and flags. */
struct phase {
	uint8_t waiting;
	uint8_t let_go;   /* the phase is over */
	uint8_t betrayed; /* it broke */
	uint8_t to_elect;
	uint8_t is_broken;
};

static void set(uint8_t *players, unsigned me)
{
	*players = (uint8_t)(*players | 1u << me);
}

/* Was it set? */
static int take_out(uint8_t *players, unsigned me)
{
	int was_set = *players >> me & 1;

	*players = (uint8_t)(*players & ~(1u << me));
	return was_set;
}

static void arrive(struct phase *p, unsigned me)
{
	set(p->is_broken ? &p->betrayed : &p->waiting, me);
	if (p->waiting != ALL)
		return;
	p->let_go = ALL;
	p->waiting = 0;
	p->to_elect = 1;
}

static void break_it(struct phase *p)
{
	p->betrayed |= p->waiting;
	p->waiting = 0;
	p->is_broken = 1;
}

static int leave_well(struct phase *p, unsigned me, int is_elected)
{
	if (!take_out(&p->let_go, me) || (is_elected && !p->to_elect))
		return 0;
	if (is_elected)
		p->to_elect = 0;
	return p->let_go || !p->to_elect;
}

static int leave(struct phase *p, unsigned me, int64_t result)
{
	int was_waiting;

	if (result >= 0)
		return leave_well(p, me, result == ILK_ELECTED);
	if (result == -EPIPE)
		return take_out(&p->betrayed, me);
	was_waiting = take_out(&p->waiting, me);
	break_it(p);
	return result == -ETIMEDOUT && was_waiting;
}

int model_phases(uint64_t *state, unsigned player, const struct linear_step *s)
{
	union {
		uint64_t word;
		struct phase phase;
	} u = {.word = *state};
	int is_so = 1;

	if (s->action == ARRIVE)
		arrive(&u.phase, player);
	else if (s->action == LEAVE)
		is_so = leave(&u.phase, player, s->result);
	else if (s->action == RESET)
		u.phase.is_broken = 0;
	else if (!u.phase.is_broken)
		break_it(&u.phase);
	*state = u.word;
	return is_so;
}
