#!/bin/sh
# samples.sh BUILD: what the README shows is what happens. Each sample runs as people run it,
# `dlwatch run`, and must end with the status and the words that stand here.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
TMPDIR=$tmp
export TMPDIR
python=/usr/bin/python3
passed=0 failed=0

# sample STATUS NAME WORD…: all words must stand in the report.
sample() {
	want=$1 name=$2
	shift 2
	# shellcheck disable=SC2086 # words
	case $name in
	*.py) set -- "$@" -- $python "$here/samples/$name" ;;
	*) set -- "$@" -- "$build/samples/$name" ;;
	esac
	words=
	while [ "$1" != -- ]; do words="$words $1" && shift; done
	timeout 120 "$build/dlwatch" run --stall_after=1 "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	missing=
	for word in $words; do grep -q -e "$word" "$tmp/err" || missing="$missing $word"; done
	if [ $status = "$want" ] && [ -z "$missing" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name: status $status (expected $want); not said:${missing:- nothing}"
		sed 's/^/    /' "$tmp/out" "$tmp/err" | tail -n 60
	fi
}

sample 66 dining_philosophers deadlock Aristotle Hypatia Kant Laozi Wollstonecraft forks dine dining_philosophers.c:2
sample 66 bank_transfer lock-order-inversion morning evening accounts\\[1\\].lock L2 T1 transfer bank_transfer.c:
sample 66 bank_service deadlock teller accounts transfer bank_service.c:
sample 66 rw_upgrade deadlock cache_lock look_up fill rw_upgrade.c:
sample 66 lost_wakeup stall consumer filled consume lost_wakeup.c:
sample 66 pool_exhaustion deadlock connections sub_query circle L1 pool_exhaustion.c:
sample 66 join_under_lock deadlock worker state_lock shut_down join_under_lock.c:
sample 66 cpp_scoped deadlock render logger scene log_lock Renderer::render flush cpp_scoped.cpp:
sample 66 futex_lock deadlock bakery dairy door futex_lock order futex_lock.c:
# Of a CPython that keeps its locks inline (3.14, Debian's 3.13.5) no call tells who holds one: it is a stall. Its
# handler of SIGINT might wake a thread, and is not installed where the signal is ignored.
if ! [ -x $python ]; then
	echo "samples: no python3, python_abba.py skipped"
elif $python -c 'import _thread, sys; sys.exit(type(_thread.allocate_lock()).__basicsize__ < 32)'; then
	sample 66 python_abba.py deadlock left right lock forward backward python_abba.py:1
else
	python='env --ignore-signal=INT /usr/bin/python3'
	sample 66 python_abba.py stall left right lock forward backward python_abba.py:15 python_abba.py:23 inline
fi
echo "samples: $passed passed, $failed failed"
[ $failed = 0 ]
