#!/bin/bash
# ilk show on segments in known states, put into them by real processes; in text and in JSON.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

s=$prefix
here=$(cd "$(dirname "$0")" && pwd)

# holder OBJECT NAME: of the last JSON, who of the actors holds it, and how.
holds='[(v["threads"][h["thread"]]["tid"] if h["thread"] is not None else
	v["processes"][h["process"]]["pid"], h["how"], h["count"], h["life"])
	for h in v["holders"] if v["objects"][h["object"]]["name"] == '
holds=${holds//$'\n'/ }

# A held lock with two waiters.
"$ilk" create "$s" >/dev/null
act holder open "$s" lock stock touch "$(mark held)"
await_mark held
act w1 open "$s" lock stock
act w2 open "$s" lock stock
await_wait w1 "$s" stock
await_wait w2 "$s" stock
expect 0 show "$s"
line "^stock +mutex +held +cli_actor \(pid ${pid[holder]}, thread ${pid[holder]}\) +>= [0-9][0-9 mins]* +2 "
line "^ *${pid[holder]} +cli_actor +${pid[holder]} +alive +stock +- "
line "^ *${pid[w1]} +cli_actor +${pid[w1]} +alive +- +stock +[0-9][0-9 mins]*"
in_json 0 show "$s"
json_is 'v["schema"], v["version"], v["object"], v["sample_ms"]' "('ilk-show', 1, None, None)"
json_is "$holds\"stock\"]" "[(${pid[holder]}, 'held', 1, 'alive')]"
json_is 'sorted(t["tid"] for t in v["threads"] if t["waits_for"] is not None) == sorted(['"${pid[w1]}, ${pid[w2]}"'])' True
# One object alone.
expect 0 show "$s" stock
no_line "process slots"
line "^cli_actor \(pid ${pid[holder]}, .*alive +held +1 +[0-9][0-9 mins]*"
line "^cli_actor \(pid ${pid[w2]}, .*alive +[0-9][0-9 mins]*"
in_json 0 show "$s" stock
json_is 'v["objects"][v["object"]]["name"]' stock
refuses show "$s" stoc
says_err "did you mean stock"
# Columns.
expect 0 show "$s" -o object,waiting
[ "$out" = "OBJECT  WAITING
stock         2" ] || fail "-o object,waiting"
refuses show "$s" -o object,nonsense
says_err "object,type,state"

# It is held for long, and its holder waits itself: what to type is said.
sleep 1.1
expect 0 show "$s"
line "^note: held long: stock: held at least [0-9][0-9 mins]* by cli_actor \(pid ${pid[holder]}, .*; 2 wait: \`ilk deadlock $s\`$"
act far open "$s" lock till
until_true 10 test -n "$("$ilk" show "$s" | grep ^till)"
# A stopped owner, not dead.
kill -STOP "${pid[holder]}"
until_true 10 state_is "${pid[holder]}" T
expect 0 show "$s"
line "^ *${pid[holder]} +cli_actor +stopped "
line "^note: stopped owner: stock: .* is stopped, not dead; 2 wait.*\`kill -CONT ${pid[holder]}\`"
in_json 0 show "$s"
json_is '[f["kind"] for f in v["findings"]]' "['stopped owner']"
# In a copy, nobody is called dead, or stopped.
cp "/dev/shm/ilk.$s" "$scratch/copy"
(cd "$scratch" && "$ilk" show --file copy >out 2>err)
line "^ *${pid[holder]} +cli_actor +unknown "
line "^note: liveness: "
cd "$scratch" || exit 1
in_json 0 show --file copy
cd - >/dev/null || exit 1
refuses show --file nothing
says_err "no file ./nothing"
# A dead owner, while all who wait are stopped.
kill -STOP "${pid[w1]}" "${pid[w2]}"
until_true 10 state_is "${pid[w1]}" T
until_true 10 state_is "${pid[w2]}" T
end holder
expect 1 show "$s"
line "^ *${pid[holder]} +cli_actor +dead \(for [0-9][0-9 mins]* at most\)"
line "^wrong: dead owner: stock: cli_actor \(pid ${pid[holder]}, .*2 wait.*: \`ilk doctor $s\`$"
in_json 1 show "$s"
json_is "$holds\"stock\"]" "[(${pid[holder]}, 'held', 1, 'dead')]"
json_is '[p["last_sign_ns"] > 0 for p in v["processes"] if p["state"] == "dead"]' "[True]"
end w1 w2 far
# Recovered, and not declared repaired.
expect 1 lock "$s" stock -- false
expect 1 show "$s"
line "^wrong: not repaired: stock: .*\`ilk lock $s stock -- true\`"

# Permits of three holders; of processes as such; one of them dies.
"$ilk" rm "$s"
"$ilk" create "$s" >/dev/null
for i in 1 2 3; do
	act "p$i" open "$s" permits slots 6 "$i" touch "$(mark "p$i")"
	await_mark "p$i"
done
act pp open "$s" process-permits seats 5 4 touch "$(mark pp)"
await_mark pp
expect 0 show "$s"
line "^slots +permits +6 of 6 taken.* 3: \`ilk show $s slots\`"
line "^ *${pid[p3]} +cli_actor +${pid[p3]} +alive +slots \(permits, 3\) "
line "^ *${pid[pp]} +cli_actor +alive +1 .* seats \(permits, 4\)$"
expect 0 show "$s" slots
for i in 1 2 3; do
	line "^cli_actor \(pid ${pid[p$i]}, thread ${pid[p$i]}\) +alive +permits +$i "
done
in_json 0 show "$s"
json_is "sorted($holds\"slots\"]) == sorted([(${pid[p1]}, 'permits', 1, 'alive'),
	(${pid[p2]}, 'permits', 2, 'alive'), (${pid[p3]}, 'permits', 3, 'alive')])" True
json_is "$holds\"seats\"]" "[(${pid[pp]}, 'permits', 4, 'alive')]"
end p2
expect 0 show "$s"
line "^note: dead holder: slots: cli_actor \(pid ${pid[p2]}, .*died with 2 of it"
end p1 p3 pp

# Readers, and a writer who waits for them.
act r1 open "$s" read prices touch "$(mark r1)"
act r2 open "$s" read prices touch "$(mark r2)"
await_mark r1
await_mark r2
act writer open "$s" write prices
await_wait writer "$s" prices
expect 0 show "$s"
line "^ *${pid[r1]} +cli_actor +${pid[r1]} +alive +prices \(reads\) "
line "^prices +rwlock +read by 2, a writer comes "
expect 0 show "$s" prices
line "^cli_actor \(pid ${pid[writer]}, .*will write"
in_json 0 show "$s"
json_is "sorted($holds\"prices\"]) == sorted([(${pid[r1]}, 'reads', 1, 'alive'),
	(${pid[r2]}, 'reads', 1, 'alive'), (${pid[writer]}, 'will write', 1, 'alive')])" True
end writer
expect 0 show "$s"
line "^note: dead holder: prices: cli_actor \(pid ${pid[writer]}, .*died before it wrote"
end r1 r2

# A barrier that waits for a member, and is broken by its death.
act late open "$s" attach steps 2 touch "$(mark late)"
await_mark late
act early open "$s" meet steps 2
await_wait early "$s" steps
expect 0 show "$s" steps
line "^cli_actor \(pid ${pid[late]}, .*alive +awaited "
end late
until_true 10 test -z "$("$ilk" show "$s" steps | grep WAITING)"
broken()
{
	"$ilk" show "$s" | grep -q "^steps.*broken"
}
until_true 10 broken
expect 1 show "$s"
line "^steps +barrier +broken: death of cli_actor \(${pid[late]}\)"
line "^wrong: broken: steps: it is broken: death of cli_actor"
in_json 1 show "$s"
json_is '[f["kind"] for f in v["findings"] if f["wrong"]]' "['broken']"
end early

# Rates, of one who is at work, and of one who is not.
act busy open "$s" lock idle busy hits 60000
until_true 10 test -n "$("$ilk" show "$s" | grep ^hits-m)"
in_json 1 show "$s" --sample 100
json_is 'v["sample_ms"], [o["rates"]["ops_per_s"] > 1000 for o in v["objects"] if o["name"].startswith("hits")]' \
	"(100, [True, True])"
json_is '[(o["rates"]["ops_per_s"], o["rates"]["contended_percent"]) for o in v["objects"] if o["name"] == "idle"]' \
	"[(0.0, None)]"
expect 1 show "$s" --sample 50
line "objects, rates over 50 ms"
expect 1 show "$s" -o object,ops/s,cont%
line "^hits-m +[0-9,]{5,} +0.0$"
line "^idle +0 +-$"
refuses show "$s" --sample 5 --no-sample
end busy

# The JSON of the circle of deadlock.sh, too.
"$ilk" rm "$s"
act left create "$s" lock a touch "$(mark a)" await "$(mark b)" lock b
await_mark a
act right open "$s" lock c lock b unlock c touch "$(mark b)" await "$(mark a)" lock a
await_wait left "$s" b
await_wait right "$s" a
act behind open "$s" lock b
await_wait behind "$s" b
in_json 1 deadlock "$s"
in_json 1 deadlock "$s" --potential
kill -STOP "${pid[right]}"
end left
in_json 1 deadlock "$s"
json_is 'v["chains"][0]["wrong"], v["chains"][0]["holder"][0]["state"]' "(True, 'dead')"
end right behind

finish
