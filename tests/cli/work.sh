#!/bin/bash
# ilk work: what a command gets, what its failure does, deaths, signals, several workers.
. "$(dirname "$0")/lib.sh"

# work ARGUMENT...: starts ilk work in the background; $worker is it. It does not ignore SIGINT, as
# what a script starts so does.
work()
{
	(
		trap - INT
		exec "$ilk" work "$prefix" jobs "$@"
	) >>"$scratch/workers" 2>&1 &
	worker=$!
	started+=("$worker")
}

# hang: the command of a worker that says its pid in $scratch/hangs, and does not end.
hang='echo $$ >"$0.new"; mv "$0.new" "$0"; exec sleep 100'

put()
{
	"$ilk" put "$prefix" jobs -m "$1" || fail "ilk put $1"
}

# $command becomes the pid of the hanging one.
await_hang()
{
	until_true 10 test -e "$scratch/hangs" || fail "the command did not start"
	command=$(cat "$scratch/hangs")
	rm -f "$scratch/hangs"
	started+=("$command")
}

# What a command gets.
printf 'one\ntwo words\n' | "$ilk" put "$prefix" jobs
expect 0 work "$prefix" jobs -w 0 -- sh -c 'echo "$ILK_DELIVERY:$ILK_MESSAGE:$(cat)"'
[ "$out" = $'1:one:one\n1:two words:two words' ] || fail "it printed $out"
printf 'a\0b' >"$scratch/nul"
"$ilk" put "$prefix" jobs -0 -m x
"$ilk" put "$prefix" binary <"$scratch/nul"
expect 0 work "$prefix" binary -w 0 -- sh -c "cmp - '$scratch/nul' && test -z \"\${ILK_MESSAGE+set}\""
expect 0 work "$prefix" jobs -w 0 -- sh -c 'test "$ILK_MESSAGE" = x'
expect 0 work "$prefix" jobs -w 0 -- false
before=$(date +%s%N)
expect 0 work "$prefix" jobs -w 0.3 -- false
[ $((($(date +%s%N) - before) / 1000000)) -ge 290 ] || fail "it did not wait"

# Failure: again, and counted.
put again
expect 1 work "$prefix" jobs -w 0 -- sh -c 'echo "$ILK_DELIVERY"; test "$ILK_DELIVERY" -eq 3'
[ "$out" = $'1\n2\n3' ] || fail "deliveries: $out"
put again
expect 1 work "$prefix" jobs -w 0 -- sh -c 'test "$ILK_DELIVERY" -eq 2 || kill -KILL $$'
put kept
expect 127 work "$prefix" jobs -w 0 -- "$scratch/none"
says_err "cannot be run"
expect 126 work "$prefix" jobs -w 0 -- /dev/null
expect 0 get "$prefix" jobs
says kept

# So often and no more.
"$ilk" put "$prefix" poison --deliveries 2 --dead-letter buried -m bad
expect 1 work "$prefix" poison -w 0 -- false
expect 0 get "$prefix" buried
says bad
expect 75 get "$prefix" poison

# kill -9 of the worker while its command runs: that dies, and the job runs again elsewhere.
put precious
work -- sh -c "$hang" "$scratch/hangs"
await_hang
expect 75 get "$prefix" jobs
kill -KILL "$worker"
await "$worker" 15
until_true 10 gone "$command" || fail "the command outlived its worker"
expect 0 work "$prefix" jobs -w 2 -- sh -c 'echo "$ILK_MESSAGE $ILK_DELIVERY"'
[ "$out" = "precious 2" ] || fail "it was not run again: $out"

# The same, with one who waits already.
put precious
work -- sh -c "$hang" "$scratch/hangs"
await_hang
"$ilk" work "$prefix" jobs -w 10 -- sh -c "echo \"\$ILK_MESSAGE \$ILK_DELIVERY\" >'$scratch/other'" &
other=$!
started+=("$other")
sleep 0.2
[ ! -e "$scratch/other" ] || fail "the job of a living worker was given to another"
kill -KILL "$worker"
until_true 10 test -s "$scratch/other" || fail "who waited did not get the job"
[ "$(cat "$scratch/other")" = "precious 2" ] || fail "it got $(cat "$scratch/other")"
kill -TERM "$other"
await "$other" 10
[ "$code" -eq 143 ] || fail "exit code $code after SIGTERM"
await "$worker" 15

# A stopped worker is not dead.
put slow
work -- sh -c "$hang" "$scratch/hangs"
await_hang
kill -STOP "$worker"
until_true 10 state_is "$worker" T || fail "not stopped"
expect 75 get "$prefix" jobs -w 0.2
kill -CONT "$worker"

# Signals: passed on, and the job goes back.
kill -INT "$worker"
await "$worker" 10
[ "$code" -eq 130 ] || fail "exit code $code after SIGINT"
gone "$command" || fail "the command was not ended"
expect 0 get "$prefix" jobs
says slow
put done
work -- sh -c 'trap "exit 0" TERM; echo $$ >"$0.new"; mv "$0.new" "$0"; while :; do sleep 0.05; done' \
	"$scratch/hangs"
await_hang
kill -TERM "$worker"
await "$worker" 10
[ "$code" -eq 143 ] || fail "exit code $code after SIGTERM"
expect 75 get "$prefix" jobs
work -- true
sleep 0.2
kill -HUP "$worker"
await "$worker" 10
[ "$code" -eq 129 ] || fail "exit code $code of an idle one after SIGHUP"

# Several: at the same time, each message once.
mkdir "$scratch/met"
printf '%s\n' 1 2 | "$ilk" put "$prefix" jobs
expect 0 work "$prefix" jobs --workers 2 -w 0 -- \
	sh -c 'touch "$0/$ILK_MESSAGE"; for i in $(seq 200); do test -e "$0/$((3 - ILK_MESSAGE))" && exit 0; sleep 0.05; done; exit 1' "$scratch/met"
seq 40 | "$ilk" put "$prefix" jobs --close
expect 0 work "$prefix" jobs -j 4 -- sh -c 'echo "$ILK_MESSAGE"'
[ "$(sort -n "$scratch/out")" = "$(seq 40)" ] || fail "messages were lost or doubled"

# One of several is killed: its job is done by another, and there are as many as before.
"$ilk" put "$prefix" crew -m precious
"$ilk" work "$prefix" crew -j 2 -- sh -c \
	'test "$ILK_DELIVERY" -gt 1 && exit 0; echo $$ >"$0.new"; mv "$0.new" "$0"; exec sleep 100' \
	"$scratch/hangs" 2>"$scratch/crew" &
crew=$!
started+=("$crew")
await_hang
victim=$(sed -n 's/^PPid:.//p' "/proc/$command/status")
kill -KILL "$victim"
until_true 10 gone "$command" || fail "the command outlived its worker"
until_true 10 grep -q "takes its place" "$scratch/crew" || fail "there is no successor"
until_true 10 sh -c "\"$ilk\" show --json $prefix | grep -A12 '\"crew\"' | grep -q 'value\": 0'" ||
	fail "the job was not done"
kill -TERM "$crew"
await "$crew" 10
[ "$code" -eq 143 ] || fail "exit code $code of the crew after SIGTERM"

# Whoever looks after them is killed: they end, and give back what they have.
"$ilk" put "$prefix" crew -m precious
"$ilk" work "$prefix" crew -j 2 -- sh -c "$hang" "$scratch/hangs" 2>/dev/null &
crew=$!
started+=("$crew")
await_hang
worker=$(sed -n 's/^PPid:.//p' "/proc/$command/status")
kill -KILL "$crew"
until_true 10 gone "$worker" || fail "a worker outlived the crew"
until_true 10 gone "$command" || fail "a command outlived the crew"
expect 0 get "$prefix" crew -w 2
says precious

# Mistakes.
refuses work "$prefix" jobs
says_err "there is no command"
refuses work "$prefix" jobs --
refuses work "$prefix" -- true
refuses work "$prefix" jobs -j 0 -- true
refuses work "$prefix" jobs -j 513 -- true

finish
