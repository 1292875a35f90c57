/*
 * ring.pml - the sleep of a ring's reader: [R5] and [R6] of src/queue/ring.c, with the writer's store
 * held back as long as a processor may, and its death at every step.
 *
 * What is checked: no end in which the reader sleeps while the writer lives and has put everything; and
 * the reader gets what was put, all of it, before it believes that the writer is dead.
 */
#define MESSAGES 3

byte stored;  /* messages whose header others see */
bit pending;  /* one more, in the writer's store buffer */
bit sleeps;   /* SLEEPS in to_writer */
bit dead;     /* the writer; its stores are out then */
byte got;

inline drain() { d_step { stored = stored + pending; pending = 0 } }
inline may_die() { if :: skip :: d_step { stored = stored + pending; pending = 0; dead = 1 } -> goto gone fi }

active proctype buffer()
{
end:	do
	:: atomic { pending -> stored = stored + 1; pending = 0 }
	od
}

active proctype writer()
{
	byte put = 0;

	do
	:: put < MESSAGES ->
		may_die();
		atomic { !pending -> pending = 1; put++ }	/* [R5] store; */
		may_die();
		if						/* load */
		:: sleeps ->
			may_die();
			d_step { stored = stored + pending; pending = 0; sleeps = 0 }
		:: else
		fi
	:: else -> break
	od;
gone:	skip
}

active proctype reader()
{
	bit was_dead;

	do
	:: got == MESSAGES -> break
	:: got < stored -> got++
	:: got < MESSAGES && got == stored ->
		sleeps = 1;					/* [R6] set; */
		drain();					/* membarrier; */
		if						/* load */
		:: got < stored
		:: else ->
			(!sleeps || dead);			/* asleep: woken, or a tick */
			was_dead = dead;
			if
			:: was_dead && got == stored -> break
			:: else
			fi
		fi
	od;
	assert(got == MESSAGES || (dead && got == stored))
}
