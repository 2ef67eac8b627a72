#!/bin/sh
# report_python_lines.sh BUILD: findings in Python programs name lines of Python, where a lock was taken and where the
# other is asked for, in every format; by every CPython that is found: python3, and those of $HOME/.pyenv.
# shellcheck disable=SC2016 # jq's variables
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
program=$here/python/orders.py
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL $python: $*"
}
see() {
	if jq -e --arg base "$(basename "$program")" "$@" "$tmp/json" >/dev/null 2>&1; then
		pass
	else
		fail "not $*: $(jq -c '.findings[]?|[.kind,.message,.cycle]' "$tmp/json" | cut -c 1-1500)"
	fi
}
line_of() { grep -n "# $1\$" "$program" | cut -d: -f1; }
says() { # says FORMAT PATTERN
	"$build/dlwatch" report --format="$1" "$tmp/journals" >"$tmp/out" 2>&1
	if grep -q "$2" "$tmp/out"; then pass; else fail "$1 does not say $2: $(head -c 1500 "$tmp/out")"; fi
}

circle() {
	rm -rf "$tmp/journals" && mkdir "$tmp/journals"
	timeout 120 "$build/dlwatch" run --report="$tmp/journals/j.%p" --log=none -- "$python" "$program" circle >"$tmp/out" 2>&1
	status=$?
	[ $status = 66 ] || fail "status of run: $status, $(cat "$tmp/out")"
	"$build/dlwatch" report --format=json "$tmp/journals" >"$tmp/json" 2>"$tmp/err"
	see '.findings|map(select(.kind=="deadlock"))|length==1'
	see '.findings[].message|test("^the one that is directé and the one that is helpedé wait for each other")'
	# Innermost first; before 3.11 a function's name stands without its class.
	see '[.findings[].cycle[]?|.holds.stack|map(select(.language=="python"))|.[0]|[.line,.function]]|any(.==[$line,"direct"])' --argjson line "$(line_of 'taken: direct')"
	see '[.findings[].cycle[]?|.holds.stack|map(select(.language=="python"))|map([.line,(.function|sub(".*\\.";""))])|.[:2]]|any(.==[[$taken,"take"],[$called,"helped"]])' \
		--argjson taken "$(line_of 'taken: take')" --argjson called "$(line_of 'called: helped')"
	see '[.findings[].cycle[]?|.wants.stack|map(select(.language=="python"))|.[0]|[.line,.function,(.file|endswith($base))]]|sort==[[$direct,"direct",true],[$helped,"helped",true]]' \
		--argjson direct "$(line_of 'wanted: direct')" --argjson helped "$(line_of 'wanted: helped')"
	see '[.findings[].cycle[]?|.holds.stack,.wants.stack|.[].module//""|select(test("python3"))]==[]'
	see '[.findings[].cycle[]?|.wants.stack|length]|min > 1'
	says text "at .*orders.py:$(line_of 'taken: direct') in direct"
	says text '| with second:'
	says text 'L. = first (Python lock)'
	says line "orders.py:\($(line_of 'wanted: direct')\|$(line_of 'wanted: helped')\): error: .* \[deadlock\]"
	says sarif "\"startLine\": *$(line_of 'taken: direct')"
	says html "orders.py:$(line_of 'taken: take')"
	says github "line=[0-9]*,"
	"$build/dlwatch" merge -o "$tmp/merged" "$tmp/journals" >/dev/null 2>&1
	if grep -q "\"python\",\"[^\"]*orders.py\",$(line_of 'taken: direct'),\"direct\"" "$tmp/merged" ||
		! grep -q '"edge"' "$tmp/merged"; then pass; else fail "merge drops the lines"; fi
}

same() {
	timeout 120 "$build/dlwatch" run --report="$tmp/quiet.%p" -- "$python" "$program" same >"$tmp/out" 2>&1
	status=$?
	if [ $status = 0 ] && grep -q '^done$' "$tmp/out" && ! grep -q 'error:' "$tmp/out"; then
		pass
	else
		fail "one order: $(cat "$tmp/out")"
	fi
}

pythons=
for python in /usr/bin/python3 "$HOME"/.pyenv/versions/*/bin/python3; do
	version=$("$python" -c 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1])' 2>/dev/null) || continue
	[ "$version" -ge 309 ] || continue
	if "$python" -c 'import _thread, sys; sys.exit(type(_thread.allocate_lock()).__basicsize__ < 32)'; then
		pythons="$pythons $python"
	else
		echo "report_python_lines: $python keeps its locks inline, skipped"
	fi
done
[ -n "$pythons" ] || { echo "report_python_lines: no CPython 3.9 to 3.13, skipped" && exit 0; }
for python in $pythons; do
	circle
	same
done
echo "report_python_lines: $passed passed, $failed failed"
[ $failed = 0 ]
