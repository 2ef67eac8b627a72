#!/bin/sh
# report_pytest.sh BUILD: the plugin of pytest fails the test in which something was found, and no other; unittest is
# watched by its environment alone.
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$(cd "$here/../../report/command/share/python" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
if ! /usr/bin/python3 -m pytest --version >/dev/null 2>&1; then
	echo "report_pytest: no python3 with pytest, skipped"
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp "$here/python/pytest/test_orders.py" "$tmp"
cd "$tmp" || exit 1
passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL $*: $(cat "$tmp/out")"
}
# tests STATUS NAME…: of test_orders.py, under run.
tests() {
	want=$1
	names="$2"
	timeout 300 "$build/dlwatch" run -- /usr/bin/python3 -m pytest -p dlwatch -p no:cacheprovider -k "$names" -rA test_orders.py >"$tmp/out" 2>&1
	status=$?
	if [ $status = "$want" ]; then pass; else fail "$names: status $status, not $want"; fi
}
says() { if grep -q "$1" "$tmp/out"; then pass; else fail "not said: $1"; fi; }
says_not() { if grep -q "$1" "$tmp/out"; then fail "said: $1"; else pass; fi; }

tests 0 'same_order or nothing'
says '2 passed'
says 'watching; each test is a scope'
says_not 'unwatched'

tests 66 'same_order or circle or nothing'
says '^FAILED test_orders.py::test_circle'
says '1 failed, 2 passed'
says 'dlwatch: error: .*\[lock-order-inversion\]'
says 'test_orders.py:[0-9]* in nested'

tests 66 'fails_by_itself'
says 'by itself'
says 'lock-order-inversion'
says '1 failed'

# By itself: without the library it says so, and passes; with it, pytest's own status fails.
if timeout 100 /usr/bin/python3 -m pytest -p dlwatch -p no:cacheprovider -k circle test_orders.py >"$tmp/out" 2>&1; then
	pass
else
	fail "not watched"
fi
says 'nothing is watched'
timeout 100 env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS="report='$tmp/j-%e-%p.json':log=none" \
	/usr/bin/python3 -m pytest -p dlwatch -p no:cacheprovider -k circle test_orders.py >"$tmp/out" 2>&1
status=$?
if [ $status = 1 ]; then pass; else fail "by preload: status $status"; fi
says '^FAILED test_orders.py::test_circle'

cat >"$tmp/test_case.py" <<'END'
import unittest

import test_orders


class Orders(unittest.TestCase):
    def test_circle(self):
        test_orders.test_circle()
END
timeout 100 "$build/dlwatch" run -- /usr/bin/python3 -m unittest test_case >"$tmp/out" 2>&1
status=$?
if [ $status = 66 ]; then pass; else fail "unittest: status $status"; fi
says 'OK$'
says 'test_case.py:8 in Orders.test_circle\|in nested'

echo "report_pytest: $passed passed, $failed failed"
[ $failed = 0 ]
