/*
 * toy.c - one lock in one page.
 *
 * State  lock: 0 free; 1..5 the role that holds it; or a fault's own values.
 *        damaged: an owner died, and the data has not been put right.
 * Life   a write lock on byte ROLE of the file, on a description of its process's own.
 */
#include "toy.h"
#include <errno.h>
#include <fcntl.h>
#include <ilk/atomics.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, TICK_NS = 20000000, UNSIGNED = 100, IN_REPAIR, HANDED, ROUNDS = 20 };

struct toy {
	uint32_t lock, signature, damaged, sleeper;
	int32_t pids[ROLE_COUNT + 1];
	uint64_t a, b, entries;
};

enum toy_fault toy_fault;
static struct toy *toy;
static int file;
static uint32_t me;
static char litter[96];

/* ---- the lock ---- */

static bool alive(uint32_t role)
{
	struct flock life = {.l_type = F_RDLCK, .l_start = role, .l_len = 1};

	if (toy_fault == TOY_ASKS_BY_PID)
		return kill(toy->pids[role], 0) == 0;
	return role == me || fcntl(file, F_OFD_GETLK, &life) < 0 || life.l_type != F_UNLCK;
}

static bool looks_for_dead(uint32_t holder)
{
	if (toy_fault == TOY_NEVER_LOOKS || toy_fault == TOY_REPAIRS_AT_ATTACH)
		return false;
	return holder && holder < UNSIGNED && !alive(holder);
}

static bool take_from(uint32_t holder)
{
	uint32_t first = toy_fault == TOY_LATE_OWNER ? UNSIGNED : me;

	if (holder && toy_fault == TOY_FRAGILE_REPAIR)
		first = IN_REPAIR;
	if (!ilk_cas_full_(&toy->lock, &holder, first))
		return false;
	ilk_store_release_(&toy->lock, me);
	return true;
}

static void wait_for_change(uint32_t seen)
{
	struct timespec tick = {.tv_nsec = TICK_NS};

	if (seen != HANDED)
		ilk_store_relaxed_(&toy->sleeper, me);
	syscall(SYS_futex, &toy->lock, FUTEX_WAIT, seen, &tick, NULL, 0);
}

/* 0, or 1: the last owner died. */
static int lock(void)
{
	for (;;) {
		uint32_t holder = ilk_load_acquire_(&toy->lock);
		bool dead = looks_for_dead(holder);
		bool mine = holder == HANDED && ilk_load_relaxed_(&toy->sleeper) == me;

		if (holder && !dead && !mine) {
			wait_for_change(holder);
			continue;
		}
		if (!take_from(holder))
			continue;
		if (dead && toy_fault != TOY_HIDES_DEATH)
			ilk_store_relaxed_(&toy->damaged, 1);
		return (int)ilk_load_relaxed_(&toy->damaged);
	}
}

static void unlock(void)
{
	bool hand = toy_fault == TOY_HANDS_OVER && ilk_load_relaxed_(&toy->sleeper);

	ilk_store_release_(&toy->lock, hand ? HANDED : 0);
	if (toy_fault == TOY_TELLS_LIES)
		ilk_store_relaxed_(&toy->damaged, 1);
	syscall(SYS_futex, &toy->lock, FUTEX_WAKE, 1, NULL, NULL, 0);
	if (toy_fault == TOY_TELLS_LIES)
		ilk_store_relaxed_(&toy->damaged, 0);
}

/* ---- the processes ---- */

static int attach(struct stage *s)
{
	char path[64];
	struct flock life = {.l_type = F_WRLCK, .l_len = 1};

	me = (uint32_t)s->role + 1;
	life.l_start = me;
	snprintf(path, sizeof path, "/dev/shm/ilk.%s", s->segment);
	snprintf(litter, sizeof litter, "%s.litter", path);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, PAGE) < 0 || fcntl(file, F_OFD_SETLK, &life) < 0)
		return fail(s, "attach: %s", strerror(errno));
	toy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (toy == MAP_FAILED)
		return fail(s, "mmap: %s", strerror(errno));
	toy->pids[me] = getpid();
	if (toy_fault == TOY_REPAIRS_AT_ATTACH && toy->lock && !alive(toy->lock)) {
		toy->lock = 0;
		toy->damaged = 1;
	}
	return 0;
}

static int lock_once(struct stage *s)
{
	(void)s;
	return lock() < 0;
}

static int unlock_once(struct stage *s)
{
	(void)s;
	if (toy_fault == TOY_LITTERS)
		close(open(litter, O_CREAT | O_CLOEXEC, 0600));
	unlock();
	if (toy_fault == TOY_LITTERS)
		unlink(litter);
	return 0;
}

static int attach_and_lock(struct stage *s)
{
	return attach(s) < 0 || lock_once(s) ? -1 : 0;
}

static int change_guarded(struct stage *s, int told)
{
	if (told)
		toy->b = toy->a;
	else if (toy->a != toy->b)
		return fail(s, "the data is half-done, and the lock told nothing");
	toy->damaged = 0;
	toy->a++;
	toy->b++;
	return 0;
}

static int recover(struct stage *s)
{
	int told = lock(), rc;

	if (told || s->board->outcome == NO_OUTCOME)
		s->board->outcome = told;
	rc = change_guarded(s, told);
	unlock();
	return rc;
}

static int check(struct stage *s)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (lock() != 0)
			return fail(s, "told of a death that was dealt with");
		if (change_guarded(s, 0) < 0)
			return -1;
		toy->entries++;
		unlock();
	}
	return 0;
}

static int audit(struct stage *s)
{
	return expect(s, "the number of entries", (int)toy->entries, 2 * ROUNDS);
}

#define TOY_ROLES \
	.found = attach, .attach = attach, .recover = recover, .check = check, .audit = audit

const struct operation toy_lock_row = {
	.name = "toy_lock",
	.what = "takes the toy lock",
	TOY_ROLES,
	.prepare = attach,
	.operate = lock_once,
	.before = 0,
	.after = 1,
};

const struct operation toy_unlock_row = {
	.name = "toy_unlock",
	.what = "lets go of the toy lock",
	TOY_ROLES,
	.prepare = attach_and_lock,
	.operate = unlock_once,
	.before = 1,
	.after = 0,
};

const struct operation toy_asleep_row = {
	.name = "toy_lock_asleep",
	.what = "sleeps in the toy lock",
	TOY_ROLES,
	.part = PART_HOLDS,
	.partner = lock_once,
	.partner_after = unlock_once,
	.prepare = attach,
	.operate = lock_once,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation toy_woken_row = {
	.name = "toy_lock_woken",
	.what = "sleeps in the toy lock, is woken and takes it",
	TOY_ROLES,
	.part = PART_HOLDS,
	.partner = lock_once,
	.partner_after = unlock_once,
	.prepare = attach,
	.operate = lock_once,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};
