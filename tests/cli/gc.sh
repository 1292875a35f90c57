#!/bin/bash
# ilk gc: what nobody lives in goes; what somebody lives in, and what is none of ours, stays.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR PATH_OF_SCHEMAS}
. "$(dirname "$0")/alone.sh"
[ "$alone" ] || { echo "skipped: there can be no /dev/shm of its own"; exit 77; }
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

there()
{
	[ -e "/dev/shm/ilk.$1" ]
}

# Left by all; with a living member; with a stopped one; with a dead one; read by somebody.
for name in left living stopped dead read; do
	expect 0 create "$prefix-$name" --size 64K
done
acted living open "$prefix-living"
acted stopped open "$prefix-stopped"
kill -STOP "${pid[stopped]}"
until_true 10 state_is "${pid[stopped]}" T || fail "not stopped"
hold "$prefix-dead" stock
end_holder KILL
acted reader open-to-read "$prefix-read"

# Dry: nothing goes, nothing changes.
sum=$(sha256sum /dev/shm/ilk."$prefix"-*)
run gc --dry-run
[ "$code" -le 1 ] || fail "exit code $code"
grep -Eq "^$prefix-left +64.0 KiB +would be removed" "$scratch/out" || fail "the line of one left"
grep -Eq "^$prefix-dead +64.0 KiB +would be removed" "$scratch/out" || fail "the line of a dead one's"
says_not "$prefix-living"
grep -Eq "^[0-9]+ would be removed, [0-9]+ in use, [0-9]+ left: .* would be freed" "$scratch/out" ||
	fail "the sum"
run gc -n --json
fits gc
says '"schema": "ilk-gc"'
says "\"name\": \"$prefix-living\""
says '"result": "would be removed"'
[ "$sum" = "$(sha256sum /dev/shm/ilk."$prefix"-*)" ] || fail "a dry run changed something"

# What lives stays, and says so; what does not goes.
expect 1 gc "$prefix-living" "$prefix-left"
grep -Eq "^$prefix-living .* in use +a living process" "$scratch/out" || fail "the living one"
grep -Eq "^$prefix-left +64.0 KiB +removed" "$scratch/out" || fail "the one left"
grep -q "^1 removed, 1 in use, 0 left: 64.0 KiB freed" "$scratch/out" || fail "the sum of two"
there "$prefix-living" || fail "a living process's segment went"
there "$prefix-left" && fail "it is there still"
expect 1 gc "$prefix-stopped"
there "$prefix-stopped" || fail "a stopped process's segment went"
expect 0 gc "$prefix-dead" "$prefix-read" --json
fits gc
there "$prefix-dead" && fail "the dead one's is there still"
there "$prefix-read" && fail "a reader keeps it"
refuses gc "$prefix-left"
says_err "no such segment"
end reader living stopped

# By its path.
expect 0 create "/dev/shm/ilk.$prefix-path"
expect 0 gc "/dev/shm/ilk.$prefix-path" -o result,name
grep -Eq "^removed +/dev/shm/ilk.$prefix-path$" "$scratch/out" || fail "two columns"

# A copy goes if that is asked for; what is damaged, of another layout or no segment never does.
expect 0 create "$prefix-whole" --size 64K
cp "/dev/shm/ilk.$prefix-whole" "/dev/shm/ilk.$prefix-copy"
expect 1 gc "$prefix-copy"
says "--copies removes it"
there "$prefix-copy" || fail "the copy went"
run gc --dry-run
grep -Eq "^$prefix-copy .* copy " "$scratch/out" || fail "a copy is not named"
expect 0 gc --copies "$prefix-copy"
there "$prefix-copy" && fail "the copy is there still"

# patch NAME AT BYTES: a segment with those bytes there.
patch()
{
	cp "/dev/shm/ilk.$prefix-whole" "/dev/shm/ilk.$1"
	printf "$3" | dd of="/dev/shm/ilk.$1" bs=1 seek="$2" conv=notrunc status=none
}
patch "$prefix-layout" 8 '\377'
patch "$prefix-damaged" 12 '\003'
head -c 5000 /dev/zero >"/dev/shm/ilk.$prefix-zeros"
expect 1 gc --copies "$prefix-layout" "$prefix-damaged" "$prefix-zeros"
grep -Eq "^$prefix-layout .* left +layout differs: version is 255 there" "$scratch/out" ||
	fail "another layout"
grep -Eq "^$prefix-damaged .* left +header damaged" "$scratch/out" || fail "a damaged one"
grep -Eq "^$prefix-zeros .* left +wrong magic" "$scratch/out" || fail "no segment"
expect 1 gc --dry-run
for name in layout damaged zeros; do
	there "$prefix-$name" || fail "$name went"
	says "$prefix-$name"
done

# All of a host.
act living open "$prefix-whole"
until_true 10 grep -q "$prefix-whole" "/proc/${pid[living]}/maps" || fail "the actor is not in it"
expect 0 create "$prefix-left"
expect 1 gc
there "$prefix-whole" || fail "a living process's segment went"
there "$prefix-left" && fail "it is there still"
end living
refuses gc ""
refuses gc -o nome
says_err "did you mean name?"
there "$prefix-whole" || fail "an error removed something"

finish
