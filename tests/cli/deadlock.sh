#!/bin/bash
# ilk deadlock, on real processes: circles, chains, who is stuck behind, and what is no deadlock.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

s=$prefix

refuses deadlock "$s"
says_err "no such segment"
refuses deadlock --file "no-such-file-$$"
says_err "no file"

# Nobody waits; one waits for one who is at work.
"$ilk" create "$s" >/dev/null
expect 0 deadlock "$s"
says "no deadlock: 0 wait in 1 segment"
act holder open "$s" lock stock touch "$(mark held)"
await_mark held
act waiter open "$s" lock stock
await_wait waiter "$s" stock
sum=$(sha256sum "/dev/shm/ilk.$s")
expect 0 deadlock "$s"
line "^busy: .*thread ${pid[holder]}\), .*holds stock( for at least [0-9]+ m?s)?; behind it:"
line "thread ${pid[waiter]}\) wants stock \(mutex\) for [0-9]+ m?s"
says "no deadlock: 1 waits in 1 segment, the same in two looks 100 ms apart"
expect 0 deadlock "$s" --json --sample 70
is_json
json_is 'v["schema"], v["version"], v["sample_ms"], v["deadlocks"], v["inversions"]' \
	"('ilk-deadlock', 1, 70, [], None)"
json_is 'v["chains"][0]["holder"][0]["pid"], v["chains"][0]["wrong"], [n["pid"] for n in v["chains"][0]["behind"]]' \
	"(${pid[holder]}, False, [${pid[waiter]}])"

# The same, stopped; two behind one another. Looking changes nothing.
act second open "$s" lock till lock stock
await_wait second "$s" stock
act third open "$s" lock till
await_wait third "$s" till
kill -STOP "${pid[holder]}"
until_true 10 state_is "${pid[holder]}" T
expect 1 deadlock "$s"
line "^blocked: .*thread ${pid[holder]}\), stopped, holds stock .*; behind it:"
line "^    .*thread ${pid[third]}\) wants till"
says "kill -CONT ${pid[holder]}"
says "no deadlock: 3 wait"
kill -STOP "${pid[waiter]}" "${pid[second]}" "${pid[third]}"
for name in waiter second third; do
	until_true 10 state_is "${pid[$name]}" T
done
sum=$(sha256sum "/dev/shm/ilk.$s")
expect 1 deadlock "$s"
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$s")" ] || fail "deadlock changed the segment"

# Dead, while all who wait are stopped.
end holder
expect 1 deadlock "$s"
line "^blocked: .*thread ${pid[holder]}\), dead, holds stock"
end waiter second third
expect 0 deadlock "$s"
says "no deadlock: 0 wait"

# Two in a circle, and one behind them, who holds what another wants.
"$ilk" rm "$s"
"$ilk" create "$s" >/dev/null
act left open "$s" lock a touch "$(mark a)" await "$(mark b)" lock b
act right open "$s" lock b touch "$(mark b)" await "$(mark a)" lock a
await_wait left "$s" b
await_wait right "$s" a
act behind open "$s" lock c lock a
await_wait behind "$s" a
act last open "$s" lock c
await_wait last "$s" c
expect 1 deadlock "$s"
says "deadlock: 2 wait for each other"
line "^  .*thread ${pid[left]}\) holds a( for at least [0-9]+ m?s)?, and wants b \(mutex\) for [0-9]+ m?s"
line "^  .*thread ${pid[right]}\) holds b( for at least [0-9]+ m?s)?, and wants a \(mutex\) for [0-9]+ m?s"
line "^  stuck behind:"
line "^    .*thread ${pid[behind]}\) wants a"
line "^    .*thread ${pid[last]}\) wants c"
line "kill -9 (${pid[left]}|${pid[right]})\`"
says_not "busy:"
says_not "blocked:"
expect 1 deadlock "$s" --json
is_json
json_is 'sorted(n["pid"] for n in v["deadlocks"][0]["members"]) == sorted(['"${pid[left]}, ${pid[right]}"'])' True
json_is 'sorted(n["pid"] for n in v["deadlocks"][0]["behind"]) == sorted(['"${pid[behind]}, ${pid[last]}"'])' True
json_is 'v["deadlocks"][0]["members"][0]["wants"]["type"], len(v["deadlocks"]), v["chains"]' "('mutex', 1, [])"
expect 1 deadlock "$s" --dot
line "^digraph ilk"
[ "$(grep -c 'color=red' "$scratch/out")" -eq 4 ] || fail "not two red boxes and two red edges"
! command -v dot >/dev/null || dot -Tsvg "$scratch/out" >/dev/null || fail "dot does not read it"
# Stopped, it is one still; and in a copy, whose processes nobody can ask about.
kill -STOP "${pid[left]}"
expect 1 deadlock "$s"
says "deadlock: 2 wait for each other"
cp "/dev/shm/ilk.$s" "$scratch/copy"
expect 1 deadlock "$scratch/copy"
says "deadlock: 2 wait for each other"
says "of copies there is one look"
(cd "$scratch" && "$ilk" deadlock --file copy >/dev/null)
[ $? -eq 1 ] || fail "--file with a name without a slash"
# Without names, all of the host.
run deadlock
[ "$code" -eq 1 ] || fail "deadlock of all: exit code $code"
line "thread ${pid[left]}\) holds ($s/)?a .*wants ($s/)?b "
# One dies, and the others go on.
end left
run deadlock "$s"
says_not "for each other"
end right behind last

# Three in a circle, in three kinds of lock.
"$ilk" rm "$s"
"$ilk" create "$s" >/dev/null
act one open "$s" write r touch "$(mark 1)" await "$(mark 2)" await "$(mark 3)" lock m
act two open "$s" lock m touch "$(mark 2)" await "$(mark 1)" await "$(mark 3)" once o
act three open "$s" once o touch "$(mark 3)" await "$(mark 1)" await "$(mark 2)" read r
await_wait one "$s" m
await_wait two "$s" o
await_wait three "$s" r
expect 1 deadlock "$s"
says "deadlock: 3 wait for each other"
line "^  .*thread ${pid[one]}\) holds r \(writes\).* and wants m \(mutex\)"
line "^  .*thread ${pid[three]}\) holds o.* and wants r \(rwlock\)"
end one two three

# Over two segments: one thread is in both.
"$ilk" create "$s-2" >/dev/null
act here open "$s" lock x open "$s-2" touch "$(mark x)" await "$(mark y)" lock y
act there open "$s-2" lock y open "$s" touch "$(mark y)" await "$(mark x)" lock x
await_wait here "$s-2" y
await_wait there "$s" x
expect 0 deadlock "$s"
expect 1 deadlock "$s" "$s-2"
says "deadlock: 2 wait for each other"
line "thread ${pid[here]}\) holds $s/x.*, and wants $s-2/y"
end here there

# A reader and a writer, each with a mutex that the other wants; a second reader is no part of it.
act reads open "$s" read rw touch "$(mark r)" await "$(mark w)" lock guard
act idle open "$s" read rw touch "$(mark idle)"
await_mark idle
act writes open "$s" lock guard touch "$(mark w)" await "$(mark r)" write rw
await_wait reads "$s" guard
await_wait writes "$s" rw
act late open "$s" read rw
await_wait late "$s" rw
expect 1 deadlock "$s"
says "deadlock: 2 wait for each other"
line "thread ${pid[reads]}\) holds rw \(reads\).*, and wants guard"
line "^    .*thread ${pid[late]}\) wants rw"
says_not "busy:"
end reads writes idle late

# Permits: with one holder that can give back there is no deadlock; without there is.
act p1 open "$s" permits p 3 1 touch "$(mark p1)" await "$(mark p)" lock q
await_mark p1
act p2 open "$s" permits p 3 1 touch "$(mark p2)" await "$(mark p)" lock q
await_mark p2
act p3 open "$s" permits p 3 1 touch "$(mark p3)" await "$(mark more)" lock q
await_mark p3
act taker open "$s" lock q touch "$(mark p)" permits p 3 1
await_wait p1 "$s" q
await_wait p2 "$s" q
await_wait taker "$s" p
expect 0 deadlock "$s"
line "^busy: .*thread ${pid[p3]}\), .*holds p \(permits\)"
touch "$(mark more)"
await_wait p3 "$s" q
expect 1 deadlock "$s"
says "deadlock: 4 wait for each other"
end p1 p2 p3 taker

# Permits of a process: any thread of it could give them back, so all must be stuck.
act pp1 open "$s" process-permits pp 1 1 touch "$(mark pp1)" await "$(mark pp2)" lock ppm
await_mark pp1
act pp2 open "$s" lock ppm touch "$(mark pp2)" process-permits pp 1 1
await_wait pp1 "$s" ppm
await_wait pp2 "$s" pp
expect 1 deadlock "$s"
line "thread ${pid[pp2]}\) holds ppm.*, and wants pp \(permits\)"
end pp1 pp2

# A barrier whose missing member waits for one who has arrived.
act missing open "$s" attach b 2 touch "$(mark at)" await "$(mark bl)" lock bm
await_mark at
act arrived open "$s" lock bm touch "$(mark bl)" meet b 2
await_wait arrived "$s" b
await_wait missing "$s" bm
expect 1 deadlock "$s"
line "thread ${pid[missing]}\) is awaited at b.*, and wants bm"
end missing arrived
# One that nobody has come to: whom it waits for is nobody's to say.
act alone open "$s" meet b2 2
await_wait alone "$s" b2
# An event: anybody may set it.
act patient open "$s" event e
await_wait patient "$s" e
expect 0 deadlock "$s"
says "no deadlock: 2 wait"
end alone patient

# Orders that would hang, and did not.
"$ilk" rm "$s"
expect 0 deadlock --potential "$s-2"
says "no lock-order history"
act first create "$s" lock a lock b unlock b unlock a touch "$(mark ab)"
await_mark ab
act other open "$s" await "$(mark ab)" lock b lock a unlock a unlock b touch "$(mark ba)"
await_mark ba
expect 0 deadlock "$s"
expect 1 deadlock --potential "$s"
says "inversion: 2 locks"
line "^  a, then b: .*\(pid ${pid[first]}, thread ${pid[first]}\), first .* ago, 1 time$"
line "^  b, then a: .*\(pid ${pid[other]}, thread ${pid[other]}\), first .* ago, 1 time$"
expect 1 deadlock --potential --json "$s"
is_json
json_is '[(o["first"], o["then"], o["pid"]) for o in v["inversions"][0]["orders"]]' \
	"[('a', 'b', ${pid[first]}), ('b', 'a', ${pid[other]})]"
end first other
# One thread alone cannot hang itself so; and a gate that both had keeps them apart.
"$ilk" rm "$s"
act first create "$s" lock a lock b unlock b unlock a lock b lock a unlock a unlock b \
	lock g lock c lock d unlock d unlock c unlock g touch "$(mark one)"
await_mark one
act other open "$s" lock g lock d lock c unlock c unlock d unlock g touch "$(mark gate)"
await_mark gate
expect 0 deadlock --potential "$s"
says "no inversion in the history of 1 segment"

finish
