#!/bin/sh
# report_upgrade.sh BUILD: what 0.1.0 wrote is still read and still matches: its journals, a history,
# baselines and suppressions in data/upgrade. They were made by its command from two runs of mistakes.c
# (`run` with report=, once with an argument), then `report` in both formats, and `merge`; "nameless" is
# the report where the program is not there, so that places are module and offset.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
old=$here/data/upgrade
# status NAME STATUS COMMAND…
status() {
	name=$1 want=$2
	shift 2
	timeout 120 "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	if [ $got = "$want" ]; then ok; else fail "$name: status $got, not $want: $(tail -n 5 "$tmp/err")"; fi
}
# counts NAME FILTER WANTED: of the document that the last command printed
counts() {
	got=$(jq -c "$2" "$tmp/out" 2>&1)
	if [ "$got" = "$3" ]; then ok; else fail "$1: $2 is $got, not $3"; fi
}
summary='[.summary|.errors,.warnings,.suppressed,.known // 0]'


journals="$old/mistakes.jsonl $old/deadlock.jsonl"
# Told then: five errors of this run, a deadlock, a warning. A join under a lock is a warning by now.
is_read() {
	# shellcheck disable=SC2086 # words
	status journals 66 "$dlwatch" report --format=json $journals
	counts journals "$summary" '[5,2,0,0]'
	counts journals '[.findings[].kind]|unique' \
		'["deadlock","destroy-locked","exit-holding-lock","lock-order-inversion","unlock-not-owner","wait-without-mutex"]'
	# The fields that 0.1.0's document had, the ones of today's do.
	counts journals "[.findings[0],.findings[0].cycle[0]|keys_unsorted[]] - $(jq -c '[.findings[0],.findings[0].cycle[0]|keys_unsorted[]]' "$old/nameless.json") - [\"process\"]" '[]'
	status history 66 "$dlwatch" report --format=json "$old/history.jsonl"
	counts history "$summary" '[5,2,0,0]'
	status merge 0 "$dlwatch" merge -o "$tmp/history" "$old/history.jsonl" "$old/mistakes.jsonl"
	status merged 66 "$dlwatch" report --format=json "$tmp/history"
	counts merged "$summary" '[5,2,0,0]'
}

# Read again, of programs that are gone; and found again, by today's library.
is_known() {
	# shellcheck disable=SC2086 # words
	status baseline 0 "$dlwatch" report --format=json --baseline="$old/nameless.json" $journals
	counts baseline "$summary" '[0,0,0,7]'
	# shellcheck disable=SC2086 # words
	status 'journals as a baseline' 0 "$dlwatch" report --format=json --baseline="$old/history.jsonl" $journals
	counts 'journals as a baseline' "$summary" '[0,0,0,7]'
	for way in "--baseline=$old/named.json" "--suppressions=$old/named.suppressions"; do
		status "mistakes $way" 0 "$dlwatch" run --fail_on=warning --log=none "$way" -- "$build/tests/e2e/mistakes"
		# Known or not, the program is ended, with a status of its own.
		status "deadlock $way" 66 "$dlwatch" run --log=none "$way" --output="json:$tmp/doc" -- "$build/tests/e2e/mistakes" deadlock
		cp "$tmp/doc" "$tmp/out"
		counts "deadlock $way" '[.summary|.errors,.suppressed + (.known // 0)]' '[0,1]'
	done
	status 'mistakes without either' 66 "$dlwatch" run --log=none -- "$build/tests/e2e/mistakes"
}

is_read
is_known
finish
