#!/bin/bash
# ilk show: who holds, who waits, who is stopped, who is dead; and that looking changes nothing.
. "$(dirname "$0")/lib.sh"

segment=/dev/shm/ilk.$prefix

unchanged()
{
	[ "$sum" = "$(sha256sum "$segment")" ] || fail "show changed the segment: $1"
}

refuses show "$prefix"
says_err "no such segment"
refuses show "./$prefix"
says_err "no file"

# Nobody there.
"$ilk" create "$prefix" >/dev/null
"$ilk" counter "$prefix" hits add 41 >/dev/null
sum=$(sha256sum "$segment")
expect 0 show "$prefix"
says "0 of 64 process slots"
grep -Eq '^hits +counter +41 ' "$scratch/out" || fail "the counter"
unchanged "nobody there"

# A holder and a waiter.
hold "$prefix" stock
"$ilk" lock "$prefix" stock -- true 2>/dev/null &
waiter=$!
started+=("$waiter")
waits()
{
	"$ilk" show "$prefix" | grep -Eq "^ *$waiter .* stock +[0-9]"
}
until_true 10 waits || fail "the waiter does not show"
expect 0 show "$prefix"
grep -Eq "^ *$holder +ilk +$holder +alive +stock +- " "$scratch/out" || fail "the holder's thread"
grep -Eq "^ *$waiter +ilk +$waiter +alive +- +stock +[0-9]+ (ms|s)" "$scratch/out" ||
	fail "the waiter's thread"
grep -Eq "^stock +mutex +held +ilk \(pid $holder, thread $holder\) +>= [0-9]+ (ms|s) +1 " \
	"$scratch/out" || fail "the mutex"
expect 0 show "$prefix" --json
is_json
says '"waits_for": 0'
says '"holder": "alive"'

# All stopped: not dead, and looking changes nothing.
kill -STOP "$waiter" "$holder"
until_true 10 state_is "$holder" T || fail "not stopped"
until_true 10 state_is "$waiter" T || fail "not stopped"
sum=$(sha256sum "$segment")
expect 0 show "$prefix"
grep -Eq "^ *$holder +ilk +stopped " "$scratch/out" || fail "the holder is not shown as stopped"
says_not dead,
says "note: stopped owner: stock"
expect 0 show "$prefix" --json
is_json
says '"state": "stopped"'
unchanged "all stopped"

# All dead.
kill -KILL "$waiter"
await "$waiter" 10
end_holder KILL
sum=$(sha256sum "$segment")
expect 1 show "$prefix"
grep -Eq "^ *$holder +ilk +dead " "$scratch/out" || fail "the holder is not shown as dead"
grep -Eq "^ *$waiter +ilk +dead " "$scratch/out" || fail "the waiter is not shown as dead"
says "wrong: dead owner: stock"
tail -n 2 "$scratch/out" | grep -Eq '^(wrong|note): ' || fail "what is wrong does not come last"
expect 1 show "$prefix" --json
is_json
says '"kind": "dead owner"'
unchanged "all dead"

# A copy: nobody can tell who is alive, and nobody is called dead.
cp "$segment" "$scratch/copy"
expect 0 show "$scratch/copy"
says "who is alive cannot be told"
grep -Eq "^ *$holder +ilk +unknown " "$scratch/out" || fail "the holder in a copy"
expect 0 show "$scratch/copy" --json
is_json
says '"liveness_known": false'

# Recovered, not yet put right; then put right.
expect 1 lock "$prefix" stock -- false
expect 1 show "$prefix"
says "wrong: not repaired: stock"
expect 0 lock "$prefix" stock -- true
expect 0 show "$prefix"

# Files that are no segments.
head -c 5000 /dev/zero >"$scratch/zeros"
: >"$scratch/empty"
head -c 5000 "$segment" >"$scratch/cut"
for file in "$scratch/zeros" "$scratch/empty" "$scratch/cut" "$scratch/." /dev/null; do
	refuses show "$file"
done

finish
