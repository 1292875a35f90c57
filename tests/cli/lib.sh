# lib.sh - what the tests of the command share; each test sources it first.
#
# A test is called with the path of the command. Its segments begin with $prefix, and its
# background processes are in $started: both are gone when it ends, however it ends.

set -u
ilk=${1:?usage: $0 PATH_OF_ILK}
prefix=cli-$(basename "$0" .sh)-$$
scratch=$(mktemp -d)
started=()
failures=0
# Without what it looks for at its start, which takes longer than all else.
python="python3 -I -S"

clean_up()
{
	local pid

	for pid in ${started[@]+"${started[@]}"}; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -f "/dev/shm/ilk.$prefix"* "/dev/shm/$prefix"* "/dev/shm/sem.$prefix"*
	rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# fail WORD...: notes a failure, with what the last command printed.
fail()
{
	failures=$((failures + 1))
	printf 'FAILED: %s\n' "$*"
	printf '  exit code %s, output:\n' "${code-none}"
	sed 's/^/  | /' "$scratch/out" "$scratch/err" 2>/dev/null
}

# finish: ends the test.
finish()
{
	[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
	echo "all passed"
	exit 0
}

# run ARGUMENT...: runs ilk; $code, $out and $err are what came of it.
run()
{
	"$ilk" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	code=$?
	out=$(cat "$scratch/out")
	err=$(cat "$scratch/err")
}

# expect CODE ARGUMENT...: runs ilk, which is to end with CODE.
expect()
{
	local want=$1

	shift
	run "$@"
	[ "$code" -eq "$want" ] || fail "ilk $*: exit code $code, not $want"
}

# says TEXT, says_err TEXT: the last run printed TEXT (a fixed string) on stdout, on stderr.
says()
{
	[[ $out == *"$1"* ]] || fail "stdout does not say: $1"
}

says_err()
{
	[[ $err == *"$1"* ]] || fail "stderr does not say: $1"
}

says_not()
{
	[[ $out$err != *"$1"* ]] || fail "it says: $1"
}

# refuses ARGUMENT...: ilk is to end with 2 and one line on stderr, nothing on stdout.
refuses()
{
	expect 2 "$@"
	[ -z "$out" ] || fail "ilk $*: an error, and something on stdout"
	[ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "ilk $*: the error is not one line"
}

# is_json: the last run's stdout is one JSON value.
is_json()
{
	if command -v python3 >/dev/null; then
		$python -c 'import json, sys; json.load(sys.stdin)' <"$scratch/out" 2>/dev/null || fail "not JSON"
	else
		# Without Python: the brackets outside of strings pair up.
		awk '{ gsub(/\\./, ""); gsub(/"[^"]*"/, ""); text = text $0 }
			END {
				gsub(/[^][{}]/, "", text)
				while (gsub(/\[\]|\{\}/, "", text))
					;
				exit text != ""
			}' "$scratch/out" || fail "not JSON"
	fi
}

# fits VIEW: it is as docs/schema/ilk-VIEW.json says. Without Python: it is JSON.
fits()
{
	local here

	here=$(dirname "${BASH_SOURCE[0]}")
	if command -v python3 >/dev/null; then
		$python "$here/schema.py" "$here/../../docs/schema/ilk-$1.json" "$scratch/out" \
			>"$scratch/err" 2>&1 || fail "not as the schema of $1 says"
	else
		is_json
	fi
}

# until_true SECONDS COMMAND...: tries until it succeeds.
until_true()
{
	local tries=$(($1 * 20))

	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

# gone PID: there is no such process, or only a zombie.
gone()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null
}

state_is()
{
	grep -q "^State:.$2" "/proc/$1/status" 2>/dev/null
}

# children_of PID: one a line.
children_of()
{
	local stat

	for stat in /proc/[0-9]*/stat; do
		sed -n "s/^\([0-9]*\) .*) . $1 .*/\1/p" "$stat" 2>/dev/null
	done
}

# hold SEGMENT MUTEX: holds it in the background; $holder is ilk, $command what runs under it.
hold()
{
	hold_by lock "$1" "$2"
}

# hold_by ARGUMENT...: the same for what `ilk ARGUMENT... -- COMMAND` holds.
hold_by()
{
	local file=$scratch/held

	rm -f "$file"
	"$ilk" "$@" -- sh -c "echo \$\$ >'$file.new'; mv '$file.new' '$file'; exec sleep 100" \
		2>>"$scratch/holders" &
	holder=$!
	started+=("$holder")
	until_true 10 test -e "$file" || fail "ilk $*: it was not taken"
	command=$(cat "$file" 2>/dev/null)
	started+=("$command")
}

# await PID SECONDS: waits for a background process of ours; $code is its exit code.
await()
{
	until_true "$2" gone "$1" || { fail "process $1 does not end"; kill -KILL "$1"; }
	wait "$1" 2>/dev/null
	code=$?
}

# end_holder SIGNAL: ends it by its pid, and waits until it is gone; $code is its exit code.
end_holder()
{
	kill "-$1" "$holder"
	await "$holder" 15
}

# line PATTERN: some line of the output is like that. no_line PATTERN: none is.
line()
{
	grep -Eq "$1" "$scratch/out" || fail "no line like: $1"
}

no_line()
{
	! grep -Eq "$1" "$scratch/out" || fail "a line like: $1"
}

# in_json ARGUMENT...: the same view in JSON, which is as its schema says.
in_json()
{
	expect "$@" --json
	fits "$2"
}
