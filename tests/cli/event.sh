#!/bin/bash
# ilk event: set lets several through, auto reset one; time-outs.
. "$(dirname "$0")/lib.sh"

prints()
{
	[ "$out" = "$1" ] || fail "it printed '$out', not '$1'"
}

refuses event "$prefix" go value
says_err "no such segment"
expect 75 event "$prefix" go wait -w 0
says_err "it is not set"
[ -e "/dev/shm/ilk.$prefix" ] || fail "the segment was not made"
refuses event "$prefix" none value
sum=$(sha256sum "/dev/shm/ilk.$prefix")
expect 0 event "$prefix" go value
prints 0
expect 0 event "$prefix" go value --json
fits event
says '"value": 0'
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$prefix")" ] || fail "reading changed the segment"
before=$(date +%s%N)
expect 75 event "$prefix" go wait -w 0.3
[ $((($(date +%s%N) - before) / 1000000)) -ge 290 ] || fail "it did not wait"

# wait_for_it EVENT N: N who wait in the background; $waiters are they.
wait_for_it()
{
	waiters=()
	for ((i = 0; i < $2; i++)); do
		"$ilk" event "$prefix" "$1" wait -w 20 &
		waiters+=($!)
		started+=($!)
	done
	"$ilk" wait-for "$prefix" "$1" "waiters==$2" -t 10 || fail "$2 do not wait for $1"
}

# Several wait; one set lets all of them through, and who comes later.
wait_for_it go 4
for pid in "${waiters[@]}"; do
	gone "$pid" && fail "one went before it was set"
done
expect 0 event "$prefix" go set
for pid in "${waiters[@]}"; do
	await "$pid" 10
	[ "$code" -eq 0 ] || fail "a waiter ended with $code"
done
expect 0 event "$prefix" go wait -w 0
expect 0 event "$prefix" go wait -w 0
expect 0 event "$prefix" go value
prints 1
expect 0 event "$prefix" go clear
expect 75 event "$prefix" go wait -w 0

# Of auto reset: each set lets one through, now or later.
expect 0 event "$prefix" next clear --auto
wait_for_it next 3
expect 0 event "$prefix" next set
"$ilk" wait-for "$prefix" next waiters==2 -t 10 || fail "not one of three went"
expect 0 event "$prefix" next value
prints 0
expect 0 event "$prefix" next set --auto
"$ilk" wait-for "$prefix" next waiters==1 -t 10 || fail "not two of three went"
expect 0 event "$prefix" next set
for pid in "${waiters[@]}"; do
	await "$pid" 10
	[ "$code" -eq 0 ] || fail "a waiter ended with $code"
done
expect 0 event "$prefix" next set
expect 0 event "$prefix" next wait -w 0
expect 75 event "$prefix" next wait -w 0

# A waiter that is killed keeps nobody.
wait_for_it go 2
kill -KILL "${waiters[0]}"
await "${waiters[0]}" 10
expect 0 event "$prefix" go set
await "${waiters[1]}" 10
[ "$code" -eq 0 ] || fail "the other waiter ended with $code"

# Mistakes.
refuses event "$prefix" go set --auto
says_err "of manual reset"
says_err "see to --auto"
refuses event "$prefix" go
refuses event "$prefix" go ste
says_err "did you mean set?"
refuses event "$prefix" go set 1
refuses event "$prefix" go set -w 1
refuses event "$prefix" go clear --json
"$ilk" lock "$prefix" stock -- true
refuses event "$prefix" stock set
says_err "no plain event"

finish
