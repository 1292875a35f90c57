#!/bin/bash
# ilk ls. Other segments may be on this host: only lines about our own are looked at.
actor=${2:?usage: $0 PATH_OF_ILK PATH_OF_ACTOR PATH_OF_SCHEMAS}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/actors.sh"

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
fits ls
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
says_err "there are: name,kind,size,used"
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
fits ls

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
fits ls

# A name must not steer the terminal, nor break the JSON.
: >"/dev/shm/ilk.$prefix-$(printf '\033[31m"\\\377\n')x"
run ls
grep -q "$(printf '\033')" "$scratch/out" && fail "an escape sequence came through"
run ls --json
fits ls

# What is not Ilk's, and who has what mapped.
acted foreign foreign "$prefix-posix" 7
acted member open "$prefix-a"
acted reader open-to-read "$prefix-a"
run ls --all
line "$prefix-posix" | grep -Eq "^$prefix-posix +shm +8.0 KiB .*$(id -un) +cli_actor ${pid[foreign]}\b" ||
	fail "the shared memory"
line "$prefix-posix" | grep -Eq "^$prefix-posix +semaphore +32 B .* 7 +.*cli_actor ${pid[foreign]}\b" ||
	fail "the semaphore"
line "$prefix-a" | grep -Eq "^$prefix-a +segment .* cli_actor ${pid[member]}, cli_actor ${pid[reader]}\b|\
^$prefix-a +segment .* cli_actor ${pid[reader]}, cli_actor ${pid[member]}\b" || fail "who has the segment mapped"
run ls
says_not "$prefix-posix"
run ls -o name,mapped-by
grep -Eq "^$prefix-a +cli_actor" "$scratch/out" || fail "mapped-by without --all"
run ls --all --json
fits ls
says '"schema": "ilk-ls"'
says '"value": 7'
says "\"pid\": ${pid[foreign]}"
run ls --json
says_not others
says_not mapped_by

# Stopped ones are looked at like others; the dead have nothing mapped.
kill -STOP "${pid[foreign]}"
until_true 10 state_is "${pid[foreign]}" T || fail "not stopped"
run ls --all
line "$prefix-posix" | grep -q "cli_actor ${pid[foreign]}" || fail "a stopped one"
end foreign
run ls --all -o name,kind,mapped-by
[ "$(line "$prefix-posix" | grep -c ' -$')" -eq 2 ] || fail "a dead one has it mapped"

# Semaphores that are none: said, and no value made up.
printf 'abc' >"/dev/shm/sem.$prefix-short"
printf '\377%.0s' {1..32} >"/dev/shm/sem.$prefix-odd"
ln -s /dev/null "/dev/shm/sem.$prefix-link"
mkdir "/dev/shm/$prefix-folder"
mkfifo "/dev/shm/sem.$prefix-pipe"
run ls --all
line "$prefix-short" | grep -q "3 bytes: no semaphore" || fail "a short one"
line "$prefix-odd" | grep -q "4294967295 is no semaphore's value" || fail "one of odd bytes"
line "$prefix-folder" | grep -q " folder " || fail "a folder"
grep -q "sem.$prefix-link  *special" "$scratch/out" || fail "a link"
rmdir "/dev/shm/$prefix-folder"

finish
