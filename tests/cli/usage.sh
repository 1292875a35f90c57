#!/bin/bash
# What every subcommand has in common: help, options, mistakes.
. "$(dirname "$0")/lib.sh"

commands=(create ls show deadlock top watch wait-for rm gc doctor counter lock sem
	permits event barrier latch put get work
	"race list" "race explain" "race run" "race source" race version help)

# Help, and the two ways to get it.
for command in "${commands[@]}"; do
	expect 0 $command --help
	says "Usage: ilk $command"
	says "--help"
	cp "$scratch/out" "$scratch/help"
	expect 0 help $command
	cmp -s "$scratch/out" "$scratch/help" || fail "ilk help $command differs from --help"
done
expect 0 bench --help
expect 0 help
says "lock"
expect 0 --help
expect 0 version
says "ilk 0."
expect 0 --version
says "ilk 0."

# Mistakes: one line, exit code 2, what to do next.
expect 2
says_err "Usage:"
refuses shwo x
says_err 'did you mean `ilk show`?'
refuses xyzzy
says_err 'ilk help'
refuses create "$prefix" --szie 1M
says_err "did you mean --size?"
refuses create "$prefix" --xyzzy
says_err "ilk create --help"
refuses create "$prefix" -q
refuses help shwo
refuses race rnu
says_err 'did you mean `ilk race run`?'
refuses show
says_err "use it as: ilk show NAME"
refuses show a b
refuses create
refuses ls extra
refuses ls --json=yes
says_err "takes no value"
refuses create "$prefix" --size
says_err "needs a value"

# Values.
for size in 0 -1 x 1X 1Mx "" 9223372036854775807G 4095 0x1000; do
	refuses create "$prefix" --size "$size"
done
for mode in 8 0800 1777 x 0; do
	refuses create "$prefix" --mode "$mode"
done
refuses create "$prefix" --processes 0
says_err "1 to 4095"
refuses create "$prefix" --threads 4096
for seconds in -1 x inf nan 1e3 ""; do
	refuses lock "$prefix" m -w "$seconds" -- true
done
[ ! -e "/dev/shm/ilk.$prefix" ] || fail "a refused command left a segment"

# Options may be written in each way, before and after operands, and -- ends them.
expect 0 create --size 64K "$prefix-a"
expect 0 create "$prefix-b" --size=64K
expect 0 create -s 64K -- "$prefix-c"
expect 0 create -s64K -m0600 "$prefix-d"
for name in a b c d; do
	[ "$(stat -c %s "/dev/shm/ilk.$prefix-$name")" = 65536 ] || fail "size of $name"
done

# Output that cannot be written is an error.
if [ -e /dev/full ]; then
	"$ilk" help >/dev/full 2>"$scratch/err"
	[ $? -eq 2 ] || fail "output to a full device was not an error"
fi

# Colour is for terminals, and not for those who do not want it.
has_escape()
{
	grep -q "$(printf '\033')" "$1"
}
"$ilk" ls >"$scratch/out"
has_escape "$scratch/out" && fail "colour in a pipe"
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then # where there are pseudo-terminals
	TERM=xterm script -qec "$ilk ls" /dev/null >"$scratch/out" </dev/null
	has_escape "$scratch/out" || fail "no colour on a terminal"
	TERM=xterm NO_COLOR=1 script -qec "$ilk ls" /dev/null >"$scratch/out" </dev/null
	has_escape "$scratch/out" && fail "colour in spite of NO_COLOR"
fi

finish
