#!/bin/sh
# report_sanitizers.sh BUILD: programs built with a sanitizer, watched. Its runtime finds nothing in what
# dlwatch does, the deadlock is found, and the stacks begin in the program. Skipped where a compiler is
# missing.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
cases=$here/../cases
export TMPDIR="$tmp/tmpdir"
mkdir "$TMPDIR"

# one COMPILER SANITIZER CASE STATUS
one() {
	what="$1 -fsanitize=$2 $3"
	if ! "$1" -D_GNU_SOURCE -g -fsanitize="$2" -pthread -I"$here/.." "$cases/$3.c" -o "$tmp/program" 2>/dev/null; then
		echo "report_sanitizers: $what can't be built, skipped"
		return
	fi
	# Without us it must run well: a runtime may not fit the kernel (ThreadSanitizer and its address space).
	if [ "$4" = 0 ] && ! timeout 60 "$tmp/program" >/dev/null 2>&1; then
		echo "report_sanitizers: $what does not run, skipped"
		return
	fi
	timeout 120 "$dlwatch" run --timeout=60 -- "$tmp/program" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = "$4" ]; then ok; else fail "$what: status $status, not $4: $(head -n 5 "$tmp/err")"; fi
	if grep -q -e 'Sanitizer' -e 'runtime error' "$tmp/err"; then fail "$what: $(grep -m 1 Sanitizer "$tmp/err")"; else ok; fi
	[ "$4" = 0 ] && return
	if grep -q 'at left .*abba.c:7$' "$tmp/err"; then ok; else fail "$what: no stack that begins in the program"; fi
}

for compiler in gcc clang; do
	command -v $compiler >/dev/null || { echo "report_sanitizers: no $compiler, skipped" && continue; }
	for sanitizer in address thread undefined; do
		one $compiler $sanitizer abba_quiet 0
		one $compiler $sanitizer abba 66
	done
done
finish
