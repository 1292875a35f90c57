/*
 * selftest.c - does the harness notice? Planted faults, in a toy lock and in the library itself.
 *
 * Each fault must be caught, by the mode that is there for it where only that mode can; and the
 * same code without a fault must survive everything.
 */
#include "campaign.h"
#include "scenarios.h"
#include "setup.h"
#include "step.h"
#include "toy.h"
#include "watch.h"
#include <fault.h>
#include <stdio.h>

enum { EXIT_SKIPPED = 77, ANY = -1, SHORT_MS = 250, LONG_MS = 3000 };

int ilk_fault_; /* read by the library, as compiled for this test */

struct test {
	const char *what;
	const struct operation *row;
	enum toy_fault toy;
	int fault; /* in the library */
	unsigned modes;
	int order;
	bool caught;
};

static const struct test tests[] = {
	{"toy, sound: lock", &toy_lock_row, TOY_SOUND, 0, 0, ANY, false},
	{"toy, sound: unlock", &toy_unlock_row, TOY_SOUND, 0, 0, ANY, false},
	{"toy, sound: asleep", &toy_asleep_row, TOY_SOUND, 0, 0, ANY, false},
	{"toy, sound: woken", &toy_woken_row, TOY_SOUND, 0, 0, ANY, false},
	{"toy, never looks", &toy_lock_row, TOY_NEVER_LOOKS, 0, MODE_PLAIN, ANY, true},
	{"toy, late owner", &toy_lock_row, TOY_LATE_OWNER, 0, MODE_PLAIN, ANY, true},
	{"toy, late owner, woken", &toy_woken_row, TOY_LATE_OWNER, 0, MODE_PLAIN, ANY, true},
	{"toy, asks by pid: no zombies", &toy_lock_row, TOY_ASKS_BY_PID, 0, MODE_PLAIN, ANY, false},
	{"toy, asks by pid: zombies", &toy_lock_row, TOY_ASKS_BY_PID, 0, MODE_ZOMBIE, ANY, true},
	{"toy, repairs at attach: late first", &toy_lock_row, TOY_REPAIRS_AT_ATTACH, 0, MODE_PLAIN,
		LATE_FIRST, false},
	{"toy, repairs at attach: early first", &toy_lock_row, TOY_REPAIRS_AT_ATTACH, 0, MODE_PLAIN,
		EARLY_FIRST, true},
	{"toy, fragile repair: one death", &toy_lock_row, TOY_FRAGILE_REPAIR, 0, MODE_PLAIN, ANY,
		false},
	{"toy, fragile repair: two deaths", &toy_lock_row, TOY_FRAGILE_REPAIR, 0, MODE_SECOND, ANY,
		true},
	{"toy, hands over to the dead", &toy_asleep_row, TOY_HANDS_OVER, 0, MODE_PLAIN, ANY, true},
	{"toy, hides a death", &toy_lock_row, TOY_HIDES_DEATH, 0, MODE_PLAIN, ANY, true},
	{"toy, tells of a death that was none", &toy_unlock_row, TOY_TELLS_LIES, 0, MODE_PLAIN, ANY,
		true},
	{"toy, leaves a file", &toy_unlock_row, TOY_LITTERS, 0, MODE_PLAIN, ANY, true},
	{"library, sound: lock", &mutex_lock_row, 0, ILK_FAULT_NONE, 0, ANY, false},
	{"library, sound: unlock", &mutex_unlock_waited_row, 0, ILK_FAULT_NONE, 0, ANY, false},
	{"library, the dead live", &mutex_lock_row, 0, ILK_FAULT_ALWAYS_ALIVE, MODE_PLAIN, ANY,
		true},
	{"library, late owner", &mutex_lock_row, 0, ILK_FAULT_LATE_OWNER, MODE_PLAIN, ANY, true},
	{"library, silent unlock", &mutex_unlock_waited_row, 0, ILK_FAULT_SILENT_UNLOCK, MODE_PLAIN,
		ANY, true},
	{"condition, sound: signal", &condition_signal_waited_row, 0, ILK_FAULT_NONE, 0, ANY,
		false},
	{"condition, nobody looks by himself", &condition_signal_waited_row, 0,
		ILK_FAULT_SILENT_UNLOCK, MODE_PLAIN, ANY, true},
	{"rwlock, sound: unlock", &rwlock_unlock_read_waited_row, 0, ILK_FAULT_NONE, 0, ANY, false},
	{"rwlock, dead readers read on", &rwlock_read_row, 0, ILK_FAULT_ALWAYS_ALIVE, MODE_PLAIN,
		ANY, true},
	{"rwlock, silent reader", &rwlock_unlock_read_waited_row, 0, ILK_FAULT_SILENT_UNLOCK,
		MODE_PLAIN, ANY, true},
	{"rwlock, silent writer", &rwlock_unlock_write_read_row, 0, ILK_FAULT_SILENT_UNLOCK,
		MODE_PLAIN, ANY, true},
	{"memory, sound: push", &memory_push_row, 0, ILK_FAULT_NONE, 0, ANY, false},
	{"memory, linked first", &memory_linked_first_row, 0, ILK_FAULT_NONE, MODE_PLAIN, ANY,
		true},
	{"memory, linked last", &memory_linked_last_row, 0, ILK_FAULT_NONE, MODE_PLAIN, ANY, true},
};

/* Steps the same code twice: the record must be the same. Addresses, too. */
static bool surveys_agree(void)
{
	struct survey surveys[2] = {{0}, {0}};
	struct verdict v;
	bool same;

	for (int i = 0; i < 2; i++) {
		struct trial t = {
			.operation = &toy_lock_row,
			.victim = true,
			.survey = &surveys[i],
			.limit_ms = LONG_MS,
		};

		trial_run(&t, &v);
	}
	same = surveys[0].points > 10 && surveys[0].points == surveys[1].points &&
	       surveys[0].states == 2 && surveys[1].states == 2;
	for (long i = 0; same && i < surveys[0].points; i++)
		same = surveys[0].addresses[i] == surveys[1].addresses[i];
	printf("%-40s %ld points, %u states: %s\n", "two surveys of the same code",
		surveys[0].points, surveys[0].states, same ? "agree" : "DIFFER");
	survey_free(&surveys[0]);
	survey_free(&surveys[1]);
	return same;
}

static bool run(const struct test *test)
{
	struct options options = {
		.modes = test->modes,
		.point = -1,
		.point2 = -1,
		.order = test->order,
		.seed = 1,
		.sample = 4,
		.limit_ms = test->caught ? SHORT_MS : LONG_MS,
		.failures = 1,
		.until = INT64_MAX,
		.program = "death_selftest",
		.quiet = test->caught,
	};
	struct tally tally;
	bool fine;

	toy_fault = test->toy;
	ilk_fault_ = test->fault;
	fine = campaign_run(test->row, &options, &tally) != test->caught && tally.tried > 0;
	printf("%-40s %4ld tried, %4ld survived: %s\n", test->what, tally.tried, tally.survived,
		!fine          ? "WRONG"
		: test->caught ? "caught"
			       : "all");
	fflush(stdout);
	return fine;
}

int main(int count, char **words)
{
	const char *why;
	int wrong = 0;

	(void)count;
	setup_harness(words);
	setvbuf(stdout, NULL, _IOLBF, 0);
	why = step_unsupported();
	if (why) {
		printf("death_selftest: skipped: %s\n", why);
		return EXIT_SKIPPED;
	}
	shm_isolate();
	wrong += !surveys_agree();
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		wrong += !run(&tests[i]);
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
