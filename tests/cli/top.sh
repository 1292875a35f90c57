#!/bin/bash
# ilk top as text: what it lists and in which order, a segment that goes, and that looking changes
# nothing: no byte, no slot, no mapping.
. "$(dirname "$0")/lib.sh"

segment=/dev/shm/ilk.$prefix

refuses top "$prefix"
says_err "no such segment"
"$ilk" create "$prefix" >/dev/null
"$ilk" create "$prefix-b" >/dev/null
"$ilk" counter "$prefix" hits add 3 >/dev/null
"$ilk" counter "$prefix-b" hits add 4 >/dev/null
hold "$prefix" stock
"$ilk" lock "$prefix" stock -- true 2>/dev/null &
waiter=$!
started+=("$waiter")
until_true 30 "$ilk" wait-for -t 0 "$prefix" stock 'waiters==1' 2>/dev/null || fail "nobody waits"

# One look after another, once.
refuses top "$prefix" --sort wating
says_err "did you mean waiting?"
refuses top "$prefix" --sort object,type
refuses top "$prefix" -o objec
refuses top "$prefix" "$prefix-none"
refuses top "$prefix" --every 0
expect 0 top "$prefix" --once --every 100ms
says "1 segment; 2 processes; 2 threads, 1 waiting; 2 objects"
says "every 100 ms, sorted by waiting"
sed -n 4p "$scratch/out" | grep -Eq "^stock +mutex +(1\.0|0\.9)[0-9] +1 +0 .* ilk \(pid $holder, thread $holder\) .* held\$" ||
	fail "the one that is waited for does not come first"
sed -n 5p "$scratch/out" | grep -Eq '^hits +counter +0 +0 +0 .* 3$' || fail "the counter"
expect 0 top "$prefix" "$prefix-b" --once --every 10ms -s object -o segment,object
[ "$(tail -n +4 "$scratch/out" | tr -s ' ' | tr '\n' ' ')" = "$prefix hits $prefix-b hits $prefix stock " ] ||
	fail "not in order of the objects"
expect 0 top "$prefix" "$prefix-b" --once --every 10ms -s object -r -f STO -o object
[ "$(tail -n 1 "$scratch/out")" = stock ] || fail "the filter"
says_not hits
expect 0 top --once --every 10ms
says "$prefix-b"

# JSON, once and again and again.
expect 0 top "$prefix" --once --every 10ms --json
fits top
says '"schema": "ilk-top"'
says '"threads_waiting": 1'
says "\"pid\": $holder"

# What is no terminal gets text at each look; and the segment is only read. Who waits writes down how
# often he slept: so all are stopped.
kill -STOP "$waiter" "$holder"
until_true 30 state_is "$waiter" T || fail "not stopped"
until_true 30 state_is "$holder" T || fail "not stopped"
sum=$(sha256sum "$segment")
"$ilk" top "$prefix" --every 10ms --json >"$scratch/looks" 2>"$scratch/err" &
top=$!
started+=("$top")
looks()
{
	[ "$(wc -l <"$scratch/looks")" -gt "$1" ]
}
until_true 30 looks 3 || fail "it does not look again and again"
for i in {1..50}; do
	! grep -q "ilk\.$prefix" "/proc/$top/maps" || fail "top maps the segment"
	for fd in /proc/"$top"/fdinfo/*; do
		# Flags of one that is open for writing end in 1 or 2.
		if [[ $(readlink "/proc/$top/fd/${fd##*/}" 2>/dev/null) == "$segment" ]]; then
			! grep -Eq '^flags:.*[12]$' "$fd" 2>/dev/null || fail "top can write to the segment"
		fi
	done
done
! gone "$top" || fail "top has ended"
[ "$sum" = "$(sha256sum "$segment")" ] || fail "top changed the segment"
head -n 1 "$scratch/looks" | grep -q '"processes": 2, "processes_dead": 0, "processes_stopped": 2,' || fail "top is counted as a member"

# The segment goes, and comes back.
kill -KILL "$waiter"
end_holder KILL
"$ilk" rm "$prefix"
until_true 30 grep -q '"trouble": "there is no such segment"' "$scratch/looks" || fail "that it went is not told"
"$ilk" create "$prefix" >/dev/null
"$ilk" counter "$prefix" again add 1 >/dev/null
until_true 30 grep -q '"object": "again"' "$scratch/looks" || fail "it is not looked at again"
kill -TERM "$top"
await "$top" 10
head -n 1 "$scratch/looks" >"$scratch/line" && mv "$scratch/line" "$scratch/out"
fits top

# Of all segments, those that come and go.
"$ilk" top --every 10ms >"$scratch/out" 2>"$scratch/err" &
top=$!
started+=("$top")
until_true 30 grep -q "^$prefix-b " "$scratch/out" || fail "not all are shown"
"$ilk" create "$prefix-c" >/dev/null
"$ilk" counter "$prefix-c" new add 1 >/dev/null
until_true 30 grep -Eq "^$prefix-c +new " "$scratch/out" || fail "one that came is not shown"
kill -TERM "$top"
await "$top" 10
[ ! -s "$scratch/err" ] || fail "something is complained of"

finish
