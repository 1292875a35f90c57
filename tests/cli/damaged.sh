#!/bin/bash
# ilk on a hundred damaged segments: it ends by itself, with an exit code of its own, and says what is
# wrong; and nothing it prints steers a terminal.
generate=${2:?usage: $0 PATH_OF_ILK PATH_OF_FUZZ_GENERATE}
. "$(dirname "$0")/alone.sh"
. "$(dirname "$0")/lib.sh"
count=100

# A sanitizer's report is not one of the command's own exit codes.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=99
export UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}exitcode=99

# meets SEGMENT CODES ARGUMENT...: runs ilk, which ends in time with one of the codes.
meets()
{
	local segment=$1 codes=$2 out err

	shift 2
	timeout -k 1 10 "$ilk" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	code=$?
	out=$(<"$scratch/out") err=$(<"$scratch/err")
	[[ " $codes " == *" $code "* ]] || fail "ilk $*: exit code $code (${damage[$segment]})"
	[ "$code" -eq 0 ] || [ -n "$out$err" ] || fail "ilk $*: exit code $code, and not a word"
	[[ $code -ne 2 || $err == ilk*:\ ?* ]] || fail "ilk $*: no reason given"
	printf 'ilk %s\n%s\n%s\n' "$*" "$out" "$err" >>"$scratch/printed"
	met[$code]=$((${met[$code]-0} + 1))
}

declare -A damage
declare -a met names
"$generate" segments "$prefix" "$count" >"$scratch/made" || fail "no segments were made"
while read -r name what; do
	names+=("$name")
	damage[$name]=$what
done <"$scratch/made"
[ "${#names[@]}" -eq "$count" ] || fail "${#names[@]} segments, not $count"

for i in "${!names[@]}"; do
	name=${names[i]}
	meets "$name" "0 1 2" show "$name"
	meets "$name" "0 1 2" show "$name" --json
	[ "$code" -eq 2 ] || [ $((i % 8)) -ne 0 ] || is_json
	meets "$name" "0 1 2" deadlock --potential --sample 1 "$name"
	meets "$name" "0 1 2" doctor "$name"
	meets "$name" "0 1 2" gc --dry-run "$name"
	meets "$name" "0 2" create "$name"
	meets "$name" "0 2" counter "$name" c add 1
	meets "$name" "0 2 75" lock --wait 0 "$name" m -- true
	meets "$name" "0 2 75" lock --wait 0 "$name" new -- true
done
damage[all]='all of them'
meets all "0 1" ls
meets all "0 1" ls --json
is_json
meets all "0 1" ls --all

# The cures, on every tenth; what they remove is gone, and nothing else.
for ((i = 0; i < count; i += 10)); do
	meets "${names[i]}" "0 1 2" doctor --fix --yes "${names[i]}"
	meets "${names[i]}" "0 1 2" gc --copies "${names[i]}"
done
if [ "$alone" ]; then
	meets all "0 1" gc
	meets all "0 1" doctor --fix --yes
	meets all "0 1" doctor --json
	is_json
fi

# A name must not steer the terminal.
! tr -d '\t' <"$scratch/printed" | LC_ALL=C grep -n '[[:cntrl:]]' || fail "control characters were printed"

# Some were refused, and some not: else they are not what they are to be.
for code in 0 1 2; do
	[ "${met[$code]-0}" -gt 9 ] || fail "only ${met[$code]-0} ended with $code"
done
for code in "${!met[@]}"; do
	echo "$code: ${met[$code]}"
done
finish
