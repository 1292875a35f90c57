#!/bin/bash
# ilk watch: a line per interval and object, as text, CSV and JSON; a segment that goes and comes back;
# and that watching changes nothing.
. "$(dirname "$0")/lib.sh"

segment=/dev/shm/ilk.$prefix

refuses watch
refuses watch "$prefix"
says_err "no such segment"
"$ilk" create "$prefix" >/dev/null
"$ilk" counter "$prefix" hits add 5 >/dev/null
hold "$prefix" stock
refuses watch "$prefix" --csv --json
refuses watch "$prefix" --every 1ms
says_err "0.01"
refuses watch "$prefix" --every 1x
refuses watch "$prefix" --for 1s --every 2s
refuses watch "$prefix" -o object,stat
says_err "did you mean state?"

# Text: heads once, then a line per interval and object.
sum=$(sha256sum "$segment")
expect 0 watch "$prefix" --every 100ms --for 300ms
[ "$(grep -c OBJECT "$scratch/out")" -eq 1 ] || fail "the heads come not once"
[ "$(grep -c ' hits  *counter .* 5$' "$scratch/out")" -eq 3 ] || fail "not three lines of the counter"
[ "$(grep -Ec " stock  *mutex .* ilk \(pid $holder, thread $holder\) .* held\$" "$scratch/out")" -eq 3 ] ||
	fail "not three lines of the mutex"
expect 0 watch "$prefix" stock --every 50ms --for 50ms -o state,object
[ "$out" = $'STATE  OBJECT\nheld   stock' ] || fail "two columns of one object"
[ "$sum" = "$(sha256sum "$segment")" ] || fail "watch changed the segment"

# Rates: what was added while it watched, and one that waits all the time.
"$ilk" lock "$prefix" stock -- true 2>/dev/null &
waiter=$!
started+=("$waiter")
waits()
{
	"$ilk" wait-for -t 0 "$prefix" stock 'waiters==1' 2>/dev/null
}
until_true 10 waits || fail "nobody waits"
rm -f "$scratch/csv"
"$ilk" watch "$prefix" --every 1s --for 1s --csv >"$scratch/csv" 2>"$scratch/err" &
watcher=$!
started+=("$watcher")
until_true 10 test -s "$scratch/csv" # the heads: the first look is taken
for i in 1 2 3 4; do
	"$ilk" counter "$prefix" hits add 10 >/dev/null
done
await "$watcher" 20
cp "$scratch/csv" "$scratch/out"
[ "$code" -eq 0 ] || fail "watch ended with $code"
[ "$(wc -l <"$scratch/csv")" -eq 3 ] || fail "not a line of heads and one of each object"
head -n 1 "$scratch/csv" | grep -q '^time,segment,object,type,waiting,waiters,ops/s,contended%,' ||
	fail "the heads of the CSV"
# A second may be a little more, and never less.
grep -Eq ',hits,counter,0.000,0,(40|3[0-9])\.[0-9]{3},,,,,,,45$' "$scratch/csv" || fail "the counter's rate"
grep -Eq ',stock,mutex,(1\.0|0\.9)[0-9]*,1,0\.000,,,,,"ilk \(pid [0-9]+, thread [0-9]+\)",[0-9.]+,held$' \
	"$scratch/csv" || fail "the one that waits"
kill -KILL "$waiter"

# JSON: one value a line.
expect 0 watch "$prefix" --every 50ms --for 100ms --json
[ "$(grep -c '^{"schema": "ilk-watch", "version": 1, .*}$' "$scratch/out")" -eq 4 ] ||
	fail "not four lines of JSON"
says "\"pid\": $holder"
tail -n 1 "$scratch/out" >"$scratch/line" && mv "$scratch/line" "$scratch/out"
fits watch

# Names that steer, or have commas.
"$ilk" counter "$prefix" 'a, "b"' add 1 >/dev/null
expect 0 watch "$prefix" 'a, "b"' --every 50ms --for 50ms --csv -o object,type
says '"a, ""b""",counter'

# It goes, and comes back.
end_holder TERM
rm -f "$scratch/out" "$scratch/err"
"$ilk" watch "$prefix" hits --every 50ms >"$scratch/out" 2>"$scratch/err" &
watcher=$!
started+=("$watcher")
until_true 10 test -s "$scratch/out" || fail "nothing is watched"
"$ilk" rm "$prefix"
until_true 10 grep -q "no such segment" "$scratch/err" || fail "that it went is not told"
"$ilk" create "$prefix" >/dev/null
"$ilk" counter "$prefix" hits add 77 >/dev/null
until_true 10 grep -q ' 77$' "$scratch/out" || fail "it is not watched again"
[ "$(wc -l <"$scratch/err")" -eq 2 ] || fail "not told once that it went, and once that it came back"
kill -TERM "$watcher"
await "$watcher" 10

finish
