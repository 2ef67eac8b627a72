#!/bin/sh
# report_blocks.sh BUILD: what several writers say at once into one place. The readable blocks of one
# process stand one after the other, whole; of several processes the lines are whole.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
program=$build/tests/e2e/many_findings
watched() { env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS="color=never $1" "$program"; }

blocks() { grep -c '^dlwatch\[[0-9]*\]: error: lock-order-inversion' "$1"; }
# whole NAME FILE BLOCKS: so many blocks, all lines with their prefix. On a slow machine a process does not
# wait for the last of those who write its blocks, and they come after its end.
whole() {
	for _ in $(seq 600); do
		found=$(blocks "$2")
		[ "$found" -lt "$3" ] || break
		sleep 0.1
	done
	others=$(grep -vc '^dlwatch\[[0-9]*\]:\( \|$\)' "$2")
	if [ "$found" = "$3" ] && [ "$others" = 0 ]; then ok; else fail "$1: $found blocks, $others torn lines"; fi
}
# unmixed NAME FILE: between two first lines only one of the functions is named.
unmixed() {
	mixed=$(awk '/: error: / { one = "" }
		match($0, /take[0-9]/) { name = substr($0, RSTART, RLENGTH); if (one != "" && name != one) print; one = name }' "$2")
	if [ -z "$mixed" ]; then ok; else fail "$1: mixed: $(echo "$mixed" | head -n 3)"; fi
}
check() {
	whole "$1" "$2" 8
	unmixed "$1" "$2"
}

watched "log=$tmp/log"
check 'a log file' "$tmp/log"
watched '' 2>"$tmp/stderr"
check 'standard error, a file' "$tmp/stderr"
watched '' 2>&1 >/dev/null | cat >"$tmp/pipe"
check 'standard error, a pipe' "$tmp/pipe"
watched "log=$tmp/shared" &
watched "log=$tmp/shared"
wait
whole 'two processes, one log file' "$tmp/shared" 16
{ watched '' & watched ''; wait; } 2>&1 >/dev/null | cat >"$tmp/both"
whole 'two processes, one pipe' "$tmp/both" 16

# What max_reports keeps back is counted at the end, and nothing is where there is nothing.
watched "log=$tmp/few max_reports=3"
whole 'max_reports' "$tmp/few" 3
left=$(grep -c ': 5 more findings were not printed (max_reports)$' "$tmp/few")
if [ "$left" = 1 ] && tail -n 1 "$tmp/few" | grep -q max_reports; then ok; else fail "does not count what max_reports keeps back"; fi
if grep -q max_reports "$tmp/log"; then fail 'speaks of max_reports where all is printed'; else ok; fi
finish
