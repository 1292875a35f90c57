#!/usr/bin/env bash
# layers_can_fail.sh SOURCE-FOLDER - layers.sh must find each fault that it is there to find.
set -u
layers=$1/tests/docs/layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# plain: a small tree without fault.
plain()
{
	rm -rf "$tree"
	mkdir -p "$tree"/{include/ilk,src/{os,segment,sync,queue,inspect,cmocka},tools/ilk} \
		"$tree"/{tests/{unit,fuzz},docs}
	echo 'int lowest_;' >"$tree/src/fault.h"
	echo 'int os_;' >"$tree/src/os/futex.h"
	printf '#include "os/futex.h"\n#include "segment/layout.h"\n' >"$tree/src/segment/wait.c"
	echo 'int layout_;' >"$tree/src/segment/layout.h"
	echo 'int wait_;' >"$tree/src/segment/wait.h"
	printf '#include "fault.h"\n#include "segment/wait.h"\n' >"$tree/src/sync/mutex.c"
	echo 'int mutex_;' >"$tree/src/sync/mutex.h"
}

# plant FILE LINE EXPECTED: with LINE added to FILE there must be a fault that says EXPECTED.
plant()
{
	plain
	printf '%s\n' "$2" >>"$tree/$1"
	if ! "$layers" "$tree" | grep -q "^$1:.*$3"; then
		echo "not found: $2 in $1"
		failed=1
	fi
}

plain
"$layers" "$tree" || failed=1
plant src/os/futex.h '#include "segment/wait.h"' 'no lower floor'
plant src/fault.h '#include "os/futex.h"' 'no lower floor'
plant src/queue/lease.c '#include "sync/mutex.h"' 'no lower floor'
plant src/sync/mutex.c '#include "sync/none.h"' 'no file'
plant src/sync/mutex.c '#include "segment/layout.h"' 'layout.h'
plant src/cmocka/child.c '#include "segment/wait.h"' "library's own"
plant src/sync/mutex.c '#include "cmocka/internal.h"' 'no file'
plant include/ilk/base.h '#include "segment/wait.h"' 'public header'
plant tools/ilk/show.c '#include "segment/wait.h"' "library's own"
plant tests/unit/mutex.c '#include "segment/wait.h"' "library's own"
plant tests/fuzz/body.c '#include "segment/wait.h"' "library's own"
plant src/sync/mutex.c 'x = __atomic_load_n(&y, 0);' 'memory orders'
plant tools/ilk/show.c '_Atomic int x;' 'memory orders'
plant src/sync/mutex.c 'p = mmap(0);' 'kernel'
plant src/sync/mutex.c '#include <sys/mman.h>' 'kernel'
plant src/sync/mutex.c 'ilk_futex_wait_(w, 0, 0);' 'sleeps'

# What is no fault: an edge that stands in the document; a word in a comment or a string; the layout
# for who damages it.
plain
echo '#include "segment/layout.h"' >"$tree/tests/fuzz/body.c"
echo '#include "sync/mutex.h"' >"$tree/src/queue/lease.c"
echo 'The lease waits: `queue/lease.c` -> `sync/mutex.h`.' >"$tree/docs/architecture.md"
printf '%s\n' '/* mmap(0) and' '__atomic_x */ char *s = "open(1)", c = 0x22; // fork()' \
	>"$tree/src/sync/text.c"
"$layers" "$tree" || failed=1
exit $failed
