#!/usr/bin/env bash
# readme.sh SOURCE-FOLDER PREFIX CC - what README.md shows is so: its C example is compiled, and
# the commands after it are run and print what stands there. Ilk is installed under PREFIX.
set -eu
readme=$1/README.md prefix=$2
work=$(mktemp -d)
segment=demo-$$
trap 'rm -rf "$work"; rm -f "/dev/shm/ilk.$segment"' EXIT

# block LANGUAGE: the first block of it, with a segment of our own instead of the reader's.
block()
{
	awk -v start="\`\`\`$1" '$0 == start { inside = 1; next } /^```/ && inside { exit } inside' \
		"$readme" | sed -E "s/\\bdemo\\b/$segment/g"
}

block c >"$work/hello.c"
block console >"$work/session"
grep -q "\"$segment\"" "$work/hello.c" || { echo "no example with a segment \"demo\""; exit 1; }

# What a user has after the installation.
library=$(dirname "$(find "$prefix" -name libilk.so)")
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library PATH=$prefix/bin:$work/bin:$PATH
mkdir "$work/bin"
ln -s "$(command -v "$3")" "$work/bin/cc"
cd "$work"

# The session once more, with what the commands really print.
sed -n 's/^\$ //p' session | while read -r command; do
	printf '$ %s\n' "$command"
	eval "$command" </dev/null
done >real
cat real
diff session real || { echo "README.md (<) and what its commands print (>) differ"; exit 1; }
[ "$(grep -c '^\$ ' session)" -ge 5 ]
