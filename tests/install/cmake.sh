#!/usr/bin/env bash
# cmake.sh find_package|add_subdirectory|fetch_content - consumers that are CMake projects themselves.
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $1 in
find_package) how=(-DCMAKE_PREFIX_PATH="$PREFIX") ;;
add_subdirectory) how=(-DILK_SOURCE="$SOURCE") ;;
fetch_content)
	tar -C "$SOURCE" --exclude='./build*' --exclude=./.git --transform 's,^\.,ilk,' \
		-czf "$work/ilk.tar.gz" .
	how=(-DILK_ARCHIVE="$work/ilk.tar.gz")
	;;
*) die "usage: cmake.sh find_package|add_subdirectory|fetch_content" ;;
esac

cmake -S "$SOURCE/tests/install/consumer" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=Release \
	-DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" "${how[@]}"
cmake --build "$work" -j 2
for language in c cpp; do
	check_linkage shared "$work/${language}_ilk"
	check_linkage static "$work/${language}_static"
	"$work/${language}_ilk"
	"$work/${language}_static"
done
check_linkage shared "$work/test_ilk"
check_linkage static "$work/test_static"
for test in ilk static cpp; do
	check_test "$work/test_$test"
done
# Who takes us in gets the library; not our command, our tests or our folder for them.
for tools in "$work/ilk/tools" "$work/_deps/ilk-build/tools"; do
	[ ! -e "$tools" ] || die "$1 built the command too"
done
