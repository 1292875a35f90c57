# lib.sh - what the install tests share; to be sourced by bash.
# From the environment: SOURCE, BUILD, PREFIX (where the test "install" has installed), CC, CXX.
set -eu

# die WORD...
die()
{
	echo "$*"
	exit 1
}

# needs FILE: the shared objects that it asks for, one a line.
needs()
{
	readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'
}

# check_linkage shared|static PROGRAM: it asks for libilk.so, or does not.
check_linkage()
{
	case $1:$(needs "$2" | grep -c '^libilk\.so\.0$' || true) in
	shared:1 | static:0) ;;
	*) die "$2: not linked as $1: $(needs "$2")" ;;
	esac
}

# check_test PROGRAM...: the consumer's test holds; told to, it fails, with what its child says.
check_test()
{
	"$@" || die "$*: failed"
	! FAIL=1 "$@" 2>"${work:?}/report" || die "$*: did not fail"
	grep -qE 'child 1 .* failed at .*test\.c:[0-9]+: 0x2 != 0x3' "$work/report" ||
		die "$*: $(cat "$work/report")"
}

# The folder of libilk.so: lib, or lib/TRIPLET.
libdir()
{
	dirname "$(find "$PREFIX" -name libilk.so)"
}
