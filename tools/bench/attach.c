/*
 * attach.c - the bench `attach`: attach to shared memory that is there already, and detach.
 *
 * What is attached to has a name; it is there only during a sample, with signals that would end us
 * held back, so that an interrupted run leaves nothing behind.
 */
#include "bench/absent.h"
#include "bench/attach_peer.h"
#include "bench/rows.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_ilk(const char *name)
{
	struct ilk_segment_options options = {
		.size = sizeof(options), .bytes = ATTACH_BYTES, .flags = ILK_SEGMENT_EXCLUSIVE};
	struct ilk_segment *seg;

	if (ilk_segment_create(name, &options, &seg) < 0)
		return -1;
	return ilk_segment_close(seg);
}

static int attach_ilk(const struct bench_place *place, const void *name, unsigned n)
{
	struct ilk_segment *seg;

	(void)place;
	for (unsigned i = 0; i < n; i++) {
		if (ilk_segment_open((const char *)name, NULL, &seg) < 0)
			return -1;
		ilk_segment_close(seg);
	}
	return 0;
}

static void remove_ilk(const char *name)
{
	ilk_segment_unlink(name);
}

static int make_plain(const char *name)
{
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : posix_fallocate(fd, 0, ATTACH_BYTES);

	close(fd);
	return rc;
}

static int attach_plain(const struct bench_place *place, const void *name, unsigned n)
{
	(void)place;
	for (unsigned i = 0; i < n; i++) {
		struct stat st;
		int fd = shm_open((const char *)name, O_RDWR | O_CLOEXEC, 0);
		void *p;

		if (fd < 0 || fstat(fd, &st) != 0)
			return -1;
		p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
		if (p == MAP_FAILED || munmap(p, (size_t)st.st_size) != 0)
			return -1;
	}
	return 0;
}

static void remove_plain(const char *name)
{
	shm_unlink(name);
}

static int attach(const struct bench_run *run, struct bench_sample *sample)
{
	const struct attach_peer *peer = (const struct attach_peer *)run->peer->what;
	struct bench_place place;
	sigset_t before;
	char name[64];
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	snprintf(name, sizeof(name), "bench-%s-%ld", run->peer->name, (long)getpid());
	bench_hold_back_signals(&before);
	if (peer->make(name) == 0)
		rc = bench_time(run, &place, peer->attach, name, 5, sample);
	else
		rc = bench_fail(sample, "what is to be attached to cannot be made");
	peer->remove(name);
	sigprocmask(SIG_SETMASK, &before, NULL);
	bench_place_close(&place);
	sample->value /= 1e3;
	return rc;
}

#ifdef BENCH_HAS_BOOST
#define BOOST &attach_peer_boost
#else
#define BOOST NULL
#endif

static const struct attach_peer ilk = {make_ilk, attach_ilk, remove_ilk};
static const struct attach_peer plain = {make_plain, attach_plain, remove_plain};
static const struct bench_peer peers[] = {
	{"ilk", attach, &ilk, NULL},
	{"boost", attach, BOOST, absent_boost},
	{"shm_open", attach, &plain, NULL},
};

const struct bench bench_attach = {
	.name = "attach",
	.unit = "us",
	.what = "attach to 1 MiB that is there, and detach; shm_open: open, map, unmap",
	.reference = "boost",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(peers),
};
