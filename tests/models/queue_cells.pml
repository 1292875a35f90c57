/*
 * queue_cells.pml - the cells of src/queue/queue.c, with a death before each change by anybody.
 *
 * Two cells. Some put, of whom the first aborts if it likes; some get, or lease and then ack or
 * nack, as they like. Up to DEATHS of them die. What is a word there is one step here: a load, a
 * store, a compare-and-swap. A message's bytes are written and copied in steps of their own. Hints
 * are each one's own, and so as stale as they can be. Checked:
 *
 *   no message is done twice, or delivered after it was done; what was got is what was put;
 *   nobody writes where a message is leased;
 *   first deliveries are in the order of the claims;
 *   in the end each message that was put is done, or there; and where one lives who gets, all are
 *   done, and all that was to be put is in.
 *
 * An ack stores the part of the word that has the state, and so leaves the lap as it is, which who
 * puts may move meanwhile by a swap of the whole.
 *
 * BROKEN: a get swaps whatever is there (1), or claims of the living are passed over (2), or an ack
 * stores the whole word as it was seen before (3): there spin must find an error.
 */
#define CELLS 2
#ifndef PUTTERS
#define PUTTERS 2
#endif
#ifndef GETTERS
#define GETTERS 2
#endif
#ifndef EACH
#define EACH 2 /* messages of a putter */
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef BROKEN
#define BROKEN 0
#endif
#define MESSAGES (PUTTERS * EACH)
#define NOBODY 255

#define EMPTY 0
#define CLAIMED 1
#define FULL 2
#define TAKEN 3
#define DONE 4 /* at a lap; means EMPTY at the next one */

/* Laps do not wrap here: that they do is arithmetic, which the unit tests do. */
typedef Word {
	byte lap;
	byte state;
	byte owner;
	byte count
};
Word cell[CELLS];
byte bytes[CELLS]; /* the message in it; MESSAGES: half-written */

bool dead[PUTTERS + GETTERS];
byte deaths;
bool finished[PUTTERS];

/* Of each message. */
bool is_in[MESSAGES], is_done[MESSAGES], was_seen[MESSAGES];
byte claimed_as[MESSAGES]; /* its place among the claims, + 1 */
byte claims, nacks;

#define LOAD(c, w) d_step { \
	w.lap = cell[c].lap; w.state = cell[c].state; \
	w.owner = cell[c].owner; w.count = cell[c].count }
#define IS(c, w) (cell[c].lap == w.lap && cell[c].state == w.state && \
	cell[c].owner == w.owner && cell[c].count == w.count)
#define SET(c, l, s, o, n) \
	cell[c].lap = l; cell[c].state = s; cell[c].owner = o; cell[c].count = n

/* The lap that a word means, and is P's place free by it? */
#define LAP(w) (w.lap + (w.state == DONE))
#define IS_FREE(w, p) (LAP(w) == p / CELLS && (w.state == EMPTY || w.state == DONE))

#define SWAP(c, w, l, s, o, n) d_step { if :: IS(c, w) -> SET(c, l, s, o, n) :: else fi }

#define FORGET(w) w.lap = 0; w.state = 0; w.owner = 0; w.count = 0 /* fewer states */

#define DIE if :: deaths < DEATHS -> d_step { deaths++; dead[me] = true } goto over :: true fi

#define COMES_BACK(w) (w.state == TAKEN && (w.owner == NOBODY || dead[w.owner]))
/* Position P can be taken, or passed. */
#define FRESH(c, p) (LAP(cell[c]) > p / CELLS || (cell[c].lap == p / CELLS && \
	(cell[c].state == FULL || cell[c].state == TAKEN || \
		(cell[c].state == CLAIMED && dead[cell[c].owner]))))
/* P's cell is leased, a lap behind, and the next one is free: it can be passed over. */
#define STEPS(w, p) (w.state == TAKEN && IS_FREE(cell[(p + 1) % CELLS], (p + 1)))

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
	byte p, c, m = me * EACH;
	Word w;
	bool ok;

	do
	:: m < (me + 1) * EACH ->
retry:
		skip;
		c = p % CELLS;
		LOAD(c, w);
		if
		:: IS_FREE(w, p) ->
			DIE;
			d_step {
				ok = IS(c, w);
				if
				:: ok ->
					SET(c, p / CELLS, CLAIMED, me, 0);
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
		:: LAP(w) > p / CELLS || (LAP(w) == p / CELLS && !IS_FREE(w, p)) ->
			p++;
			goto retry
		:: LAP(w) < p / CELLS ->
			assert(LAP(w) + 1 == p / CELLS);
			if
			:: STEPS(w, p) ->
				DIE;
				SWAP(c, w, w.lap + 1, TAKEN, w.owner, w.count);
				goto retry
			:: w.state == CLAIMED && dead[w.owner] ->
				DIE;
				SWAP(c, w, w.lap + 1, EMPTY, NOBODY, 0);
				goto retry
			:: else ->
end_full:
				/* Until that changes. */
				!IS(c, w) || (w.state == CLAIMED && dead[w.owner]) || STEPS(w, p);
				goto retry
			fi
		fi;
		/* P is claimed. */
		DIE;
		bytes[c] = m;
		DIE;
		if
		:: d_step { SET(c, p / CELLS, FULL, NOBODY, 0); is_in[m] = true }
		:: d_step { me == 0; SET(c, p / CELLS + 1, EMPTY, NOBODY, 0); claimed_as[m] = 0 }
		fi;
		p++;
		m++;
		c = 0;
		ok = false;
		FORGET(w)
	:: else -> break
	od;
	finished[me] = true;
over:
	skip
}

proctype getter(byte me) {
	byte p, c, k, m, other;
	Word w;
	bool ok, again;

	do
	:: true ->
look:
		skip;
		c = p % CELLS;
		LOAD(c, w);
		if
		:: LAP(w) > p / CELLS || (w.lap == p / CELLS && w.state == TAKEN) ->
			p++;
			goto look
		:: w.lap == p / CELLS && w.state == CLAIMED && (dead[w.owner] || BROKEN == 2) ->
			DIE;
			SWAP(c, w, w.lap + 1, EMPTY, NOBODY, 0);
			goto look
		:: w.lap == p / CELLS && w.state == FULL ->
			again = false
		:: else ->
			/* Nothing fresh: what comes back? */
			c = 0;
sweep:
			skip;
			LOAD(c, w);
			if
			:: COMES_BACK(w) -> again = true
			:: else ->
				c++;
				if
				:: c < CELLS -> goto sweep
				:: else
				fi;
				c = p % CELLS;
end_empty:
				FRESH(c, p) || COMES_BACK(cell[0]) || COMES_BACK(cell[1]);
				goto look
			fi
		fi;
		if
		:: !again ->
			/* A get: the copy comes first. */
			m = bytes[c];
			DIE;
			d_step {
				ok = IS(c, w) || BROKEN == 1;
				if
				:: ok ->
					SET(c, w.lap + 1, EMPTY, NOBODY, 0);
					assert(m < MESSAGES);
					assert(is_in[m] && !is_done[m]);
					seen(m);
					is_done[m] = true
				:: else
				fi
			}
			goto next
		:: true
		fi;
		/* A lease. */
		DIE;
		d_step {
			ok = IS(c, w);
			if
			:: ok ->
				SET(c, w.lap, TAKEN, me, 1);
				m = bytes[c];
				assert(m < MESSAGES);
				assert(is_in[m] && !is_done[m]);
				seen(m)
			:: else
			fi
		}
		if
		:: !ok -> goto next
		:: else
		fi;
		DIE;
		/* In place: nobody writes there meanwhile. */
		assert(bytes[c] == m && cell[c].state == TAKEN && cell[c].owner == me);
		if
		:: BROKEN == 3 -> k = cell[c].lap
		:: else
		fi;
		if
		:: d_step {
			assert(!is_done[m]);
			is_done[m] = true;
			cell[c].state = DONE;
			if
			:: BROKEN == 3 -> cell[c].lap = k
			:: else
			fi
		   }
		:: d_step {
			nacks < 1 ->
			nacks++;
			k = cell[c].lap;
			SET(c, k, TAKEN, NOBODY, 1)
		   }
		fi;
next:
		skip;
		c = 0;
		m = 0;
		k = 0;
		other = 0;
		ok = false;
		FORGET(w)
	od;
over:
	skip
}

init {
	byte left, there, n;
	bool someone;

	atomic {
		do
		:: n < CELLS ->
			SET(n, 0, EMPTY, NOBODY, 0);
			n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < PUTTERS ->
			run putter(n);
			n++
		:: n >= PUTTERS && n < PUTTERS + GETTERS ->
			run getter(n);
			n++
		:: else -> break
		od
	}
	/* Everybody has ended, or died, or waits. */
	timeout;
	d_step {
		n = 0;
		do
		:: n < MESSAGES ->
			left = left + (is_in[n] && !is_done[n]);
			n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < CELLS ->
			there = there + (cell[n].state == FULL || cell[n].state == TAKEN);
			n++
		:: else -> break
		od;
		/* Each message that was put is done, or is there. */
		assert(left == there);
		n = PUTTERS;
		do
		:: n < PUTTERS + GETTERS ->
			someone = someone || !dead[n];
			n++
		:: else -> break
		od;
		/* Where one lives who gets, all is done, and nobody waits for room. */
		assert(!someone || left == 0);
		n = 0;
		do
		:: n < PUTTERS ->
			assert(!someone || dead[n] || finished[n]);
			n++
		:: else -> break
		od
	}
}
