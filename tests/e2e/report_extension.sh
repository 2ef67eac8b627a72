#!/bin/sh
# report_extension.sh BUILD [PYTHON]: extensions of CPython with locks of their own against the GIL, one
# in C and one with pybind11: deadlocks, inversions that did not hang, and the same code mended. Built
# here, where the headers are (python3-dev, pybind11-dev).
# shellcheck disable=SC2016 # jq's variables
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
python=${2:-/usr/bin/python3}
sources=$here/python
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

skip() { echo "report_extension: $*, skipped" && exit 0; }
pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL report_extension: $python, $*"
}
# line_of FILE MARK: the line whose comment is that.
line_of() { grep -n "[*/#] $2\( \*/\)*\$" "$sources/$1" | head -n 1 | cut -d: -f1; }

[ -x "$python" ] || skip "no $python"
command -v jq >/dev/null || skip "no jq"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || skip "$python is too old"
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -e "$include/Python.h" ] || skip "no headers of $python (python3-dev)"

modules=capi
"${CC:-cc}" -O0 -g -fPIC -shared -pthread "-I$include" "$sources/capi.c" -o "$tmp/capi.so" || fail "capi.c"
if ! echo '#include <pybind11/pybind11.h>' | "${CXX:-c++}" -E -x c++ "-I$include" - >/dev/null 2>&1; then
	echo "report_extension: no pybind11 (pybind11-dev), its half skipped"
elif "${CXX:-c++}" -std=c++17 -O0 -g -fPIC -shared -fvisibility=hidden "-I$include" "$sources/bound.cpp" -o "$tmp/bound.so"; then
	modules="capi bound"
else
	fail "bound.cpp"
fi

# 3.9 leaves no mark of its frames on the C stack: which native frames stand between its lines is not known.
has_places=yes
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
	{ has_places='' && echo "report_extension: $python is 3.9, whose lines stand together; their places are not looked at"; }

run() { # run MODULE CASE STATUS [LINE]: what it ends with, and the findings of it
	rm -f "$tmp/json"
	what="$1 $2"
	timeout -k 5 120 "$build/dlwatch" run --output="json:$tmp/json" --timeout=100 -- \
		"$python" "$sources/extension.py" "$tmp" "$1" "$2" >"$tmp/out" 2>"$tmp/err"
	got=$?
	found=$(jq -r '.findings[] | .locks as $locks | "\(.kind) \(.certainty) \(.severity): " +
		([.cycle[].wants.lock | $locks[.] | if .kind == "mutex" then .name else .kind end] | sort | join(" "))' \
		"$tmp/json" 2>/dev/null)
	if [ "$got" = "$3" ] && [ "$found" = "${4:-}" ]; then
		pass
	else
		fail "$what: status $got and '$found', not $3 and '${4:-}': $(tail -n 3 "$tmp/err")"
	fi
	[ "$3" != 0 ] || grep -q '^done$' "$tmp/out" || fail "$what: did not end well"
}

see() { # see PATTERN…: lines of the report
	[ -n "$has_places" ] || return
	for pattern; do
		if grep -q "$pattern" "$tmp/err"; then pass; else fail "$what: no line '$pattern': $(grep -E ' (at|by|in) | = ' "$tmp/err" | head -n 20)"; fi
	done
}
hide() {
	if grep -q "$1" "$tmp/err"; then fail "$what: says '$1': $(grep "$1" "$tmp/err" | head -n 3)"; else pass; fi
}

# advises: of a report in lines of some width, in one.
advises() {
	if sed 's/^dlwatch\[[0-9]*\]: *//' "$tmp/err" | tr '\n' ' ' | grep -q "$1"; then
		pass
	else
		fail "$what: no advice '$1': $(sed -n '/What breaks it/,$p' "$tmp/err")"
	fi
}

# The circle of publish, who holds the mutex and wants the GIL, and lookup, the other way round.
see_mutex() {
	see "at publish .*$1:$(line_of "$1" 'taken: publish')\$" "at publish .*$1:$(line_of "$1" 'wanted: publish')\$" \
		"at lookup .*$1:$(line_of "$1" 'wanted: lookup')\$" \
		"by .*extension.py:$(line_of extension.py 'line: publisher') in publisher" \
		"by .*extension.py:$(line_of extension.py 'line: reader') in reader" 'L[12] = the GIL' 'L[12] = table (mutex'
	hide ' python3'
	hide pybind11::detail
	advises "in lookup ($1:$(line_of "$1" 'wanted: lookup')) before it waits for L[12]: Py_BEGIN_ALLOW_THREADS"
	advises py::gil_scoped_release
	[ -n "$has_places" ] || return
	# Where the mutex was taken is its line, too, though the GIL was not in hand.
	if jq -e --argjson line "$(line_of extension.py 'line: publisher')" \
		'[.findings[]|.locks as $locks|.cycle[].holds|select($locks[.lock].kind=="mutex")|.stack[]?|select(.language=="python" and .line==$line)]|length>0' \
		"$tmp/json" >/dev/null; then pass; else fail "$what: no line of Python where the mutex was taken"; fi
}

for module in $modules; do
	case $module in capi) source=capi.c ;; *) source=bound.cpp ;; esac
	run $module deadlock 66 'deadlock certain error: gil table'
	see_mutex $source
	run $module fixed 0
	run $module inversion 66 'lock-order-inversion possible error: gil table'
	see_mutex $source
	run $module inversion_fixed 0
	run $module once 66 'deadlock certain error: gil once'
	see "at .*$source:$(line_of $source 'taken: once')\$" \
		"by .*extension.py:$(line_of extension.py 'line: initialiser') in " \
		"by .*extension.py:$(line_of extension.py 'line: late') in "
	advises py::gil_scoped_release
	run $module once_fixed 0
done
if [ "$modules" != capi ]; then
	run bound static 66 'deadlock certain error: gil guard'
	see "at call_static .*bound.cpp:$(line_of bound.cpp 'taken: static')\$" 'L[12] = call_static()::value (initialisation of a static)' \
		"by .*extension.py:$(line_of extension.py 'line: late') in "
	advises py::gil_scoped_release
	run bound static_fixed 0
	run bound early 66 'lock-order-inversion possible error: gil guard'
fi
echo "report_extension: $passed passed, $failed failed"
[ $failed = 0 ]
