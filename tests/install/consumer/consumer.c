/* consumer.c - what a user of an installed Ilk builds; C11 here, and included by consumer.cpp. */
#include <stdio.h>
#include <string.h>

#include <ilk.h>

#define CHECK(condition)                                                   \
	do {                                                               \
		if (!(condition)) {                                        \
			printf("line %d: not %s\n", __LINE__, #condition); \
			return 1;                                          \
		}                                                          \
	} while (0)

static int use(struct ilk_segment *seg)
{
	struct ilk_counter *counter;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
	struct ilk_mutex *mutex;
	void *block;
	int rc, ran = 0;

	CHECK(ilk_counter_open(seg, "counter", &counter) == 0);
	CHECK(ilk_counter_add(counter, 3) == 0 && ilk_counter_read(counter) == 3);
	CHECK(ilk_sharded_open(seg, "sharded", &sharded) == 0);
	CHECK(ilk_sharded_mine(sharded, &mine) == 0 && ilk_sharded_add(&mine, 4) == 0);
	CHECK(ilk_sharded_read(sharded) == 4);
	CHECK(ilk_mutex_open(seg, "mutex", NULL, &mutex) == 0);
	ILK_WITH_MUTEX (mutex, rc)
		ran++;
	CHECK(rc == 0 && ran == 1 && ilk_mutex_unlock(mutex) < 0);
	CHECK(ilk_block_open(seg, "block", 100, &block) == 0);
	return 0;
}

int main(void)
{
	struct ilk_segment *seg;

	CHECK(strcmp(ilk_version(), ILK_VERSION_STRING) == 0);
	CHECK(ilk_segment_anonymous("consumer", NULL, &seg) == 0);
	CHECK(use(seg) == 0);
	CHECK(ilk_segment_close(seg) == 0);
	printf("ilk %s\n", ilk_version());
	return 0;
}
