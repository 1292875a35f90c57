#!/bin/bash
# ilk rm --object: removes an object, and never the segment. (ilk rm NAME... is in create.sh.)
. "$(dirname "$0")/lib.sh"

segment=/dev/shm/ilk.$prefix

for name in "$prefix" "$prefix-2"; do
	expect 0 create "$name"
	expect 0 counter "$name" hits add 41
done
expect 0 rm --object hits "$prefix"
[ -z "$out$err" ] || fail "rm says something"
expect 0 show "$prefix"
says "0 objects"
expect 0 counter "$prefix" hits add 1
says 1

# What is not there does not keep the others, and no segment goes.
refuses rm "$prefix-none" --object hits
says_err "no such segment"
refuses rm "$prefix-none" "$prefix" "$prefix-2" --object=hits
expect 0 show "$prefix-2"
says "0 objects"
refuses rm --object hits "$prefix"
says_err "no object hits in $prefix"
for odd in "" "$(printf 'a%.0s' {1..64})" $'bell\a'; do
	refuses rm --object "$odd" "$prefix"
done
refuses rm --object hits
refuses rm --object
[ -e "$segment" ] || fail "the segment is gone"

# One that is held: it is kept, and shown as removed, until who has it open is gone.
hold "$prefix" stock
expect 0 show "$prefix"
grep -Eq "^stock +mutex +held +ilk " "$scratch/out" || fail "the mutex"
expect 0 show "$prefix" --json
is_json
says '"removed": false'
says '"openers": 1'
"$ilk" lock "$prefix" stock -- true 2>"$scratch/waiter" &
waiter=$!
started+=("$waiter")
waits()
{
	"$ilk" show "$prefix" | grep -Eq "^ *$waiter .* stock +[0-9]"
}
until_true 10 waits || fail "the waiter does not show"
expect 0 rm --object stock "$prefix"
await "$waiter" 10
[ "$code" -eq 2 ] || fail "who waited ended with $code"
run show "$prefix"
grep -Eq "^stock +mutex +held, removed +ilk .* 1\$" "$scratch/out" ||
	fail "it is not shown as removed"
run show "$prefix" --json
is_json
says '"removed": true'
end_holder TERM
# Another member's next removal or closing finds the memory.
expect 0 counter "$prefix" hits add 1
expect 0 show "$prefix"
says_not stock

finish
