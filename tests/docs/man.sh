#!/usr/bin/env bash
# man.sh SOURCE-FOLDER [ILK] - the manual is well-formed, and misses no function of the library and
# no option of the command ILK.
set -u
cd "$1" || exit 2
ilk=${2-}
failed=0

if command -v mandoc >/dev/null; then
	mandoc -Tlint -W warning docs/man/*.[1-9] || failed=1
else
	echo "no mandoc: form not checked"
fi

# Every function of the public headers, but those that end in '_', has its prototype in section 3.
functions()
{
	perl -0777 -ne 's{/\*.*?\*/}{}gs; s{^#.*?[^\\]\n}{}gms;
		print "$1\n" while /^(?:ILK_API |ILK_TEST_API |static inline )[^;{=]*?\b(ilk_\w*[^\W_])\s*\(/gm' \
		include/ilk/*.h | sort -u
}
count=$(functions | wc -l)
[ "$count" -gt 20 ] || { echo "only $count functions found in the headers"; failed=1; }
while read -r name; do
	grep -qE "^\.F[no] (\"[^\"]*\" )?\"?$name\b" docs/man/*.3 ||
		{ echo "$name: in no page of section 3"; failed=1; }
done < <(functions)
echo "$count functions"

# What --help of a subcommand lists, without the option that every one has.
helped()
{
	"$ilk" "$@" --help | sed -nE 's/^  (-., )?--([a-z-]+).*/\2/p' | grep -vx help | sort -u
}

# What the page of a subcommand lists, or where it has none, its part of ilk.1.
described()
{
	if [ -e "docs/man/ilk-$1.1" ]; then
		cat "docs/man/ilk-$1.1"
	else
		awk -v part="$1" '/^\.S[sh] / { inside = $2 == part } inside' docs/man/ilk.1
	fi |
		sed -nE 's/^\.It Fl (. , )?-([a-z-]+).*/\2/p' | sort -u
}

if [ -n "$ilk" ]; then
	own=$(ls docs/man/ilk-*.1 | sed 's/.*ilk-//; s/\.1$//')
	for command in $(printf '%s\n' create show rm counter lock race bench $own | sort -u); do
		words=("$command")
		[ "$command" != race ] || words+=(run)
		diff <(described "$command") <(helped "${words[@]}") >&2 ||
			{ echo "the manual (<) and ilk ${words[*]} --help (>) differ"; failed=1; }
	done
	"$ilk" help | sed -nE 's/^  ([a-z-]+) .*/\1/p' | while read -r command; do
		grep -qE "^\.Ss .*\b$command\b" docs/man/ilk.1 ||
			{ echo "ilk $command: not in ilk.1"; exit 1; }
	done || failed=1
fi

# Each member of a view's JSON is in the view's page.
for schema in docs/schema/ilk-*.json; do
	page=docs/man/$(basename "$schema" .json).1
	[ -e "$page" ] || page=docs/man/ilk.1
	grep -oE '"[a-z_]+": \{' "$schema" | sed 's/"//g; s/: {//' | sort -u |
		grep -vxE 'properties|items|process|thread|finding|one|inversion|order|segment|other|mapper|scenario|variant|event|row' |
		while read -r member; do
			grep -qE "^\.((It|Pq) )?Li .*\b$member\b" "$page" || { echo "$member: not in $page"; exit 1; }
		done || failed=1
done
exit $failed
