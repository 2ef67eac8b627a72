#!/bin/sh
# report_ci.sh BUILD: what the README tells people to put into their CI, on a toy project
# (data/ci): make, CMake's ctest, meson test; journals kept, merged, compared with a baseline.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
PATH=$build:$PATH
export TMPDIR="$tmp/tmpdir"
mkdir "$TMPDIR"
cp -r "$here/data/ci" "$tmp/toy"
cd "$tmp/toy" || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
# status NAME STATUS COMMAND…
status() {
	name=$1 want=$2
	shift 2
	timeout 120 "$@" >"$tmp/out" 2>&1
	got=$?
	if [ $got = "$want" ]; then ok; else fail "$name: status $got, not $want: $(tail -n 5 "$tmp/out")"; fi
}
says() {
	if grep -q -e "$1" "${3:-$tmp/out}"; then ok; else fail "$2: no '$1' in $(tail -n 5 "${3:-$tmp/out}")"; fi
}
lacks() {
	if command -v "$1" >/dev/null; then return 1; fi
	echo "report_ci: no $1, skipped"
}

with_make() {
	status make 2 make check-deadlocks
	says 'lock-order-inversion' make
	says '<failure' make dlwatch.xml
	says 'test_both' make dlwatch.xml
}

with_ctest() {
	if lacks ctest || lacks cmake; then return; fi
	status cmake 0 cmake -S . -B cmake
	status cmake 0 cmake --build cmake
	cd cmake || exit
	# The tests' own output is ctest's, the report is ours; the folder of the journals is made.
	status ctest 66 dlwatch run --report="$PWD/journals/%e.%p" --output=sarif:dlwatch.sarif --output=junit:dlwatch.xml -- ctest -j2
	says '100% tests passed' ctest
	says 'Summary: 1 error in 4 processes' ctest
	says '"lock-order-inversion"' ctest dlwatch.sarif
	says '<failure' ctest dlwatch.xml
	status 'cmake with a launcher' 0 cmake -DCMAKE_CROSSCOMPILING_EMULATOR='dlwatch;run;--' .
	status 'ctest, a verdict for each' 8 ctest -j2
	says 'both .*Failed' 'ctest, a verdict for each'
	says 'pay .*Passed' 'ctest, a verdict for each'
	cd ..
}

with_meson() {
	if lacks meson || lacks ninja; then return; fi
	meson setup meson >"$tmp/out" 2>&1 || { fail "meson: $(tail -n 5 "$tmp/out")" && return; }
	status 'meson, a setup' 1 meson test -C meson --setup deadlocks
	says 'both.*FAIL.*exit status 66' 'meson, a setup'
	status 'meson, a verdict for each' 1 meson test -C meson --wrapper 'dlwatch run --'
	says 'both.*FAIL.*exit status 66' 'meson, a verdict for each'
	says 'pay  *OK' 'meson, a verdict for each'
	status 'meson, one verdict' 66 dlwatch run -- meson test -C meson
}

# Each job keeps its journals, one job merges them: test by test nothing, together a cycle.
with_jobs() {
	make -s test_pay test_check >"$tmp/out" 2>&1 || { fail "build: $(tail -n 5 "$tmp/out")" && return; }
	for test in pay check; do
		status "job $test" 0 dlwatch run --report="jobs/$test/%e.%p.jsonl" -- "./test_$test"
	done
	status merge 0 dlwatch merge -o history.jsonl jobs
	status history 66 dlwatch report history.jsonl
	says 'accounts_lock' history
	says 'different runs or processes' history
	mkdir away && mv test_pay test_check away
	status 'merge without the programs' 0 dlwatch merge -o nameless.jsonl jobs
	says 'merge where the programs are (.*/test_[a-z]*: ' 'merge without the programs'
	mv away/* .
	dlwatch report --format=json -o known.json history.jsonl
	status baseline 0 dlwatch report --baseline=known.json history.jsonl
	says '1 known from the baseline' baseline
}

# The command line may hold a secret: nobody else reads it, and an option leaves it out.
command_line() {
	make -s test_both >"$tmp/out" 2>&1 || { fail "build: $(tail -n 5 "$tmp/out")" && return; }
	status 'a command line' 66 dlwatch run --report=with.jsonl -- ./test_both --password=tell-nobody
	says tell-nobody 'the command line' with.jsonl
	if [ "$(stat -c %a with.jsonl)" = 600 ]; then ok; else fail "a journal of mode $(stat -c %a with.jsonl)"; fi
	status 'no command line' 66 dlwatch run --argv=0 --report=without.jsonl -- ./test_both --password=tell-nobody
	says '"argv":\[\]' 'no command line' without.jsonl
	if grep -q tell-nobody without.jsonl; then fail 'argv=0: the command line is there'; else ok; fi
}

no_folder() {
	: >file
	status 'no folder for journals' 2 dlwatch run --report=file/%p -- true
	says 'no journals can be written in .*/file: Not a directory' 'no folder for journals'
}

for part in with_make with_ctest with_meson with_jobs command_line no_folder; do $part; done
finish
