/* graph.c - who is stuck: on made-up inspections, so that each edge is known. */
#include "ilk/graph.h"
#include "support.h"
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 4, THREADS = 4, HOLDERS = 8 };

/* Thread i is alone in process i. */
struct look {
	struct ilk_inspection in;
	struct ilk_object_info objects[OBJECTS];
	struct ilk_process_info processes[THREADS];
	struct ilk_thread_info threads[THREADS];
	struct ilk_holder_info holders[HOLDERS];
};

static struct look looks[2], laters[2];
static struct graph_look all[2];
static struct graph g;

static void fill(struct look *l)
{
	*l = (struct look){.in = {.object_count = OBJECTS,
				   .process_count = THREADS,
				   .thread_count = THREADS,
				   .liveness = ILK_LIFE_ALIVE}};
	for (int i = 0; i < OBJECTS; i++)
		l->objects[i] =
			(struct ilk_object_info){.type = "mutex", .offset = 64 * (uint64_t)(i + 1)};
	for (int i = 0; i < THREADS; i++) {
		l->processes[i] = (struct ilk_process_info){.slot = i,
			.life = ILK_LIFE_ALIVE,
			.pid = 100 + i,
			.pid_space = 7,
			.start_time = 1,
			.tasks = 1};
		l->threads[i] = (struct ilk_thread_info){.slot = i,
			.process = i,
			.life = ILK_LIFE_ALIVE,
			.tid = 100 + i,
			.waits_for = ILK_NO_INDEX};
	}
	l->in.objects = l->objects;
	l->in.processes = l->processes;
	l->in.threads = l->threads;
	l->in.holders = l->holders;
}

static int make_looks(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		fill(&looks[i]);
		fill(&laters[i]);
		all[i] = (struct graph_look){.in = &looks[i].in, .later = &laters[i].in};
	}
	return 0;
}

static int free_graph(void **state)
{
	(void)state;
	graph_free(&g);
	g = (struct graph){.nodes = NULL};
	return 0;
}

/* In the order of the objects. */
static void holds(int look, int thread, int object, const char *how)
{
	struct ilk_inspection *in = &looks[look].in;
	struct ilk_holder_info *h = &looks[look].holders[in->holder_count++];

	*h = (struct ilk_holder_info){.object = object, .thread = thread, .process = thread};
	strcpy(h->how, how);
}

static void waits(int look, int thread, int object)
{
	looks[look].threads[thread].waits_for = laters[look].threads[thread].waits_for = object;
	looks[look].threads[thread].wait_since = laters[look].threads[thread].wait_since = 50;
}

static void set_type(int object, const char *type)
{
	looks[0].objects[object].type = laters[0].objects[object].type = type;
}

static void solve(size_t count)
{
	graph_build(&g, all, count);
	graph_solve(&g);
}

/* The threads that are stuck, as bits. */
static unsigned stuck(void)
{
	unsigned bits = 0;

	for (size_t i = 0; i < g.node_count; i++)
		if (g.nodes[i].is_stuck && g.nodes[i].kind == GRAPH_THREAD)
			bits |= 1u << g.nodes[i].thread;
	return bits;
}

static void make_circle(void)
{
	holds(0, 0, 0, "held");
	holds(0, 1, 1, "held");
	waits(0, 0, 1);
	waits(0, 1, 0);
}

static void test_two_in_a_circle_are_stuck_and_who_is_behind(void **state)
{
	(void)state;
	make_circle();
	holds(0, 2, 2, "held");
	waits(0, 2, 1);
	waits(0, 3, 2);
	solve(1);
	assert_int_equal(stuck(), 15);
	assert_int_equal(g.cycles, 1);
	assert_true(g.nodes[2].cycle == GRAPH_NONE && g.nodes[2].behind == 0);
	assert_true(g.nodes[3].cycle == GRAPH_NONE && g.nodes[3].behind == 0);
}

static void test_two_circles_are_two(void **state)
{
	(void)state;
	make_circle();
	holds(0, 2, 2, "held");
	holds(0, 3, 3, "held");
	waits(0, 2, 3);
	waits(0, 3, 2);
	solve(1);
	assert_int_equal(g.cycles, 2);
	assert_true(g.nodes[0].cycle == g.nodes[1].cycle && g.nodes[2].cycle == g.nodes[3].cycle);
	assert_true(g.nodes[0].cycle != g.nodes[2].cycle);
}

static void test_a_wait_that_is_another_in_the_second_look_is_none(void **state)
{
	(void)state;
	make_circle();
	laters[0].threads[0].wait_since++;
	solve(1);
	assert_int_equal(stuck(), 0);
	graph_free(&g);
	laters[0].threads[0].wait_since--;
	laters[0].threads[0].waits_for = 2;
	solve(1);
	assert_int_equal(stuck(), 0);
	graph_free(&g);
	laters[0].threads[0].waits_for = ILK_NO_INDEX;
	solve(1);
	assert_int_equal(stuck(), 0);
	graph_free(&g);
	/* Another thread in its slot. */
	laters[0].threads[0].waits_for = 1;
	laters[0].threads[0].joined = 9;
	solve(1);
	assert_int_equal(stuck(), 0);
}

static void test_the_dead_are_not_stuck_and_hold_up_nobody_for_ever(void **state)
{
	(void)state;
	make_circle();
	looks[0].threads[0].life = looks[0].processes[0].life = ILK_LIFE_DEAD;
	solve(1);
	assert_int_equal(stuck(), 0);
}

static void make_permits(void)
{
	set_type(0, "permits");
	holds(0, 0, 0, "permits");
	holds(0, 1, 0, "permits");
	holds(0, 2, 1, "held");
	waits(0, 0, 1);
	waits(0, 1, 1);
	waits(0, 2, 0);
}

static void test_permits_need_all_holders_stuck_and_none_free(void **state)
{
	(void)state;
	make_permits();
	solve(1);
	assert_int_equal(stuck(), 7);
	assert_int_equal(g.cycles, 1);
	graph_free(&g);
	looks[0].objects[0].value = 1;
	solve(1);
	assert_int_equal(stuck(), 0);
	graph_free(&g);
	looks[0].objects[0].value = 0;
	looks[0].threads[1].waits_for = ILK_NO_INDEX;
	solve(1);
	assert_int_equal(stuck(), 0);
	assert_true(graph_is_root(&g, 1));
	assert_false(graph_is_root(&g, 0));
}

static void test_a_process_is_stuck_with_all_its_tasks(void **state)
{
	(void)state;
	make_permits();
	looks[0].holders[0].thread = looks[0].holders[1].thread = ILK_NO_INDEX;
	solve(1);
	assert_int_equal(stuck(), 7);
	graph_free(&g);
	looks[0].processes[1].tasks = 2;
	solve(1);
	assert_int_equal(stuck(), 0);
	graph_free(&g);
	looks[0].processes[1].tasks = 0; /* unknown */
	solve(1);
	assert_int_equal(stuck(), 0);
}

static void test_readers_block_through_a_writer_only(void **state)
{
	(void)state;
	set_type(0, "rwlock");
	holds(0, 3, 0, "will write");
	holds(0, 0, 0, "reads");
	holds(0, 1, 1, "held");
	waits(0, 0, 1);
	waits(0, 1, 0);
	waits(0, 3, 0);
	solve(1);
	assert_int_equal(stuck(), 1 | 2 | 8);
	graph_free(&g);
	strcpy(looks[0].holders[0].how, "reads");
	looks[0].threads[3].waits_for = ILK_NO_INDEX;
	solve(1);
	assert_int_equal(stuck(), 0);
}

static void test_who_only_anybody_can_help_is_not_stuck(void **state)
{
	(void)state;
	make_circle();
	set_type(1, "queue");
	solve(1);
	assert_int_equal(stuck(), 0);
	assert_true(graph_is_root(&g, 0));
}

static void test_a_thread_in_two_segments_is_one(void **state)
{
	(void)state;
	holds(0, 0, 0, "held");
	waits(0, 1, 0);
	holds(1, 1, 0, "held");
	waits(1, 0, 0);
	solve(2);
	assert_int_equal(g.node_count, THREADS);
	assert_int_equal(stuck(), 3);
	graph_free(&g);
	/* Pids mean nothing in another pid namespace, and come again. */
	looks[1].processes[0].pid_space = 8;
	solve(2);
	assert_int_equal(stuck(), 0);
	graph_free(&g);
	looks[1].processes[0].pid_space = 7;
	looks[1].processes[0].start_time = 2;
	solve(2);
	assert_int_equal(stuck(), 0);
}

static void count(const struct graph *graph, size_t node, void *arg)
{
	(void)graph, (void)node;
	++*(int *)arg;
}

static void test_a_chain_ends_in_its_root(void **state)
{
	int behind = 0;

	(void)state;
	holds(0, 0, 0, "held");
	holds(0, 1, 1, "held");
	waits(0, 1, 0);
	waits(0, 2, 1);
	waits(0, 3, 0);
	solve(1);
	assert_int_equal(stuck(), 0);
	assert_int_equal(g.cycles, 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(graph_is_root(&g, i), i == 0);
	assert_int_equal(graph_each_behind(&g, 0, count, &behind), 3);
	assert_int_equal(behind, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_looks, free_graph)
	const struct CMUnitTest tests[] = {
		TEST(test_two_in_a_circle_are_stuck_and_who_is_behind),
		TEST(test_two_circles_are_two),
		TEST(test_a_wait_that_is_another_in_the_second_look_is_none),
		TEST(test_the_dead_are_not_stuck_and_hold_up_nobody_for_ever),
		TEST(test_permits_need_all_holders_stuck_and_none_free),
		TEST(test_a_process_is_stuck_with_all_its_tasks),
		TEST(test_readers_block_through_a_writer_only),
		TEST(test_who_only_anybody_can_help_is_not_stuck),
		TEST(test_a_thread_in_two_segments_is_one),
		TEST(test_a_chain_ends_in_its_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
