#!/bin/sh
# run-cases.sh BUILD [NAME…]: all cases, or those named, two at a time; each must come out exactly
# as its NAME.expect says.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
if [ $# = 0 ]; then
	cd "$here/cases" || exit 1
	for f in *.c *.cpp; do set -- "$@" "${f%.*}"; done
	cd "$OLDPWD" || exit 1
fi

# shellcheck disable=SC2016 # the inner shell's variables
printf '%s\n' "$@" | xargs -P 2 -I '{}' sh -c '
	"$1/run-case.sh" "$2" "$4" >"$3/$4.got" 2>&1
	if diff -u --label "$4 expected" --label "$4 got" "$1/cases/$4.expect" "$3/$4.got" >"$3/$4.diff" 2>&1
	then rm "$3/$4.diff"; fi' sh "$here" "$build" "$results" '{}'

failed=0
for name; do
	[ ! -e "$results/$name.diff" ] && [ -e "$results/$name.got" ] && continue
	failed=$((failed + 1))
	echo "FAIL $name"
	cat "$results/$name.diff"
done
echo "cases: $(($# - failed)) passed, $failed failed"
[ $failed = 0 ]
