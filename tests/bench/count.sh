#!/bin/sh
# count.sh [--depth=N] [--watched] BUILD SCENARIO…: instructions of one operation, natively (with
# --watched not counted: 0) and under the library, as callgrind counts them: a line
# "scenario native dlwatch" each. They repeat exactly, which times on a busy machine don't. What is
# counted is the difference of a long and a short run.
set -u
depth=5
case ${1:-} in --depth=*) depth=${1#*=} && shift ;; esac
watched_only=''
[ "${1:-}" != --watched ] || { watched_only=1 && shift; }
build=$(cd "${1:?BUILD is missing}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
short=2000 long=22000

# run N PRELOAD SCENARIO
run() {
	count=$1 preload=$2 scenario=$3
	case $scenario in
	python_*) set -- "$python" "$here/python.py" "$build/tests/bench/lib/gil.so" ;;
	*) set -- "$build/tests/bench/bench" ;;
	esac
	LD_PRELOAD=$preload PYTHONHASHSEED=0 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$@" "$scenario" "$depth" "$count" 2>&1 | sed -n 's/.*Collected : //p'
}
each() {
	first=$(run $short "$1" "$2")
	last=$(run $long "$1" "$2")
	[ -n "$first" ] && [ -n "$last" ] || return
	echo $(((last - first + (long - short) / 2) / (long - short)))
}
for scenario; do
	native=0
	[ -n "$watched_only" ] || native=$(each '' "$scenario")
	watched=$(each "$build/libdlwatch.so" "$scenario")
	[ -n "$native" ] && [ -n "$watched" ] && echo "$scenario $native $watched"
done
