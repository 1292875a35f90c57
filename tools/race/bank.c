/*
 * bank.c - transfers between accounts: looks whether there is enough, then takes it.
 *
 * Between the look and the taking another may have taken it: the account is overdrawn. And a balance
 * that two change at once keeps one of the changes: money vanishes, or comes from nowhere.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/mutex.h>

enum { ACCOUNTS = 4, AT_FIRST = 100, MOST = 100 };

struct bank {
	volatile int64_t balance[ACCOUNTS];
	int64_t overdrawn; /* times somebody found his account below zero */
};

static _Thread_local struct {
	struct bank *bank;
	struct ilk_mutex *mutex;
} my;

static int open_bank(struct ilk_segment *seg)
{
	return race_block(seg, "bank", sizeof *my.bank, &my.bank);
}

static int prepare(struct ilk_segment *seg)
{
	int rc = open_bank(seg);

	for (int i = 0; rc == 0 && i < ACCOUNTS; i++)
		my.bank->balance[i] = AT_FIRST;
	return rc;
}

/* What a worker does next. */
struct transfer {
	int from, to;
	int64_t amount;
};

static struct transfer choose(struct race_worker *me)
{
	int from = (int)race_random(me, ACCOUNTS);

	return (struct transfer){
		.from = from,
		.to = (from + 1 + (int)race_random(me, ACCOUNTS - 1)) % ACCOUNTS,
		.amount = 1 + (int64_t)race_random(me, MOST),
	};
}

/* Under a lock, or not. */
__attribute__((no_sanitize("thread"))) static inline void transfer(struct race_worker *me)
{
	struct transfer t = choose(me);
	volatile int64_t *from = &my.bank->balance[t.from];

	if (*from < t.amount)
		return;
	race_note(me, "there is enough, and takes", t.amount);
	*from -= t.amount;
	my.bank->balance[t.to] += t.amount;
	if (*from < 0) {
		race_note(me, "finds itself overdrawn:", *from);
		ilk_add_relaxed_(&my.bank->overdrawn, 1);
	}
}

/* --- broken --- */

static int work_broken(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--)
		transfer(me);
	return 0;
}

/* --- mutex: look and taking are one, for all who lock it --- */

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_bank(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

static int work_locked(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		transfer(me);
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

/* --- compare-exchange: the taking succeeds only if the balance is still what was looked at --- */

static int withdraw(volatile int64_t *balance, int64_t amount)
{
	int64_t seen = ilk_load_relaxed_(balance);

	do {
		if (seen < amount)
			return 0;
	} while (!ilk_cas_full_(balance, &seen, seen - amount));
	return 1;
}

static int work_exchange(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		struct transfer t = choose(me);

		if (withdraw(&my.bank->balance[t.from], t.amount))
			ilk_add_relaxed_(&my.bank->balance[t.to], t.amount);
		if (ilk_load_relaxed_(&my.bank->balance[t.from]) < 0)
			ilk_add_relaxed_(&my.bank->overdrawn, 1);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	int64_t sum = 0;

	for (int i = 0; i < ACCOUNTS; i++)
		sum += my.bank->balance[i];
	count->of = count->expected;
	count->expected = ACCOUNTS * AT_FIRST;
	count->got = sum;
	count->failures = my.bank->overdrawn + (sum != count->expected);
}

/* Somebody overdrawn, and what led to it. */
static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i < count; i++)
		if (e[i].value < 0) {
			*from = i > 4 ? i - 4 : 0;
			*to = i;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{.name = "broken",
		.what = "if (balance >= amount) balance -= amount",
		.aim = RACE_FAILS,
		.prepare = prepare,
		.open = open_bank,
		.work = work_broken,
		.judge = judge},
	{.name = "mutex",
		.what = "the same while holding an ilk_mutex",
		.aim = RACE_HOLDS,
		.prepare = prepare,
		.open = open_mutex,
		.work = work_locked,
		.judge = judge},
	{.name = "compare-exchange",
		.what = "takes only if the balance is still the one looked at",
		.aim = RACE_HOLDS,
		.prepare = prepare,
		.open = open_bank,
		.work = work_exchange,
		.judge = judge},
};

const struct race_scenario race_bank = {
	.name = "bank",
	.bug = "looks whether there is enough, then takes it",
	.breaks = "accounts are overdrawn, money vanishes or comes from nowhere",
	.fix = "look and take under one lock, or in one compare-exchange",
	.failures = "overdrawn or wrong",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.iterations = 2000000,
	.witness = witness,
};
