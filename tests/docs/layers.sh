#!/usr/bin/env bash
# layers.sh SOURCE-FOLDER - folders are floors: who may include, name and call what.
#
# A file of src/ includes its own folder and lower floors; other edges between floors stand by name
# in docs/architecture.md, each as a line with `FROM` -> `TO`, both relative to src/.
set -u
cd "$1" || exit 2
faults=$(mktemp) clean=$(mktemp -d)
trap 'rm -rf "$faults" "$clean"' EXIT

# fault FILE:LINE WHAT...
fault()
{
	echo "$*" | tee -a "$faults"
}

# The C and C++ files of folders, less those whose path matches $skip.
files()
{
	find "$@" \( -name '*.[ch]' -o -name '*.[ch]pp' \) 2>/dev/null | sort | grep -vE "${skip:-^$}"
}

# Copies every C and C++ file to $clean without its comments, strings and characters, line by line.
strip_files()
{
	files include src tools tests docs | xargs cp --parents -t "$clean"
	find "$clean" -type f -exec perl -0777 -i -pe '
		s{/\*.*?\*/|//[^\n]*|(["\x27])(?:\\.|(?!\1)[^\\\n])*\1}
		 { my $gone = $&; $gone =~ s/[^\n]//g; $gone }gesx' {} +
}

# forbid PATTERN WHY FOLDER...: no code matches the pattern, but in files that match $skip.
forbid()
{
	local pattern=$1 why=$2 file line

	shift 2
	while IFS=: read -r file line _; do
		fault "$file:$line: $why"
	done < <(cd "$clean" && files "$@" | xargs -r grep -HnE "$pattern")
}

# includes FOLDER...: FILE:LINE:NAME of each #include "NAME", less those of files that match $skip.
includes()
{
	files "$@" | xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
		sed -E 's/^([^:]*:[0-9]*):[^"]*"([^"]*)".*/\1:\2/'
}

# folder FILE: where it lies; "." if it has no folder.
folder()
{
	case $1 in
	*/*) folder=${1%/*} ;;
	*) folder=. ;;
	esac
}

# floor FOLDER of src/.
floor()
{
	case $1 in
	.) floor=0 ;; # directly in src/: for every floor, and so including none
	os) floor=1 ;;
	segment) floor=2 ;;
	sync | queue | data) floor=3 ;;
	work | inspect) floor=4 ;;
	*) floor=9 ;;
	esac
}

# goes_down FROM TO, both relative to src/: the same folder or a lower floor.
goes_down()
{
	local from to above

	folder "$1"
	from=$folder
	folder "$2"
	to=$folder
	floor "$from"
	above=$floor
	floor "$to"
	[ "$from" = "$to" ] || [ "$floor" -lt "$above" ]
}

permitted()
{
	grep -qF "\`$1\` -> \`$2\`" docs/architecture.md 2>/dev/null
}

# Includes inside the library point down.
check_src_includes()
{
	local file line name from to

	while IFS=: read -r file line name; do
		from=${file#src/}
		to=$name
		if [ ! -e "src/$to" ]; then
			folder "$from"
			to=$folder/$name
		fi
		if [ ! -e "src/$to" ]; then
			fault "$file:$line: \"$name\" is no file of src/"
		elif ! goes_down "$from" "$to" && ! permitted "$from" "$to"; then
			fault "$file:$line: \"$name\" is no lower floor"
		fi
	done < <(skip='^src/cmocka/' includes src)
}

# Public headers include public headers; tools and tests see no inside of the library.
check_outside_includes()
{
	local file line name

	while IFS=: read -r file line name; do
		fault "$file:$line: a public header includes \"$name\"; write <ilk/...>"
	done < <(includes include)
	while IFS=: read -r file line name; do
		[ ! -e "src/$name" ] || [ -e "${file%/*}/$name" ] ||
			fault "$file:$line: \"$name\" is the library's own; use <ilk.h>"
	done < <(skip='^tests/(death/|unit/headers\.c)' \
		includes src/cmocka tools tests docs/examples |
		grep -vE '^tests/fuzz/.*:(segment/layout|segment/types|queue/ring)\.h$')
}

check_layout()
{
	local file line name

	while IFS=: read -r file line name; do
		case $name in
		*layout.h) fault "$file:$line: layout.h is not for this file" ;;
		esac
	done < <(skip='^(src/segment/|src/inspect/|tests/(death|fuzz)/|tests/unit/headers\.c)' \
		includes src tools tests docs/examples)
}

strip_files
check_src_includes
check_outside_includes
check_layout

skip='^include/ilk/atomics\.h$' forbid '__atomic_|__ATOMIC_|__sync_|stdatomic\.h|\b_Atomic\b' \
	'memory orders are named in include/ilk/atomics.h alone' include src tools tests docs

kernel='syscall|mmap|munmap|mprotect|madvise|fcntl|open|openat|close|read|pread|write|fstat|stat'
kernel+='|ftruncate|fallocate|posix_fallocate|shm_open|shm_unlink|memfd_create|linkat|unlink'
kernel+='|unlinkat|rename|fchmod|opendir|readdir|scandir|clock_gettime|clock_nanosleep|nanosleep|usleep'
kernel+='|sched_yield|getpid|gettid|getuid|kill|tgkill|prctl|fork'
skip='^src/(os|cmocka)/' forbid "\\b($kernel)[[:space:]]*\\(" 'only src/os calls the kernel' src
skip='^src/(os|cmocka)/' forbid \
	'#[[:space:]]*include[[:space:]]*<(sys/|linux/|asm/|fcntl\.h|unistd\.h|sched\.h)' \
	'the headers of the kernel are for src/os' src

skip='^src/(segment/wait\.c|os/futex\.[ch])$' forbid '\bilk_futex_wait_[[:space:]]*\(' \
	'src/segment/wait.c is the only one that sleeps' src

if [ -s "$faults" ]; then
	echo "$(wc -l <"$faults") faults"
	exit 1
fi
echo "$(files include src tools tests docs | wc -l) files, no fault"
