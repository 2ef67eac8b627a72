#!/bin/sh
# fuzz.sh BUILD: the programs of tests/fuzz, which `make fuzz` has built, for FUZZ_SECONDS each, from
# journals of every kind; first what was found before (tests/fuzz/found/TARGET). What is found stays
# in BUILD/fuzz.
# fuzz.sh --is-possible CC: is there a libFuzzer?
set -eu
cd "$(dirname "$0")/.."
if [ "$1" = --is-possible ]; then
	command -v "$2" >/dev/null && echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
		"$2" -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null && exit 0
	echo "fuzz: no clang with libFuzzer, skipped"
	exit 1
fi
build=$1/fuzz
seconds=${FUZZ_SECONDS:-20}
mkdir -p "$build"

# Seeds: journals of each kind, a history, suppressions, a report. What grew from them is kept.
seeds=$build/seeds
rm -rf "$seeds"
for target in journal history suppressions baseline options signature; do mkdir -p "$seeds/$target" "$build/corpus/$target"; done
for kind in deadlock gated self stall unlock-not-owner none; do
	tests/e2e/data/make-journal.sh "$build/bank" $kind >"$seeds/journal/$kind"
done
{
	cat "$seeds/journal/deadlock"
	printf '{"type":"trail","finding":1,"thread":1,"locks":[{"kind":"mutex","address":"0x1"},{"kind":"rwlock","address":"0x9"}],"cut":true,"events":['
	printf '{"what":"took","lock":1,"mode":"shared","place":1},{"what":"tried","lock":0},{"what":"gave back","lock":1},'
	printf '{"what":"asked","lock":0,"waits":"lock","ago":1.5,"until":0.5},{"what":"took","lock":0},{"what":"asked","lock":1,"ago":0.25}]}\n'
} >"$seeds/journal/trail"
"$1/dlwatch" merge -o "$seeds/journal/merged" "$seeds/journal/deadlock" "$seeds/journal/stall" 2>/dev/null
cp "$seeds"/journal/* "$seeds/history"
"$1/dlwatch" report --format=json "$seeds/journal/deadlock" >"$seeds/baseline/report" || [ $? = 66 ]
cp "$seeds/journal/deadlock" "$seeds/baseline"
printf '# all\ndeadlock:*\nlock-order-inversion:Bank::[a-z]*(int)\n*:\\*x?\n' >"$seeds/suppressions/list"
printf 'avoid 1 b97d module /opt/my%%20bank ab12 step mutex 0 exclusive 0+11d4,0+1 exclusive 0+12 step rwlock 1 shared 0+2 exclusive 0+3' >"$seeds/signature/line"
sed -n 's/^DLW_OPTION(\([a-z_]*\),.*/"\1="/p' report/emit/options.def >"$build/options.dict"
sed 's/"//g; s/$/x:/' "$build/options.dict" | tr -d '\n' >"$seeds/options/all"
printf "report='a b':log=none exe=x,y:stack_depth=7" >"$seeds/options/some"
# shellcheck disable=SC2016 # back quotes of the text
grep -o '`[a-z_-][a-z_-]*`' report/JOURNAL.md | tr -d '`' | sort -u | sed 's/.*/"&"/' >"$build/lines.dict"

status=0
for target in journal history suppressions baseline options signature; do
	dictionary=lines
	[ $target = options ] && dictionary=options
	found=
	for file in "tests/fuzz/found/$target"/*; do [ ! -e "$file" ] || found="$found $file"; done
	# Messages about damaged input are what it is there for.
	# shellcheck disable=SC2086 # words
	if { [ -z "$found" ] || timeout 120 "$build/$target" -close_fd_mask=2 -timeout=20 $found >"$build/$target.log" 2>&1; } &&
		timeout $((seconds * 3 + 60)) "$build/$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=4096 \
			-dict="$build/$dictionary.dict" -close_fd_mask=2 -artifact_prefix="$build/$target-" "$build/corpus/$target" "$seeds/$target" \
			>"$build/$target.log" 2>&1; then
		echo "fuzz: $target, nothing found in $seconds s"
	else
		echo "FAIL fuzz: $target, see $build/$target.log and $(find "$build" -name "$target-*" | head -n 3 | tr '\n' ' ')"
		status=1
	fi
done
exit $status
