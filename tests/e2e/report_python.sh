#!/bin/sh
# report_python.sh BUILD [PYTHON…]: CPython's global lock and its own locks, preloaded: what is found,
# and what is not. Each interpreter that is there; the default is Debian's.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- /usr/bin/python3
native=$build/tests/e2e/lib/native.so
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

fail() {
	echo "FAIL report_python: $python, $*"
	status=1
}

# cycle: "kind certainty severity: the circle's locks, by kind", a line each, in order
cycles() {
	jq -r '.findings[] | .locks as $locks |
		"\(.kind) \(.certainty) \(.severity): " +
		([.cycle[]?.wants.lock | $locks[.] | if .kind == "mutex" then .name else .kind end] | sort | join(" "))' \
		"$tmp/json" 2>/dev/null | sort
}

# case_of SCRIPT NAME STATUS LINE…: what a run ends with, and the findings of it. With `limit` it ends after so many
# seconds, and a stall is told after one: the rest is for whoever has little of the machine.
case_of() {
	script=$1 name=$2 wanted=$3
	shift 3
	rm -f "$tmp/json"
	timeout -k 5 120 "$build/dlwatch" run --log=none --show=all --output="json:$tmp/json" \
		--timeout="${limit:-100}" ${limit:+--stall_after=1} -- \
		"$python" "$here/python/$script" "$native" "$name" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$wanted" ] || fail "$name: status $got and not $wanted: $(tail -n 3 "$tmp/err")"
	for line; do printf '%s\n' "$line"; done >"$tmp/wanted"
	cycles >"$tmp/cycles"
	cmp -s "$tmp/wanted" "$tmp/cycles" || fail "$name: found '$(cat "$tmp/cycles")' and not '$(cat "$tmp/wanted")'"
}

# sees_lines SCRIPT: where each lock was taken and where the other is asked for, though the same function of
# threading, with its frame in the same place, takes both.
sees_lines() {
	for step in held wanted; do
		lines=$(grep -n "# $step: " "$here/python/$1" | cut -d: -f1 | sort -n | tr '\n' ' ')
		field=$([ $step = held ] && echo holds || echo wants)
		found=$(jq -r --arg field "$field" '[.findings[].cycle[][$field].stack|map(select(.language=="python" and
			(.file|endswith("locks.py"))))[0].line]|sort|map("\(.) ")|add' "$tmp/json")
		[ "$found" = "$lines" ] || fail "$name: $step in lines $found, not $lines"
	done
}

# advises SCRIPT NAME yes|no: the block says how the interpreter's own calls break it.
advises() {
	timeout -k 5 120 "$build/dlwatch" run --timeout=100 -- "$python" "$here/python/$1" "$native" "$2" >"$tmp/out" 2>"$tmp/err"
	grep -q 'What breaks it' "$tmp/err" || fail "$2: no advice"
	if grep -q py::gil_scoped_release "$tmp/err"; then said=yes; else said=no; fi
	[ $said = "$3" ] || fail "$2: advice to drop the GIL: $said, not $3"
}

# 3.14, and some builds of 3.13, keep a lock in a word of their own, of which no call tells.
takes_by_calls() { "$python" -c 'import _thread, sys; sys.exit(type(_thread.allocate_lock()).__basicsize__ < 32)'; }

# says SCRIPT NAME PATTERN…: the report, whose lines have a width, in one.
says() {
	script=$1 name=$2
	shift 2
	timeout -k 5 120 "$build/dlwatch" run --timeout="${limit:-100}" ${limit:+--stall_after=1} -- \
		"$python" "$here/python/$script" "$native" "$name" >"$tmp/out" 2>"$tmp/err"
	for pattern; do
		sed 's/^dlwatch\[[0-9]*\]: *//' "$tmp/err" | tr '\n' ' ' | grep -q "$pattern" || fail "$name: does not say '$pattern'"
	done
}

for python; do
	if ! [ -x "$python" ] || ! command -v jq >/dev/null; then
		echo "e2e: no $python or no jq, skipped"
		continue
	fi
	"$python" -c 'import ctypes, sys; sys.exit(sys.version_info < (3, 9))' || { echo "e2e: $python is too old, skipped" && continue; }
	case_of gil.py deadlock 66 'deadlock certain error: cache gil'
	case_of gil.py three 66 'deadlock certain error: cache gil index_lock'
	case_of gil.py once 66 'deadlock certain error: gil once'
	case_of gil.py join 66 'deadlock certain error: gil thread'
	# 3.13 sees that itself
	"$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' ||
		case_of gil.py itself 66 'deadlock certain error: gil'
	case_of gil.py child 66 'deadlock certain error: cache gil'
	case_of gil.py inversion 66 'lock-order-inversion possible error: cache gil'
	case_of gil.py bytecode_between 66 'lock-order-inversion possible error: cache index_lock'
	case_of gil.py gate 0 'lock-order-inversion possible note: cache index_lock'
	case_of gil.py one_thread 0 'lock-order-inversion possible note: cache gil'
	case_of gil.py fixed 0
	case_of gil.py join_without 0
	! "$python" -c 'import _interpreters' 2>/dev/null || case_of gil.py sub_interpreter 66 'deadlock certain error: cache gil'
	advises gil.py join yes
	advises gil.py inversion yes
	if ! takes_by_calls; then
		case_of locks.py inversion 0
		jq -e '[.processes[].lacks[]?|select(.reduces).what]==["python_locks"]' "$tmp/json" >/dev/null ||
			fail "does not say that its locks are not seen"
		case_of locks.py events 0
		continue
	fi
	advises locks.py inversion no
	says locks.py inversion 'everywhere (with [ab], [ab]), as'
	case_of locks.py inversion 66 'lock-order-inversion possible error: semaphore semaphore'
	case_of locks.py dropped 66 'lock-order-inversion possible error: semaphore semaphore'
	case_of locks.py condition 66 'lock-order-inversion possible error: semaphore semaphore'
	sees_lines locks.py
	case_of locks.py recursive 66 'lock-order-inversion possible error: semaphore semaphore'
	case_of locks.py call 66 'lock-order-inversion possible error: semaphore semaphore'
	# To 3.12 a thread's end is a lock that it holds; 3.13 leaves a stall, since a handler of signals is set.
	if "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then
		limit=15 case_of locks.py joins 66 'deadlock possible error: semaphore semaphore'
		limit=15 says locks.py joins 'L. = worker (Python Thread)' 'Let go of L., taken in joins .*before the join in joins'
	fi
	case_of locks.py tries 0
	case_of locks.py limits 0 'lock-order-inversion possible note: semaphore semaphore'
	case_of locks.py joined 0 'lock-order-inversion possible note: semaphore semaphore'
	case_of locks.py joined_another 66 'lock-order-inversion possible error: semaphore semaphore'
	case_of locks.py joined_in_vain 66 'lock-order-inversion possible error: semaphore semaphore'
	case_of locks.py twice 66 'deadlock certain error: semaphore'
	# What is possible ends nothing: the limit does.
	limit=20 case_of locks.py twice_called 66 'deadlock possible error: semaphore'
	case_of locks.py events 0
	limit=20 case_of locks.py simple_queue 0
	for name in many many_stay; do
		case_of locks.py $name 0
		jq -e '.processes|map(.edges<20)|all' "$tmp/json" >/dev/null || fail "$name: orders into the GIL grow with the locks"
	done
	case_of library.py logging 66 'lock-order-inversion possible error: semaphore semaphore'
	case_of library.py logging_after 0
	case_of library.py imports_round 0
	case_of library.py imports_after_lock 0
	# A lock against an import: who imports is not known, but nobody goes on.
	limit=20 case_of library.py imports_under_lock 143 'stall possible note: '
	jq -e '[.processes[].lacks[]?|select(.reduces)]==[]' "$tmp/json" >/dev/null || fail "says that something is not seen"
done
if command -v pypy3 >/dev/null; then
	python=pypy3
	case_of locks.py many 0
	jq -e '[.processes[].lacks[]?|select(.reduces)|[.what,.why]]==[["python","PyPy: it is no CPython"]]' "$tmp/json" >/dev/null ||
		fail "is not named"
else
	echo "e2e: no pypy3, skipped"
fi
python=libpython
case $("$build/tests/e2e/python_anew" inline) in
# Before 3.10 a thread's name does not have its function.
False) wanted='\(forward)*\|Thread-1\) takes the Python lock .*\(backward)*\|Thread-2\) takes them the other way round' ;;
True) wanted='this CPython keeps its locks inline; .*nothing found' ;;
*) wanted= ;;
esac
if [ -n "$wanted" ]; then
	timeout -k 5 120 "$build/dlwatch" run --timeout=100 -- "$build/tests/e2e/python_anew" >"$tmp/out" 2>"$tmp/err"
	sed 's/^dlwatch[^:]*: *//' "$tmp/err" | tr '\n' ' ' | grep -q "$wanted" ||
		fail "loaded anew: $(tail -n 3 "$tmp/err")"
	for when in ended anew; do
		timeout -k 5 120 "$build/dlwatch" run --show=all --timeout=100 -- "$build/tests/e2e/python_ended" $when >"$tmp/out" 2>"$tmp/err"
		grep -q 'Summary: nothing found' "$tmp/err" || fail "$when: $(tail -n 3 "$tmp/err")"
	done
else
	echo "e2e: no libpython, skipped"
fi
[ $status != 0 ] || echo "report_python: all as wanted"
exit $status
