# actors.sh - real processes that hold and want things, for tests of what is shown of them. Sourced after
# lib.sh; $actor is the program.

# act NAME STEP...: starts one in the background; its pid is ${pid[NAME]}, its last step's mark "at NAME".
declare -A pid
act()
{
	local name=$1

	shift
	"$actor" "$@" 2>>"$scratch/actors" &
	pid[$name]=$!
	started+=("$!")
}

# mark NAME: a file for touch and await.
mark()
{
	echo "$scratch/mark-$1"
}

# await_mark NAME: waits until an actor has touched it.
await_mark()
{
	until_true 15 test -e "$(mark "$1")" || fail "no actor came to $1: $(cat "$scratch/actors")"
}

# acted NAME STEP...: the same as act, and waits until it has done its steps.
acted()
{
	rm -f "$(mark "$1")"
	act "$@" touch "$(mark "$1")"
	await_mark "$1"
}

# waits NAME SEGMENT OBJECT: the actor's thread waits for that.
waits()
{
	"$ilk" show "$2" 2>/dev/null | grep -Eq "^ *${pid[$1]} .* $3 +[0-9]"
}

await_wait()
{
	until_true 15 waits "$@" || fail "$1 does not wait for $3 in $2"
}

# json_is EXPRESSION VALUE: what Python makes of the last run's stdout, "v"; without Python, nothing.
json_is()
{
	local got

	command -v python3 >/dev/null || return
	got=$($python -c 'import json, sys; v = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
		"$scratch/out" "$1" 2>&1)
	[ "$got" = "$2" ] || fail "JSON: $1 is $got, not $2"
}

# end NAME...: kills actors, and waits until they are gone.
end()
{
	local name

	for name; do
		kill -KILL "${pid[$name]}" 2>/dev/null
		wait "${pid[$name]}" 2>/dev/null
	done
}
