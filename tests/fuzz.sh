#!/bin/sh
# fuzz.sh BUILD: libFuzzer over everything that reads files, for FUZZ_SECONDS (20) each, under
# ASan and UBSan. What it finds stays in BUILD/fuzz. Needs clang; without it nothing is done.
set -eu
cd "$(dirname "$0")/.."
build=$1/fuzz
seconds=${FUZZ_SECONDS:-20}
if ! command -v clang >/dev/null; then
	echo "fuzz: no clang, skipped"
	exit 0
fi
mkdir -p "$build/objects"
# shellcheck disable=SC2089 # the quotes are C's
flags="-std=gnu11 -g -O1 -I. -D_GNU_SOURCE -DDLW_VERSION=\"fuzz\" -fsanitize=address,undefined -fno-sanitize-recover=all"

# The command without its main, and what it stands on; newer objects are kept.
objects=
for source in report/command/*.c report/command/*/*.c graph/*.c graph/base/*.c report/emit/*.c; do
	case $source in report/command/main.c) continue ;; esac
	object=$build/objects/$(echo "$source" | tr / _).o
	objects="$objects $object"
	if [ -e "$object" ] && [ -z "$(find report graph -name '*.[ch]' -newer "$object" | head -n 1)" ]; then continue; fi
	# shellcheck disable=SC2086,SC2090 # words
	clang $flags -fsanitize=fuzzer-no-link -c "$source" -o "$object"
done

# Seeds: journals of each kind, a history, suppressions, a report.
corpus=$build/corpus
rm -rf "$corpus"
for target in journal history suppressions baseline; do mkdir -p "$corpus/$target"; done
for kind in deadlock gated self stall unlock-not-owner none; do
	tests/e2e/data/make-journal.sh "$build/bank" $kind >"$corpus/journal/$kind"
done
"$1/dlwatch" merge -o "$corpus/journal/merged" "$corpus/journal/deadlock" "$corpus/journal/stall" 2>/dev/null
cp "$corpus"/journal/* "$corpus/history"
"$1/dlwatch" report --format=json "$corpus/journal/deadlock" >"$corpus/baseline/report" || [ $? = 66 ]
cp "$corpus/journal/deadlock" "$corpus/baseline"
printf '# all\ndeadlock:*\nlock-order-inversion:Bank::[a-z]*(int)\n*:\\*x?\n' >"$corpus/suppressions/list"

status=0
for target in journal history suppressions baseline; do
	# shellcheck disable=SC2086,SC2090 # words
	clang $flags -fsanitize=fuzzer "tests/fuzz/$target.c" $objects -ldw -lelf -ljansson -lm -ldl -o "$build/$target"
	# Messages about damaged input are what it is there for.
	if timeout $((seconds * 3 + 60)) "$build/$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=4096 \
		-close_fd_mask=2 -artifact_prefix="$build/$target-" "$corpus/$target" >"$build/$target.log" 2>&1; then
		echo "fuzz: $target, nothing found in $seconds s"
	else
		echo "FAIL fuzz: $target, see $build/$target.log and $(find "$build" -name "$target-*" | head -n 3 | tr '\n' ' ')"
		status=1
	fi
done
exit $status
