#!/usr/bin/env bash
# names.sh SOURCE-FOLDER - the tree speaks of nothing outside it: no one's home, no registry.
set -u
cd "$1" || exit 2

# The brackets keep this file from finding itself.
patterns=(
	'(^|[^[:alnum:]_.}/-])/hom[e]/[[:alnum:]]'
	'(^|[^[:alnum:]_.}/-])/roo[t]/'
	'(^|[^[:alnum:]_.}/-])/wor[k](/|[^[:alnum:]_]|$)'
	'pyp[i]\.org|npm[j]s\.|crate[s]\.io|rubygem[s]\.org|prox[y]\.golang|docke[r]\.io'
	'(de[b]|snapsho[t]|securit[y])\.debian\.org'
)

files()
{
	if [ -e .git ] && git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -name .git -prune -o -path './build*' -prune -o -type f -print
	fi
}

found=0
for pattern in "${patterns[@]}"; do
	if files | tr '\n' '\0' | xargs -0 grep -nHIsE -- "$pattern"; then
		found=1
	fi
done
[ $found -eq 0 ] && echo "$(files | wc -l) files, nothing found"
exit $found
