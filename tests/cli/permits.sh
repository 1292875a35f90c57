#!/bin/bash
# ilk permits: never more than so many at a time, exit codes, time-outs, deaths.
. "$(dirname "$0")/lib.sh"

# free WANTED: so many permits are free, or the dead's.
free()
{
	"$ilk" wait-for "$prefix" p "value==$1" -t 10 2>"$scratch/err" || fail "not $1 are free"
}

# Made on first use; the exit code is the command's.
expect 0 permits "$prefix" p -n 2 -- echo hello world
says "hello world"
expect 7 permits "$prefix" p -n 2 -- sh -c 'exit 7'
expect 143 permits "$prefix" p -n 2 -- sh -c 'kill -TERM $$'
expect 127 permits "$prefix" p -n 2 -- "$scratch/none"
says_err "cannot be run"
expect 126 permits "$prefix" p -n 2 -- /dev/null
expect 0 permits "$prefix" p -n 2 -w 5 -- sh -c 'test "$1" = -n' - -n
free 2

# Five want one each of two: two at a time, never three. Each says how many it sees inside.
mkdir "$scratch/in"
for i in 1 2 3 4 5; do
	"$ilk" permits "$prefix" p -n 2 -- sh -c '
		touch "$0/$$"
		for look in 1 2 3 4 5 6; do
			ls "$0" | wc -l
			sleep 0.05
		done >>"$0.seen"
		rm "$0/$$"' "$scratch/in" &
	workers[i]=$!
	started+=($!)
done
for pid in "${workers[@]}"; do
	wait "$pid" || fail "a worker failed"
done
[ "$(wc -l <"$scratch/in.seen")" -eq 30 ] || fail "not all five ran"
most=$(sort -n "$scratch/in.seen" | tail -1)
[ "$most" -eq 2 ] || fail "$most were inside at a time, not 2"
free 2

# Time-out: all are taken.
hold_by permits "$prefix" p -n 2
first=$holder
first_command=$command
free 1
hold_by permits "$prefix" p -n 2
free 0
expect 75 permits "$prefix" p -n 2 -w 0 -- touch "$scratch/ran"
says_err "ilk show $prefix p"
before=$(date +%s%N)
expect 75 permits "$prefix" p -n 2 -w 0.3 -- touch "$scratch/ran"
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -ge 290 ] || fail "gave up after $took ms, not 300"
[ ! -e "$scratch/ran" ] || fail "the command ran without a permit"

# kill -9 of a holder while one waits: its permit comes back, and its command dies with it.
"$ilk" permits "$prefix" p -n 2 -w 20 -- touch "$scratch/waited" &
waiter=$!
started+=("$waiter")
"$ilk" wait-for "$prefix" p 'waiters>=1' -t 10 || fail "it does not wait"
[ ! -e "$scratch/waited" ] || fail "the waiter did not wait"
end_holder KILL
await "$waiter" 15
[ "$code" -eq 0 ] || fail "the waiter ended with $code"
[ -e "$scratch/waited" ] || fail "the waiter's command did not run"
until_true 10 gone "$command" || fail "the command outlived ilk"

# The other holder is untouched; stopped, it is not dead.
kill -STOP "$first"
until_true 10 state_is "$first" T || fail "not stopped"
expect 75 permits "$prefix" p -n 2 -t 2 -w 0.2 -- true
expect 0 permits "$prefix" p -n 2 -w 2 -- true
kill -CONT "$first"

# SIGTERM goes to the command, and ilk ends as the command does, in order.
holder=$first
end_holder TERM
[ "$code" -eq 143 ] || fail "exit code $code after SIGTERM, not 143"
gone "$first_command" || fail "the command outlived SIGTERM"
free 2

# Several at once: all or none.
expect 0 permits "$prefix" p -n 2 --take 2 -w 2 -- true
hold_by permits "$prefix" three -n 3 -t 2
expect 75 permits "$prefix" three -n 3 -t 2 -w 0.1 -- true
says_err "2 of 3 were not free"
expect 0 permits "$prefix" three -n 3 -w 2 -- true
end_holder KILL
expect 0 permits "$prefix" three -n 3 -t 3 -w 10 -- true

# Those that processes own are all the same.
"${2?the actor}" open "$prefix" process-permits owned 2 1 touch "$scratch/owned" &
actor=$!
started+=("$actor")
until_true 10 test -e "$scratch/owned" || fail "the actor has no permit"
expect 0 permits "$prefix" owned -n 2 -w 0 -- true
expect 75 permits "$prefix" owned -n 2 -t 2 -w 0 -- true

# Mistakes.
refuses permits "$prefix" p -n 3 -- true
says_err "number differs"
says_err "see to --permits"
refuses permits "$prefix" owned -n 3 -- true
says_err "number differs"
refuses permits "$prefix" p -n 2
says_err "there is no command"
refuses permits "$prefix" p -n 2 --
refuses permits "$prefix" p -- true
says_err "--permits N"
refuses permits "$prefix" p -n 2 -t 3 -- true
says_err "more than there are"
refuses permits "$prefix" p -n 0 -- true
refuses permits "$prefix" p -n 4097 -- true
refuses permits "$prefix" -n 2 -- true
refuses permits "$prefix" p x -n 2 -- true
refuses permits "a/b" p -n 2 -- true
"$ilk" counter "$prefix" hits add 1 >/dev/null
refuses permits "$prefix" hits -n 2 -- true
says_err "no plain permits"

finish
