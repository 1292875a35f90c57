#!/bin/bash
# Queues and rings in the views: show, doctor and its cures, deadlock, wait-for; in states that real
# processes put them into.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

s=$prefix
segment=/dev/shm/ilk.$s

# met OBJECT CONDITION, unmet OBJECT CONDITION: at one look.
met()
{
	expect 0 wait-for "$s" "$1" "$2" -t 0
}

unmet()
{
	expect 1 wait-for "$s" "$1" "$2" -t 0
}

messages='[(o["messages"]["depth"], o["messages"]["capacity"], o["messages"]["put"], o["messages"]["got"],
	o["messages"]["leases"], o["messages"]["closed"]) for o in v["objects"] if o["name"] == '
messages=${messages//$'\n'/ }

# 5 of 8 messages, 2 of them with somebody.
"$ilk" create "$s" >/dev/null
acted producer open "$s" put jobs 5
acted worker open "$s" lease jobs 2
sum=$(sha256sum "$segment")
expect 0 show "$s"
line "^jobs +\[#######\.+\] +3/8 +5 +0 +2 +[0-9.]+ ?[a-z]+\$"
expect 0 show "$s" jobs
line "^jobs +queue +3 of 8, 2 leased"
line "^jobs +\[#######\.+\] +3/8 +5 +0 +2 "
line "^cli_actor \(pid ${pid[worker]}, thread ${pid[worker]}\) +alive +lease +1 "
in_json 0 show "$s" jobs
json_is "$messages\"jobs\"]" "[(3, 8, 5, 0, 2, False)]"
json_is '[o["messages"]["oldest_lease_ns"] > 0 for o in v["objects"] if o["name"] == "jobs"]' "[True]"
for condition in depth==3 'depth>2' capacity==8 leases==2 put==5 got==0 held holders==2 exists; do
	met jobs "$condition"
done
for condition in depth==0 leases==0 closed free owner-dead; do
	unmet jobs "$condition"
done
expect 0 doctor "$s"
[ "$sum" = "$(sha256sum "$segment")" ] || fail "the views changed the segment"

# Who waits for a message waits for nobody in particular.
acted idle open "$s" put empty 0
act getter open "$s" lease empty 1
await_wait getter "$s" empty
expect 0 deadlock "$s"
end getter

# One who reserved, and died: it is passed over.
acted late open "$s" reserve empty
end late
expect 0 show "$s"
line "^note: reservation of the dead: empty: cli_actor \(pid ${pid[late]}, "
expect 0 rm --object empty "$s"

# The worker dies: its messages are named, and given back.
end worker
sum=$(sha256sum "$segment")
expect 1 show "$s"
line "^wrong: leases of the dead: jobs: 2 messages, .*, first of cli_actor \(pid ${pid[worker]}, .*: \`ilk doctor $s\`$"
in_json 1 show "$s"
json_is '[(f["kind"], f["object"], f["wrong"]) for f in v["findings"] if f["wrong"]]' "[('leases of the dead', 'jobs', True)]"
met jobs owner-dead
expect 1 doctor "$s"
line "^wrong: $s: leases of the dead: jobs: 2 messages"
line "^  cure: .*ilk doctor --fix $s"
in_json 1 doctor "$s"
json_is '[(f["kind"], f["remedy"]) for f in v["findings"] if f["wrong"]]' "[('leases of the dead', 'repair')]"
[ "$sum" = "$(sha256sum "$segment")" ] || fail "the views changed the segment"
expect 0 doctor --fix --yes "$s"
line "^  fixed: jobs is repaired"
line "^1 segment: 1 wrong, [0-9]+ notes?; 1 fixed, 0 wrong now$"
expect 0 doctor "$s"
says_not "of the dead"
met jobs depth==5
met jobs leases==0
met jobs free
expect 0 get "$s" jobs --json
[ "$(grep -c '"message": "message"' "$scratch/out")" -eq 5 ] || fail "not all five are back"
[ "$(grep -c '"delivery": 2' "$scratch/out")" -eq 2 ] || fail "two were not delivered again"
met jobs got==5

# Full, and nobody takes anything; then somebody does.
act feeder open "$s" put jobs 10
await_wait feeder "$s" jobs
expect 0 show "$s"
line "^jobs +\[####################\] +8/8 "
expect 1 doctor "$s"
line "^wrong: $s: full: jobs: 8 messages wait in it, .* none was taken; [0-9]+ processes have it open$"
line "^  cure: .*ilk show $s jobs$"
end feeder
act pump open "$s" pump jobs 60000
pumps()
{
	"$ilk" wait-for "$s" jobs "got>=1000" -t 0 2>/dev/null
}
until_true 20 pumps || fail "nothing is pumped"
expect 0 doctor "$s"
no_line "full: jobs"
in_json 0 show "$s" --sample 200
json_is '[(o["rates"]["put_per_s"] > 10, o["rates"]["got_per_s"] > 10, o["rates"]["ops_per_s"] <=
	1.01 * (o["rates"]["put_per_s"] + o["rates"]["got_per_s"])) for o in v["objects"] if o["name"] == "jobs"]' \
	"[(True, True, True)]"
end pump

# Closed: seen by all, and waited for.
"$ilk" wait-for "$s" jobs closed -t 60 >"$scratch/out" 2>"$scratch/err" &
waiter=$!
started+=("$waiter")
acted closer open "$s" close jobs
await "$waiter" 20
[ "$code" -eq 0 ] || fail "wait-for closed: exit code $code"
run show "$s" jobs
line "^jobs +queue +[0-9]+ of 8, closed"
end closer idle producer

# A ring: both sides have holders; the writer waits for room while the reader is stopped.
"$ilk" rm "$s"
"$ilk" create "$s" >/dev/null
acted reader open "$s" receive prices 0
act writer open "$s" send prices 10
await_wait writer "$s" prices
expect 0 show "$s"
line "^prices +ring +writer open, reader open, 9[0-9]+ of 1024 bytes"
line "^prices +\[#{17,20}\.*\] +3/3 +3 +0 "
line "^ *${pid[reader]} +cli_actor +alive .* prices \(reads\)"
expect 0 show "$s" prices
line "^cli_actor \(pid ${pid[reader]}\) +alive +reads "
line "^cli_actor \(pid ${pid[writer]}\) +alive +writes "
met prices 'waiters==1'
met prices 'depth==3'
expect 1 doctor "$s"
line "^wrong: $s: full: prices: 3 messages wait in it, .*; it is read by cli_actor \(pid ${pid[reader]}\)$"
kill -STOP "${pid[reader]}"
until_true 10 state_is "${pid[reader]}" T
expect 0 show "$s"
line "^note: stopped owner: prices: cli_actor \(pid ${pid[reader]}\) holds it \(reads\) and is stopped.*\`kill -CONT ${pid[reader]}\`"
# The writer dies, and its side is given back.
end writer
expect 0 show "$s"
line "^note: side of the dead: prices: cli_actor \(pid ${pid[writer]}\), which had a side of it \(writes\), died"
expect 0 doctor --fix --yes "$s"
line "^  fixed: prices is repaired"
expect 0 doctor "$s"
no_line "side of the dead"
expect 0 show "$s" prices
line "^prices +ring +writer closed, reader open"
met prices closed
end reader

finish
