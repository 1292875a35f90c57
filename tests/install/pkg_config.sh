#!/usr/bin/env bash
# pkg_config.sh - consumers that know of Ilk by pkg-config alone.
. "$(dirname "$0")/lib.sh"

PKG_CONFIG_PATH=$(libdir)/pkgconfig
export PKG_CONFIG_PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra cflags < <(pkg-config --cflags ilk)
read -ra shared < <(pkg-config --libs ilk)
read -ra static < <(pkg-config --static --libs ilk)
[ "$(pkg-config --modversion ilk)" = "$("$PREFIX/bin/ilk" --version | grep -oE '[0-9.]+$')" ] ||
	die "the version of ilk.pc is not that of the command"
static=(-Wl,-Bstatic "${static[@]}" -Wl,-Bdynamic)

# consume shared|static COMPILER FILE FLAG...
consume()
{
	local kind=$1 compiler=$2 file=$3 program=$work/program
	local -n libraries=$kind

	shift 3
	echo "$compiler $file, $kind"
	"$compiler" "$@" -Wall -Wextra -Wpedantic -Werror "${cflags[@]}" \
		"$SOURCE/tests/install/consumer/$file" "${libraries[@]}" -o "$program"
	check_linkage "$kind" "$program"
	LD_LIBRARY_PATH=$(libdir) "$program"
}

# consume_test COMPILER FILE FLAG...
consume_test()
{
	local compiler=$1 file=$2 flags

	shift 2
	echo "$compiler $file"
	read -ra flags < <(pkg-config --cflags --libs ilk-cmocka)
	"$compiler" "$@" -Wall -Wextra -Wpedantic -Werror "$SOURCE/tests/install/consumer/$file" \
		"${flags[@]}" -o "$work/test"
	check_test env LD_LIBRARY_PATH="$(libdir)" "$work/test"
}

consume_test "$CC" test.c -std=c11
consume_test "$CXX" test.cpp -std=c++17
for kind in shared static; do
	consume $kind "$CC" consumer.c -std=c11
	consume $kind "$CXX" consumer.cpp -std=c++17
done
