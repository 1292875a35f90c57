#!/bin/bash
# ilk put, ilk get: lines, bytes, waiting, ends.
. "$(dirname "$0")/lib.sh"

prints()
{
	[ "$out" = "$1" ] || fail "it printed '$out', not '$1'"
}

# puts TEXT ARGUMENT...: ilk put with TEXT as its input, which is to end with 0.
puts()
{
	local text=$1

	shift
	printf "$text" | "$ilk" put "$@" 2>"$scratch/err" || fail "ilk put $*: $?, $(cat "$scratch/err")"
}

# From nothing: segment and queue are made.
puts 'a\nb\nc\n' "$prefix" jobs
expect 0 get "$prefix" jobs -n 3
prints $'a\nb\nc'
expect 75 get "$prefix" jobs
prints ''
puts 'a\nb\nc\n' "$prefix" jobs
expect 0 get "$prefix" jobs --number 2
prints $'a\nb'
expect 0 get "$prefix" jobs
prints c
expect 0 put "$prefix" jobs --message 'two words'
expect 0 get "$prefix" jobs
prints 'two words'

# What a line can be: empty, long, with bytes of any kind, without an end.
puts '\n\nlast' "$prefix" jobs
expect 0 get "$prefix" jobs
prints $'\n\nlast'
head -c 3000 /dev/urandom | tr '\0' x >"$scratch/random"
"$ilk" put "$prefix" jobs -0 <"$scratch/random"
"$ilk" get "$prefix" jobs -0 | tr -d '\0' | cmp -s - "$scratch/random" || fail "bytes were changed"
puts 'a b\0c\nd\0' "$prefix" jobs --null
expect 0 get "$prefix" jobs -n 1
prints 'a b'
expect 0 get "$prefix" jobs
prints $'c\nd'
puts '' "$prefix" jobs
expect 75 get "$prefix" jobs

# What does not fit: the one that does not is told of, those before it are in.
head -c 4097 /dev/zero | tr '\0' x >"$scratch/long"
{ echo first; cat "$scratch/long"; } | "$ilk" put "$prefix" jobs 2>"$scratch/err" >"$scratch/out"
[ $? -eq 2 ] || fail "a message that is too long"
grep -q -- "--bytes 4097" "$scratch/err" || fail "it does not say what to do"
expect 0 get "$prefix" jobs
prints first
"$ilk" put "$prefix" wide --bytes 4097 <"$scratch/long" || fail "into a queue for it"
"$ilk" get "$prefix" wide -0 | tr -d '\0' | cmp -s - "$scratch/long" || fail "it was changed"
refuses put "$prefix" jobs --bytes 5000
says_err "--bytes 4096"
refuses get "$prefix" jobs --capacity 1000
refuses put "$prefix" jobs --deliveries 3
refuses put "$prefix" jobs --dead-letter other
says_err "--dead-letter (none)"
expect 0 put "$prefix" jobs --capacity 128 --bytes 4K -m x
expect 0 get "$prefix" jobs

# JSON: what is no UTF-8 is replaced, and NUL written out.
printf 'a"b\0\303\244\377' >"$scratch/odd"
"$ilk" put "$prefix" jobs <"$scratch/odd"
expect 0 get "$prefix" jobs --json
fits get
says '"message": "a\"b\u0000ä\ufffd"'
says '"bytes": 7'
says '"delivery": 1'

# Full: put waits.
puts '1\n2\n3\n4\n' "$prefix" small --capacity 4
expect 75 put "$prefix" small -m 5 -w 0
says_err "is full"
expect 75 put "$prefix" small -m 5 -w 0.1
"$ilk" put "$prefix" small -m 5 &
putter=$!
started+=("$putter")
sleep 0.2
expect 0 get "$prefix" small -n 1
await "$putter" 10
[ "$code" -eq 0 ] || fail "it did not go on when there was room"
expect 0 get "$prefix" small
prints $'2\n3\n4\n5'

# Get waits, and comes first of all.
"$ilk" get "$prefix-new" jobs --follow >"$scratch/followed" &
follower=$!
started+=("$follower")
until_true 10 test -e "/dev/shm/ilk.$prefix-new" || fail "the segment was not made"
until_true 10 "$ilk" put "$prefix-new" jobs -m one || fail "put"
until_true 10 grep -q one "$scratch/followed" || fail "it was not printed at once"
expect 0 put "$prefix-new" jobs --close -m two
await "$follower" 10
[ "$code" -eq 0 ] || fail "exit code $code when the queue was closed"
[ "$(cat "$scratch/followed")" = $'one\ntwo' ] || fail "it printed $(cat "$scratch/followed")"
refuses put "$prefix-new" jobs -m three
says_err "is closed"
expect 0 get "$prefix-new" jobs
before=$(date +%s%N)
expect 75 get "$prefix" jobs -w 0.3
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -ge 290 ] || fail "gave up after $took ms, not 300"

# Signals end those who wait, in order: nothing of the dead is left.
for signal in INT TERM; do
	(
		trap - INT
		exec "$ilk" get "$prefix" jobs --follow
	) >"$scratch/followed" &
	waiter=$!
	started+=("$waiter")
	sleep 0.2
	"$ilk" put "$prefix" jobs -m "before $signal"
	until_true 10 grep -q "before $signal" "$scratch/followed" || fail "it was not printed"
	kill -"$signal" "$waiter"
	await "$waiter" 10
	[ "$code" -eq $((128 + $(kill -l "$signal"))) ] || fail "exit code $code after SIG$signal"
done
expect 0 show "$prefix"
says_not "dead member"

# Output that cannot be written: the message stays.
if [ -e /dev/full ]; then
	expect 0 put "$prefix" jobs -m precious
	"$ilk" get "$prefix" jobs >/dev/full 2>"$scratch/err"
	[ $? -eq 2 ] || fail "output to a full device was not an error"
	expect 0 get "$prefix" jobs
	prints precious
fi

# Many at once: each message comes once.
for i in 1 2 3 4; do
	seq $((i * 1000)) $((i * 1000 + 199)) | "$ilk" put "$prefix" jobs &
	putters[i]=$!
	"$ilk" get "$prefix" jobs -n 200 -w 20 >"$scratch/got$i" &
	getters[i]=$!
	started+=("${putters[i]}" "${getters[i]}")
done
wait "${putters[@]}" "${getters[@]}"
for i in 1 2 3 4; do seq $((i * 1000)) $((i * 1000 + 199)); done >"$scratch/wanted"
sort -n "$scratch"/got? | cmp -s - "$scratch/wanted" || fail "messages were lost or doubled"

# Mistakes.
refuses get "$prefix" none
says_err "ilk put $prefix none"
refuses get "$prefix-none" jobs
says_err "no such segment"
refuses put "$prefix"
refuses put "$prefix" jobs extra
refuses put "$prefix" ""
refuses put "$prefix" q --capacity 0
refuses put "$prefix" q --bytes 0
refuses put "$prefix" q --deliveries 63
refuses put "$prefix" q --dead-letter q
"$ilk" counter "$prefix" hits add 1 >/dev/null
refuses put "$prefix" hits -m x
says_err "no plain queue"
refuses get "$prefix" jobs -n 0

finish
