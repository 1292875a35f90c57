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

# libilk_cmocka.a defines what its headers declare, and beside that nothing outside its own prefix.
archive=$(libdir)/libilk_cmocka.a
defined()
{
	nm --defined-only "$archive" | awk '$2 ~ /[A-Z]/ { print $3 }' | sort
}
for_tests()
{
	perl -0777 -ne 's{/\*.*?\*/}{}gs; s{__attribute__\(\(.*?\)\)\)?}{}g;
		print "$1\n" while /^ILK_TEST_API [^;(]*?\b(ilk_\w+)\s*\(/gm' \
		"$PREFIX"/include/ilk/cmocka*.h | sort
}
[ -z "$(defined | grep -v '^ilk_test_')" ] || die "$archive defines $(defined | grep -v '^ilk_test_')"
[ -z "$(comm -23 <(for_tests) <(defined))" ] || die "declared, not there: $(comm -23 <(for_tests) <(defined))"
[ "$(for_tests | wc -l)" -gt 30 ] || die "only $(for_tests | wc -l) functions for tests"
