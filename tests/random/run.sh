#!/bin/sh
# run.sh BUILD [FIRST-SEED [COUNT]]: random programs, each of which must give exactly the findings
# that it was built to give. `run.sh BUILD SEED 1` does one again and shows it. CC: compiler.
#
# What it sees, tried by breaking the library on purpose: gates ignored, pools as gates, creates, joins or
# barriers that order nothing, tries that ask, readers that exclude readers, writers' preference ignored in
# orders and in waits, readers that own nothing, unlocking that forgets the innermost, one thread that
# makes a circle, a limit that is none, ended holders forgotten, robust mutexes that count at a thread's
# end, a post by another that makes no signal, joins that are no waits, a readers' room taken for a lock, a
# dead owner's mutex that is not taken, a wait for a static that is not seen.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
first=${2:-1} count=${3:-300}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# one FOLDER SEED: run it, and put what was seen beside what was expected.
cat >"$tmp/one" <<'END'
folder=$1 seed=$2 build=$3 here=$4
timeout -k 5 150 "$build/dlwatch" run --log=none --show=all --stall_after=1 --timeout="${RANDOM_TIMEOUT:-100}" \
	--report="$folder/$seed.%p" --output="json:$folder/$seed.json" -- "$folder/play" "$seed" \
	>"$folder/$seed.out" 2>&1
echo "status $?" >"$folder/$seed.seen"
jq -r -f "$here/findings.jq" "$folder/$seed.json" >>"$folder/$seed.seen" 2>&1
sed 's/^/printed: /' "$folder/$seed.out" >>"$folder/$seed.seen"
cmp -s "$folder/$seed.expected" "$folder/$seed.seen" || echo "$seed"
END

# The first failing program is shown whole.
show() {
	folder=$1 seed=$2
	[ "$failed" -gt 1 ] || sed -n "/^\/\/ $seed:/,/^\/\/ $((seed + 1)):/p" "$folder/plays.c" | sed '$d'
	echo "FAIL $seed$(sed -n "s|^// $seed: *|: |p" "$folder/plays.c"); again: make test-random RANDOM_SEED=$seed RANDOM_COUNT=1"
	diff -u "$folder/$seed.expected" "$folder/$seed.seen" | sed 1,3d
}

failed=0 done=0
while [ $done -lt "$count" ]; do
	n=$((count - done < 50 ? count - done : 50)) seed=$((first + done))
	folder=$tmp/$seed
	mkdir "$folder"
	"$build/tests/random/generate" "$seed" "$n" "$folder" || exit 2
	${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -O0 -g -pthread -I"$top" -I"$top/tests" -w "$folder/plays.c" \
		"$here/play.c" -lstdc++ -o "$folder/play" || exit 2
	bad=$(seq "$seed" $((seed + n - 1)) | xargs -P 2 -I '{}' sh "$tmp/one" "$folder" '{}' "$build" "$here")
	for seed in $bad; do
		failed=$((failed + 1))
		show "$folder" "$seed"
	done
	rm -rf "$folder"
	done=$((done + n))
done
echo "random: seeds $first to $((first + count - 1)): $((count - failed)) passed, $failed failed"
[ $failed = 0 ]
