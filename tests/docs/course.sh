#!/bin/bash
# course.sh ROOT PATH_OF_ILK: the course knows every scenario, and no other.
set -u
root=$1 ilk=$2
failed=0
scenarios=$("$ilk" race list --json | sed -n 's/^ *"name": "\(.*\)",$/\1/p' | sort)
taught=$(grep -o 'ilk race run [a-z-]*' "$root/docs/races.md" | awk '{print $4}' | sort -u)

[ -n "$scenarios" ] || { echo "no scenarios"; exit 1; }
for name in $(comm -23 <(echo "$scenarios") <(echo "$taught")); do
	echo "docs/races.md does not teach $name"
	failed=1
done
for name in $(comm -13 <(echo "$scenarios") <(echo "$taught")); do
	echo "docs/races.md speaks of $name, which is no scenario"
	failed=1
done
[ "$failed" -eq 0 ] && echo "$(echo "$scenarios" | wc -l) scenarios, all taught"
exit "$failed"
