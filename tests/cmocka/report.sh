#!/usr/bin/env bash
# report.sh SOURCE-FOLDER PROGRAM... - runs each test of failing.c, and compares what its report says.
set -u
source=$1/tests/cmocka/failing.c
shift
failed=0

# line TEXT: the place of the line of failing.c that has it.
line()
{
	echo "failing\\.c:$(grep -nF "$1" "$source" | head -1 | cut -d: -f1)"
}

# expect NAME PATTERN...: the test NAME fails, the one after it runs once, and each pattern is there.
expect()
{
	local name=$1 ran=1 pattern out status

	shift
	if [ "$1" = --ends ]; then
		ran=0
		shift
	fi
	out=$(timeout 60 "${program[@]}" "$name" 2>&1)
	status=$?
	if [ $status -eq 0 ] || [ $status -eq 100 ] || [ $status -eq 124 ]; then
		fault "$name ended with $status"
	fi
	[ "$(grep -c '^follows ran' <<<"$out")" = $ran ] || fault "$name: what follows did not run $ran times"
	for pattern; do
		grep -qE -- "$pattern" <<<"$out" || fault "$name: nothing like: $pattern"
	done
	[ $faults = 0 ] || printf '%s\n' "--- $name" "$out" "---"
	faults=0
}

fault()
{
	echo "$*"
	faults=1
	failed=1
}

program=("$@")
faults=0
one=$(line 'line of one')
expect in_processes "child 1 \(pid [0-9]+\) failed at .*$one: 0x1 == 0x1 \(index, 1: 1, 1\)" \
	"LINE +\] --- .*$one" 'its last point: before the check'
expect in_threads "thread 1 failed at .*$one: 0x1 == 0x1" "LINE +\] --- .*$one"
expect in_threads_of_a_child "child 0 .* failed at .*$one: thread 1 failed at .*$one: 0x1 == 0x1"
expect each_way 'child 0 .*assert_true\(seg == arg && index == 77\)' 'child 1 .*"left" != "right"' \
	'child 2 .*difference at offset 2 of 4: 0x63 0x58' 'child 3 .*9 is not within the range 1-3' \
	'child 4 .*-1 < 0 \(-1\), errno\(2\): No such' 'child 5 .*: 12 apples' \
	'child 6 .*assert_non_null\(null\)' 'child 7 .*0xfffffffffffffffb != 0x5 \(-5, 5: -5, 5\)' \
	'child 8 .*returned -16 .*, expected 0' 'child 9 .*assert_null\("x"\)' \
	'child 10 .*0x[0-9a-f]+ != 0 \(&index, NULL' 'child 11 .*assert_false\(index == 11\)' \
	'child 12 .*fail\(\)' 'child 13 .*"same" == "same"' "LINE +\] --- .*$(line 'index == 77')"
expect in_the_runner '0x4 != 0x5 \(2 \+ 2, 5: 4, 5\)' "LINE +\] --- .*$(line '2 + 2, 5')"
thread=$(line 'assert_int_equal(1, 2)')
expect in_a_thread_of_a_child "child 0 .* failed at .*$thread: 0x1 != 0x2"
expect in_a_strange_thread --ends "in a thread: .*$thread: 0x1 != 0x2" 'left behind: /dev/shm/ilk\.test-'

raw='child 0 .* failed at .*raw\.c:11: .*0x3 != 0x4' place='LINE +\] --- .*raw\.c:11'
if [ "${ILK_TEST_EMULATED-}" = 1 ]; then
	raw='an assert without ilk/cmocka\.h' place=$raw # the stand-in prints the rest where it happens
fi
expect raw_in_a_child 'child 0 .* failed at .*an assert without ilk/cmocka\.h' "$raw" 'raw\.c:11' "$place"
# The stand-in ends such a process by itself.
[ "${ILK_TEST_EMULATED-}" = 1 ] || expect raw_after_a_fork 'a process that the test forked failed'
expect ours_after_a_fork "a process that the test forked failed at .*$(line 'assert_int_equal(3, 4)'): 0x3 != 0x4"
expect raw_in_a_thread_of_a_child 'child 0 \(pid [0-9]+\) ended with (255|1)'

expect hanging_processes 'child 1 \(pid [0-9]+\) did not end in time; its last point: about to lock' \
	'its thread [0-9]+ waits for mutex "taken" \(.*\) in segment test-'
expect hanging_threads --ends 'thread 1 did not end in time; its last point: about to lock' \
	'waits for mutex "taken"' 'left behind: /dev/shm/ilk\.test-'
expect hanging_threads_of_a_child 'thread 1 did not end in time; its last point: about to lock' \
	'waits for mutex "taken"'
expect point_not_reached 'child 0 ended before it stood at "elsewhere"; its last point: here' \
	"LINE +\] --- .*$(line '"elsewhere")')"
expect crashing 'child 0 .* died of signal 11' 'its last point: about to crash' \
	"LINE +\] --- .*$(line 'ilk_test_in_child(crash')"
expect not_joined 'child 0 .* failed at' 'Test teardown failed'
expect in_vain 'waited in vain for never' "LINE +\] --- .*$(line 'ilk_test_until(never')"

expect segment_left 'left behind: /dev/shm/ilk\.test-[0-9]+-1-forgotten'
expect slot_left 'our process slot 0 in segment test-[0-9]+-1-open' 'our thread slot 0 in segment' \
	'left open: [0-9]+ mappings' 'mapped: .*/dev/shm/' "LINE +\] --- .*$(line 'ilk_test_assert_nothing_left();')"
expect child_left 'left behind: child 0 \(pid [0-9]+\), not waited for'
expect process_left 'left behind: process [0-9]+, forked by the test'
expect descriptor_left 'left open: descriptor [0-9]+, /dev/null'
expect slot_of_the_dead 'process slot [0-9]+ of segment .*: dead process [0-9]+' 'thread slot'
exit $failed
