#!/bin/bash
# ilk latch: counts of processes open it, for all, for good.
. "$(dirname "$0")/lib.sh"

prints()
{
	[ "$out" = "$1" ] || fail "it printed '$out', not '$1'"
}

refuses latch "$prefix" loaded value
expect 75 latch "$prefix" loaded wait -n 4 -w 0
says_err "left to be counted"
sum=$(sha256sum "/dev/shm/ilk.$prefix")
expect 0 latch "$prefix" loaded value
prints 4
expect 0 latch "$prefix" loaded value --json -n 4
fits latch
says '"value": 4'
refuses latch "$prefix" none value
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$prefix")" ] || fail "reading changed the segment"
before=$(date +%s%N)
expect 75 latch "$prefix" loaded wait -w 0.3
[ $((($(date +%s%N) - before) / 1000000)) -ge 290 ] || fail "it did not wait"

# Two wait, three counts keep them, the fourth lets them go; nobody has to know the number.
for i in 0 1; do
	"$ilk" latch "$prefix" loaded wait -w 20 &
	waiters[i]=$!
	started+=($!)
done
"$ilk" wait-for "$prefix" loaded waiters==2 -t 10 || fail "two do not wait"
for i in 1 2 3; do expect 0 latch "$prefix" loaded count; done
expect 75 latch "$prefix" loaded wait -w 0
"$ilk" wait-for "$prefix" loaded waiters==2 -t 1 || fail "one went before the last count"
expect 0 latch "$prefix" loaded count 1 -n 4
for pid in "${waiters[@]}"; do
	await "$pid" 10
	[ "$code" -eq 0 ] || fail "a waiter ended with $code"
done
expect 0 latch "$prefix" loaded wait -w 0
expect 0 latch "$prefix" loaded value
prints 0

# Too much counts nothing.
expect 0 latch "$prefix" ten count 7 -n 10
refuses latch "$prefix" ten count 4
says_err "nothing was counted"
expect 0 latch "$prefix" ten value
prints 3
expect 0 latch "$prefix" ten count 3
expect 0 latch "$prefix" ten wait

# Many at once lose nothing.
for i in 1 2 3 4 5 6; do
	for j in 1 2 3; do "$ilk" latch "$prefix" many count -n 18; done &
	started+=($!)
done
expect 0 latch "$prefix" many wait -n 18 -w 30

# One by default.
expect 0 latch "$prefix" one count
expect 0 latch "$prefix" one wait -w 0

# Mistakes.
refuses latch "$prefix" ten wait -n 3
says_err "began with 10"
says_err "see to --count"
refuses latch "$prefix" ten
refuses latch "$prefix" ten cuont
says_err "did you mean count?"
refuses latch "$prefix" new wait -n 0
refuses latch "$prefix" new count 0
refuses latch "$prefix" ten wait 3
refuses latch "$prefix" ten count -w 1
"$ilk" lock "$prefix" stock -- true
refuses latch "$prefix" stock count
says_err "no plain latch"

finish
