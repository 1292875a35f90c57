#!/bin/bash
# ilk bench: what it can measure, mistakes, and the benches of queues that one core is enough for: each
# message is checked there, too. What crosses cores depends on what else the machine does. Of the benches
# of work a few are run, without Python, which takes long to start: it is absent where PATH is empty.
. "$(dirname "$0")/lib.sh"

expect 0 bench --list
for name in mutex ring-8 ring-alone-8 ring-bulk-64 ring-trip-1k blocking-8 queue-alone queue-2p2c-64 \
	queue-bulk-1k queue-lease-64 queue-trip-1k queue-wake map columns; do
	grep -q "^$name " "$scratch/out" || fail "--list does not tell of $name"
done
expect 0 bench --list workers
for name in workers-start workers-memory workers-compute workers-wait pool-one pool-chunked pool-trip \
	pool-start; do
	grep -q "^$name " "$scratch/out" || fail "workers is not $name"
done
says_not "queue"
says_not "columns"
refuses bench rnig-8
says_err "did you mean ring-8?"

expect 0 bench --runs 1 --seconds 0.005 queue-alone queue-lease ring-alone
says "(ratio: to ck-mpmc)"
says "ilk-lease"
says "ilk-place"
says_not "ERROR"
# measures BENCH PEER...: each has its figures, but Python, which is absent.
measures()
{
	local bench=$1 peer

	shift
	PATH=$scratch/bin expect 0 bench --runs 1 --seconds 0.005 "$bench"
	says_not "ERROR"
	for peer; do
		grep -qE "^  $peer +[0-9.]+ +[0-9.]+ +[0-9.]+ +1 " "$scratch/out" || fail "$bench: no $peer"
	done
	grep -qE "^  python.* no python3 in PATH" "$scratch/out" || fail "$bench: is there a Python?"
}

mkdir "$scratch/bin"
ln -s "$(command -v cat)" "$(command -v sed)" "$scratch/bin"
measures map ilk
measures workers-memory thread process ilk-worker
# What competes needs two cores.
if [ "$(nproc)" -gt 1 ]; then
	measures workers-wait thread process ilk-pool
	measures columns ilk ilk-threads one-process
	measures pool-trip ilk ilk-threads
	measures pool-start ilk
fi

expect 0 bench --runs 1 --seconds 0.005 --json queue-lease
fits bench
says '"reference": "ilk-get"'
says '"ratio": 1.000'

finish
