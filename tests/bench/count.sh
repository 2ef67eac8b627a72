#!/bin/sh
# count.sh [--depth=N] BUILD SCENARIO…: instructions of one operation, natively and under the library,
# as callgrind counts them: a line "scenario native dlwatch" each. They repeat exactly, which
# times on a busy machine don't. What is counted is the difference of a long and a short run.
set -u
depth=5
case ${1:-} in --depth=*) depth=${1#*=} && shift ;; esac
build=$(cd "${1:?BUILD is missing}" && pwd)
shift
short=2000 long=22000

# run N PRELOAD SCENARIO
run() {
	LD_PRELOAD=$2 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$build/tests/bench/bench" "$3" "$depth" "$1" 2>&1 | sed -n 's/.*Collected : //p'
}
each() {
	first=$(run $short "$1" "$2")
	last=$(run $long "$1" "$2")
	[ -n "$first" ] && [ -n "$last" ] || return
	echo $(((last - first + (long - short) / 2) / (long - short)))
}
for scenario; do
	native=$(each '' "$scenario")
	watched=$(each "$build/libdlwatch.so" "$scenario")
	[ -n "$native" ] && [ -n "$watched" ] && echo "$scenario $native $watched"
done
