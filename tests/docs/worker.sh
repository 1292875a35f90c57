#!/bin/sh
# worker.sh WORKER SUBMIT [EMULATOR...] - docs/examples/worker.c and submit.c: programs that have nothing in
# common but a name share a pool's work; each comes when it likes, and some are killed.
set -u

worker=$1 submit=$2
shift 2
emulator=$*
name=worker-$$
work=$(mktemp -d) || exit 2
started=
trap 'end_all; rm -rf "$work" "/dev/shm/ilk.$name"' EXIT

fail()
{
	echo "FAILED: $*" >&2
	tail -n 3 "$work"/* >&2
	exit 1
}

end_all()
{
	[ -z "$started" ] || kill -9 $started 2>/dev/null
}

# begin FILE PROGRAM ARGUMENT...: in the background, printing to FILE; sets $pid.
begin()
{
	file=$work/$1 program=$2
	shift 2
	$emulator "$program" "$name" "$@" >"$file" &
	pid=$!
	started="$started $pid"
}

# end SIGNAL PID: ends it, whatever it is at.
end()
{
	kill "-$1" "$2" || fail "$2 has ended before"
	wait "$2"
}

# await FILE: until there is something in it.
await()
{
	tries=0
	until [ -s "$work/$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "nothing in $1"
		sleep 0.05
	done
}

# is FILE TEXT PID: who prints to FILE ends well, with TEXT in it.
is()
{
	wait "$3" || fail "$1: it ended with $?"
	[ "$(cat "$work/$1")" = "$2" ] || fail "$1: $(cat "$work/$1"), not $2"
}

# Work is there before the first worker, and he leaves before there is more.
begin early "$submit" first
early=$pid
begin a "$worker"
is early FIRST "$early"
end TERM "$pid"

# One is killed in a task, which another one does.
begin late "$submit" second
late=$pid
begin b "$worker" 60000
await b
end KILL "$pid"
begin c "$worker" 20
c=$pid
is late "SECOND, by another" "$late"

# Two share the work: as often as it takes until each has had some.
: >"$work/c"
begin d "$worker" 20
d=$pid
tries=0
until [ -s "$work/c" ] && [ -s "$work/d" ]; do
	tries=$((tries + 1))
	[ $tries -lt 50 ] || fail "one of them has done nothing"
	begin shared "$submit" one two three four
	is shared "$(printf 'ONE\nTWO\nTHREE\nFOUR')" "$pid"
done

# When the pool is closed they end, and so does the segment.
begin end "$submit"
is end "" "$pid"
wait "$c" || fail "a worker ended with $?"
wait "$d" || fail "a worker ended with $?"
started=
[ ! -e "/dev/shm/ilk.$name" ] || fail "the segment is still there"
echo "shared by two, one of whose forerunners was killed"
