#!/bin/bash
# ilk lock: exit codes, waiting, dying, recovery, signals.
. "$(dirname "$0")/lib.sh"

warning="died holding it"

# Made on first use; the exit code is the command's.
expect 0 lock "$prefix" m -- true
[ -e "/dev/shm/ilk.$prefix" ] || fail "the segment was not made"
expect 0 lock "$prefix" m -- echo hello world
says "hello world"
expect 7 lock "$prefix" m -- sh -c 'exit 7'
expect 75 lock "$prefix" m -- sh -c 'exit 75'
expect 143 lock "$prefix" m -- sh -c 'kill -TERM $$'
expect 137 lock "$prefix" m -- sh -c 'kill -KILL $$'
expect 127 lock "$prefix" m -- "$scratch/none"
says_err "cannot be run"
expect 126 lock "$prefix" m -- /dev/null
expect 0 lock "$prefix" m -w 5 -- sh -c 'test "$1" = -w' - -w
# However the command ended, we did not: nobody is told of a death.
expect 0 lock "$prefix" m -- true
says_not "$warning"

# Only one at a time.
for i in 1 2 3 4; do
	"$ilk" lock "$prefix" m -- sh -c "mkdir '$scratch/in' && sleep 0.05 && rmdir '$scratch/in'" &
	lockers[i]=$!
	started+=($!)
done
for pid in "${lockers[@]}"; do
	wait "$pid" || fail "two were in at once"
done

# Time-out.
hold "$prefix" m
expect 75 lock "$prefix" m -w 0 -- touch "$scratch/ran"
says_err "ilk show $prefix"
before=$(date +%s%N)
expect 75 lock "$prefix" m -w 0.3 -- touch "$scratch/ran"
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -ge 290 ] || fail "gave up after $took ms, not 300"
[ ! -e "$scratch/ran" ] || fail "the command ran without the lock"
expect 0 lock "$prefix" other -w 0 -- true

# kill -9: the command dies with its ilk; the next one is told, until one puts it right.
end_holder KILL
until_true 10 gone "$command" || fail "the command outlived ilk"
expect 3 lock "$prefix" m -w 10 -- sh -c 'test "$ILK_RECOVERED" = 1 && exit 3'
says_err "$warning"
expect 0 lock "$prefix" m -- sh -c 'test "$ILK_RECOVERED" = 1'
says_err "$warning"
expect 0 lock "$prefix" m -- sh -c 'test -z "${ILK_RECOVERED+set}"'
says_not "$warning"
# It is about this lock, not about one around it.
ILK_RECOVERED=1 expect 0 lock "$prefix" m -- sh -c 'test -z "${ILK_RECOVERED+set}"'

# A waiter goes on when the holder is killed.
hold "$prefix" m
"$ilk" lock "$prefix" m -- true 2>"$scratch/waiter" &
waiter=$!
started+=("$waiter")
sleep 0.2
end_holder KILL
await "$waiter" 15
[ "$code" -eq 0 ] || fail "the waiter did not get the lock"
grep -q "$warning" "$scratch/waiter" || fail "the waiter was not told"

# A stopped holder is not dead.
hold "$prefix" m
kill -STOP "$holder"
until_true 10 state_is "$holder" T || fail "not stopped"
expect 75 lock "$prefix" m -w 0.3 -- true
says_not "$warning"
kill -CONT "$holder"

# SIGTERM goes to the command, and ilk ends as the command does, in order.
end_holder TERM
[ "$code" -eq 143 ] || fail "exit code $code after SIGTERM, not 143"
gone "$command" || fail "the command outlived SIGTERM"
expect 0 lock "$prefix" m -w 0 -- true
says_not "$warning"
"$ilk" lock "$prefix" m -- \
	sh -c "trap 'exit 9' HUP; touch '$scratch/up'; while :; do sleep 0.05; done" &
holder=$!
started+=("$holder")
until_true 10 test -e "$scratch/up" || fail "the command did not start"
end_holder HUP
[ "$code" -eq 9 ] || fail "exit code $code, not that of the command's trap"
expect 0 lock "$prefix" m -w 0 -- true
says_not "$warning"

# A SIGCHLD that is ignored keeps nothing from working, and the command gets it as it was.
(
	trap '' CHLD
	exec "$ilk" lock "$prefix" m -- grep "^SigIgn" /proc/self/status
) >"$scratch/out" &
ignorer=$!
started+=("$ignorer")
await "$ignorer" 15
[ "$code" -eq 0 ] || fail "with SIGCHLD ignored"
# Signal 17 is bit 16.
grep -Eq '[13579bdf]....$' "$scratch/out" || fail "the command did not get SIGCHLD as it was"

# Mistakes.
refuses lock "$prefix" m
says_err "there is no command"
refuses lock "$prefix" m --
refuses lock "$prefix" -- true
refuses lock "$prefix" m x -- true
refuses lock "$prefix" "" -- true
refuses lock "a/b" m -- true
"$ilk" counter "$prefix" hits add 1 >/dev/null
refuses lock "$prefix" hits -- true
says_err "no plain mutex"

finish
