#!/bin/bash
# scenario.sh PATH_OF_ILK NAME: one scenario of the race lab, small: its exit code, its JSON, its page.
. "$(dirname "$0")/lib.sh"
name=$2

left_behind()
{
	ls /dev/shm | grep "^ilk\.race\.$1\."
}

# The page exists, and each function that it names as (function) or (function, ...) is in the file.
expect 0 race explain "$name"
page=$out
[ "$(printf '%s\n' "$page" | head -1 | cut -d: -f1)" = "$name" ] || fail "the page's first line"
for part in "THE CODE" "WHAT HAPPENS" "WHY" "THE FIX" "TRY"; do
	printf '%s\n' "$page" | grep -q "^$part" || fail "the page has no $part"
done
[ "$(printf '%s\n' "$page" | awk 'length > 100' | wc -l)" -eq 0 ] || fail "the page is too wide"
expect 0 race source "$name"
code_of_it=$out
functions=$(printf '%s\n' "$page" | grep -o '([a-z_]*_[a-z_]*[,) ]' | tr -d '(), ' | sort -u)
[ -n "$functions" ] || fail "the page names no function of the file"
for function in $functions; do
	printf '%s\n' "$code_of_it" | grep -q "\b$function(" || fail "no $function in the file"
done
[ "$(printf '%s\n' "$code_of_it" | wc -l)" -le 260 ] || fail "the file is too long for a screen"

# A race is a matter of chance: on a slow or busy machine it may need longer.
for seconds in 0.1 1 5 20; do
	run race run "$name" --for "$seconds" --json
	[ "$code" -eq 1 ] || break
done
[ "$code" -eq 0 ] || fail "a broken variant never failed, or a fix did not hold"
fits race-run
says '"schema": "ilk-race-run"'
grep -q '"verdict": "ok"' "$scratch/out" || grep -q '"verdict": "absent"' "$scratch/out" ||
	fail "no variant is right"

# By number, one variant; and ended at once: nothing is left of it.
variant=$(sed -n 's/^ *"variant": "\(.*\)",$/\1/p' "$scratch/out" | tail -1)
run race run "$name" --iterations 100 --variant "$variant"
[ "$code" -eq 0 ] || fail "--iterations 100 --variant $variant"
# (A shell has its background jobs ignore SIGINT.)
env --default-signal=INT "$ilk" race run "$name" --for 30 --variant "$variant" >"$scratch/out" 2>"$scratch/err" &
racer=$!
started+=("$racer")
sleep 0.3
workers=$(children_of "$racer")
kill -INT "$racer" 2>/dev/null
await "$racer" 10
workers_gone()
{
	local pid

	for pid in $workers; do
		gone "$pid" || return 1
	done
}
until_true 10 workers_gone || fail "workers outlived SIGINT"
[ -z "$(left_behind "$racer")" ] || fail "a segment is left after SIGINT"
finish
