#!/bin/sh
# web.sh PROGRAM - docs/examples/web.c, asked by curl and by a browser, and with a worker killed.
# 77: curl is not here; the browser's part is left out without one, and says so.
set -u

program=$1
command -v curl >/dev/null || { echo "curl is not here"; exit 77; }
work=$(mktemp -d) || exit 2
server=
trap 'end_server; rm -rf "$work"' EXIT

fail()
{
	echo "FAILED: $*"
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

ask()
{
	curl -sS --max-time 10 "$@"
}

# await PATTERN: until the results match.
await()
{
	tries=0
	until ask "${url}results" >"$work/results" && grep -q "$1" "$work/results"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "no $1 in $(cat "$work/results")"
		sleep 0.1
	done
}

squares='"square": 1, .*"square": 4, .*"square": 9, .*"square": 49, .*"square": 100, '

# --- by curl: answered at once, more and more of it done ---
start_server 200
[ "$(ask "${url}results")" = '{"done": 0, "of": 10, "results": []}' ] || fail "before the start"
[ "$(ask -w '%{http_code}' -o /dev/null "${url}nowhere")" = 404 ] || fail "no 404"
before=$(date +%s%N)
[ "$(ask -X POST "${url}start_calculation")" = '{"started": 10}' ] || fail "it did not start"
took=$((($(date +%s%N) - before) / 1000000))
[ $took -lt 1000 ] || fail "the start took $took ms, which is the time of the work"
[ "$(ask -X POST -w '%{http_code}' -o /dev/null "${url}start_calculation")" = 409 ] ||
	fail "a second start beside the first"

# --- a worker is killed in the middle ---
victim=$(cat "/proc/$server/task/"*/children | tr ' ' '\n' | head -n 1)
[ -n "$victim" ] || fail "there are no workers"
kill -9 "$victim" || fail "worker $victim was not there"
await '"done": 10,'
grep -q "$squares" "$work/results" || fail "wrong: $(cat "$work/results")"
grep -q '"runs": 2' "$work/results" || fail "nothing was run again: $(cat "$work/results")"
[ "$(grep -o '"runs": [^1]' "$work/results" | wc -l)" -eq 1 ] ||
	fail "more than the killed one's task was run again: $(cat "$work/results")"
end_server

# --- in a browser ---
browser=$(command -v chromium || true)
if [ -z "$browser" ]; then
	echo "chromium is not here: the page was not tried"
	exit 0
fi
start_server 50
"$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
	--disable-background-networking --disable-component-update --disable-sync \
	--user-data-dir="$work/browser" --virtual-time-budget=20000 --dump-dom "${url}#start" \
	>"$work/dom" 2>"$work/browser.log" || fail "$(tail -n 5 "$work/browser.log")"
grep -q '<title>Done</title>' "$work/dom" || fail "not done: $(cat "$work/dom")"
grep -q '10 of 10' "$work/dom" || fail "no progress: $(cat "$work/dom")"
grep -q '<li value="7">49' "$work/dom" || fail "no 49: $(cat "$work/dom")"
