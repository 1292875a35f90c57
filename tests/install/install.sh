#!/usr/bin/env bash
# install.sh - installs the build under $PREFIX; whatever was there before goes.
. "$(dirname "$0")/lib.sh"

rm -rf "$PREFIX"
cmake --install "$BUILD" --prefix "$PREFIX"
for file in include/ilk.h include/ilk.hpp include/ilk/base.hpp include/ilk/atomics.h \
	include/ilk/mutex.h include/ilk/mutex.hpp bin/ilk share/man/man3/ilk_hpp.3 \
	include/ilk/cmocka.h include/ilk/cmocka_asserts.h share/man/man3/ilk_cmocka.3 \
	share/man/man1/ilk.1 share/man/man1/ilk-top.1 share/man/man3/ilk_mutex.3 share/man/man7/ilk.7 \
	share/bash-completion/completions/ilk share/zsh/site-functions/_ilk; do
	[ -s "$PREFIX/$file" ] || die "$file is not installed"
done
"$PREFIX/bin/ilk" --help >/dev/null
