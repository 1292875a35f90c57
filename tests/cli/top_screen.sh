#!/bin/bash
# ilk top full screen, in tmux: keys, sizes, a segment that goes, and the terminal afterwards.
. "$(dirname "$0")/lib.sh"

command -v tmux >/dev/null || { echo "skipped: no tmux"; exit 77; }
grep -q newterm "$ilk" || { echo "skipped: ilk was built without ncursesw"; exit 77; }
servers=0

in_tmux()
{
	tmux -f /dev/null -S "$scratch/tmux.$servers" "$@"
}

end_all()
{
	in_tmux kill-server 2>/dev/null
	clean_up
}
trap end_all EXIT

# What is on the screen is in $scratch/out, for fail() as well.
shows()
{
	in_tmux capture-pane -p >"$scratch/out"
	grep -Eq -- "$1" "$scratch/out"
}

shows_not()
{
	! shows "$1"
}

# sees REGEX, sees_not REGEX: soon. Where the screen is not what it is to be, nothing that follows is.
sees()
{
	until_true 30 shows "$1" || { fail "the screen does not show: $1"; finish; }
}

sees_not()
{
	until_true 30 shows_not "$1" || { fail "the screen goes on showing: $1"; finish; }
}

press()
{
	in_tmux send-keys "$@"
}

# In a shell, on a screen that says what was before.
start()
{
	in_tmux kill-server 2>/dev/null
	servers=$((servers + 1))
	in_tmux new-session -d -x 100 -y 30 "env -u NO_COLOR bash --norc --noprofile"
	press "PS1='\$ '; before=\$(stty -g); echo be''fore" Enter
	sees '^before'
	press "'$ilk' top $* --every 50ms -o object,type,waiting,waiters,owner,state" Enter
	sees '^[0-9]+ segments?; '
}

# The former screen is there again, and the terminal as it was.
ended_with()
{
	sees '^before'
	sees_not 'h help'
	press "echo ended \$?; [ \"\$before\" = \"\$(stty -g)\" ] && echo as it w''as" Enter
	sees "^ended $1\$"
	sees '^as it was$'
}

"$ilk" create "$prefix" >/dev/null
"$ilk" counter "$prefix" hits add 3 >/dev/null
hold "$prefix" stock
"$ilk" lock "$prefix" stock -- true 2>/dev/null &
waiter=$!
started+=("$waiter")
until_true 30 "$ilk" wait-for -t 0 "$prefix" stock 'waiters==1' 2>/dev/null || fail "nobody waits"

start "$prefix"
sees "^stock +mutex +(1\.0|0\.9)[0-9] +1 +ilk \(pid $holder"
sees '^hits +counter '
shows '^stock' && [ "$(grep -nE '^(stock|hits)' "$scratch/out" | head -n 1 | cut -d : -f 2 | cut -c 1-5)" = stock ] ||
	fail "the one that is waited for does not come first"

# Sorting.
press s
sees 'sorted by waiters'
press Left Left
sees 'sorted by type'
press r
sees 'sorted by type, reversed'
press Left r
sees 'sorted by object$'
sees_not reversed

# The filter: typed, mended, dropped.
press / hix BSpace
sees '^only what has: hi_'
press Enter
sees "only 'hi'"
sees_not '^stock'
press Escape
sees '^stock'
sees_not "only 'hi'"
press / xyz Enter
sees_not '^(stock|hits)'
press Enter Down Up
press Escape
sees '^stock'

# Pausing.
press p
sees PAUSED
"$ilk" counter "$prefix" hits add 4 >/dev/null
sleep 0.5
shows '^hits .* 3$' || fail "it goes on while it pauses"
press Space
sees '^hits .* 7$'
sees_not PAUSED

# Opening an object: in order of objects, the second is the mutex.
press Down Enter
sees '^OBJECT +stock'
sees '^Held by'
sees "$holder +ilk +alive +$holder +ilk +held"
in_tmux resize-window -x 100 -y 40
sees '^Waiting'
sees "$waiter +ilk +alive +$waiter +ilk +[0-9]+ "
press Escape
sees '^stock +mutex'

# Processes, and one of them: those that wait come first.
press Tab
sees "^$prefix +$waiter +ilk +alive +1 +1 +0 "
press Enter
sees "^ilk \(pid $waiter\) in $prefix: alive"
sees "$waiter +ilk +stock "
press BSpace Tab
sees '^stock +mutex'
press h
sees 'PgDn'
press Escape
sees_not 'PgDn'

# Sizes, tiny ones too.
for size in '60 8' '20 3' '7 2' '2 1' '130 50' '100 30'; do
	in_tmux resize-window -x "${size% *}" -y "${size#* }"
	sleep 0.2
	press Down Up PageDown Home
done
sees '^hits .* 7$'
in_tmux resize-window -x 60 -y 10
sees '^h help'
[ "$(wc -l <"$scratch/out")" -eq 10 ] && [[ $(tail -n 1 "$scratch/out") == h\ help* ]] ||
	fail "the last line is not the last of the new size"
in_tmux resize-window -x 100 -y 30

# The segment goes, and comes back; so does the object that is open.
press Home Enter
sees '^OBJECT +hits'
"$ilk" rm "$prefix"
sees 'there is no such segment'
sees 'is not there any more'
press Escape
sees_not '^hits'
kill -KILL "$waiter"
end_holder KILL
"$ilk" create "$prefix" >/dev/null
"$ilk" counter "$prefix" again add 9 >/dev/null
sees '^again +counter .* 9$'
sees_not 'no such segment'
press q
ended_with 0

# However it ends, the terminal is as it was.
start "$prefix"
press C-c
ended_with 130
for signal in TERM HUP QUIT INT; do
	start "$prefix"
	shell=$(in_tmux display-message -p '#{pane_pid}')
	top=$(children_of "$shell")
	ulimit -c 0
	kill "-$signal" "$top"
	ended_with $((128 + $(kill -l "$signal")))
done

# Damage, and names that steer.
"$ilk" counter "$prefix" "$(printf 'k\303\244se')" add 1 >/dev/null
printf 'garbage' | dd of="/dev/shm/ilk.$prefix" bs=1 seek=40960 conv=notrunc 2>/dev/null
start "$prefix"
press Enter Escape Tab Enter Escape q
ended_with 0

# A terminal that is not known gets text.
start "$prefix"
press q
ended_with 0
press "clear; TERM=no-such-terminal $ilk top $prefix --every 50ms --sort type" Enter
sees 'no full screen: this terminal'
sees 'sorted by type'
press C-c
press "echo ended \$?" Enter
sees '^ended 130$'

finish
