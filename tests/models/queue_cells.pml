/*
 * queue_cells.pml - the cells of src/queue/queue.c, with a death before each step of anybody.
 *
 * Two cells. Two putters, of which one aborts if it likes; two who get, or lease and then ack or nack,
 * as they like. Up to DEATHS of them die. What is a word there is one step here: a load, a store, a
 * compare-and-swap. A message's bytes are written and copied in steps of their own, and hints, shared
 * ones too, may be stored late. Checked:
 *
 *   no message is done twice, or delivered after it was done; what a get took is what was put;
 *   the first deliveries are in the order of the claims;
 *   in the end each message that was put is done, or still there, or was in the hands of one getter
 *   that died behind its swap.
 */
#define CELLS 2
#define PUTTERS 2
#define GETTERS 2
#ifndef EACH
#define EACH 2 /* messages of a putter */
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#define MESSAGES (PUTTERS * EACH)
#define NOBODY 255

#define EMPTY 0
#define CLAIMED 1
#define FULL 2
#define TAKEN 3

/* Laps do not wrap here: that they do is arithmetic, which the unit tests do. */
typedef Word {
	byte lap;
	byte state;
	byte owner;
	byte count
};
Word cell[CELLS];
byte bytes[CELLS]; /* the message in it; MESSAGES: half-written */

byte head, tail; /* shared hints: positions */
bool dead[PUTTERS + GETTERS];
byte deaths;
byte ended; /* how many have ended, or died */

/* Of each message. */
bool is_in[MESSAGES], is_done[MESSAGES], was_seen[MESSAGES];
byte claimed_as[MESSAGES]; /* its place among the claims, + 1 */
byte claims, nacks;

#define LOAD(c, w) d_step { w.lap = cell[c].lap; w.state = cell[c].state; w.owner = cell[c].owner; w.count = cell[c].count }
#define IS(c, w) (cell[c].lap == w.lap && cell[c].state == w.state && cell[c].owner == w.owner && cell[c].count == w.count)
#define SET(c, l, s, o, n) cell[c].lap = l; cell[c].state = s; cell[c].owner = o; cell[c].count = n

#define DIE if :: deaths < DEATHS -> d_step { deaths++; dead[me] = true; ended++ } goto over :: true fi

/* First in, first out: those claimed before M have been seen, or will never be. */
inline seen(m) {
	if
	:: !was_seen[m] ->
		other = 0;
		do
		:: other < MESSAGES ->
			assert(!(claimed_as[other] && claimed_as[other] < claimed_as[m] &&
				is_in[other] && !was_seen[other]));
			other++
		:: else -> break
		od;
		was_seen[m] = true
	:: else
	fi
}

proctype putter(byte me) {
	byte p, c, k, other, m = me * EACH;
	Word w;
	bool ok;

	do
	:: m < (me + 1) * EACH ->
		p = (tail > p -> tail : p);
retry:
		DIE;
		c = p % CELLS;
		LOAD(c, w);
		if
		:: w.lap == p / CELLS && w.state == EMPTY ->
			DIE;
			d_step {
				ok = IS(c, w);
				if
				:: ok ->
					SET(c, w.lap, CLAIMED, me, 0);
					bytes[c] = MESSAGES;
					claims++;
					claimed_as[m] = claims
				:: else
				fi
			}
			if
			:: !ok -> goto retry
			:: else
			fi
		:: w.lap > p / CELLS || (w.lap == p / CELLS && w.state != EMPTY) ->
			p++;
			goto retry
		:: w.lap < p / CELLS ->
			assert(w.lap + 1 == p / CELLS);
			if
			:: w.state == TAKEN && cell[(p + 1) % CELLS].state == EMPTY &&
				cell[(p + 1) % CELLS].lap == (p + 1) / CELLS ->
				DIE;
				d_step {
					if
					:: IS(c, w) -> cell[c].lap++
					:: else
					fi
				}
				goto retry
			:: w.state == CLAIMED && dead[w.owner] ->
				DIE;
				d_step {
					if
					:: IS(c, w) -> SET(c, w.lap + 1, EMPTY, NOBODY, 0)
					:: else
					fi
				}
				goto retry
			:: else ->
				/* Full: until that changes. */
				!IS(c, w) || (w.state == CLAIMED && dead[w.owner]) ||
					(w.state == TAKEN && cell[(p + 1) % CELLS].state == EMPTY &&
						cell[(p + 1) % CELLS].lap == (p + 1) / CELLS) ||
					ended == PUTTERS + GETTERS - 1;
				if
				:: ended == PUTTERS + GETTERS - 1 -> break
				:: else -> goto retry
				fi
			fi
		fi;
		/* P is claimed. */
		DIE;
		bytes[c] = m;
		DIE;
		if
		:: d_step { SET(c, w.lap, FULL, NOBODY, 0); is_in[m] = true }
		:: me == 0 -> d_step { SET(c, w.lap + 1, EMPTY, NOBODY, 0); claimed_as[m] = 0 }
		fi;
		DIE;
		if
		:: tail = p
		:: true
		fi;
		p++;
		m++
	:: else -> break
	od;
	ended++;
over:
	skip
}

