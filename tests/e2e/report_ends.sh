#!/bin/sh
# report_ends.sh BUILD: what the report says of how a process ended, and with which status; with a journal
# alone and under `run`; and what becomes of stdout when an option ends the process.
set -u
build=$(cd "$1" && pwd)
dlwatch=$build/dlwatch
program=$build/tests/e2e/ends
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export TMPDIR="$tmp"
failed=0 passed=0
check() { # NAME WANTED GOT
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL report_ends: $1: '$3', not '$2'"
	fi
}

preload() { # OPTIONS ARGUMENT…
	options=$1
	shift
	rm -f "$tmp"/j.* "$tmp/log"
	timeout 60 env LD_PRELOAD="$build/libdlwatch.so" \
		DLWATCH_OPTIONS="report='$tmp/j.%p' log='$tmp/log' $options" "$program" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}
# The first process of the tree: a daemon's child comes later.
ended() { jq -r '.processes[0] | "\(.ended) \(.status)"' "$1"; }

# way WAY STATUS JOURNAL RUN: the native status, and what the journal and run say of the end
way() {
	"$program" "$1" >"$tmp/out" 2>/dev/null
	check "$1, natively" "$2" $?
	preload '' "$1"
	check "$1" "$2" $status
	"$dlwatch" report --format=json "$tmp"/j.* >"$tmp/json" 2>"$tmp/err"
	check "$1, in the journal" "$3" "$(ended "$tmp/json")"
	timeout 60 "$dlwatch" run --log=none --output=json:"$tmp/json" -- "$program" "$1" >"$tmp/out" 2>"$tmp/err"
	check "$1, under run" "$4" "$(ended "$tmp/json")"
}

ways() {
	for way in exit quick_exit _exit _Exit exit_group 'in a thread' 'in a handler' 'abort, caught' 'exec fails' return vfork; do
		way "$way" 3 'exit 3' 'exit 3'
	done
	way abort 134 'abort null' 'abort 6'
	way terminated 143 'killed null' 'signal 15'
	way killed 137 'killed null' 'killed 9'
	# a and b both ways, and b, c, d: what the parent of a fork has learned is written then
	preload '' 'forks, killed'
	check 'forks, killed: orders in the journal' 5 "$(cat "$tmp"/j.* | grep -c '"type":"edge"')"
	way daemon 0 'exit 0' 'exit 0'
}

# The option exitcode: of every end that the process makes itself; stdio is flushed where it would be.
exitcodes() {
	for way in exit 'in a thread' 'in a handler' return; do
		preload exitcode=7 "$way"
		check "exitcode, $way" 7 $status
		check "exitcode, $way, flushed" 'flushed at exit' "$(cat "$tmp/out")"
		check "exitcode, $way, in the journal" 7 "$(sed -n 's/.*"type":"end".*"status":\([0-9]*\),.*/\1/p' "$tmp"/j.*)"
	done
	preload exitcode=7 daemon
	check 'exitcode, daemon' 7 $status
	for way in quick_exit _exit _Exit exit_group; do
		preload exitcode=7 "$way"
		check "exitcode, $way" 7 $status
		check "exitcode, $way, not flushed" '' "$(cat "$tmp/out")"
	done
	preload exitcode=7 abort
	check 'exitcode, abort' 134 $status
}

# The option on_deadlock=exit and what lies in stdout's buffer.
deadlocks() {
	for how in small large; do
		preload on_deadlock=exit deadlock $how
		check "a deadlock, $how" 66 $status
	done
	check 'a deadlock, flushed' 1001 "$(wc -l <"$tmp/out")"
	for how in locked full broken; do
		preload on_deadlock=exit deadlock $how
		check "a deadlock, stdout $how" 66 $status
		check "a deadlock, stdout $how: said" 1 "$(grep -c '19 bytes of stdout unwritten' "$tmp/log")"
	done
	preload on_deadlock=exit deadlock small
	check 'a deadlock, nothing to complain of' 0 "$(grep -c 'unwritten' "$tmp/log")"
}

ways
exitcodes
deadlocks
echo "report_ends: $passed passed, $failed failed"
[ $failed = 0 ]
