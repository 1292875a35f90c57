#!/bin/bash
# ilk race: the verdicts, the JSON, and that nothing is left behind.
. "$(dirname "$0")/lib.sh"

left_by()
{
	ls /dev/shm | grep "^ilk\.race\.$1\."
}

expect 0 race list
says "lost-update"
expect 0 race list --json
fits race-list

# The race is a matter of chance: on a slow or busy machine it may need longer.
for iterations in 1000000 10000000 100000000; do
	run race run lost-update --iterations "$iterations"
	[ "$code" -eq 1 ] || break
	says "Try --iterations"
done
[ "$code" -eq 0 ] || fail "the race never showed, or a fix did not hold"
says "race shown"
[ "$(grep -c 'holds$' "$scratch/out")" -eq 5 ] || fail "not five fixes that are exact"

# JSON: these keys, in each variant.
run race run lost-update --json --iterations 20000 --procs 3
[ "$code" -le 1 ] || fail "race run --json"
fits race-run
keys='"scenario" "variant" "aim" "processes" "threads" "iterations" "seed" "expected" "got" '
keys+='"failures" "failed_percent" "ns_per_op" "verdict" "as_it_should" "details" "witness" '
for variant in broken mutex semaphore atomic sharded messages; do
	found=$(awk -v want="\"variant\": \"$variant\"" '
		/^    \{/ { keys = ""; is_it = 0 }
		/^      "/ { keys = keys $1 " " }
		index($0, want) { is_it = 1 }
		/^    \}/ && is_it { gsub(/:/, "", keys); print keys }' "$scratch/out")
	[ "$found" = "$keys" ] || fail "the keys of $variant: $found"
done
says '"expected": 60000'
[ "$(grep -c '"got": 60000' "$scratch/out")" -ge 5 ] || fail "a fix lost something"

# A deadlock is found as `ilk deadlock` finds it.
for seconds in 1 10 60; do
	run race run deadlock --variant broken --for "$seconds"
	[ "$code" -eq 1 ] || break
done
[ "$code" -eq 0 ] || fail "no deadlock"
says "wait in a circle: a deadlock"
says "waits for the mutex 'fork"

# Threads, one variant, one alone.
expect 0 race run lost-update --procs 1 --threads 3 --iterations 20000 --variant mutex
says "1 process of 3 threads"
says "60,000"
says_not broken
expect 0 race run lost-update --procs 1 --threads 2 --iterations 20000 --variant sharded
expect 0 race run lost-update --threads 3 --iterations 20000 --variant atomic --json
says '"processes": 2'
says '"got": 120000'
expect 1 race run lost-update --procs 1 --iterations 1000
says "did not show"
says "--procs 2"

# Mistakes.
refuses race run
refuses race run lost-updat
says_err "did you mean lost-update?"
refuses race run lost-update --variant none
says_err "broken, mutex, semaphore, atomic, sharded, messages"
refuses race run lost-update --procs 300 --threads 2
refuses race run lost-update --procs 0
refuses race run lost-update --iterations 0

# Starts a run that lasts, in the background: $racer; $worker is one of its processes.
start_long()
{
	"$ilk" race run lost-update --variant mutex --iterations 1000000000 --json \
		>"$scratch/out" 2>"$scratch/err" &
	racer=$!
	started+=("$racer")
	two_children()
	{
		[ "$(children_of "$racer" | wc -l)" -eq 2 ] && [ -z "$(left_by "$racer")" ]
	}
	until_true 20 two_children || fail "the workers did not start"
	workers=$(children_of "$racer")
	worker=${workers%%$'\n'*}
}

workers_gone()
{
	local pid

	for pid in $workers; do
		gone "$pid" || return 1
	done
}

# A worker that is killed is a crash, at once.
start_long
kill -KILL "$worker"
await "$racer" 10
[ "$code" -eq 1 ] || fail "a killed worker: exit code $code"
fits race-run
grep -q '"verdict": "crash"' "$scratch/out" || fail "a killed worker is no crash"
workers_gone || fail "workers are left after a crash"

# A worker that holds the mutex and does not get on is a hang, after ten seconds. Which of the two
# holds it cannot be told, so both are stopped.
start_long
kill -STOP $workers
await "$racer" 30
[ "$code" -eq 1 ] || fail "stopped workers: exit code $code"
grep -q '"verdict": "hang"' "$scratch/out" || fail "stopped workers are no hang"
workers_gone || fail "workers are left after a hang"

# Ended or killed, it takes its workers with it and leaves no name.
for signal in TERM KILL; do
	start_long
	kill "-$signal" "$racer"
	await "$racer" 10
	until_true 10 workers_gone || fail "workers outlived SIG$signal"
	[ -z "$(left_by "$racer")" ] || fail "a segment is left after SIG$signal"
done

finish
