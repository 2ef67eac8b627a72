#!/bin/sh
# integrations.sh BUILD [PART…]: what is installed works with the tools that teams have, each as the README
# says. A tool that is not there is skipped.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
tmp=$(mktemp -d)
export TMPDIR="$tmp"
trap 'rm -rf "$tmp"' EXIT
failed=0 passed=0
ok() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL integrations: $*"
}
# status NAME STATUS COMMAND…
status() {
	name=$1 want=$2
	shift 2
	timeout 120 "$@" >"$tmp/out" 2>&1
	got=$?
	if [ $got = "$want" ]; then ok; else fail "$name: status $got, not $want: $(tail -n 15 "$tmp/out")"; fi
}
# says NAME PATTERN [FILE]
says() {
	if grep -q -e "$2" "${3:-$tmp/out}"; then ok; else fail "$1: no '$2' in $(tail -n 5 "${3:-$tmp/out}")"; fi
}
has() {
	for program; do
		command -v "$program" >/dev/null || { echo "integrations: no $program, skipped" && return 1; }
	done
}
prefix=$tmp/dlw
(cd "$here/.." && ${MAKE:-make} -s O="$build" install DESTDIR=/ PREFIX="$prefix") >"$tmp/out" 2>&1 || fail "make install: $(cat "$tmp/out")"
PATH=$prefix/bin:$PATH
unset MAKEFLAGS MFLAGS MAKELEVEL
toy=$here/e2e/data/ci

with_cmake() {
	has cmake ctest || return 0
	status cmake 0 cmake -DCMAKE_PREFIX_PATH="$prefix" -DTOY="$toy" -S "$here/integrations/cmake" -B "$tmp/cmake"
	status 'cmake: build' 0 cmake --build "$tmp/cmake"
	status 'cmake: ctest' 8 ctest --test-dir "$tmp/cmake" --output-on-failure
	says ctest ': both .*Failed'
	says ctest 'lock-order-inversion'
	for test in pay known annotated; do says ctest ": $test .* Passed"; done
	status 'cmake: off' 0 cmake -DDLWATCH_TESTS=OFF "$tmp/cmake"
	status 'cmake: ctest, off' 8 ctest --test-dir "$tmp/cmake"
	says 'ctest, off' 'both .*Passed'
	says 'ctest, off' 'annotated .*Failed'
	status 'cmake: a later version' 1 cmake -DWANTED=99 "$tmp/cmake"
}

with_meson() {
	has meson ninja || return 0
	mkdir "$tmp/meson" && cp "$toy"/*.[ch] "$here/integrations/meson/meson.build" "$tmp/meson"
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig status meson 0 meson setup "$tmp/meson/build" "$tmp/meson"
	status 'meson: natively' 0 meson test -C "$tmp/meson/build"
	status 'meson: deadlocks' 1 meson test -C "$tmp/meson/build" --setup deadlocks
	says meson 'both.*FAIL.*exit status 66'
	says meson 'pay  *OK'
}

# The file that is promised to stay says what the reports have, of each kind, and of attach.
with_schema() {
	python3 -c 'import jsonschema' 2>/dev/null || { echo "integrations: no python3-jsonschema, skipped" && return 0; }
	n=0
	for kind in deadlock lock-order-inversion gated self stall unlock-not-owner destroy-locked wait-without-mutex exit-holding-lock none; do
		"$here/e2e/data/make-journal.sh" "$tmp/bank" $kind >"$tmp/$kind.jsonl"
		dlwatch report --show=all --format=json -o "$tmp/report.$kind.json" "$tmp/$kind.jsonl"
		n=$((n + 1))
	done
	dlwatch run --log=none --output=json:"$tmp/report.run.json" -- "$build/tests/e2e/mistakes"
	sleep 100 &
	dlwatch attach --format=json -o "$tmp/report.attach.json" $!
	kill $!
	status schema 0 python3 -W ignore "$here/integrations/schema.py" "$prefix/share/dlwatch/report.schema.json" "$tmp"/report.*.json
	sed 's/"kind": "deadlock"/"kind": "other"/' "$tmp/report.deadlock.json" >"$tmp/report.wrong.json"
	status 'schema: another kind' 1 python3 -W ignore "$here/integrations/schema.py" "$prefix/share/dlwatch/report.schema.json" "$tmp/report.wrong.json"
}

[ $# -gt 0 ] || set -- with_cmake with_meson with_schema
for part; do $part; done
echo "integrations: $passed passed, $failed failed"
[ $failed = 0 ]
