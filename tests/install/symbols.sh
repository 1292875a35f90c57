#!/usr/bin/env bash
# symbols.sh - libilk.so exports what src/ilk.map lists, and a public header declares each.
. "$(dirname "$0")/lib.sh"

exported()
{
	nm -D --defined-only "$(libdir)/libilk.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
		sort
}

listed()
{
	sed -n '/global:/,/local:/p' "$SOURCE/src/ilk.map" | grep -oE '\bilk_\w+' | sort
}

# What the headers declare ILK_API: the name before the parenthesis, or the last one of a variable.
declared()
{
	perl -0777 -ne 's{/\*.*?\*/}{}gs;
		print "$1\n" while /^ILK_API [^;(]*?\b(ilk_\w+)\s*[(;]/gm' \
		"$PREFIX"/include/ilk/*.h | sort
}

diff <(listed) <(exported) || die "src/ilk.map (<) and libilk.so (>) differ"
diff <(declared) <(exported) || die "the headers (<) and libilk.so (>) differ"
count=$(exported | wc -l)
[ "$count" -gt 20 ] || die "only $count symbols"
echo "$count symbols"
