#!/bin/bash
# ilk sem: posting, waiting, time-outs, deaths, what is made and what is only read.
. "$(dirname "$0")/lib.sh"

prints()
{
	[ "$out" = "$1" ] || fail "it printed '$out', not '$1'"
}

# Reading makes nothing; posting does.
refuses sem "$prefix" items value
says_err "no such segment"
expect 0 sem "$prefix" items post
prints ""
refuses sem "$prefix" none value
says_err "there is no semaphore none"
expect 0 sem "$prefix" items post 4
sum=$(sha256sum "/dev/shm/ilk.$prefix")
expect 0 sem "$prefix" items value
prints 5
expect 0 sem --json "$prefix" items value
fits sem
says '"value": 5'
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$prefix")" ] || fail "reading changed the segment"

# Each wait takes one, and there are no more than were posted.
for i in 1 2 3 4 5; do
	expect 0 sem "$prefix" items wait -w 0
done
expect 75 sem "$prefix" items wait -w 0
says_err "ilk show $prefix items"
before=$(date +%s%N)
expect 75 sem "$prefix" items wait -w 0.3
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -ge 290 ] || fail "gave up after $took ms, not 300"
expect 0 sem "$prefix" items value
prints 0

# waiter FILE: one who waits in the background, and then makes the file.
waiters=()
waiter()
{
	"$ilk" sem "$prefix" items wait && touch "$1" &
	waiters+=($!)
	started+=($!)
}

count_of()
{
	set -- "$scratch"/got.*
	[ -e "$1" ] && echo $# || echo 0
}

counts()
{
	[ "$(count_of)" -eq "$1" ]
}

are_waiting()
{
	"$ilk" wait-for "$prefix" items "waiters==$1" -t 10
}

# A post of two wakes two of three, and no more.
for i in 1 2 3; do waiter "$scratch/got.$i"; done
are_waiting 3 || fail "three do not wait"
expect 0 sem "$prefix" items post 2
until_true 10 counts 2 || fail "$(count_of) woke, not 2"
are_waiting 1 || fail "not one waits on"
counts 2 || fail "more woke than were posted for"
expect 0 sem "$prefix" items post
for pid in "${waiters[@]}"; do await "$pid" 10; done
counts 3 || fail "the last did not wake"

# A waiter that is killed takes nothing.
"$ilk" sem "$prefix" items wait &
killed=$!
started+=("$killed")
are_waiting 1 || fail "it does not wait"
kill -KILL "$killed"
await "$killed" 10
expect 0 sem "$prefix" items post
expect 0 sem "$prefix" items wait -w 2
expect 75 sem "$prefix" items wait -w 0

# The value to begin with is for a new one; later it need not be said, but not otherwise.
expect 0 sem "$prefix" three wait --value 3
expect 0 sem "$prefix" three value
prints 2
expect 0 sem "$prefix" three post
expect 0 sem "$prefix" three post --value 3
refuses sem "$prefix" three post --value 2
says_err "began with 3"
says_err "see to --value"
expect 0 sem "$prefix" three value
prints 4

# Removed while one waits.
"$ilk" sem "$prefix" items wait 2>"$scratch/removed" &
orphan=$!
started+=("$orphan")
are_waiting 1 || fail "it does not wait"
expect 0 rm "$prefix" --object items
await "$orphan" 10
[ "$code" -eq 2 ] || fail "exit code $code where the semaphore was removed, not 2"
grep -q "was removed" "$scratch/removed" || fail "it does not say that it was removed"

# Mistakes.
expect 0 sem "$prefix" full post 2147483647
refuses sem "$prefix" full post
says_err "nothing was posted"
"$ilk" lock "$prefix" stock -- true
refuses sem "$prefix" stock post
says_err "no plain semaphore"
refuses sem "$prefix" three
refuses sem "$prefix" three psot
says_err "did you mean post?"
refuses sem "$prefix" three xyzzy
says_err "use it as"
for n in 0 -1 x 1x 2147483648 99999999999999999999; do
	refuses sem "$prefix" three post "$n"
done
refuses sem "$prefix" three wait 1
refuses sem "$prefix" three value 1
refuses sem "$prefix" three post -w 1
says_err "leave out --wait"
refuses sem "$prefix" three wait --json
refuses sem "$prefix" three post 1 2
refuses sem "$prefix" three post --value -1
refuses sem "$prefix" "" post
refuses sem "a/b" three post

finish
