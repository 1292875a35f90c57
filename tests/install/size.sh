#!/usr/bin/env bash
# size.sh - libilk.so, stripped, is under 400 KB and needs the C library alone.
. "$(dirname "$0")/lib.sh"

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$(libdir)/libilk.so"
bytes=$(stat -c %s "$stripped")
echo "$bytes bytes; needs: $(needs "$stripped")"
[ "$bytes" -lt 400000 ] || die "400,000 or more"
[ "$(needs "$stripped")" = libc.so.6 ] || die "it is to need libc.so.6 alone"
