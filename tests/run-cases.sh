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

# Where arrays of mutexes are printed: they have 40 bytes each, on aarch64 48.
case $(uname -m) in aarch64) bytes=48 ;; *) bytes=40 ;; esac
for name; do
	awk -v bytes="$bytes" '{
		done = ""
		while (match($0, / mutex [^ +]+\+[0-9]+/)) {
			text = number = substr($0, RSTART, RLENGTH)
			sub(/[0-9]+$/, "", text)
			sub(/.*\+/, "", number)
			done = done substr($0, 1, RSTART - 1) text (number % 40 ? number : number / 40 * bytes)
			$0 = substr($0, RSTART + RLENGTH)
		}
		print done $0
	}' "$here/cases/$name.expect" >"$results/$name.expect"
done

# shellcheck disable=SC2016 # the inner shell's variables
printf '%s\n' "$@" | xargs -P 2 -I '{}' sh -c '
	"$1/run-case.sh" "$2" "$4" >"$3/$4.got" 2>&1
	if diff -u --label "$4 expected" --label "$4 got" "$3/$4.expect" "$3/$4.got" >"$3/$4.diff" 2>&1
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
