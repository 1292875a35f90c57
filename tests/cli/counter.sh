#!/bin/bash
# ilk counter.
. "$(dirname "$0")/lib.sh"

prints()
{
	[ "$out" = "$1" ] || fail "it printed '$out', not '$1'"
}

refuses counter "$prefix" hits
says_err "no such segment"
refuses counter "$prefix" hits add 1
"$ilk" create "$prefix" >/dev/null

# Reading makes nothing; adding does.
sum=$(sha256sum "/dev/shm/ilk.$prefix")
refuses counter "$prefix" hits
says_err "there is no counter hits"
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$prefix")" ] || fail "reading changed the segment"
expect 0 counter "$prefix" hits add 5
prints 5
expect 0 counter "$prefix" hits add -7
prints -2
sum=$(sha256sum "/dev/shm/ilk.$prefix")
expect 0 counter "$prefix" hits
prints -2
expect 0 counter "$prefix" hits --json
fits counter
says '"value": -2'
[ "$sum" = "$(sha256sum "/dev/shm/ilk.$prefix")" ] || fail "reading changed the segment"
expect 0 counter --json "$prefix" hits add 2
fits counter
says '"value": 0'

# The whole range, and around its end.
expect 0 counter "$prefix" wide add 9223372036854775807
prints 9223372036854775807
expect 0 counter "$prefix" wide add 1
prints -9223372036854775808
expect 0 counter "$prefix" wide add -9223372036854775808
prints 0

# Many at once lose nothing.
for i in 1 2 3 4 5 6 7 8; do
	for j in 1 2 3 4 5; do "$ilk" counter "$prefix" many add 3 >/dev/null; done &
	adders[i]=$!
	started+=($!)
done
wait "${adders[@]}"
expect 0 counter "$prefix" many
prints 120

# Mistakes.
"$ilk" lock "$prefix" stock -- true
refuses counter "$prefix" stock
says_err "no plain counter"
refuses counter "$prefix" stock add 1
refuses counter "$prefix" hits add
refuses counter "$prefix" hits sub 1
refuses counter "$prefix" hits add x
refuses counter "$prefix" hits add 1x
refuses counter "$prefix" hits add 9223372036854775808
refuses counter "$prefix" hits add 1 2
refuses counter "$prefix" "" add 1
refuses counter "$prefix" "$(printf '\033')" add 1
refuses counter "$prefix" "$(printf 'a%.0s' {1..64})" add 1
refuses counter "$prefix"

finish
