#!/usr/bin/env bash
# verify.sh MODEL OPTION... - has spin look at every state of MODEL. With -DBROKEN=... it must find an
# error, else none.
set -u
model=$1
shift
command -v spin >/dev/null || { echo "skipped: no spin"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
spin -a "$@" "$model" && ${CC:-cc} -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c || exit 2
./pan -m1000000 >out 2>&1
cat out
grep -q 'Search not completed\|max search depth too small' out && ! grep -q 'errors: [1-9]' out && exit 1
case "$*" in
*-DBROKEN=*) grep -q 'errors: [1-9]' out ;;
*) grep -q 'errors: 0' out ;;
esac
