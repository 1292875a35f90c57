/* diagnosis.c - what `ilk doctor` makes of inspections: made-up ones, so that it is known. */
#include "ilk/diagnosis.h"
#include "support.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OBJECTS = 3, HOLDERS = 8, MOST = 16 };

/* Two processes of a thread each, one alive and one dead; a queue, permits, a barrier. */
static struct ilk_process_info processes[2];
static struct ilk_thread_info threads[2];
static struct ilk_object_info objects[OBJECTS], later_objects[OBJECTS];
static struct ilk_holder_info holders[HOLDERS];
static struct ilk_inspection in, later;

/* What came of it. */
static struct diagnosis found[MOST];
static struct diagnoses all;

static void keep(const struct diagnosis *d, void *arg)
{
	int *n = arg;

	CHECK(*n < MOST && d->kind && d->evidence[0] && d->cure[0]);
	found[(*n)++] = *d;
}

static int count;

static void diagnose(void)
{
	count = 0;
	all = (struct diagnoses){.each = keep, .arg = &count};
	diagnose_segment(&all, "shop", &in, &later);
	CHECK(all.wrong + all.notes == count);
}

static const struct diagnosis *the(const char *kind)
{
	for (int i = 0; i < count; i++)
		if (strcmp(found[i].kind, kind) == 0)
			return &found[i];
	return NULL;
}

static int says(const char *kind, const char *text)
{
	const struct diagnosis *d = the(kind);

	if (d && strstr(d->evidence, text))
		return 1;
	print_error("%s: %s\n", kind, d ? d->evidence : "not found");
	return 0;
}

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		processes[i] = (struct ilk_process_info){
			.slot = i, .life = i ? ILK_LIFE_DEAD : ILK_LIFE_ALIVE, .pid = 41 + i};
		strcpy(processes[i].name, i ? "victim" : "worker");
		threads[i] = (struct ilk_thread_info){.slot = i,
			.process = i,
			.life = processes[i].life,
			.tid = 41 + i,
			.waits_for = ILK_NO_INDEX};
		strcpy(threads[i].name, processes[i].name);
	}
	memset(objects, 0, sizeof objects);
	for (int i = 0; i < OBJECTS; i++) {
		static const char *const types[] = {"queue", "permits", "barrier"};

		objects[i].type = types[i];
		snprintf(objects[i].name, sizeof objects[i].name, "%s", types[i]);
		objects[i].offset = 64u * (unsigned)(i + 1);
		objects[i].owner = ILK_NO_INDEX;
	}
	objects[0].capacity = 8;
	memcpy(later_objects, objects, sizeof objects);
	in = (struct ilk_inspection){.name = "shop",
		.bytes = 1000,
		.used = 100,
		.taken = 1000000000,
		.liveness = ILK_LIFE_ALIVE,
		.process_slots = 64,
		.thread_slots = 64,
		.process_count = 1,
		.thread_count = 1,
		.object_count = OBJECTS,
		.processes = processes,
		.threads = threads,
		.objects = objects,
		.holders = holders};
	later = in;
	later.objects = later_objects;
	later.taken = 1300000000;
	return 0;
}

#define DIAGNOSIS_TEST(f) cmocka_unit_test_setup(f, setup)

/* --- a segment --- */

static void test_healthy_segment_has_nothing(void **state)
{
	(void)state;
	diagnose();
	assert_int_equal(count, 0);
}

static void hold(int object, const char *how, uint32_t n, enum ilk_holder_life life)
{
	struct ilk_holder_info *h = &holders[in.holder_count++];

	*h = (struct ilk_holder_info){
		.object = object, .thread = 1, .process = 1, .life = life, .count = n};
	strcpy(h->how, how);
	in.process_count = in.thread_count = 2;
}

static void test_leases_of_the_dead_are_counted_and_can_be_repaired(void **state)
{
	(void)state;
	hold(0, "lease", 7, ILK_HOLDER_DEAD);
	hold(0, "lease", 1, ILK_HOLDER_ALIVE);
	hold(0, "lease", 1, ILK_HOLDER_DEAD);
	hold(0, "lease", 1, ILK_HOLDER_UNKNOWN);
	diagnose();
	CHECK(says("leases of the dead", "2 messages"));
	CHECK(says("leases of the dead", "victim (pid 42, thread 42)"));
	CHECK(the("leases of the dead")->remedy == REMEDY_REPAIR);
	CHECK(strcmp(the("leases of the dead")->object, "queue") == 0);
	assert_int_equal(all.wrong, 1);
}

static void test_what_cannot_be_delivered_is_wrong(void **state)
{
	(void)state;
	strcpy(objects[0].state, "1 of 8, closed, 1 undeliverable");
	diagnose();
	CHECK(says("undeliverable", "1 undeliverable"));
	CHECK(strstr(the("undeliverable")->cure, "ilk get shop queue"));
	assert_int_equal(all.wrong, 1);
}

static void test_permits_of_the_dead_are_summed(void **state)
{
	(void)state;
	hold(1, "permits", 2, ILK_HOLDER_DEAD);
	hold(1, "permits", 3, ILK_HOLDER_DEAD);
	holders[1].thread = ILK_NO_INDEX;
	holders[0].thread = ILK_NO_INDEX;
	hold(2, "awaited", 1, ILK_HOLDER_DEAD);
	diagnose();
	CHECK(says("permits of the dead", "5 permits"));
	CHECK(says("permits of the dead", "victim (pid 42)"));
	CHECK(says("waits for the dead", "1 members"));
	assert_int_equal(all.notes, 2);
	CHECK(the("waits for the dead")->remedy == REMEDY_REPAIR);
	assert_int_equal(all.wrong, 0);
}

static void test_what_no_name_leads_to_is_not_repaired(void **state)
{
	(void)state;
	hold(0, "lease", 1, ILK_HOLDER_DEAD);
	objects[0].removed = 1;
	diagnose();
	CHECK(the("leases of the dead")->remedy == REMEDY_NONE);
	objects[0].removed = 0;
	objects[0].embedded = 1;
	diagnose();
	CHECK(the("leases of the dead")->remedy == REMEDY_NONE);
}

static void fill_queue(void)
{
	objects[0].depth = later_objects[0].depth = 8;
	objects[0].got = later_objects[0].got = 12;
}

static void test_full_queue_that_nobody_reads_is_wrong(void **state)
{
	(void)state;
	CHECK(!diagnosis_needs_later(&in));
	fill_queue();
	later_objects[0].openers = 3;
	CHECK(diagnosis_needs_later(&in));
	diagnose();
	CHECK(says("full", "8 messages") && says("full", "300 ms") && says("full", "3 processes"));
	CHECK(the("full")->remedy == REMEDY_NONE);
	assert_int_equal(all.wrong, 1);
}

static void test_full_queue_that_somebody_reads_is_none(void **state)
{
	(void)state;
	fill_queue();
	later_objects[0].got++;
	diagnose();
	assert_int_equal(count, 0);
	/* Drained meanwhile, or another object in its place, or only one look. */
	fill_queue();
	later_objects[0].depth = 7;
	diagnose();
	assert_int_equal(count, 0);
	fill_queue();
	objects[0].closed = later_objects[0].closed = 1;
	diagnose();
	assert_int_equal(count, 0);
	fill_queue();
	objects[0].closed = later_objects[0].closed = 0;
	later_objects[0].offset++;
	diagnose();
	assert_int_equal(count, 0);
	count = 0;
	diagnose_segment(&all, "shop", &in, NULL);
	assert_int_equal(count, 0);
}

static void test_slots_and_room_nearly_used_up_are_wrong_from_nine_tenths_on(void **state)
{
	struct ilk_process_info many[10];

	(void)state;
	for (int i = 0; i < 10; i++)
		many[i] = processes[0];
	in.processes = many;
	in.process_slots = 10;
	in.process_count = 8;
	in.thread_slots = 2;
	in.used = 899;
	diagnose();
	assert_int_equal(count, 0);
	in.process_count = 9;
	diagnose();
	CHECK(says("slots nearly used up", "9 of 10 process slots"));
	/* The dead make room. */
	many[3].life = ILK_LIFE_DEAD;
	diagnose();
	CHECK(!the("slots nearly used up"));
	in.thread_slots = 1;
	diagnose();
	CHECK(says("slots nearly used up", "1 of 1 thread slots"));
	in.used = 900;
	diagnose();
	CHECK(says("room nearly used up", "900 B of 1000 B"));
}

static void test_unused_is_a_note_that_can_be_collected(void **state)
{
	(void)state;
	processes[0].life = ILK_LIFE_DEAD;
	diagnose();
	CHECK(says("unused", "1 died in it") && the("unused")->is_note);
	CHECK(the("unused")->remedy == REMEDY_COLLECT);
	in.process_count = in.thread_count = 0;
	diagnose();
	CHECK(says("unused", "all have left"));
	assert_int_equal(all.wrong, 0);
	/* Nobody knows. */
	in.liveness = ILK_LIFE_UNKNOWN;
	diagnose();
	CHECK(!the("unused") && the("liveness"));
	in.liveness = ILK_LIFE_ALIVE;
	in.process_count = 1;
	processes[0].life = ILK_LIFE_UNKNOWN;
	diagnose();
	CHECK(!the("unused"));
}

static void test_dead_owner_of_a_named_lock_can_be_repaired(void **state)
{
	(void)state;
	in.process_count = in.thread_count = 2;
	objects[1].holder = ILK_HOLDER_DEAD;
	objects[1].owner = 1;
	diagnose();
	CHECK(says("dead owner", "victim (pid 42, thread 42)"));
	CHECK(the("dead owner")->remedy == REMEDY_REPAIR);
	strcpy(objects[1].damage, "its tag is not a mutex's");
	diagnose();
	CHECK(the("dead owner")->remedy == REMEDY_NONE && the("damage"));
}

static void test_what_waits_for_its_users_has_no_remedy(void **state)
{
	(void)state;
	strcpy(objects[2].state, "broken: a member died");
	strcpy(objects[1].state, "free, damaged");
	objects[1].type = "rwlock";
	diagnose();
	CHECK(says("broken", "a member died") && the("broken")->remedy == REMEDY_NONE);
	CHECK(says("not repaired", "ilk_rwlock_repaired()"));
	CHECK(the("not repaired")->remedy == REMEDY_NONE);
	assert_int_equal(all.wrong, 2);
}

static void test_longest_names_are_cut_not_overrun(void **state)
{
	char name[600];

	(void)state;
	memset(name, 'n', sizeof name);
	name[599] = 0;
	fill_queue();
	hold(0, "lease", 1, ILK_HOLDER_DEAD);
	count = 0;
	all = (struct diagnoses){.each = keep, .arg = &count};
	diagnose_segment(&all, name, &in, &later);
	diagnose_failure(&all, name, -EBADMSG, name, name);
	assert_int_equal(count, 3);
}

/* --- files, the host --- */

static void fail_with(int result)
{
	count = 0;
	all = (struct diagnoses){.each = keep, .arg = &count};
	diagnose_failure(&all, "old", result, "", "worker 41");
	CHECK(strstr(found[0].evidence, "worker 41"));
	CHECK(found[0].remedy == REMEDY_NONE);
}

static void test_files_that_are_none_are_told_apart(void **state)
{
	(void)state;
	fail_with(-EPROTO);
	CHECK(the("other layout") && all.wrong == 1);
	fail_with(-EBADMSG);
	CHECK(the("damaged header") && all.wrong == 1);
	fail_with(-EMEDIUMTYPE);
	CHECK(the("no segment") && strstr(found[0].cure, "/dev/shm/ilk.old"));
	fail_with(-EACCES);
	CHECK(the("not readable") && all.wrong == 0);
	fail_with(-ENOMEM);
	CHECK(the("cannot be inspected") && all.wrong == 1);
}

static void look_at(const struct host *h)
{
	count = 0;
	all = (struct diagnoses){.each = keep, .arg = &count};
	diagnose_host(&all, h);
}

static void test_shm_is_nearly_full_from_nine_tenths_on(void **state)
{
	struct host h = {.bytes = 1000, .bytes_free = 101, .files = 1000, .files_free = 101};

	(void)state;
	look_at(&h);
	assert_int_equal(count, 0);
	h.bytes_free = 100;
	look_at(&h);
	CHECK(says("/dev/shm nearly full", "900 B of 1000 B"));
	h.bytes_free = 500;
	h.files_free = 100;
	look_at(&h);
	CHECK(says("/dev/shm nearly full", "900 of 1000 files"));
	/* Without limits. */
	look_at(&(struct host){.bytes = 0});
	assert_int_equal(count, 0);
}

static void test_RemoveIPC_is_wrong_where_it_would_remove_something(void **state)
{
	struct host h = {.remove_ipc = REMOVE_IPC_UNSET, .has_logind = 1, .of_users = 2};

	(void)state;
	look_at(&h);
	CHECK(says("RemoveIPC", "2 segments") && all.wrong == 1);
	h.of_users = 0;
	look_at(&h);
	CHECK(all.notes == 1 && all.wrong == 0);
	h.has_logind = 0;
	look_at(&h);
	assert_int_equal(count, 0);
	h.remove_ipc = REMOVE_IPC_YES;
	look_at(&h);
	CHECK(all.notes == 1);
	h = (struct host){.remove_ipc = REMOVE_IPC_NO, .has_logind = 1, .of_users = 2};
	look_at(&h);
	assert_int_equal(count, 0);
}

/* --- logind.conf --- */

static char root[] = "/tmp/ilk-diagnosis-XXXXXX";

static void make(const char *path, const char *text)
{
	char whole[300];
	FILE *file;

	snprintf(whole, sizeof whole, "%s%s", root, path);
	for (char *at = strchr(whole + sizeof root, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(whole, 0700);
		*at = '/';
	}
	file = fopen(whole, "w");
	CHECK(file && fputs(text, file) >= 0);
	fclose(file);
}

static int make_root(void **state)
{
	(void)state;
	strcpy(root + sizeof root - 7, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

static void expect(enum remove_ipc value, const char *file)
{
	struct host h;

	host_look(&h, root);
	assert_int_equal(h.remove_ipc, value);
	CHECK(file[0] ? strstr(h.remove_ipc_file, file) != NULL : !h.remove_ipc_file[0]);
}

static void test_RemoveIPC_is_read_as_logind_reads_it(void **state)
{
	struct host h;

	(void)state;
	expect(REMOVE_IPC_UNSET, "");
	make("/usr/lib/systemd/logind.conf", "[Login]\nRemoveIPC=yes\n");
	expect(REMOVE_IPC_YES, "/usr/lib/systemd/logind.conf");
	/* The first folder's file hides those behind; comments and other sections say nothing. */
	make("/etc/systemd/logind.conf",
		"[Other]\nRemoveIPC=yes\n[Login]\n#RemoveIPC=yes\n; RemoveIPC=yes\nKillUser=no\n");
	expect(REMOVE_IPC_UNSET, "");
	make("/etc/systemd/logind.conf", "[Login]\nRemoveIPC=yes\n  RemoveIPC = off  \n");
	expect(REMOVE_IPC_NO, "/etc/systemd/logind.conf");
	/* Later files win, by name; of one name, that of the first folder. */
	make("/usr/lib/systemd/logind.conf.d/20.conf", "[Login]\nRemoveIPC=1\n");
	make("/etc/systemd/logind.conf.d/10.conf", "[Login]\nRemoveIPC=no\n");
	make("/etc/systemd/logind.conf.d/30.txt", "[Login]\nRemoveIPC=no\n");
	expect(REMOVE_IPC_YES, "/usr/lib/systemd/logind.conf.d/20.conf");
	make("/run/systemd/logind.conf.d/20.conf", "[Login]\nRemoveIPC=false");
	expect(REMOVE_IPC_NO, "/run/systemd/logind.conf.d/20.conf");
	host_look(&h, root);
	CHECK(!h.has_logind && h.bytes == 0);
	make("/run/systemd/seats/x", "");
	host_look(&h, root);
	CHECK(h.has_logind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIAGNOSIS_TEST(test_healthy_segment_has_nothing),
		DIAGNOSIS_TEST(test_leases_of_the_dead_are_counted_and_can_be_repaired),
		DIAGNOSIS_TEST(test_what_cannot_be_delivered_is_wrong),
		DIAGNOSIS_TEST(test_permits_of_the_dead_are_summed),
		DIAGNOSIS_TEST(test_what_no_name_leads_to_is_not_repaired),
		DIAGNOSIS_TEST(test_full_queue_that_nobody_reads_is_wrong),
		DIAGNOSIS_TEST(test_full_queue_that_somebody_reads_is_none),
		DIAGNOSIS_TEST(test_slots_and_room_nearly_used_up_are_wrong_from_nine_tenths_on),
		DIAGNOSIS_TEST(test_unused_is_a_note_that_can_be_collected),
		DIAGNOSIS_TEST(test_dead_owner_of_a_named_lock_can_be_repaired),
		DIAGNOSIS_TEST(test_what_waits_for_its_users_has_no_remedy),
		DIAGNOSIS_TEST(test_longest_names_are_cut_not_overrun),
		cmocka_unit_test(test_files_that_are_none_are_told_apart),
		cmocka_unit_test(test_shm_is_nearly_full_from_nine_tenths_on),
		cmocka_unit_test(test_RemoveIPC_is_wrong_where_it_would_remove_something),
		cmocka_unit_test_setup_teardown(
			test_RemoveIPC_is_read_as_logind_reads_it, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
