#!/bin/bash
# ilk barrier: processes pass together, phase after phase; what breaks it, and what mends it.
. "$(dirname "$0")/lib.sh"

# come N ARGUMENT...: N processes that wait in the background; $comers are they, their words in
# $scratch/said.N.
come()
{
	local n=$1

	shift
	comers=()
	for ((i = 0; i < n; i++)); do
		"$ilk" barrier "$prefix" b wait "$@" 2>"$scratch/said.$i" &
		comers+=($!)
		started+=($!)
	done
}

are_waiting()
{
	"$ilk" wait-for "$prefix" b "waiters==$1" -t 10 || fail "$1 do not wait"
}

# end_with CODE [TEXT]: so all of them end, and say so.
end_with()
{
	for i in "${!comers[@]}"; do
		await "${comers[i]}" 15
		[ "$code" -eq "$1" ] || fail "comer $i ended with $code, not $1: $(cat "$scratch/said.$i")"
		[ $# -eq 1 ] || grep -q "$2" "$scratch/said.$i" || fail "comer $i does not say '$2'"
	done
}

none_gone()
{
	for pid in "${comers[@]}"; do
		gone "$pid" && fail "one went before all had come"
	done
}

# Three pass together.
come 2 -n 3
are_waiting 2
none_gone
expect 0 barrier "$prefix" b wait -n 3 -w 10
[ -z "$out$err" ] || fail "it passed, and something is said of it"
end_with 0

# Phase after phase, none ahead of another by more than one; who is early waits for a place.
for i in 1 2 3; do
	for step in 1 2 3 4 5 6 7 8; do
		echo "$step" >>"$scratch/steps"
		"$ilk" barrier "$prefix" b wait -n 3 -w 20 || exit 1
	done &
	walkers[i]=$!
	started+=($!)
done
for pid in "${walkers[@]}"; do
	wait "$pid" || fail "a walker did not come through"
done
[ "$(wc -l <"$scratch/steps")" -eq 24 ] || fail "not all steps were made"
sort -nc "$scratch/steps" 2>/dev/null || fail "one was ahead: $(tr '\n' ' ' <"$scratch/steps")"

# A time-out breaks it, for all and for those who come, until it is mended.
come 1 -n 3
are_waiting 1
before=$(date +%s%N)
expect 75 barrier "$prefix" b wait -n 3 -w 0.3
[ $((($(date +%s%N) - before) / 1000000)) -ge 290 ] || fail "it did not wait"
says_err "which broke it"
end_with 1 "ran out of time"
expect 1 barrier "$prefix" b wait -n 3 -w 5
says_err "ilk barrier $prefix b reset -n 3"
expect 0 barrier "$prefix" b reset -n 3
come 3 -n 3
end_with 0

# One who dies waited for breaks it, and is named.
"${2?the actor}" open "$prefix" attach b 3 touch "$scratch/attached" &
actor=$!
started+=("$actor")
until_true 10 test -e "$scratch/attached" || fail "the actor is no member"
come 2 -n 3
are_waiting 2
none_gone
kill -KILL "$actor"
end_with 1 "($actor) died and was waited for"
expect 0 barrier "$prefix" b reset -n 3

# One who is killed while it waits has come; it breaks the next phase.
come 1 -n 3
are_waiting 1
killed=${comers[0]}
kill -KILL "$killed"
await "$killed" 10
come 2 -n 3
end_with 0
expect 1 barrier "$prefix" b wait -n 3 -w 10
says_err "($killed) died"
expect 0 barrier "$prefix" b reset -n 3
come 3 -n 3 -w 10
end_with 0

# Aborted.
come 2 -n 3
are_waiting 2
expect 0 barrier "$prefix" b abort -n 3
end_with 1 "aborted it"
expect 0 barrier "$prefix" b reset -n 3

# All places are taken by who does not leave: the next one's time runs out, and nothing is broken.
"$2" open "$prefix" attach two 2 touch "$scratch/two" &
started+=($!)
"$2" open "$prefix" attach two 2 touch "$scratch/three" &
started+=($!)
until_true 10 test -e "$scratch/two" -a -e "$scratch/three" || fail "the actors are no members"
expect 75 barrier "$prefix" two wait -n 2 -w 0.2
says_err "no place"
expect 75 barrier "$prefix" two wait -n 2 -w 0

# A barrier of one.
expect 0 barrier "$prefix" alone wait -n 1 -w 0

# Mistakes.
refuses barrier "$prefix" b wait
says_err "--parties is needed"
refuses barrier "$prefix" b reset
refuses barrier "$prefix" b wait -n 2
says_err "has 3, not 2"
says_err "see to --parties"
refuses barrier "$prefix" b -n 3
refuses barrier "$prefix" b wiat -n 3
says_err "did you mean wait?"
refuses barrier "$prefix" b wait 3 -n 3
refuses barrier "$prefix" b wait -n 0
refuses barrier "$prefix" b wait -n 127
refuses barrier "$prefix" b reset -n 3 -w 1
"$ilk" lock "$prefix" stock -- true
refuses barrier "$prefix" stock wait -n 3
says_err "no plain barrier"

finish
