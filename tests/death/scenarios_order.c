/*
 * scenarios_order.c - locks in a segment that keeps lock-order history: it never stands in the way, and
 * says nothing that is not so.
 *
 * The victim takes the mutex, or the rwlock, with `outer` held, and nobody ever does it otherwise: so
 * there are pairs from `outer` alone. What a list says is held names its holder as its owner.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <string.h>

/* Who comes third gets a slot of the dead. */
static const struct setting tight = {.processes = 2, .threads = 2};

/* This process's view. */
static struct ilk_mutex *outer, *inner;
static struct ilk_rwlock *lock;

/* ---- parts ---- */

static int objects(struct stage *s)
{
	void *memory;

	if (EXPECT(s, ilk_mutex_open(mine.segment, "outer", NULL, &outer), 0) < 0 ||
		EXPECT(s, ilk_rwlock_open(mine.segment, "rwlock", NULL, &lock), 0) < 0 ||
		EXPECT(s, ilk_block_open(mine.segment, "inner", sizeof *inner, &memory), 0) < 0)
		return -1;
	inner = memory;
	return 0;
}

static int found(struct stage *s)
{
	if (scene_found_as(s, ILK_SEGMENT_ORDER) < 0 || objects(s) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_init(mine.segment, inner, "label", NULL), 0);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : objects(s);
}

static int holds(struct stage *s)
{
	return EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int unlock(struct stage *s)
{
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

static int recovers(struct stage *s)
{
	return EXPECT(s, ilk_mutex_lock(mine.mutex), ILK_RECOVERED);
}

static int attach_and_lock_outer(struct stage *s)
{
	return attach(s) < 0 ? -1 : EXPECT(s, ilk_mutex_lock(outer), 0);
}

static int attach_and_lock_both(struct stage *s)
{
	return attach_and_lock_outer(s) < 0 ? -1 : holds(s);
}

static int attach_and_lock_both_once(struct stage *s)
{
	return attach_and_lock_both(s) < 0 ? -1 : unlock(s);
}

static int unlock_outer(struct stage *s)
{
	return EXPECT(s, ilk_mutex_unlock(outer), 0);
}

static int read_and_unlock(struct stage *s)
{
	if (EXPECT(s, ilk_rwlock_read(lock), 0) < 0)
		return -1;
	return EXPECT(s, ilk_rwlock_unlock(lock), 0);
}

static int attach_and_write(struct stage *s)
{
	if (attach_and_lock_outer(s) < 0)
		return -1;
	return EXPECT(s, ilk_rwlock_write(lock), 0);
}

static int downgrade(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_downgrade(lock), 0);
}

/* There are pairs of the label. */
static int attach_and_lock_inner(struct stage *s)
{
	if (attach_and_lock_outer(s) < 0 || EXPECT(s, ilk_mutex_lock(inner), 0) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_unlock(inner), 0);
}

static int make_inner(struct stage *s)
{
	return EXPECT(s, ilk_mutex_init(mine.segment, inner, "label", NULL), 0);
}

static int attach_and_lock_a_block(struct stage *s)
{
	void *memory;

	if (attach_and_lock_outer(s) < 0 ||
		EXPECT(s, ilk_alloc(mine.segment, sizeof *inner, &memory), 0) < 0)
		return -1;
	inner = memory;
	if (make_inner(s) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_lock(inner), 0);
}

static int free_and_take_again(struct stage *s)
{
	void *memory;

	if (EXPECT(s, ilk_free_alone(mine.segment, inner), 0) < 0)
		return -1;
	return EXPECT(s, ilk_alloc(mine.segment, sizeof *inner, &memory), 0);
}

static int take_slot(struct stage *s)
{
	return EXPECT(s, ilk_mutex_lock(outer), ILK_RECOVERED);
}

/* ---- what is seen ---- */

static int check_held(struct stage *s, const struct ilk_inspection *in)
{
	for (size_t i = 0; i < in->held_count; i++) {
		const struct ilk_held_info *h = &in->held[i];
		const struct ilk_object_info *o = h->object < 0 ? NULL : &in->objects[h->object];

		if (!o || in->threads[h->thread].life != ILK_LIFE_DEAD)
			continue;
		if (strcmp(h->how, "reads") != 0 && o->owner != h->thread)
			return fail(s, "%s is listed as %s by one who does not own it", h->name,
				h->how);
	}
	return 0;
}

static int check_orders(struct stage *s, const struct ilk_inspection *in)
{
	for (size_t i = 0; i < in->order_count; i++)
		if (strcmp(in->orders[i].first_name, "outer") != 0)
			return fail(s, "%s was never held when %s was asked for",
				in->orders[i].first_name, in->orders[i].then_name);
	return expect(s, "orders that were lost", (int)in->orders_lost, 0);
}

static int look_for(struct stage *s, int (*what)(struct stage *s, const struct ilk_inspection *in))
{
	struct ilk_inspection *in;
	int rc;

	if (EXPECT(s, ilk_inspect(s->segment, &in), 0) < 0)
		return -1;
	rc = what(s, in);
	ilk_inspection_free(in);
	return rc;
}

/* Before anybody has taken anything from the dead. */
static int look(struct stage *s)
{
	if (scene_look(s) < 0 || look_for(s, check_held) < 0)
		return -1;
	return look_for(s, check_orders);
}

/* What one who died before held is listed still, and may be another's. */
static int look_at_orders(struct stage *s)
{
	return scene_look(s) < 0 ? -1 : look_for(s, check_orders);
}

/* Both locks can be had, in their order. */
static int take_all(struct stage *s)
{
	int rc = ilk_mutex_lock(outer);

	if (rc < 0)
		return expect(s, "ilk_mutex_lock(outer)", rc, 0);
	rc = ilk_rwlock_write(lock);
	if (rc < 0)
		return expect(s, "ilk_rwlock_write", rc, 0);
	ilk_rwlock_repaired(lock);
	ilk_rwlock_unlock(lock);
	ilk_mutex_repaired(outer);
	return unlock_outer(s);
}

static int recover(struct stage *s)
{
	return scene_recover(s) < 0 ? -1 : take_all(s);
}

static int check(struct stage *s)
{
	return scene_check(s) < 0 ? -1 : look_for(s, check_orders);
}

#define ORDER_ROLES                                                                         \
	.found = found, .attach = attach, .look = look, .recover = recover, .check = check, \
	.audit = scene_audit

/* ---- rows ---- */

const struct operation order_lock_row = {
	.name = "order_lock",
	.what = "takes a second mutex: a pair that is new",
	ORDER_ROLES,
	.prepare = attach_and_lock_outer,
	.operate = holds,
	.before = 0,
	.after = 1,
};

const struct operation order_lock_again_row = {
	.name = "order_lock_again",
	.what = "takes a second mutex: a pair that is known",
	ORDER_ROLES,
	.prepare = attach_and_lock_both_once,
	.operate = holds,
	.before = 0,
	.after = 1,
};

const struct operation order_unlock_row = {
	.name = "order_unlock",
	.what = "lets the second mutex go",
	ORDER_ROLES,
	.prepare = attach_and_lock_both,
	.operate = unlock,
	.before = 1,
	.after = 0,
};

const struct operation order_unlock_first_row = {
	.name = "order_unlock_first",
	.what = "lets the first of two go",
	ORDER_ROLES,
	.prepare = attach_and_lock_both,
	.operate = unlock_outer,
	.before = 1,
	.after = 1,
};

const struct operation order_asleep_row = {
	.name = "order_asleep",
	.what = "waits for the second mutex",
	ORDER_ROLES,
	.part = PART_HOLDS,
	.partner = holds,
	.partner_after = unlock,
	.prepare = attach_and_lock_outer,
	.operate = holds,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation order_woken_row = {
	.name = "order_woken",
	.what = "is woken, and takes the second mutex",
	ORDER_ROLES,
	.part = PART_HOLDS,
	.partner = holds,
	.partner_after = unlock,
	.prepare = attach_and_lock_outer,
	.operate = holds,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation order_recover_row = {
	.name = "order_recover",
	.what = "takes the second mutex, whose owner is dead",
	.found = found,
	.attach = attach,
	.look = look_at_orders,
	.recover = recover,
	.check = check,
	.audit = scene_audit,
	.part = PART_DIES,
	.partner = holds,
	.prepare = attach_and_lock_outer,
	.operate = recovers,
	.before = 1,
	.after = 1,
};

const struct operation order_read_row = {
	.name = "order_read",
	.what = "reads a rwlock, with a mutex held, and lets it go",
	ORDER_ROLES,
	.prepare = attach_and_lock_outer,
	.operate = read_and_unlock,
	.before = 0,
	.after = 0,
};

const struct operation order_downgrade_row = {
	.name = "order_downgrade",
	.what = "goes from writing to reading",
	ORDER_ROLES,
	.prepare = attach_and_write,
	.operate = downgrade,
	.before = 0,
	.after = 0,
};

const struct operation order_make_row = {
	.name = "order_make",
	.what = "makes an embedded mutex anew, whose pairs are forgotten",
	ORDER_ROLES,
	.prepare = attach_and_lock_inner,
	.operate = make_inner,
	.before = 0,
	.after = 0,
};

const struct operation order_free_row = {
	.name = "order_free",
	.what = "frees a mutex that it holds, and is given its memory again",
	ORDER_ROLES,
	.prepare = attach_and_lock_a_block,
	.operate = free_and_take_again,
	.before = 0,
	.after = 0,
};

const struct operation order_join_row = {
	.name = "order_join",
	.what = "takes the slot of one who died holding",
	.setting = &tight,
	ORDER_ROLES,
	.part = PART_DIES,
	.partner = attach_and_lock_outer,
	.prepare = attach,
	.operate = take_slot,
	.before = 0,
	.after = 0,
	.flags = LATE_ONLY,
};
