/*
 * ilk/channel.h - two processes that talk: messages both ways, and notice of the other's death.
 *
 *	struct ilk_channel *channel;
 *	struct ilk_channel_end end;
 *	char answer[64];
 *	size_t n;
 *	int rc = ilk_channel_open(seg, "talk", NULL, &channel);
 *	if (rc == 0)
 *		rc = ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &end);
 *	if (rc >= 0)
 *		rc = ilk_channel_put(&end, "hello", 5);
 *	if (rc == 0)
 *		rc = ilk_channel_get(&end, answer, sizeof answer, &n);
 *	if (rc == -EPIPE) ...                           // nobody is there any more to answer
 *
 * The wrong pattern: two pipes or queues, and a wait for an answer without a limit: it lasts for ever
 * if who was asked is killed. Here the wait ends within about 20 ms of that.
 *
 * A channel is two rings (ilk/ring.h), one each way, of the same options, and an end of it is the
 * writer's side of one and the reader's of the other. So all that is said there of sides, deaths,
 * waiting, order and progress holds here; what has no form here, in place or several at once, is done
 * by the ring's calls with `out` and `in` of the end. A put that finds room does not ask whether the
 * other lives: the next get tells.
 *
 * The dead one's place may be taken: then its successor gets what was sent and not got, and the
 * partner goes on with it.
 */
#ifndef ILK_CHANNEL_H
#define ILK_CHANNEL_H

#include <ilk/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ILK_CHANNEL_EITHER = -1 }; /* end 0, or if a living process has that, end 1 */

/* Lies in the segment; opened by name only. */
struct ilk_channel;

/*
 * A process's hold of an end; private memory, not to be copied. Each of `out` and `in` may be used by
 * one thread at a time.
 */
struct ilk_channel_end {
	struct ilk_ring_writer out; /* for the ring's calls: reserve, put_many ... */
	struct ilk_ring_reader in;  /* peek, get_many ... */
	int number;                 /* 0 or 1 */
};

/*
 * Finds or makes the channel NAME, with rings of OPTIONS, which may be NULL. Results as
 * ilk_ring_open's.
 */
ILK_API int ilk_channel_open(struct ilk_segment *seg, const char *name,
	const struct ilk_ring_options *options, struct ilk_channel **channel);

/*
 * Takes an end of CHANNEL for this process: NUMBER is 0, 1 or ILK_CHANNEL_EITHER. FLAGS: 0, or
 * ILK_RING_PATIENT: waits are for a successor, too. Results as ilk_ring_writer_open's: ILK_RECOVERED
 * where who had the end before is dead; -EBUSY where a living process has it, or both; -EINVAL also
 * for another NUMBER. Death in it leaves the end to the next.
 */
ILK_API int ilk_channel_end_open(
	struct ilk_channel *channel, int number, unsigned flags, struct ilk_channel_end *end);

/*
 * Gives the end back: the partner gets -EPIPE, its gets after all that was sent to it. 0; -EPERM the
 * end is not this process's: a forked child's, or closed already; -EINVAL the segment was closed.
 */
ILK_API int ilk_channel_end_close(struct ilk_channel_end *end);

/* Sends a copy of the N bytes at MESSAGE. Results as ilk_ring_put, _try_put, _put_until. */
ILK_API int ilk_channel_put(struct ilk_channel_end *end, const void *message, size_t n);
ILK_API int ilk_channel_try_put(struct ilk_channel_end *end, const void *message, size_t n);
ILK_API int ilk_channel_put_until(
	struct ilk_channel_end *end, const void *message, size_t n, ilk_time deadline);

/* Takes the next message. Results as ilk_ring_get, _try_get, _get_until. */
ILK_API int ilk_channel_get(struct ilk_channel_end *end, void *buffer, size_t room, size_t *n);
ILK_API int ilk_channel_try_get(struct ilk_channel_end *end, void *buffer, size_t room, size_t *n);
ILK_API int ilk_channel_get_until(
	struct ilk_channel_end *end, void *buffer, size_t room, ilk_time deadline, size_t *n);

/*
 * How CHANNEL is at this moment: who has which end. By the time you read it that may be over. Takes no
 * lock, writes nothing, works through a read-only attachment. 0; -EINVAL CHANNEL lies in no attached
 * segment, or is no channel.
 */
struct ilk_channel_status {
	struct ilk_ring_side end[2];
	uint64_t put[2], got[2]; /* messages sent by end 0 and 1, and those of them that were got */
};
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_channel_status(
	const struct ilk_channel *channel, struct ilk_channel_status *status);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#endif
