# lib.sh - what tools/try and tools/check share; to be sourced by bash.

# say WORD...: a line of ours, told from the output of what we run.
say()
{
	printf '== %s\n' "$*"
}

# missing PACKAGE...: those of the Debian packages that are not installed, one a line.
missing()
{
	local package

	for package in "$@"; do
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			echo "$package"
	done
}

# as_root COMMAND...: through sudo where we are not root.
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# need PACKAGE...: installs what is missing, saying which; touches nothing where nothing is.
need()
{
	local want log

	if ! command -v dpkg-query >/dev/null; then
		say "no Debian packages here; going on with what is installed (wanted: $*)"
		return 0
	fi
	mapfile -t want < <(missing "$@")
	[ "${#want[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		say "packages are missing; as root, run: apt-get install ${want[*]}" >&2
		return 1
	fi
	say "installing Debian packages: ${want[*]}"
	log=$(mktemp)
	# A fresh system has no package lists yet, an old one stale ones: fetch them and try again.
	if ! apt_install "${want[@]}" >"$log" 2>&1 &&
		! { as_root apt-get update && apt_install "${want[@]}"; } >>"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

apt_install()
{
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# count_tests FILE: "passed failed skipped" of what ctest wrote by --output-junit. A program that
# prints cmocka's closing lines counts as its tests, any other as one.
count_tests()
{
	awk '
	/<testcase / {
		ran = ok = passed = skipped = 0
		status = $0
		sub(/.* status="/, "", status)
		sub(/".*/, "", status)
	}
	/<skipped message="(SKIP_|Disabled)/ { status = "skipped" }
	/\[==========\] Running [0-9]+ test\(s\)/ { match($0, /Running [0-9]+/); ran += number() }
	/\[       OK \] / { ok++ }
	/\[  PASSED  \] [0-9]+ test\(s\)/ { match($0, /[0-9]+/); passed += number() }
	/\[  SKIPPED \] [0-9]+ test\(s\)/ { match($0, /[0-9]+/); skipped += number() }
	/<\/testcase>/ {
		if (status == "skipped") {
			skips++
			next
		}
		if (!passed)
			passed = ok # it did not get to its closing lines: what it had not passed is lost
		passes += ran || status != "run" ? passed : 1
		skips += skipped
		lost = ran - passed - skipped
		# One that passed may show what another program prints of its tests, failing ones too.
		if (status != "run")
			fails += lost > 0 ? lost : 1
	}
	function number() {
		text = substr($0, RSTART, RLENGTH)
		sub(/[^0-9]*/, "", text)
		return text + 0
	}
	END { print passes + 0, fails + 0, skips + 0 }' "$1"
}
