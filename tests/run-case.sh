#!/bin/sh
# run-case.sh BUILD NAME: run one case under the library and print what came of it: its exit
# status, what it printed, and its findings as tests/case.jq puts them.
# Comment lines of a case: "// options: …" (DLWATCH_OPTIONS), "// limit: seconds".
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
name=$2
source=$here/cases/$name.c
[ -e "$source" ] || source=$here/cases/$name.cpp
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

comment() { sed -n "s|^// $1: *||p" "$source"; }

limit=$(comment limit)
options="report='$tmp/journal.%p' log='$tmp/log' on_deadlock=exit $(comment options)"
timeout -k 5 "${limit:-120}" env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS="$options" \
	"$build/tests/cases/$name" >"$tmp/out" 2>"$tmp/err"
echo "exit $?"
sed 's/^/out: /' "$tmp/out"
sed 's/^/err: /' "$tmp/err"

set -- "$tmp"/journal.*
[ -e "$1" ] || exit 0
grep -h '"type":"off"' "$@" | sed 's/.*"reason":"\([^"]*\)".*/off: \1/'
"$build/dlwatch" report --format=json --show=all "$@" >"$tmp/json" 2>"$tmp/err"
status=$?
case $status in
0 | 66) jq -r --arg source "${source##*/}" --rawfile text "$source" -f "$here/case.jq" "$tmp/json" ;;
*) echo "report: status $status" && sed 's/^/report: /' "$tmp/err" ;;
esac
# Whatever is an error in the journal was also said to people.
if [ $status = 66 ] && ! [ -s "$tmp/log" ]; then echo "log: nothing"; fi
