#!/bin/bash
# ilk create, ilk rm.
. "$(dirname "$0")/lib.sh"

umask 077
expect 0 create "$prefix" --size 2M --mode 0640
says "made $prefix: 2.0 MiB"
[ "$(stat -c '%s %a' "/dev/shm/ilk.$prefix")" = "2097152 640" ] || fail "size or mode"

# There already: fine if it is what was asked for.
expect 0 create "$prefix"
says "was there already"
expect 0 create "$prefix" --size 2M
refuses create "$prefix" --size 1M
says_err "bytes differs"
refuses create "$prefix" --fenced
refuses create "$prefix" --exclusive
says_err "is there already"

expect 0 create "$prefix-fenced" --fenced --processes 3 --threads 5
expect 0 show "$prefix-fenced"
says "fenced"
says "0 of 3 process slots"
says "0 of 5 thread slots"

# Lock-order history, which is for good.
expect 0 create "$prefix-order" --order
expect 0 create "$prefix-order" --order
says "was there already"
expect 0 show "$prefix-order"
says ", order"
expect 0 show "$prefix-order" --json
says '"order": true'
refuses create "$prefix" --order
says_err "order differs"
expect 0 rm "$prefix-order"

# Huge pages: told how many there were. Sparse: it takes what is used.
expect 0 create "$prefix-huge" --huge --size 4M
says "of it in huge pages"
expect 0 create "$prefix-sparse" --sparse --size 4M
[ "$(stat -c %b "/dev/shm/ilk.$prefix-sparse")" -lt 4096 ] || fail "not sparse"
expect 0 rm "$prefix-huge" "$prefix-sparse"

# Paths do wherever names do.
path=/dev/shm/ilk.$prefix.d/shop
mkdir "/dev/shm/ilk.$prefix.d" || fail mkdir
expect 0 create "$path"
says "made $path"
expect 0 lock "$path" m -- true
cd "/dev/shm/ilk.$prefix.d" || fail cd
expect 0 counter ./shop hits add 3
expect 0 counter "$path" hits
says 3
expect 0 show ./shop
says hits
expect 0 rm "$path"
refuses rm ./shop
echo "no segment, but a list of things to do" >todo
refuses rm ./todo
[ -e todo ] || fail "rm removed what is no segment"
rm todo
cd / || fail cd
rmdir "/dev/shm/ilk.$prefix.d"
refuses create "$path"
says_err "there is no folder"
refuses create /proc/self/shop
says_err "no memory file system"

# Names.
for name in "" . .x -- a/b 'a b' "$(printf 'a%.0s' {1..64})"; do
	refuses create -- "$name"
done

# rm: what cannot be removed does not keep the others.
expect 0 create "$prefix-2"
refuses rm "$prefix-2" "$prefix-none"
says_err "$prefix-none"
[ ! -e "/dev/shm/ilk.$prefix-2" ] || fail "rm left it"
expect 0 create "$prefix-2"
refuses rm "$prefix-none" "$prefix-2"
[ ! -e "/dev/shm/ilk.$prefix-2" ] || fail "rm left it, after one that failed"
expect 0 rm "$prefix" "$prefix-fenced"
refuses rm "$prefix"
refuses rm

finish
