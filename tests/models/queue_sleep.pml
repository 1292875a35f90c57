/*
 * queue_sleep.pml - how src/queue/queue_wait.c sleeps and wakes: the asymmetric handshake, and one
 * wake-up for each message.
 *
 * Two put one message each, as hot paths do: a store that may stay in the store buffer while the
 * load after it is done. Two sleepers want one message each, one after the other's claim. A
 * sleeper's membarrier empties all buffers; so do a system call and a swap of the putter itself. Up
 * to DEATHS of them die; only then are there ticks, by which sleepers look by themselves. Checked:
 * in the end nobody who lives sleeps while there is a message.
 *
 * BROKEN: no membarrier (1), or asleep cleared by a plain store (2): there spin must find an error.
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef BROKEN
#define BROKEN 0
#endif
#define HOT 2
#define SLEEPERS 2

bool buffered[HOT]; /* stored, not seen by others yet */
byte messages;
byte asleep; /* announcements; stepped by each who is about to sleep */
byte bell;
bool in_futex[SLEEPERS], woken[SLEEPERS];
byte deaths, served, gone;

#define DIE if :: d_step { deaths < DEATHS -> deaths++; gone++ } goto over :: true fi

inline flush(i) {
	if
	:: buffered[i] -> buffered[i] = false; messages++
	:: else
	fi
}

proctype hot(byte me) {
	byte seen, count;

	DIE;
	buffered[me] = true;
	DIE;
	seen = asleep;
	if
	:: seen ->
		DIE;
		/* FUTEX_WAKE_OP: step and wake one. */
		d_step {
			flush(me);
			bell++;
			count = 0;
			if
			:: in_futex[0] -> in_futex[0] = false; woken[0] = true; count = 1
			:: !in_futex[0] && in_futex[1] -> in_futex[1] = false; woken[1] = true; count = 1
			:: else
			fi
		}
		if
		:: count == 0 ->
			DIE;
			d_step {
				if
				:: asleep == seen || BROKEN == 2 -> asleep = 0
				:: else
				fi
			}
		:: else
		fi
	:: else
	fi;
over:
	skip;
	/* Whatever was stored is seen some time: the kernel drains the dead, too. */
	d_step { flush(me) }
}

/* The store buffer drains when it likes. */
active proctype drain() {
end:
	do
	:: d_step { buffered[0] -> buffered[0] = false; messages++ }
	:: d_step { buffered[1] -> buffered[1] = false; messages++ }
	od
}

proctype sleeper(byte me) {
	byte heard;

	do
	:: true ->
		heard = bell;
		asleep++;
		if
		:: BROKEN != 1 -> d_step { flush(0); flush(1) }
		:: else
		fi;
		DIE;
		if
		:: d_step { messages > 0 -> messages--; served++ }
			/* Whoever slept wakes the next if there is more. */
			if
			:: messages > 0 && asleep ->
				DIE;
				d_step {
					bell++;
					if
					:: in_futex[1 - me] -> in_futex[1 - me] = false; woken[1 - me] = true
					:: else
					fi
				}
			:: else
			fi;
			break
		:: d_step { messages == 0 -> in_futex[me] = (bell == heard); woken[me] = false }
		fi;
end_asleep:
		/* Dead in its sleep, or woken and then killed: the wake-up is gone. */
		if
		:: !in_futex[me] -> skip
		:: d_step { deaths < DEATHS -> deaths++; in_futex[me] = false } goto over
		:: d_step { in_futex[me] && deaths > 0 && messages > 0 -> in_futex[me] = false }
		fi;
		DIE;
		/* Woken: it tries before it says again that it sleeps. */
		if
		:: d_step { messages > 0 -> messages--; served++ }
			if
			:: messages > 0 && asleep ->
				DIE;
				d_step {
					bell++;
					if
					:: in_futex[1 - me] -> in_futex[1 - me] = false; woken[1 - me] = true
					:: else
					fi
				}
			:: else
			fi;
			break
		:: d_step { messages == 0 }
		fi
	od;
over:
	skip
}

init {
	atomic {
		run hot(0);
		run hot(1);
		run sleeper(0);
		run sleeper(1)
	}
	timeout;
	assert(!(messages > 0 && (in_futex[0] || in_futex[1])))
}
