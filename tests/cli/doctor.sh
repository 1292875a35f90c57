#!/bin/bash
# ilk doctor: on segments put into known states by real processes; that looking changes nothing, and
# that --fix does what it says and nothing else.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR PATH_OF_SCHEMAS}
. "$(dirname "$0")/alone.sh"
[ "$alone" ] || { echo "skipped: there can be no /dev/shm of its own"; exit 77; }
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

segment=/dev/shm/ilk.$prefix

# finds TEXT...: a line of the last run fits the extended expression.
finds()
{
	grep -Eq "$1" "$scratch/out" || fail "it does not find: $1"
}

refuses doctor "$prefix"
says_err "no such segment"
refuses doctor "$prefix" --yes
refuses doctor --fix
says_err "give --yes"
refuses doctor --fix --json
refuses doctor -o knid
says_err "did you mean kind?"

# Nobody in it; somebody in it; nothing else.
expect 0 create "$prefix" --size 64K --processes 10
expect 0 doctor "$prefix"
finds "^note: $prefix: unused: no process is in it: all have left"
finds "^  cure: .*ilk gc $prefix"
finds "^1 segment: 0 wrong, 1 note$"
acted member open "$prefix"
expect 0 doctor "$prefix"
[ "$out" = "1 segment: 0 wrong, 0 notes" ] || fail "a healthy one"

# A stopped owner; a dead one; what the dead hold beside it.
acted holder open "$prefix" lock stock
holder=${pid[holder]}
act waiter open "$prefix" lock stock
await_wait waiter "$prefix" stock
kill -STOP "$holder"
until_true 10 state_is "$holder" T || fail "not stopped"
expect 0 doctor "$prefix"
finds "^note: $prefix: stopped owner: stock: .*$holder"
finds "^  cure: .*kill -CONT $holder"
end waiter holder
acted seated open "$prefix" permits seats 5 3
end seated
sum=$(sha256sum "$segment")
expect 1 doctor "$prefix"
finds "^wrong: $prefix: dead owner: stock: .*pid $holder"
finds "^note: $prefix: permits of the dead: seats: 3 permits: of the dead, first of .*${pid[seated]}"
finds "^  cure: .*ilk doctor --fix $prefix"
expect 1 doctor "$prefix" --json
fits doctor
says '"schema": "ilk-doctor"'
says '"remedy": "repair"'
says '"fixed": null'
expect 1 doctor "$prefix" -o kind,object,fix
finds "^dead owner +stock +repair$"
expect 1 doctor
finds "^wrong: $prefix: dead owner"
[ "$sum" = "$(sha256sum "$segment")" ] || fail "doctor changed the segment"

# All stopped: it looks, and waits for nobody.
kill -STOP "${pid[member]}"
until_true 10 state_is "${pid[member]}" T || fail "not stopped"
expect 1 doctor "$prefix"
[ "$sum" = "$(sha256sum "$segment")" ] || fail "doctor changed the segment"
kill -CONT "${pid[member]}"

# The cures, one by one; what the mutex guards stays its users' to put right.
expect 1 doctor --fix --yes "$prefix"
finds "^wrong: $prefix: dead owner: stock"
finds "^  fixed: stock is repaired"
finds "^  fixed: seats is repaired"
finds "^1 segment: 1 wrong, [0-9] notes?; 2 fixed, 1 wrong now"
expect 1 doctor "$prefix"
says_not "dead owner: stock"
says_not "of the dead"
finds "^wrong: $prefix: not repaired: stock: .*ilk_mutex_repaired"
expect 1 doctor --fix --yes "$prefix"
says_not "fixed: stock"
expect 0 lock "$prefix" stock -- sh -c 'test "$ILK_RECOVERED" = 1'
expect 0 doctor "$prefix"
kill -0 "${pid[member]}" || fail "the member is gone"

# A broken barrier is its members'.
acted breaker open "$prefix" abort gate 2
end breaker
expect 1 doctor "$prefix"
finds "^wrong: $prefix: broken: gate: .*broken"
finds "^  cure: .*ilk_barrier_reset"
expect 0 rm --object gate "$prefix"

# Slots nearly used up: 9 of 10.
for i in 2 3 4 5 6 7 8 9; do
	acted "$i" open "$prefix"
done
expect 1 doctor "$prefix"
finds "^wrong: $prefix: slots nearly used up: the living have 9 of 10 process slots"
end 2 3 4 5 6 7 8 9
expect 0 doctor "$prefix"
says_not "slots nearly"

# Unused: removed, unless somebody lives in it.
expect 0 doctor --fix --yes "$prefix"
[ -e "$segment" ] || fail "a living process's segment is gone"
end member
expect 0 doctor "$prefix"
finds "^note: $prefix: unused: no process lives in it: [0-9]+ died in it"
cp "$segment" "$scratch/whole"
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then # where there are pseudo-terminals
	echo n | script -qec "$ilk doctor --fix $prefix" /dev/null >"$scratch/out" 2>&1
	finds "remove $prefix\? \[y/N\]"
	[ -e "$segment" ] || fail "it was removed, against the answer"
	echo y | script -qec "$ilk doctor --fix $prefix" /dev/null >"$scratch/out" 2>&1
	finds "fixed: $prefix is removed"
else
	expect 0 doctor --fix --yes "$prefix"
fi
[ ! -e "$segment" ] || fail "it was not removed"

# By the path of a copy: nobody is called dead, nothing is fixed.
expect 0 doctor "$scratch/whole"
finds "^note: $scratch/whole: liveness"
says_not unused
expect 0 doctor --fix --yes "$scratch/whole"
says_not fixed:
[ -e "$scratch/whole" ] || fail "the copy is gone"

# Files that are no segments, or not of this layout: named, with who has them, and left.
expect 0 create "$prefix-layout" --size 64K
acted reader open-to-read "$prefix-layout"
printf '\377' | dd of="$segment-layout" bs=1 seek=8 conv=notrunc status=none
expect 0 create "$prefix-damaged" --size 64K
printf '\003' | dd of="$segment-damaged" bs=1 seek=12 conv=notrunc status=none
head -c 5000 /dev/zero >"$segment-zeros"
expect 1 doctor
finds "^wrong: $prefix-layout: other layout: .*version is 255 there.*mapped by: cli_actor ${pid[reader]}"
finds "^wrong: $prefix-damaged: damaged header: .*mapped by: -"
finds "^wrong: $prefix-zeros: no segment: wrong magic"
finds "^  cure: .*rm /dev/shm/ilk.$prefix-zeros"
for name in layout damaged zeros; do
	expect 1 doctor --fix --yes "$prefix-$name"
	[ -e "$segment-$name" ] || fail "$name was removed"
done
rm "$segment"-*

# /dev/shm nearly full: one of our own, where that is permitted.
if unshare -m true 2>/dev/null; then
	unshare -m sh -c 'mount -t tmpfs -o size=1m tmpfs /dev/shm && "$1" create full --size 1000K &&
		"$1" doctor' sh "$ilk" >"$scratch/out" 2>"$scratch/err"
	finds "^wrong: /dev/shm nearly full: .* of 1.0 MiB are taken"
	finds "^  cure: .*remount,size="
fi

finish
