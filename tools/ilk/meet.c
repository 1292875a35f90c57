/* meet.c - see meet.h. */
#include "ilk/meet.h"
#include "ilk/json.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- what is asked --- */

static const struct meet_act *find(const struct meet *m, const char *name)
{
	for (const struct meet_act *a = m->acts; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static int complain_unknown(const struct meet *m, const char *name)
{
	struct suggestion s;

	suggest_begin(&s, name, strlen(name));
	for (const struct meet_act *a = m->acts; a->name; a++)
		suggest_offer(&s, a->name);
	if (s.best)
		return complain(
			m->page->command, "'%s' is not understood; did you mean %s?", name, s.best);
	return complain(m->page->command, "'%s' is not understood; use it as: ilk %s %s", name,
		m->page->command, m->page->operands);
}

/* Do operands and options go with the act A? OPTIONS_GO, and *N; or an exit code. */
static int check(const struct meet *m, const struct meet_act *a, int argc, char **argv, int64_t *n)
{
	const char *command = m->page->command;

	if (argc > 3 && !(a->how & MEET_COUNTS))
		return complain(command, "%s takes no number: leave out '%s'", a->name, argv[3]);
	if (argc > 3 && (options_read(OPTION_NUMBER, argv[3], n) < 0 || *n < 1 || *n > m->most))
		return complain(command, "%s '%s' is out of range: give 1 to %lld", a->name,
			argv[3], (long long)m->most);
	if (m->needed && *m->needed == 0)
		return complain(command, "%s is needed; `ilk %s --help` tells what it is", m->made,
			command);
	if (*m->wait_ns >= 0 && !(a->how & MEET_WAITS))
		return complain(command, "%s does not wait: leave out --wait", a->name);
	if (m->json && *m->json && !(a->how & MEET_READS))
		return complain(command, "%s prints nothing: leave out --json", a->name);
	return OPTIONS_GO;
}

/* --- what came of it --- */

int meet_complain_of_open(const struct meet_place *at, const char *type, const char *made, int rc)
{
	const char *why = ilk_last_error();

	if (rc != -EEXIST || strncmp(why, "type", 4) == 0)
		return complain_of_object(at->command, at->segment, at->object, type, rc);
	return complain(at->command,
		"%s in %s was made otherwise (%s), which cannot be changed; see to %s, or use "
		"another name",
		at->object, at->segment, why, made);
}

static int tell(const struct meet *m, const struct meet_place *at, int rc)
{
	int code = m->tell ? m->tell(at, rc) : OPTIONS_GO;

	if (code != OPTIONS_GO)
		return code;
	if (rc != -ETIMEDOUT)
		return complain_of_use(at->command, at->segment, at->object, rc);
	complain(at->command, "%s in %s: the time is up, and %s; `ilk show %s %s` tells more",
		at->object, at->segment, m->late, at->segment, at->object);
	return EXIT_TRY_LATER;
}

static void print(const struct meet *m, const struct meet_place *at, int64_t value)
{
	struct json j;

	if (!*m->json) {
		printf("%lld\n", (long long)value);
		return;
	}
	json_document(&j, stdout, at->command, 1);
	json_string(&j, "segment", at->segment);
	json_string(&j, "object", at->object);
	json_integer(&j, "value", value);
	json_close(&j);
}

/* --- doing it --- */

static int act(const struct meet *m, const struct meet_act *a, const struct meet_place *at,
	struct ilk_segment *seg, unsigned n)
{
	int64_t value = 0;
	void *object;
	int rc = m->open(seg, at->object, &object);

	if (rc < 0)
		return meet_complain_of_open(at, m->type, m->made, rc);
	rc = a->run(object, n, &value);
	if (rc < 0)
		return tell(m, at, rc);
	if (a->how & MEET_READS)
		print(m, at, value);
	return EXIT_FINE;
}

int meet_main(const struct meet *m, int argc, char **argv)
{
	struct ilk_segment_options to_read = {
		.size = sizeof to_read, .flags = ILK_SEGMENT_READ_ONLY};
	const struct meet_act *a;
	struct meet_place at;
	struct ilk_segment *seg;
	int64_t n = 1;
	int code = options_parse(m->page, &argc, argv), rc;

	if (code != OPTIONS_GO)
		return code;
	a = find(m, argv[2]);
	if (!a)
		return complain_unknown(m, argv[2]);
	code = check(m, a, argc, argv, &n);
	if (code != OPTIONS_GO)
		return code;
	at = (struct meet_place){m->page->command, argv[0], argv[1]};
	rc = a->how & MEET_READS ? ilk_segment_open(at.segment, &to_read, &seg)
				 : ilk_segment_create(at.segment, NULL, &seg);
	if (rc < 0)
		return complain_of(at.command, at.segment, rc);
	code = act(m, a, &at, seg, (unsigned)n);
	ilk_segment_close(seg);
	return code;
}
