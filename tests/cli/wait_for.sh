#!/bin/bash
# ilk wait-for: conditions, exit codes, what is not there yet, and that waiting changes nothing.
. "$(dirname "$0")/lib.sh"

segment=/dev/shm/ilk.$prefix

# met CONDITION, unmet CONDITION: of $object, at one look.
met()
{
	expect 0 wait-for "$prefix" "$object" "$1" -t 0
	[ -z "$out$err" ] || fail "it is so, and something is said of it"
}

unmet()
{
	expect 1 wait-for "$prefix" "$object" "$1" -t 0
	says_err "the time is up"
}

# Nothing there yet.
object=hits
met gone
unmet exists
unmet 'value>=0'
says_err "it is not there"
"$ilk" create "$prefix" >/dev/null
met gone
unmet exists
"$ilk" counter "$prefix" hits add 10 >/dev/null

# A counter.
sum=$(sha256sum "$segment")
met exists
unmet gone
unmet damaged
for condition in 'value==10' 'value=10' 'value != 9' 'value>=10' ' value <= 10' 'value>9' 'value<11' \
	'value>-1' 'state==10' 'state!=1' 'state~1' waiters==0 openers==0; do
	met "$condition"
done
for condition in 'value==9' 'value!=10' 'value>=11' 'value<=9' 'value>10' 'value<10' 'state==1' \
	'state!=10' 'state~2' 'waiters>0'; do
	unmet "$condition"
done
[ "$sum" = "$(sha256sum "$segment")" ] || fail "wait-for changed the segment"

# Mistakes, and what cannot be said of a counter.
for condition in '' fre 'free x' value 'value>=' 'value>=x' 'value~1' 'value=>1' 'state>=1' state 'free=1' \
	'>=10' 'value>=99999999999999999999'; do
	refuses wait-for "$prefix" hits "$condition" -t 0
done
refuses wait-for "$prefix" hits hald
says_err "did you mean held?"
refuses wait-for "$prefix" hits
for condition in free held owner-dead 'holders==0' 'depth==0' closed; do
	refuses wait-for "$prefix" hits "$condition" -t 0
	says_err "of the kind counter"
done
refuses wait-for "$prefix" hits exists -t -1
: >"/dev/shm/ilk.$prefix-empty"
refuses wait-for "$prefix-empty" hits exists

# A mutex: held, its owner dead, free.
hold "$prefix" stock
object=stock
met held
met 'holders==1'
unmet free
unmet owner-dead
refuses wait-for "$prefix" stock 'value==0' -t 0
end_holder KILL
met owner-dead
met held
"$ilk" lock "$prefix" stock -- true 2>/dev/null
met free
met 'acquired==2'
unmet held
unmet owner-dead

# wait_in_background ARGUMENT...: $waiter waits, and has not ended at once.
wait_in_background()
{
	"$ilk" wait-for "$@" >"$scratch/out" 2>"$scratch/err" &
	waiter=$!
	started+=("$waiter")
	sleep 0.3
	! gone "$waiter" || fail "wait-for $*: it does not wait"
}

ends_with()
{
	await "$waiter" 20
	[ "$code" -eq "$1" ] || fail "wait-for ended with $code, not $1"
}

# It waits until it is so: of an object, of one that is to be made, of a segment that is to be made.
wait_in_background "$prefix" hits 'value>=12'
"$ilk" counter "$prefix" hits add 1 >/dev/null
sleep 0.3
! gone "$waiter" || fail "it does not wait for the second"
"$ilk" counter "$prefix" hits add 1 >/dev/null
ends_with 0
hold "$prefix" stock
wait_in_background "$prefix" stock free --json
end_holder TERM
ends_with 0
out=$(cat "$scratch/out")
fits wait-for
says '"schema": "ilk-wait-for"'
says '"met": true'
says '"state": "free"'
wait_in_background "$prefix-new" gate exists -t 100s
"$ilk" create "$prefix-new" >/dev/null
"$ilk" counter "$prefix-new" gate add 1 >/dev/null
ends_with 0
wait_in_background "$prefix-new" gate gone
"$ilk" rm "$prefix-new"
ends_with 0
wait_in_background "$prefix" hits gone
"$ilk" rm --object hits "$prefix"
ends_with 0

# The time.
expect 1 wait-for "$prefix" stock held --timeout 300ms --json
fits wait-for
says '"met": false'
waited=$(sed -n 's/.*"waited_ns": \([0-9]*\).*/\1/p' "$scratch/out")
[ "$waited" -ge 300000000 ] || fail "it waited for $waited ns only"

finish
