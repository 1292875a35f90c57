/*
 * body.c - a child's body, in a runner of its own.
 *
 * What fails in it without our asserts jumps to the innermost runner of its process. So each child
 * begins one, with its body as the only test: from a body that returns, or is ended by an assert of
 * ours, the process ends; when control comes back here, an assert of cmocka's has failed. The inner
 * runner's opening lines go nowhere, its report of the failure to the parent.
 */
#include "internal.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
	void (*run)(void *arg);
	void *arg;
	int output; /* what was the standard output, meanwhile; -1 it is where it was */
	int report; /* takes what the inner runner says of the failure */
} body;

static void silence(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stdout);
	body.output = nowhere < 0 ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (body.output >= 0)
		dup2(nowhere, STDOUT_FILENO);
	if (nowhere >= 0)
		close(nowhere);
}

static void speak(void)
{
	fflush(stdout);
	if (body.output < 0)
		return;
	dup2(body.output, STDOUT_FILENO);
	close(body.output);
}

/* cmocka's handlers jump into the runner: a child is to die of what kills it. */
static void forget_handlers(void)
{
	static const int caught[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};

	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		signal(caught[i], SIG_DFL);
}

static void be_test(void **state)
{
	(void)state;
	speak();
	forget_handlers();
	body.run(body.arg);
	fflush(stdout);
	_exit(0);
}

static int listen(void **state)
{
	(void)state;
	fflush(NULL);
	body.report = memfd_create("report", MFD_CLOEXEC);
	if (body.report >= 0) {
		dup2(body.report, STDERR_FILENO);
		dup2(body.report, STDOUT_FILENO);
	}
	return 0;
}

/* Finds the last line with FILE:LINE: error, and cuts it: FILE is then *FILE. The line, or 0. */
static int pick_place(char *text, const char **file)
{
	char *end = strstr(text, ": error: "), *start = end, *colon = NULL;

	while (start && start > text && start[-1] != '\n')
		start--;
	if (!end || !(colon = memrchr(start, ':', (size_t)(end - start))))
		return 0;
	*colon = 0;
	*file = start;
	if (start > text)
		start[-1] = 0;
	return atoi(colon + 1);
}

/* Takes the lines of the one failure out of what the inner runner has printed. */
static void pick_failure(char *text)
{
	static const char *const tags[] = {"[  ERROR   ] --- ", "[   LINE   ] --- "};
	char *end;

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		while ((end = strstr(text, tags[i])))
			memmove(end, end + strlen(tags[i]), strlen(end + strlen(tags[i])) + 1);
	if ((end = strstr(text, "\n[  FAILED  ]")))
		*end = 0;
}

__attribute__((noreturn)) static void report_failure(void)
{
	static const char why[] = "an assert without ilk/cmocka.h: ";
	const char *file = "(a child)";
	char text[TEXT_BYTES];
	ssize_t n = 0;
	int line;

	fflush(NULL);
	memcpy(text, why, sizeof why);
	if (body.report >= 0)
		n = pread(body.report, text + sizeof why - 1, sizeof text - sizeof why, 0);
	text[sizeof why - 1 + (size_t)(n > 0 ? n : 0)] = 0;
	pick_failure(text);
	line = pick_place(text, &file);
	ilk_test_write_page_(
		getpid() == ilk_test_child_pid_ ? ilk_test_child_page_ : &ilk_test_shared_->stray,
		file, line, text);
	_exit(1);
}

void ilk_test_run_body_(void (*run)(void *arg), void *arg)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(be_test, listen),
	};

	body.run = run;
	body.arg = arg;
	body.report = -1;
	cmocka_set_test_filter(NULL);
	cmocka_set_skip_filter(NULL);
	cmocka_set_message_output(CM_OUTPUT_STDOUT);
	unsetenv("CMOCKA_MESSAGE_OUTPUT");
	silence();
	cmocka_run_group_tests(tests, NULL, NULL);
	report_failure();
}
