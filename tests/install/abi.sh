#!/usr/bin/env bash
# abi.sh [--update] - the binary interface of libilk.so is the one that was written down.
#
# A change that is meant is written down by --update, in the commit that makes it, with BUILD in the
# environment. One that breaks programs built before raises SOVERSION, once there is a release.
. "$(dirname "$0")/lib.sh"

: "${SOURCE:=$(cd "$(dirname "$0")/../.." && pwd)}"
here=$SOURCE/tests/install/abi
baseline=$here/libilk-$(uname -m).abi
library=$BUILD/src/libilk.so

command -v abidiff >/dev/null || { echo "skipped: no abidiff (Debian: abigail-tools)"; exit 77; }
readelf -S "$library" | grep -q '\.debug_info' || { echo "skipped: no debugging information"; exit 77; }
if [ "${1-}" = --update ]; then
	abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-parameter-names \
		--no-elf-needed --suppressions "$here/private.ini" "$library" |
		sed -E "s,(path=')[^']*/(include/ilk/|src/),\1\2," >"$baseline"
	exit
fi
[ -e "$baseline" ] || { echo "skipped: nothing is written down for $(uname -m)"; exit 77; }
abidiff --suppressions "$here/private.ini" "$baseline" "$library" ||
	die "the ABI has changed: if that is meant, tests/install/abi.sh --update"
