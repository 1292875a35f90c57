/*
 * setup.c - what makes one run like the next.
 *
 * Addresses are not randomized (where that is forbidden, the processes of one run still have the
 * same ones, being forked from one). String functions are told to store by vectors: a rep-prefixed
 * store would be stepped byte by byte. Harness and victim share a processor: a step is then two
 * switches and no wake-up across processors.
 */
#include "setup.h"
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

static cpu_set_t anywhere;
static sigset_t signals_before;

static void execute_steadily(char **arguments)
{
	int now = personality(0xffffffff);

	if (getenv("ILK_DEATH_STEADY"))
		return;
	setenv("ILK_DEATH_STEADY", "1", 1);
	setenv("GLIBC_TUNABLES",
		"glibc.cpu.x86_rep_stosb_threshold=1073741824:"
		"glibc.cpu.x86_rep_movsb_threshold=1073741824",
		1);
	if (now != -1)
		personality((unsigned long)now | ADDR_NO_RANDOMIZE);
	execv("/proc/self/exe", arguments);
}

static void pin(void)
{
	cpu_set_t here;
	int cpu = sched_getcpu();

	sched_getaffinity(0, sizeof anywhere, &anywhere);
	CPU_ZERO(&here);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &here);
	sched_setaffinity(0, sizeof here, &here);
}

void setup_harness(char **arguments)
{
	struct rlimit no_core = {0};
	sigset_t children;

	execute_steadily(arguments);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, &signals_before);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &no_core);
	pin();
}

void setup_child(bool stepped)
{
	sigprocmask(SIG_SETMASK, &signals_before, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (!stepped)
		sched_setaffinity(0, sizeof anywhere, &anywhere);
}
