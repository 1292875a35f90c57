/* asleep.c - see asleep.h. */
#include "asleep.h"
#include <errno.h>

enum { LOOK_MS = 60, LATE_MS = 500 };

int sleep_in(struct stage *s, const struct bed *bed)
{
	int64_t death;
	int rc;

	do {
		rc = bed->wait(ilk_after_ms(LOOK_MS));
		death = s->board->since;
		s->board->outcome = rc == 0;
		if (rc != -ETIMEDOUT)
			return expect(s, "the partner's wait", rc, 0);
		if (bed->is_open() && death && now_ns() > death + LATE_MS * 1000000LL)
			return fail(s, "asleep, though it is open");
	} while (bed->is_open() || (!death && !s->reference));
	return 0;
}
