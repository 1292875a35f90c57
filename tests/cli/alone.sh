# alone.sh - goes on with a /dev/shm of its own, where that is permitted: then $alone is 1. Sourced before
# lib.sh by tests that speak of all segments of a host: a fault in what they test would be other
# people's loss.
alone=${ILK_TEST_ALONE-}
if [ -z "$alone" ]; then
	for unshare in "unshare -m" "unshare -rm"; do
		$unshare mount -t tmpfs tmpfs /dev/shm 2>/dev/null || continue
		ILK_TEST_ALONE=1 exec $unshare sh -c \
			'mount -t tmpfs tmpfs /dev/shm && exec bash "$@"' sh "$0" "$@"
	done
fi
