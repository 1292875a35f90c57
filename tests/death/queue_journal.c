/*
 * queue_journal.c - a journal of dead letters, as a mover leaves it who died after he had decided; and
 * what was done with the queue that the message was in. And who buries, and looked too early.
 */
#include "queue/taking.h"
#include "support.h"
#include <errno.h>
#include <ilk/object.h>
#include <string.h>

enum { ROOM = 4, DECIDED = 1, MOVES = 1 };
static const uint32_t dead_one = UINT32_C(0xfff00010);

static char name[64];
static struct ilk_segment *seg;
static struct ilk_queue *letters, *queue;

static struct ilk_queue *queue_of(const char *of, unsigned deliveries, const char *dead)
{
	const struct ilk_queue_options o = {.size = sizeof o,
		.capacity = ROOM,
		.max_deliveries = deliveries,
		.dead_letter = dead};
	struct ilk_queue *q = NULL;

	CHECK_RC(ilk_queue_open(seg, of, &o, &q), 0);
	return q;
}

static struct ilk_queue_handle attached(struct ilk_queue *q)
{
	struct ilk_queue_handle h;

	CHECK_RC(ilk_queue_attach(q, &h), 0);
	return h;
}

/* VALUE, which is given back, is in Q's first cell. */
static void put_and_give_back(struct ilk_queue *q, uint64_t value)
{
	struct ilk_queue_handle h = attached(q);
	struct ilk_queue_lease l;

	CHECK_RC(ilk_queue_put(&h, &value, sizeof value, ILK_NOW), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_nack(&h, &l), 0);
}

static int64_t next_of(struct ilk_queue *q)
{
	struct ilk_queue_handle h = attached(q);
	uint64_t value = 0;
	int rc = ilk_queue_get(&h, &value, sizeof value, NULL, ILK_NOW);

	return rc < 0 ? rc : (int64_t)value;
}

/* Message 1 goes from the first cell of `queue` to that of the letters; its mover dies on the way. */
static void die_in_a_move(void)
{
	struct ilk_queue_handle from, to = attached(letters);
	struct ilk_queue_cell_ *cell = ilk_queue_numbered_(&to, 0);

	put_and_give_back(queue, 1);
	from = attached(queue);
	cell->word = ilk_cell_owned_(cell->word, ILK_CELL_CLAIMED_, dead_one, MOVES);
	cell->bytes = sizeof(uint64_t);
	memcpy(cell->data, &(uint64_t){1}, sizeof(uint64_t));
	letters->journal = (struct ilk_queue_journal_){.stage = DECIDED,
		.owner = dead_one,
		.serial = ilk_queue_numbered_(&from, 0)->serial,
		.id = queue->id,
		.name = "queue"};
}

static int setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	CHECK_RC(ilk_segment_create(name, NULL, &seg), 0);
	letters = queue_of("letters", 0, NULL);
	queue = queue_of("queue", 2, "letters");
	die_in_a_move();
	return 0;
}

static int teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

/* The next move there settles what was left, before its own. */
static void move_another(void)
{
	put_and_give_back(queue_of("another", 1, "letters"), 2);
	assert_int_equal(letters->journal.stage, 0);
	assert_int_equal(next_of(letters), 1);
	assert_int_equal(next_of(letters), 2);
	assert_int_equal(next_of(letters), -EAGAIN);
}

static void test_what_was_decided_is_done(void **state)
{
	(void)state;
	move_another();
	assert_int_equal(next_of(queue), -EAGAIN);
}

static void remove_queue(void)
{
	CHECK_RC(ilk_object_remove(seg, "queue"), 0);
	CHECK_RC(ilk_object_close(queue), 0);
}

/* At the same place, with a message of the same serial: and that is another. */
static void test_a_queue_made_anew_keeps_its_message(void **state)
{
	const struct ilk_queue *before = queue;
	struct ilk_queue_handle h;

	(void)state;
	remove_queue();
	queue = queue_of("queue", 2, "letters");
	CHECK(queue == before);
	put_and_give_back(queue, 3);
	h = attached(queue);
	assert_int_equal(ilk_queue_numbered_(&h, 0)->serial, letters->journal.serial);
	move_another();
	assert_int_equal(next_of(queue), 3);
	assert_int_equal(next_of(queue), -EAGAIN);
}

static void test_a_queue_that_is_gone_is_not_looked_for(void **state)
{
	(void)state;
	remove_queue();
	move_another();
	queue = queue_of("queue", 2, "letters");
	assert_int_equal(next_of(queue), -EAGAIN);
}

static void test_a_queue_that_is_damaged_does_not_hold_up_another(void **state)
{
	uint32_t shift = queue->shift;

	(void)state;
	queue->shift = UINT32_MAX;
	move_another();
	queue->shift = shift;
}

static void test_a_journal_that_makes_no_sense_does_no_harm(void **state)
{
	(void)state;
	letters->journal.from = letters->journal.to = UINT32_MAX;
	put_and_give_back(queue_of("another", 1, "letters"), 2);
	assert_int_equal(letters->journal.stage, 0);
	assert_int_equal(next_of(queue), 1);
}

/* --- who looked too early --- */

enum { MOST = 3 };

/*
 * W is of Q's first cell, when its message had been delivered MOST times; since then that was buried,
 * and there is message 2, delivered once.
 */
static struct ilk_queue_walk_ look_too_early(struct ilk_queue *q)
{
	struct ilk_queue_handle h = attached(q);
	struct ilk_queue_walk_ w = {.cell = ilk_queue_numbered_(&h, 0)};

	put_and_give_back(q, 2);
	w.word = ilk_cell_owned_(w.cell->word - ILK_CELL_LAP_, ILK_CELL_TAKEN_, 0, MOST);
	return w;
}

static void check_it_stays(struct ilk_queue *q, struct ilk_queue *dead)
{
	struct ilk_queue_walk_ w = look_too_early(q);
	struct ilk_queue_handle h = attached(q);

	assert_int_equal(ilk_queue_bury_(&h, &w), 1);
	if (dead)
		assert_int_equal(next_of(dead), -EAGAIN);
	assert_int_equal(next_of(q), 2);
	assert_int_equal(next_of(q), -EAGAIN);
}

static void test_a_later_message_is_not_dropped_for_an_earlier(void **state)
{
	(void)state;
	check_it_stays(queue_of("dropping", MOST, NULL), NULL);
}

static void test_a_later_message_is_not_moved_for_an_earlier(void **state)
{
	struct ilk_queue *dead = queue_of("dead", 0, NULL);

	(void)state;
	check_it_stays(queue_of("moving", MOST, "dead"), dead);
}

/* Its length is beyond its cell, and yet not beyond those of the dead letters. */
static void test_a_length_that_cannot_be_is_not_moved(void **state)
{
	const struct ilk_queue_options o = {.size = sizeof o, .message_bytes = 2 * ILK_QUEUE_BYTES};
	struct ilk_queue *damaged = queue_of("damaged", 1, "roomy"), *roomy = NULL;
	struct ilk_queue_handle h = attached(damaged);
	uint64_t value = 1;
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(ilk_queue_open(seg, "roomy", &o, &roomy), 0);
	CHECK_RC(ilk_queue_put(&h, &value, sizeof value, ILK_NOW), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	ilk_queue_numbered_(&h, 0)->bytes = 2 * ILK_QUEUE_BYTES;
	CHECK_RC(ilk_queue_nack(&h, &l), 0);
	assert_int_equal(next_of(damaged), -EAGAIN);
	assert_int_equal(next_of(roomy), -EAGAIN);
	assert_int_equal(ilk_cell_state_(ilk_queue_numbered_(&h, 0)->word), ILK_CELL_TAKEN_);
}

#define JOURNAL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_what_was_decided_is_done),
		JOURNAL_TEST(test_a_queue_made_anew_keeps_its_message),
		JOURNAL_TEST(test_a_queue_that_is_gone_is_not_looked_for),
		JOURNAL_TEST(test_a_queue_that_is_damaged_does_not_hold_up_another),
		JOURNAL_TEST(test_a_journal_that_makes_no_sense_does_no_harm),
		JOURNAL_TEST(test_a_later_message_is_not_dropped_for_an_earlier),
		JOURNAL_TEST(test_a_later_message_is_not_moved_for_an_earlier),
		JOURNAL_TEST(test_a_length_that_cannot_be_is_not_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
