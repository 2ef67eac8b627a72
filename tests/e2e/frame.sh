# shellcheck shell=sh disable=SC2034 # used by who sources this
# The frame of report_*.sh: the build, a folder that goes with the test, and what passed and failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
dlwatch=$build/dlwatch
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
script=$(basename "$0" .sh)
failed=0 passed=0
# Where the second lock of data/bank.c lies: a mutex has 40 bytes, on aarch64 48.
case $(uname -m) in aarch64) second_lock=64 ;; *) second_lock=56 ;; esac

ok() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL $script: $*"
}
finish() {
	echo "$script: $passed passed, $failed failed"
	[ $failed = 0 ]
}
