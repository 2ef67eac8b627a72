#!/bin/sh
# run.sh BUILD [NAME…]: each program natively and under the library, in a few settings; what it prints
# and how it ends must be the same, byte for byte. Where a program says "quiet", nothing may be found;
# where it says "finds", something must; where it says "off: REASON", the library may have switched itself
# off for that reason and no other.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
lib=$build/libdlwatch.so
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
compared=0 failed=0

# observe FILE COMMAND…: what it prints, and its status, into FILE.
observe() {
	file=$1
	shift
	timeout -k 5 60 "$@" >"$file" 2>"$file.err" </dev/null
	echo "exit $?" >>"$file"
}

complain() {
	failed=$((failed + 1))
	echo "FAIL $*"
}

# off NAME: did the library switch itself off, and was it not for what the program says it does?
off() {
	reason=$(sed -n 's,^// off: ,,p' "$here/$1".c*)
	grep -hs '"type":"off"' "$tmp"/journal.* | grep -vF "\"reason\":\"${reason:-none}\""
}

# compare NAME OPTIONS COMMAND…
compare() {
	name=$1 options=$2
	shift 2
	compared=$((compared + 1))
	rm -f "$tmp"/journal.*
	observe "$tmp/native" "$@"
	observe "$tmp/watched" env LD_PRELOAD="$lib" DLWATCH_OPTIONS="report='$tmp/journal.%p' $options" "$@"
	if ! diff -u --label native --label watched "$tmp/native" "$tmp/watched" >"$tmp/diff"; then
		complain "$name ($options)"
		head -n 40 "$tmp/diff"
		head -n 10 "$tmp/watched.err"
	fi
	if off "$name"; then complain "$name ($options): switched off"; fi
	if grep -q '^// quiet' "$here/$name".c* && grep -hs '"type":"finding"' "$tmp"/journal.* |
		grep -v '"harmless"'; then complain "$name ($options): a finding"; fi
	if grep -q '^// finds' "$here/$name".c* && ! grep -qs '"type":"finding"' "$tmp"/journal.*; then
		complain "$name ($options): no finding"
	fi
}

if [ $# = 0 ]; then
	for f in "$here"/*.c "$here"/*.cpp; do f=${f##*/} && set -- "$@" "${f%.*}"; done
fi
for name; do
	for options in '' 'marks=0 log=none show=all' 'stack_depth=256 verbosity=1 direct=0'; do
		compare "$name" "$options" "$build/tests/conformance/$name"
	done
done
# The first process of a namespace of its own.
if unshare --pid --fork true 2>/dev/null; then
	compare reaper '' unshare --pid --fork "$build/tests/conformance/reaper"
	compare fork '' unshare --pid --fork "$build/tests/conformance/fork"
else
	echo "conformance: no pid namespace allowed here, skipped"
fi
echo "conformance: $compared compared, $failed failed"
[ $failed = 0 ]
