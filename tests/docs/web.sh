#!/bin/sh
# web.sh PROGRAM curl|page - docs/examples/web.c: asked by curl, while a worker is killed; or its page in
# a browser. What is done is to be seen before all of it is. 77: curl, or a browser, is not here.
set -u

program=$1
work=$(mktemp -d) || exit 2
server=
trap 'end_server; rm -rf "$work"' EXIT

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

end_server()
{
	[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server"; }
	server=
}

# start_server PAUSE_MS: sets $url.
start_server()
{
	rm -f "$work/url"
	"$program" 0 "$1" >"$work/url" &
	server=$!
	tries=0
	until url=$(cat "$work/url" 2>/dev/null) && [ -n "$url" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || fail "the server does not begin"
		sleep 0.1
	done
}

# between STATES: one of these numbers, each a line, is neither 0 nor 10; they do not fall, and end with 10.
between()
{
	awk '$1 < last { fell = 1 } { last = $1 } $1 > 0 && $1 < 10 { seen = 1 }
		END { exit !(seen && !fell && last == 10) }' "$1"
}

# --- by curl ---

ask()
{
	curl -sS --max-time 10 "$@"
}

# status EXPECTED ARGUMENT...: that is what curl is told.
status()
{
	got=$(shift && ask -w '%{http_code}' -o /dev/null "$@")
	[ "$got" = "$1" ] || fail "$*: $got"
}

# so_far: prints how much is done by now, if so many squares are there, and they are right.
so_far()
{
	ask "${url}results" >"$work/results" || fail "no results"
	done=$(sed 's/^{"done": \([0-9]*\), "of": 10, .*/\1/' "$work/results")
	grep -oE '"number": [0-9]+, "square": [0-9]+' "$work/results" | sort -u |
		awk -v "done=$done" '{ sub(",", "", $2); right += $2 * $2 == $4 }
			END { print done; exit !(right == done && NR == done) }' ||
		fail "these are not $done squares: $(cat "$work/results")"
}

# watch_all: until all is done, what was done is noted in $work/states. When there is some of it, and as
# long as each has more to do, a worker is killed.
watch_all()
{
	: >"$work/states"
	victim=
	tries=0
	while so_far >>"$work/states"; do
		now=$(tail -n 1 "$work/states")
		[ "$now" -lt 10 ] || break
		if [ -z "$victim" ] && [ "$now" -gt 0 ] && [ "$now" -lt 7 ]; then
			victim=$(cat "/proc/$server/task/"*/children | tr ' ' '\n' | head -n 1)
			kill -9 "${victim:-none}" || fail "no worker to be killed"
		fi
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "not done: $(cat "$work/results")"
		sleep 0.05
	done
}

by_curl()
{
	command -v curl >/dev/null || { echo "skipped: no curl"; exit 77; }
	start_server 200
	[ "$(so_far)" = 0 ] || fail "before the start: $(cat "$work/results")"
	status 404 "${url}nowhere"
	status 405 -X DELETE "${url}start_calculation"
	before=$(date +%s%N)
	[ "$(ask "${url}start_calculation")" = '{"started": 10}' ] || fail "it did not start"
	took=$((($(date +%s%N) - before) / 1000000))
	[ $took -lt 1000 ] || fail "the start took $took ms, which is the time of the work"
	status 409 "${url}start_calculation"
	watch_all
	# Once more where the machine was so busy that it was over before we looked.
	for once_more in 1 2; do
		[ -z "$victim" ] || break
		status 202 -X POST "${url}start_calculation"
		watch_all
	done
	between "$work/states" || fail "nothing to be seen meanwhile: $(uniq "$work/states" | xargs)"
	[ "$(grep -o '"runs": [^1]' "$work/results")" = '"runs": 2' ] ||
		fail "not just the killed one's task was run again: $(cat "$work/results")"
}

# --- in a browser ---

# browse: what the page is in the end, in $work/dom; bar and list as they were, in $work/states.
browse()
{
	start_server 50
	"$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$work/browser" --virtual-time-budget=20000 \
		--dump-dom "${url}#start" >"$work/dom" 2>"$work/browser.log" ||
		fail "$(tail -n 5 "$work/browser.log")"
	end_server
	sed -n 's/.* data-shown="\([^"]*\)".*/\1/p' "$work/dom" | tr ' ' '\n' >"$work/pairs"
	awk -F: '$1 != $2 { exit 1 }' "$work/pairs" || fail "bar and list differ: $(cat "$work/dom")"
	cut -d : -f 1 "$work/pairs" >"$work/states"
}

in_a_browser()
{
	browser=$(command -v chromium) || { echo "skipped: no chromium"; exit 77; }
	browse
	for once_more in 1 2; do
		! between "$work/states" || break
		browse
	done
	between "$work/states" || fail "no progress: $(uniq "$work/states" | xargs)"
	grep -q '<title>Done</title>' "$work/dom" || fail "not done: $(cat "$work/dom")"
	grep -q '10 of 10' "$work/dom" || fail "no text: $(cat "$work/dom")"
	grep -q '<li value="7">49' "$work/dom" || fail "no 49: $(cat "$work/dom")"
}

case $2 in
curl) by_curl ;;
page) in_a_browser ;;
esac
echo "seen: $(uniq "$work/states" | xargs)"
