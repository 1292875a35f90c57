/*
 * stack.c - a stack of blocks in shared memory, which several processes push on.
 *
 * A block is its process's until it is published; then it is on the stack, and everybody's, at
 * once. So no push is half-done, whenever its process is killed, and who is told ILK_RECOVERED
 * finds nothing to put right.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { WORKERS = 4, PUSHES = 1000 };

struct node {
	ILK_REF(struct node) below;
	int64_t value;
};

/* What the processes share. */
struct stack {
	struct ilk_mutex mutex;
	ILK_REF(struct node) top;
};

static int say(int rc)
{
	fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

static int push(struct ilk_segment *seg, struct stack *stack, int64_t value)
{
	struct node *n;
	void *memory;
	int rc = ilk_alloc(seg, sizeof *n, &memory), held;

	if (rc < 0)
		return rc;
	n = memory;
	n->value = value;
	ILK_WITH_MUTEX (&stack->mutex, held) {
		n->below.any = stack->top.any;
		rc = ilk_publish(seg, n, &stack->top);
	}
	return held < 0 ? held : rc;
}

/* 1: *VALUE was on top; 0: the stack is empty; negative: as ilk_free. */
static int pop(struct ilk_segment *seg, struct stack *stack, int64_t *value)
{
	int rc = 0, held;

	ILK_WITH_MUTEX (&stack->mutex, held) {
		struct node *n = ilk_at(seg, stack->top);

		if (n) {
			*value = n->value;
			rc = ilk_free(seg, n, &stack->top, n->below.any);
			rc = rc < 0 ? rc : 1;
		}
	}
	return held < 0 ? held : rc;
}

static int work(struct ilk_segment *seg, struct stack *stack, int worker)
{
	int rc = 0;

	for (int i = 1; rc == 0 && i <= PUSHES; i++)
		rc = push(seg, stack, worker * PUSHES + i);
	return rc < 0 ? say(rc) : 0;
}

static int push_by_workers(struct ilk_segment *seg, struct stack *stack)
{
	int status, failed = 0;

	for (int worker = 0; worker < WORKERS; worker++) {
		pid_t child = fork();

		if (child == 0)
			_exit(work(seg, stack, worker));
		failed |= child < 0;
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

int main(void)
{
	struct ilk_segment *seg;
	struct stack *stack;
	struct ilk_usage usage;
	void *memory;
	int64_t value, sum = 0, popped = 0;
	int failed, rc = ilk_segment_anonymous("stack", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "stack", sizeof *stack, &memory);
	if (rc < 0)
		return say(rc);
	stack = memory;
	rc = ilk_mutex_init(seg, &stack->mutex, "stack", NULL);
	if (rc < 0)
		return say(rc);

	failed = push_by_workers(seg, stack);
	while ((rc = pop(seg, stack, &value)) == 1) {
		sum += value;
		popped++;
	}
	if (rc == 0)
		rc = ilk_usage(seg, &usage);
	if (rc < 0)
		return say(rc);
	printf("%lld popped, their sum is %lld; in use: %llu block\n", (long long)popped,
		(long long)sum, (unsigned long long)usage.blocks);
	ilk_segment_close(seg);
	return failed;
}
