#!/bin/bash
# ilk ls. Other segments may be on this host: only lines about our own are looked at.
. "$(dirname "$0")/lib.sh"

line()
{
	grep "^$1 " "$scratch/out"
}

"$ilk" create "$prefix-a" --size 64K >/dev/null
"$ilk" counter "$prefix-a" hits add 1 >/dev/null
run ls
[ "$code" -le 1 ] || fail "ls: exit code $code"
line "$prefix-a" | grep -Eq '64.0 KiB +[0-9.]+ (B|KiB) +0 +0 +1 ' || fail "the line of $prefix-a"
line "$prefix-a" | grep -q " $(id -un)" || fail "the owner of $prefix-a"
run ls --json
is_json
says "\"name\": \"$prefix-a\""

# Columns.
run ls -o size,name
[ "$(head -n 1 "$scratch/out")" = "    SIZE  NAME" ] || fail "the heads of two columns"
grep -q "^64.0 KiB  $prefix-a\$" "$scratch/out" || fail "two columns"
run ls --columns=name
grep -qx "$prefix-a" "$scratch/out" || fail "one column"
refuses ls -o name,szie
says_err "did you mean size?"
refuses ls -o name,
says_err "there are: name,size,used"
refuses ls -o ""
refuses ls -o "$(printf 'name,%.0s' {1..20})name"

# Members, alive and dead.
hold "$prefix-a" m
run ls
line "$prefix-a" | grep -Eq 'B +1 +0 +2 ' || fail "one alive"
sum=$(sha256sum "/dev/shm/ilk.$prefix-a")
kill -STOP "$holder"
run ls
run ls --json
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$prefix-a")" ] || fail "ls changed the segment"
end_holder KILL
expect 1 ls
line "$prefix-a" | grep -Eq "B +0 +1 +2 .*1 wrong: ilk show $prefix-a" || fail "one dead"
expect 1 ls --json
is_json

# What is no segment is said to be none, and hides nothing else.
head -c 5000 /dev/zero >"/dev/shm/ilk.$prefix-b"
: >"/dev/shm/ilk.$prefix-c"
head -c 3000 "/dev/shm/ilk.$prefix-a" >"/dev/shm/ilk.$prefix-d"
cp "/dev/shm/ilk.$prefix-a" "/dev/shm/ilk.$prefix-e"
expect 1 ls
line "$prefix-b" | grep -q "wrong magic" || fail "a file of zeros"
line "$prefix-c" | grep -q "too short" || fail "an empty file"
line "$prefix-d" | grep -Eq " - +- +[a-z]" || fail "a truncated segment"
line "$prefix-e" | grep -q "a copy" || fail "a copy"
line "$prefix-a" | grep -q "64.0 KiB" || fail "the good one is missing"
expect 1 ls --json
is_json

# A name must not steer the terminal, nor break the JSON.
: >"/dev/shm/ilk.$prefix-$(printf '\033[31m"\\\377\n')x"
run ls
grep -q "$(printf '\033')" "$scratch/out" && fail "an escape sequence came through"
run ls --json
is_json

finish
