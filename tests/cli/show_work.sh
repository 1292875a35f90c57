#!/bin/bash
# Pools, pipelines, arrays and maps in ilk show and ilk top, in states that real processes put them into: who
# runs which function, and every figure. Tasks and messages that are held stand at files.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

s=$prefix

# figure OBJECT NAME VALUE: the view of one object has the line. figures OBJECT 'NAME VALUE...'...: of each all, and
# no others, as JSON has them, in their order.
figure()
{
	"$ilk" show -n "$s" "$1" 2>/dev/null | grep -Eq "^$2 +$3\$"
}

figures()
{
	local all="" of=""

	while [ $# -gt 0 ]; do
		all="$all${all:+, }'$1: $2'"
		of="$of'$1', "
		shift 2
	done
	json_is "[n + ': ' + ' '.join(f'{k} {x}' for k, x in o['figures'].items() if not k.endswith('_ns'))
		for n in ($of) for o in v['objects'] if o['name'] == n]" "[$all]"
}

# stands FILE: somebody does, $at is its pid. go FILE: it goes on.
stands()
{
	until_true 15 test -e "$scratch/$1" || fail "nobody stands at $1: $(cat "$scratch/actors")"
	at=$(cat "$scratch/$1")
}

go()
{
	: >"$scratch/$1.go"
}

met()
{
	expect 0 wait-for "$s" "$1" "$2" -t 15
}

# What workers do: pid, how, what, count, of the last JSON.
does='sorted((v["threads"][h["thread"]]["tid"], h["how"], h["what"], h["count"], h["life"]) for h in v["holders"]
	if v["objects"][h["object"]]["name"] == "jobs" and h["how"] == "runs")'
does=${does//$'\n'/ }

# A pool: two tasks are done, one has failed, one was given up after three runs, three are held.
"$ilk" create "$s" >/dev/null
acted boss open "$s" pool jobs 4 submit jobs quick - submit jobs quick - submit jobs fail - submit jobs crash -
met jobs got==4
act holder open "$s" submit jobs render "$scratch/f1" submit jobs encode "$scratch/f2" submit jobs index "$scratch/f3"
stands f1
first=$at
stands f2
second=$at
stands f3
third=$at
idles()
{
	"$ilk" show "$s" jobs | grep -Ec '^ilk-worker .* alive +serves +0 ' | grep -qx "$1"
}
until_true 15 idles 1 || fail "the fourth worker is not shown as one that serves"
expect 0 show "$s" jobs
line "^jobs +pool +4 workers, 3 running, 2 again  "
no_line "^jobs .*(render|encode|index)"
line "^ilk-worker \(pid $first, thread $first\) +alive +runs render +1 +[0-9]"
line "^ilk-worker \(pid $second, thread $second\) +alive +runs encode +1 +[0-9]"
line "^ilk-worker \(pid $third, thread $third\) +alive +runs index +1 +[0-9]"
line "^retries +2$"
line "^again +2$"
line "^argument_bytes +200 B$"
line "^closed +no$"
expect 0 show "$s"
line "^ *$second +ilk-worker +$second +alive +jobs \(runs encode\) "
no_line "^retries"
in_json 0 show "$s"
json_is "$does" "[$(printf '%s\n' "$first runs render" "$second runs encode" "$third runs index" | sort -n |
	sed -E "s/(.*) (.*) (.*)/(\1, '\2', '\3', 1, 'alive')/" | paste -sd ,  | sed 's/),(/), (/g')]"
json_is '[h["at_least_ns"] > 0 for h in v["holders"] if h["what"] == "render"]' "[True]"
figures jobs "workers 4 most_workers 8 queued 0 running 3 over 4 retries 2 again 2 done 2 failed 1 cancelled 0 died 1 dropped 0 argument_bytes 200 result_bytes 64 keeps False closed False"

# One of them is killed: its task is run again, by another.
rm "$scratch/f1"
kill -KILL "$first"
stands f1
[ "$at" != "$first" ] || fail "the dead one stands at f1"
# Now all four are at work; a task waits, and is cancelled.
acted more open "$s" submit jobs render "$scratch/f4"
stands f4
acted other open "$s" submit jobs quick - cancel jobs submit jobs quick -
until_true 15 idles 0 || fail "not all are at work"
expect 0 show "$s" jobs
line "^jobs +pool +4 workers, 4 running, 3 again  "
line "^ilk-worker \(pid $(cat "$scratch/f1"), .*runs render +1 "
line "^jobs +\[#\.+\] +1/32 "
expect 0 show "$s" jobs --json
figures jobs "workers 4 most_workers 8 queued 1 running 4 over 5 retries 2 again 3 done 2 failed 1 cancelled 1 died 1 dropped 0 argument_bytes 200 result_bytes 64 keeps False closed False"
# The same in a copy, whose bytes stay as they are.
cp "/dev/shm/ilk.$s" "$scratch/copy"
sum=$(sha256sum "$scratch/copy")
expect 0 show "$scratch/copy" jobs --json
json_is "sorted(h['what'] for h in v['holders'] if h['what'])" "['encode', 'index', 'render', 'render']"
[ "$sum" = "$(sha256sum "$scratch/copy")" ] || fail "show changed the copy"
# They go on: nobody runs anything.
for f in f1 f2 f3 f4; do
	go "$f"
done
met jobs got==10
until_true 15 idles 4 || fail "not all four idle"
expect 0 show "$s" jobs --json
json_is "[$does] + [v['objects'][v['object']]['figures'][k] for k in ('queued', 'running', 'again', 'done', 'cancelled')]" \
	"[[], 0, 0, 3, 7, 1]"

# An array whose mutex somebody has, and a map.
acted keeper open "$s" array cells 100 map table 50
expect 0 show "$s"
line "^cells +array +100 of i64, held +cli_actor \(pid ${pid[keeper]}, "
expect 0 show "$s" cells
line "^type +i64$"
expect 0 show "$s" table
line "^table +map +50 of [0-9]+ entries "
line "^entries +50$"
line "^value_bytes +24 B$"
expect 0 show "$s" --json
figures cells "type i64 count 100 element_bytes 8"
json_is '[(f["entries"], 50 <= f["room"] < 1000, f["stripes"], f["text_keys"], f["key_bytes"], f["value_bytes"],
	f["repaired"], o["acquired"]) for o in v["objects"] if o["name"] == "table" for f in [o["figures"]]]' \
	"[(50, True, 4, True, 40, 24, 0, 50)]"

# Rates: of a pool and a map that are used, and of an array that is not.
act toiler open "$s" toil jobs table 60000
met jobs 'got>=50'
expect 0 show "$s" --sample 100 --json
json_is 'sorted((o["name"], o["rates"]["ops_per_s"] > 50) for o in v["objects"])' \
	"[('cells', False), ('jobs', True), ('table', True)]"
json_is '[0.9 < o["rates"]["ops_per_s"] / (2 * o["rates"]["got_per_s"]) < 1.1 for o in v["objects"] if o["name"] == "jobs"]' \
	"[True]"
expect 0 top "$s" --once --every 100ms -o object,type,ops/s
line "^jobs +pool +[0-9,]{3,}"
line "^table +map +[0-9,]{2,}"
line "^cells +array +0"
end toiler

# A pipeline: one of ten messages is held, one was tried twice, one was left out.
act flow open "$s" pipeline p "$scratch/m5"
stands m5
first=$at
until_true 15 figure p/sink sent 9 || fail "nine are not through"
until_true 15 figure p/source running 0 || fail "the source does not end"
expect 0 show "$s" p/middle
line "^p/middle +stage +2 workers, 10 in, 9 done, 1 again"
line "^busy +[0-9.]+ [a-z]+"
line "^pipeline +alive$"
in_json 0 show "$s"
figures p/source "stage 0 pipeline alive workers 1 running 0 tries 1 window 16 taken 10 sent 10 in_work 0 again 0 skipped 0 doubled 0 died 0 finished 5 source_ended True" \
	p/middle "stage 1 pipeline alive workers 2 running 2 tries 3 window 16 taken 10 sent 9 in_work 1 again 1 skipped 0 doubled 0 died 0" \
	p/sink "stage 2 pipeline alive workers 1 running 1 tries 1 window 16 taken 9 sent 9 in_work 0 again 0 skipped 1 doubled 0 died 0"
json_is '[o["figures"]["busy_ns"] > 0 for o in v["objects"] if o["name"] == "p/middle"]' "[True]"
# Its worker is killed.
rm "$scratch/m5"
kill -KILL "$first"
stands m5
expect 0 show "$s" --json
figures p/middle "stage 1 pipeline alive workers 2 running 2 tries 3 window 16 taken 10 sent 9 in_work 1 again 2 skipped 0 doubled 0 died 1"
go m5
until_true 15 figure p/sink running 0 || fail "the pipeline does not end"
expect 0 show "$s" --json
figures p/source "stage 0 pipeline alive workers 1 running 0 tries 1 window 16 taken 10 sent 10 in_work 0 again 0 skipped 0 doubled 0 died 0 finished 10 source_ended True" \
	p/middle "stage 1 pipeline alive workers 2 running 0 tries 3 window 16 taken 10 sent 10 in_work 0 again 2 skipped 0 doubled 0 died 1" \
	p/sink "stage 2 pipeline alive workers 1 running 0 tries 1 window 16 taken 10 sent 10 in_work 0 again 0 skipped 1 doubled 0 died 0"
end flow
expect 0 show "$s" p/source
line "^pipeline +dead$"

# Closed.
acted closer open "$s" close-pool jobs
expect 0 show "$s" jobs
line "^jobs +pool +[0-4] workers, 0 running, closed"
line "^closed +yes$"
end boss holder more other keeper closer

finish
