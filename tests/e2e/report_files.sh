#!/bin/sh
# report_files.sh BUILD: the kernel refuses a wait for a lock of a file that would close a circle of
# processes. The program goes on as it would; that it was so is a note.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
# run_way WAY: status and output are the program's own; the report into $tmp/text.
run_way() {
	timeout 60 "$build/dlwatch" run -- "$build/tests/e2e/file_circle" "$tmp/file" "$1" >"$tmp/out" 2>"$tmp/text"
	status=$?
	if [ $status = 0 ]; then ok; else fail "$1: status $status"; fi
	if [ "$(cat "$tmp/out")" = "refused $2" ]; then ok; else fail "$1: $(cat "$tmp/out")"; fi
}
words="the kernel refused a wait for a lock of the file $tmp/file (fcntl, EDEADLK)"
for way in circle lockf; do
	run_way $way 1
	if [ "$(tr -s '\n ' ' ' <"$tmp/text" | sed 's/dlwatch: //g' | grep -c "$words")" = 1 ]; then
		ok
	else
		fail "$way: $(cat "$tmp/text")"
	fi
done
run_way order 0
if grep -q EDEADLK "$tmp/text"; then fail "order: $(cat "$tmp/text")"; else ok; fi
finish
