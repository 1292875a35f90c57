/*
 * web.c - a background job behind a web endpoint: the request is answered at once, the work goes to a
 * pool of processes, and the page shows how far it is. A worker that is killed costs its task a retry.
 *
 *	web [PORT [PAUSE_MS]]           without a port, or with 0, any that is free
 *
 *	/start_calculation      begins to square 1 to 10, with a pause each
 *	/results                what is done so far
 *	/                       a page with a button and a bar
 *
 * Needs libmicrohttpd (Debian: libmicrohttpd-dev).
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ilk.h>
#include <microhttpd.h>

enum { NUMBERS = 10, WORKERS = 2, RETRIES = 3 };

static const char page[] =
	"<!doctype html><meta charset=utf-8><title>Squares</title>\n"
	"<h1>Squares</h1><button id=start>Start</button>\n"
	"<progress id=bar value=0 max=10></progress> <span id=text>0 of 10</span><ol id=list></ol>\n"
	"<script>\n"
	"const at = id => document.getElementById(id), shown = [];\n"
	"async function look() {\n"
	"  const r = await (await fetch('/results')).json();\n"
	"  at('bar').value = r.done; at('text').textContent = `${r.done} of ${r.of}`;\n"
	"  at('list').innerHTML = r.results.map(x => `<li value=${x.number}>${x.square}`).join('');\n"
	"  shown.push(`${at('bar').value}:${at('list').children.length}`);\n"
	"  at('bar').dataset.shown = shown.join(' ');\n"
	"  if (r.done < r.of) setTimeout(look, 100); else document.title = 'Done';\n"
	"}\n"
	"async function start() {\n"
	"  await fetch('/start_calculation', {method: 'POST'}); document.title = 'Squares'; look();\n"
	"}\n"
	"at('start').onclick = start;\n"
	"if (location.hash == '#start') start();\n"
	"</script>\n";

/* One number: what comes of it, once that is there. */
static struct job {
	struct ilk_future future;
	int is_over, is_good;
	long square;
	unsigned runs;
} jobs[NUMBERS];

static struct ilk_pool *pool;
static unsigned pause_ms = 300;
static int begun; /* jobs of the present calculation */

/* --- in the workers --- */

static int square(struct ilk_task *task, const void *argument, size_t bytes)
{
	long n;

	if (bytes != sizeof n)
		return ilk_task_fail(task, -1, "not a number");
	memcpy(&n, argument, sizeof n);
	usleep(pause_ms * 1000);
	n *= n;
	return ilk_task_result(task, &n, sizeof n);
}

static const struct ilk_task_function functions[] = {{"square", square}};

/* --- in the server --- */

/* Gets what has become ready. How many are over. */
static int gather(void)
{
	int over = 0;

	for (int i = 0; i < begun; i++) {
		struct job *j = &jobs[i];
		struct ilk_outcome out;
		int rc;

		if (!j->is_over) {
			rc = ilk_future_get(
				&j->future, &j->square, sizeof j->square, &out, ILK_NOW);
			j->is_over = rc != -EAGAIN;
			j->is_good = rc == 0;
			j->runs = j->is_over ? out.runs : 0;
		}
		over += j->is_over;
	}
	return over;
}

/* 0; -EBUSY: the last one is not done; what submit says. */
static int start_calculation(void)
{
	if (gather() < begun)
		return -EBUSY;
	memset(jobs, 0, sizeof jobs);
	for (begun = 0; begun < NUMBERS; begun++) {
		long n = begun + 1;
		int rc =
			ilk_pool_submit(pool, "square", &n, sizeof n, &jobs[begun].future, ILK_NOW);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void write_results(FILE *to)
{
	const char *comma = "";

	fprintf(to, "{\"done\": %d, \"of\": %d, \"results\": [", gather(), NUMBERS);
	for (int i = 0; i < begun; i++) {
		if (!jobs[i].is_good)
			continue;
		fprintf(to, "%s{\"number\": %d, \"square\": %ld, \"runs\": %u}", comma, i + 1,
			jobs[i].square, jobs[i].runs);
		comma = ", ";
	}
	fputs("]}\n", to);
}

static const char json[] = "application/json";

static enum MHD_Result answer(
	struct MHD_Connection *connection, unsigned status, const char *type, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	MHD_add_response_header(response, "Content-Type", type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, POST");
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

/* A GET begins it, too, so that a plain curl can: only who is on this machine comes here. */
static enum MHD_Result answer_start(struct MHD_Connection *connection, const char *method)
{
	char text[256];
	int rc;

	if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, json,
			"{\"error\": \"GET or POST\"}\n");
	rc = start_calculation();
	if (rc == 0)
		return answer(connection, MHD_HTTP_ACCEPTED, json, "{\"started\": 10}\n");
	snprintf(text, sizeof text, "{\"error\": \"%s\"}\n", ilk_strerror(rc));
	return answer(connection, MHD_HTTP_CONFLICT, json, text);
}

static enum MHD_Result answer_results(struct MHD_Connection *connection)
{
	char text[2048] = "";
	FILE *to = fmemopen(text, sizeof text, "w");

	if (to) {
		write_results(to);
		fclose(to);
	}
	return answer(connection, MHD_HTTP_OK, json, text);
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *bytes, void **state)
{
	(void)arg, (void)version, (void)data;
	/* First comes the head alone; a body, if there is one, is let pass. */
	if (!*state || *bytes) {
		*state = &jobs;
		*bytes = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/") == 0)
		return answer(connection, MHD_HTTP_OK, "text/html", page);
	if (strcmp(url, "/results") == 0)
		return answer_results(connection);
	if (strcmp(url, "/start_calculation") == 0)
		return answer_start(connection, method);
	return answer(connection, MHD_HTTP_NOT_FOUND, json,
		"{\"error\": \"try /start_calculation, /results, or /\"}\n");
}

/* Serves until SIGTERM or SIGINT, which are blocked. */
static int serve(unsigned port, const sigset_t *signals)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, (uint16_t)port, NULL, NULL,
			handle, NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
	int signal;

	if (!daemon) {
		fprintf(stderr, "web: port %u cannot be had\n", port);
		return 1;
	}
	printf("http://127.0.0.1:%u/\n",
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(signals, &signal);
	MHD_stop_daemon(daemon);
	return 0;
}

static int say(int rc)
{
	fprintf(stderr, "web: %s (%s)\n", ilk_strerror(rc), ilk_last_error());
	return 1;
}

int main(int argc, char **argv)
{
	const struct ilk_pool_options options = {
		.size = sizeof options, .capacity = 64, .retries = RETRIES};
	struct ilk_pool_crew *crew;
	struct ilk_segment *seg;
	sigset_t signals;
	int rc, status;

	if (argc > 2)
		pause_ms = (unsigned)atoi(argv[2]);
	/* Before there are threads, so that all have them blocked. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	rc = ilk_segment_anonymous("web", NULL, &seg);
	if (rc == 0)
		rc = ilk_pool_open(seg, "squares", &options, &pool);
	if (rc == 0)
		rc = ilk_pool_start(pool, WORKERS, functions, 1, NULL, &crew);
	if (rc < 0)
		return say(rc);
	status = serve(argc > 1 ? (unsigned)atoi(argv[1]) : 0, &signals);
	ilk_pool_close(pool, ILK_POOL_CANCEL);
	ilk_pool_stop(crew, ilk_after_ms(1000));
	ilk_segment_close(seg);
	return status;
}
