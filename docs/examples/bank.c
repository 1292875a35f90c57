/*
 * bank.c - tellers, each a process, move money between accounts; one is killed in the midst of it.
 *
 * The lock goes to the next teller, who is told, counts, and puts the rule right: the money in the
 * house is what was brought in.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ilk.h>

enum { ACCOUNTS = 8, EACH = 100, TELLERS = 4, TRANSFERS = 5000, FATAL = 1234 };

/* What the processes share. */
struct bank {
	struct ilk_mutex lock;
	struct ilk_counter refused, repairs;
	int account[ACCOUNTS];
};

static int total(const struct bank *b)
{
	int sum = 0;

	for (int i = 0; i < ACCOUNTS; i++)
		sum += b->account[i];
	return sum;
}

/* What a dead teller had in its hand goes to the first account. */
static void repair(struct bank *b)
{
	b->account[0] += ACCOUNTS * EACH - total(b);
	ilk_counter_add(&b->repairs, 1);
	ilk_mutex_repaired(&b->lock);
}

static int transfer(struct bank *b, int from, int to, int amount, int dies)
{
	int rc;

	ILK_WITH_MUTEX (&b->lock, rc) {
		if (rc & ILK_RECOVERED)
			repair(b);
		/* Looked at and taken under one lock: no overdraft. */
		if (b->account[from] < amount) {
			ilk_counter_add(&b->refused, 1);
			continue;
		}
		b->account[from] -= amount;
		if (dies)
			raise(SIGKILL);
		b->account[to] += amount;
	}
	return rc;
}

static int tell(struct bank *b, unsigned me)
{
	unsigned dice = me * 2654435761u + 1;

	for (int i = 0; i < TRANSFERS; i++) {
		dice = dice * 1103515245u + 12345;
		int rc = transfer(b, (int)(dice >> 8) % ACCOUNTS, (int)(dice >> 16) % ACCOUNTS,
			1 + (int)(dice >> 24) % EACH, me == 1 && i >= FATAL);
		if (rc < 0)
			return 1;
	}
	return 0;
}

int main(void)
{
	struct ilk_segment *seg;
	struct bank *bank;
	void *memory;
	int finished = 0, how;
	int rc = ilk_segment_anonymous("bank", NULL, &seg);

	if (rc == 0)
		rc = ilk_block_open(seg, "bank", sizeof *bank, &memory);
	bank = rc == 0 ? memory : NULL;
	if (bank)
		rc = ilk_mutex_init(seg, &bank->lock, "bank", NULL);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	for (int i = 0; i < ACCOUNTS; i++)
		bank->account[i] = EACH;
	for (unsigned i = 0; i < TELLERS; i++)
		if (fork() == 0)
			_exit(tell(bank, i));
	while (wait(&how) > 0)
		finished += how == 0;
	/* It may have been the last to come. */
	ILK_WITH_MUTEX (&bank->lock, rc)
		if (rc & ILK_RECOVERED)
			repair(bank);
	printf("%d tellers finished, %lld died of their work; %d in the house\n", finished,
		(long long)ilk_counter_read(&bank->repairs), total(bank));
	return ilk_segment_close(seg);
}
