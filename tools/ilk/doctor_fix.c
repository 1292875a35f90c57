/*
 * doctor_fix.c - the cures that are safe, whoever is in the segment and whatever comes meanwhile.
 *
 * A repair is what the next to use the object would do, and keeps the news of the death for its
 * users: nothing here unlocks what the dead held as if all were well. A segment is removed if the
 * kernel says, under a lock of all members' bytes, that nobody lives in it.
 */
#include "ilk/doctor.h"
#include "ilk/term.h"
#include <errno.h>
#include <ilk/object.h>
#include <stdio.h>
#include <string.h>

const char *doctor_intent(const struct diagnosis *d, char *out, size_t size)
{
	if (d->remedy == REMEDY_REPAIR)
		snprintf(out, size, "repair %s in %s", d->object, d->segment);
	else
		snprintf(out, size, "remove %s", d->segment);
	return out;
}

static const char *reason(int rc)
{
	const char *particulars = ilk_last_error();

	return particulars[0] ? particulars : ilk_strerror(rc);
}

static int repair(const struct diagnosis *d)
{
	struct ilk_segment *seg;
	int rc = ilk_segment_open(d->segment, NULL, &seg);

	if (rc < 0)
		return rc;
	rc = ilk_object_repair(seg, d->object);
	ilk_segment_close(seg);
	return rc;
}

int doctor_fix(const struct diagnosis *d, char *out, size_t size)
{
	int rc = d->remedy == REMEDY_REPAIR ? repair(d) : ilk_segment_collect(d->segment, 0);

	if (rc == -ENOENT)
		snprintf(out, size, "it is gone by itself");
	else if (rc < 0)
		snprintf(out, size, "%s", reason(rc));
	else if (d->remedy == REMEDY_COLLECT)
		snprintf(out, size, "%s is removed", d->segment);
	else if (rc & ILK_RECOVERED)
		snprintf(out, size, "%s is repaired; its users are told what they need to know",
			d->object);
	else
		snprintf(out, size, "%s needs no repair any more", d->object);
	return rc >= 0 || rc == -ENOENT;
}

int doctor_ask(const struct diagnosis *d)
{
	char intent[400], clean[sizeof intent], answer[16];
	int c;

	printf("  %s? [y/N] ",
		term_clean(clean, sizeof clean, doctor_intent(d, intent, sizeof intent)));
	fflush(stdout);
	if (!fgets(answer, sizeof answer, stdin))
		return 0;
	/* The rest of a long answer is not the next one. */
	while (!strchr(answer, '\n') && (c = getchar()) != EOF && c != '\n')
		;
	return answer[0] == 'y' || answer[0] == 'Y';
}
