/*
 * queue_history.c - small runs of a queue, written down, and judged by a search for an order that
 * makes sense (linear.h).
 *
 * Three players put, reserve, get, lease, ack and give back, in a queue of four; in every second
 * round in one of lanes, where only each player's messages are in order. In the end of a round all
 * that is left is got, and judged, too: nothing is lost or doubled.
 */
#include "game.h"
#include "linear.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PLAYERS = LINEAR_PLAYERS, MOVES = 6, KINDS = 2, ROOM = 4 };
enum action { PUT, GET, LEASE, ACK, NACK }; /* arg: the message; result: the message, or why not */

static struct {
	struct game common;
	struct linear_history history;
	uint64_t next[PLAYERS]; /* of each player's messages in this round */
	int64_t rounds[KINDS], in_vain[KINDS], again[KINDS];
} * game;

static char name[64];
static struct ilk_segment *common;
static struct ilk_queue *queues[KINDS]; /* of this process */
static __thread struct ilk_queue_handle handles[KINDS];

static const char *const kind_names[KINDS] = {"a queue", "lanes"};

/* --- the model: up to ROOM messages in the order in which they were put, a byte each --- */

enum { IS_BACK = 0x20, HOLDER_AT = 6, MESSAGE = 0x1f };
#define WAS_LEASED (UINT64_C(1) << 8 * ROOM)

/* From 1 on: 5 bits. */
static uint64_t message_of(unsigned player, uint64_t number)
{
	return 1 + player * 8 + number;
}

static unsigned putter_of(uint64_t entry)
{
	return (unsigned)(((entry & MESSAGE) - 1) / 8);
}

static uint64_t entry_at(uint64_t state, unsigned i)
{
	return state >> 8 * i & 0xff;
}

/* Where MESSAGE is; ROOM: nowhere. */
static unsigned find(uint64_t state, uint64_t message)
{
	unsigned i = 0;

	while (i < ROOM && (entry_at(state, i) & MESSAGE) != message)
		i++;
	return i;
}

static void take_out(uint64_t *state, unsigned i)
{
	uint64_t below = *state & ((UINT64_C(1) << 8 * i) - 1);

	uint64_t flag = *state & WAS_LEASED;

	*state = flag | below | (*state - flag) >> 8 * i >> 8 << 8 * i;
}

static int is_waiting(uint64_t entry)
{
	return entry && !(entry >> HOLDER_AT);
}

static unsigned count_waiting(uint64_t state)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ROOM; i++)
		count += (unsigned)is_waiting(entry_at(state, i));
	return count;
}

/* May the I-th be next? What came back may at any time; else none may wait before it, of its lane. */
static int may_be_next(uint64_t state, unsigned i, int has_lanes)
{
	uint64_t entry = entry_at(state, i);
	int may = is_waiting(entry);

	for (unsigned k = 0; k < i && !(entry & IS_BACK); k++) {
		uint64_t before = entry_at(state, k);

		may &= !is_waiting(before) || before & IS_BACK ||
		       (has_lanes && putter_of(before) != putter_of(entry));
	}
	return may;
}

/*
 * In vain: full, or, in lanes, perhaps one of them; others are about to put, or to get; or places
 * that a lease was passed over at come free in their turn only.
 */
static int put(uint64_t *state, const struct linear_step *s, int has_lanes)
{
	unsigned end = find(*state, 0);

	if (s->result < 0)
		return end == ROOM || !s->is_alone || (has_lanes && end >= ROOM / 2) ||
		       (end > 0 && *state & WAS_LEASED);
	if (end == ROOM)
		return 0;
	*state |= (uint64_t)s->arg << 8 * end;
	return 1;
}

static int take(uint64_t *state, unsigned player, const struct linear_step *s, int has_lanes)
{
	unsigned i;

	if (s->result < 0)
		return count_waiting(*state) == 0 || !s->is_alone;
	i = find(*state, (uint64_t)s->result);
	if (i == ROOM || !may_be_next(*state, i, has_lanes))
		return 0;
	if (s->action == GET)
		take_out(state, i);
	else
		*state |= WAS_LEASED | (uint64_t)(player + 1) << (8 * i + HOLDER_AT);
	return 1;
}

static int finish(uint64_t *state, unsigned player, const struct linear_step *s)
{
	unsigned i = find(*state, (uint64_t)s->arg);

	if (i == ROOM || entry_at(*state, i) >> HOLDER_AT != player + 1)
		return 0;
	if (s->action == ACK) {
		take_out(state, i);
	} else {
		*state &= ~(UINT64_C(3) << (8 * i + HOLDER_AT));
		*state |= (uint64_t)IS_BACK << 8 * i;
	}
	return s->result == 0;
}

static int step(uint64_t *state, unsigned player, const struct linear_step *s, int has_lanes)
{
	if (s->action == PUT)
		return put(state, s, has_lanes);
	if (s->action == GET || s->action == LEASE)
		return take(state, player, s, has_lanes);
	return finish(state, player, s);
}

static int model_queue(uint64_t *state, unsigned player, const struct linear_step *s)
{
	return step(state, player, s, 0);
}

static int model_lanes(uint64_t *state, unsigned player, const struct linear_step *s)
{
	return step(state, player, s, 1);
}

static linear_model *const models[KINDS] = {model_queue, model_lanes};

/* --- writing down --- */

static uint64_t draw(void)
{
	return game_draw(&game->common);
}

static unsigned kind_now(void)
{
	return (unsigned)(game->common.round % KINDS);
}

static void note(
	unsigned player, enum action action, uint64_t message, uint64_t called, int64_t result)
{
	uint64_t *count = &game->history.count[player];

	CHECK(*count < LINEAR_STEPS);
	game->history.step[player][(*count)++] = (struct linear_step){
		.action = (int)action,
		.arg = (int64_t)message,
		.result = result,
		.called = called,
		.returned = draw(),
	};
}

/* --- moves --- */

/* Where there are more players than cores, others must come in the midst of it. */
static void linger(unsigned player)
{
	if (random_below(player, 4) == 0)
		sched_yield();
	dawdle(player, 30);
}

static ilk_time soon(unsigned player)
{
	return random_below(player, 2) ? ILK_NOW
				       : ilk_after_ns((int64_t)random_below(player, 100000));
}

static int reserve_and_commit(struct ilk_queue_handle *h, unsigned player, uint64_t message)
{
	void *at;
	int rc = ilk_queue_reserve(h, sizeof message, &at, soon(player));

	if (rc < 0)
		return rc;
	linger(player);
	memcpy(at, &message, sizeof message);
	return ilk_queue_commit(h, sizeof message);
}

static void put_one(struct ilk_queue_handle *h, unsigned player)
{
	uint64_t message = message_of(player, game->next[player]++), called = draw();
	int rc = random_below(player, 3) == 0
			 ? reserve_and_commit(h, player, message)
			 : ilk_queue_put(h, &message, sizeof message, soon(player));

	CHECK(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT);
	note(player, PUT, message, called, rc);
}

static void get_one(struct ilk_queue_handle *h, unsigned player, ilk_time deadline)
{
	uint64_t message = 0, called = draw();
	int rc = ilk_queue_get(h, &message, sizeof message, NULL, deadline);

	CHECK(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT);
	note(player, GET, 0, called, rc < 0 ? rc : (int64_t)message);
}

static void lease_one(struct ilk_queue_handle *h, unsigned player)
{
	uint64_t message = 0, called = draw();
	struct ilk_queue_lease l;
	int rc = ilk_queue_lease(h, &l, soon(player));

	CHECK(rc == 0 || rc == -EAGAIN || rc == -ETIMEDOUT);
	if (rc == 0)
		memcpy(&message, l.data, sizeof message);
	note(player, LEASE, 0, called, rc < 0 ? rc : (int64_t)message);
	if (rc < 0)
		return;
	linger(player);
	called = draw();
	if (random_below(player, 2))
		note(player, ACK, message, called, ilk_queue_ack(h, &l));
	else
		note(player, NACK, message, called, ilk_queue_nack(h, &l));
}

static void move(unsigned player)
{
	struct ilk_queue_handle *h = &handles[kind_now()];
	uint64_t how = random_below(player, 8);

	if (how < 4)
		put_one(h, player);
	else if (how < 6)
		get_one(h, player, soon(player));
	else
		lease_one(h, player);
	linger(player);
}

/* --- rounds --- */

static void show(const struct linear_history *h)
{
	static const char *const actions[] = {"put", "get", "lease", "ack", "nack"};

	for (unsigned i = 0; i < PLAYERS; i++)
		for (uint64_t k = 0; k < h->count[i]; k++) {
			const struct linear_step *s = &h->step[i][k];

			fprintf(stderr, "%u: %llu-%llu %s %lld: %lld\n", i,
				(unsigned long long)s->called, (unsigned long long)s->returned,
				actions[s->action], (long long)s->arg, (long long)s->result);
		}
}

/* What is left; noted as the first player's, who plays no more. */
static void drain(struct ilk_queue_handle *h)
{
	const struct linear_history *past = &game->history;

	do
		get_one(h, 0, ILK_NOW);
	while (past->step[0][past->count[0] - 1].result > 0);
}

static void count(unsigned kind)
{
	const struct linear_history *h = &game->history;

	for (unsigned i = 0; i < PLAYERS; i++)
		for (uint64_t k = 0; k < h->count[i]; k++) {
			game->in_vain[kind] += h->step[i][k].result < 0;
			game->again[kind] += h->step[i][k].action == NACK;
		}
	game->rounds[kind]++;
}

static void judge(void)
{
	unsigned kind = kind_now();

	drain(&handles[kind]);
	if (!linear_is_possible(&game->history, 0, models[kind])) {
		show(&game->history);
		ilk_test_fail("%s that makes no sense", kind_names[kind]);
	}
	count(kind);
	memset(&game->history, 0, sizeof game->history);
	memset(game->next, 0, sizeof game->next);
}

static void open_in(struct ilk_segment *seg)
{
	struct ilk_queue_options o = {.size = sizeof o, .capacity = ROOM, .message_bytes = 8};

	CHECK_RC(ilk_queue_open(seg, kind_names[0], &o, &queues[0]), 0);
	o.lanes = 2;
	CHECK_RC(ilk_queue_open(seg, kind_names[1], &o, &queues[1]), 0);
}

static void play_rounds(unsigned player)
{
	for (int i = 0; i < KINDS; i++)
		CHECK_RC(ilk_queue_attach(queues[i], &handles[i]), 0);
	game_meet(&game->common, PLAYERS, NULL);
	while (!ilk_load_relaxed_(&game->common.is_over)) {
		for (int i = 0; i < MOVES; i++)
			move(player);
		game_meet(&game->common, PLAYERS, judge);
	}
}

static void play_apart(unsigned player)
{
	struct ilk_segment *seg;

	if (player >= PLAYERS)
		return;
	seg = open_elsewhere(player, name);
	open_in(seg);
	play_rounds(player);
	ilk_segment_close(seg);
}

static void play_together(unsigned player)
{
	/* run_threads() begins again who returns: the game is over then. */
	if (player < PLAYERS && !ilk_load_relaxed_(&game->common.is_over))
		play_rounds(player);
	while (player >= PLAYERS && !time_is_over())
		ilk_test_sleep_ms(10);
}

static void check_game(unsigned flags, void (*run)(void (*)(unsigned)), void (*body)(unsigned))
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};

	game = mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(game, MAP_FAILED);
	strcpy(name, ilk_test_name(""));
	common = support_create(name, &options);
	open_in(common);
	run(body);
	for (int i = 0; i < KINDS; i++) {
		print_message("%lld rounds of %s, %lld steps in vain, %lld given back\n",
			(long long)game->rounds[i], kind_names[i], (long long)game->in_vain[i],
			(long long)game->again[i]);
		assert_true(game->rounds[i] > 0 && game->again[i] > 0);
	}
	CHECK_RC(ilk_segment_valid(common), 0);
	ilk_segment_close(common);
	support_unlink(name);
	munmap(game, sizeof *game);
}

static void test_queue_history_of_processes(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_game(0, run_undisturbed, play_apart);
}

static void test_queue_history_of_threads(void **state)
{
	(void)state;
	check_game(ILK_SEGMENT_FENCED, run_threads, play_together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_queue_history_of_processes),
		STRESS_TEST(test_queue_history_of_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
