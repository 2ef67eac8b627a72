#!/bin/sh
# soak.sh BUILD: thousands of short threads, forks and signals in a program built with AddressSanitizer,
# and some of them under valgrind's memcheck, with the library in it: both stay silent.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
lib=$build/libdlwatch.so
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# silent NAME COMMAND…: ends with 0, says nothing on stderr, and all adds up.
silent() {
	name=$1
	shift
	timeout -k 5 120 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	if [ $status = 0 ] && [ ! -s "$tmp/err" ] && grep -q 'wrong 0$' "$tmp/out"; then
		echo "soak: $name silent"
	else
		failed=1
		echo "FAIL soak, $name: status $status"
		head -n 30 "$tmp/out" "$tmp/err"
	fi
}

asan=$(gcc -print-file-name=libasan.so)
if [ -e "$asan" ] && gcc -std=gnu11 -D_GNU_SOURCE -I"$here" -O1 -g -fsanitize=address -pthread \
	"$here/conformance/soak.c" -o "$tmp/soak"; then
	silent 'AddressSanitizer' env LD_PRELOAD="$asan:$lib" "$tmp/soak"
else
	echo "soak: no AddressSanitizer, skipped"
fi
if command -v valgrind >/dev/null; then
	silent 'memcheck' env LD_PRELOAD="$lib" valgrind -q --error-exitcode=9 "$build/tests/conformance/soak" 10
else
	echo "soak: no valgrind, skipped"
fi
[ $failed = 0 ]
