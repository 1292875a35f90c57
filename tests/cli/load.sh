#!/bin/bash
# What looking costs: show and top on 10,000 objects and 200 threads, and what top takes from two
# threads that lock all the time. Prints figures; the bounds are wide, since a machine has other work.
crowd=${2:?usage: $0 PATH_OF_ILK PATH_OF_CROWD}
. "$(dirname "$0")/lib.sh"

# begin_crowd OBJECTS HAMMERS IDLERS: it is there, and does what is written to descriptor 7.
begin_crowd()
{
	rm -f "$scratch/orders" "$scratch/crowd"
	mkfifo "$scratch/orders"
	"$crowd" "$prefix" "$@" <"$scratch/orders" >"$scratch/crowd" &
	pid=$!
	started+=("$pid")
	exec 7>"$scratch/orders"
	until_true 60 grep -q ready "$scratch/crowd" || { fail "no crowd"; finish; }
}

end_crowd()
{
	exec 7>&-
	await "$pid" 10
	rm -f "/dev/shm/ilk.$prefix"
}

# least COMMAND...: of five times, the least: seconds by the clock, and of CPU.
least()
{
	local TIMEFORMAT='%R %U %S'

	for i in 1 2 3 4 5; do
		{ time "$@" >/dev/null 2>&1 7>&-; } 2>&1
	done | awk '{ cpu = $2 + $3 }
		NR == 1 || $1 < clock { clock = $1 }
		NR == 1 || cpu < best { best = cpu }
		END { print clock, best }'
}

# below WHAT VALUE BOUND: else that is a failure.
below()
{
	[ -n "$2" ] && awk -v value="$2" -v bound="$3" 'BEGIN { exit !(value + 0 < bound + 0) }' ||
		fail "$1: $2, which is not below $3"
}

# ticks PID: CPU time that it took, in 1/100 s.
ticks()
{
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

# 10,000 objects, all held by 200 threads, 25 of which wait.
begin_crowd 10000 0 200
read -r clock cpu < <(least "$ilk" show "$prefix")
echo "show, 10,000 objects and 200 threads: $clock s, $cpu s of CPU"
below "seconds of CPU that show takes" "$cpu" 2
read -r clock cpu < <(least "$ilk" wait-for -t 0 "$prefix" gate held)
echo "one look, by wait-for: $clock s, $cpu s of CPU"
below "seconds of CPU that a look takes" "$cpu" 1
if command -v tmux >/dev/null && grep -q newterm "$ilk"; then
	tmux -f /dev/null -S "$scratch/tmux" new-session -d -x 120 -y 50 "exec '$ilk' top '$prefix'" 7>&-
	top=$(tmux -S "$scratch/tmux" display-message -p '#{pane_pid}')
	started+=("$top")
	sleep 1
	before=$(ticks "$top")
	sleep 5
	after=$(ticks "$top")
	echo "top, once a second, full screen: $(((after - before) * 100 / 500)) % of a core"
	below "percent of a core that top takes" $(((after - before) * 100 / 500)) 60
	kill "$top"
else
	echo "no tmux, or no ncursesw: what top takes is not measured"
fi
end_crowd

# 1,000 objects, two threads that lock and unlock; top at 10 Hz is stopped every other time. What it
# takes from them is measured in locks per second of their own CPU time.
begin_crowd 1000 2 0
"$ilk" top "$prefix" --every 100ms >/dev/null 7>&- &
top=$!
started+=("$top")
answered()
{
	[ "$(wc -l <"$scratch/crowd")" -gt "$1" ]
}

# What is measured for so many ms is the N-th answer.
measure()
{
	echo 300 >&7
	until_true 20 answered "$1" || fail "no answer"
}

sleep 0.5
for i in {1..12}; do
	kill -STOP "$top"
	measure $((2 * i - 1))
	kill -CONT "$top"
	measure $((2 * i))
done
end_crowd
! gone "$top" || fail "top has ended"
kill "$top"
# per_us REMAINDER: the median of every other answer, in locks per us of CPU.
per_us()
{
	awk -v remainder="$1" '/^[0-9]/ && ++n % 2 == remainder { printf "%.4f\n", $1 / $2 * 1000 }' \
		"$scratch/crowd" | sort -n | sed -n 6p
}

without=$(per_us 1) with=$(per_us 0)
loss=$(awk -v a="$without" -v b="$with" 'BEGIN { printf "%.1f", 100 * (a - b) / a }')
echo "locks per us of CPU: $without without top, $with with top at 10 Hz: $loss % less"
below "percent that top takes from others, beyond its own CPU time" "$loss" 30

finish
