#!/bin/sh
# What an operation costs: the bench program natively, under dlwatch, and under the peers that
# this machine has, in turns, so that a slow minute hits all alike. Medians with their spread.
set -u
usage() {
	cat <<'END'
usage: run.sh [--runs=N] [--depth=N] [--only=SCENARIO,…] [--count] [--peers] [--json[=FILE]] BUILD
  --runs=7    runs of each program, of which the median is shown
  --depth=5   calls on the stack below the operation
  --count     also instructions an operation, by valgrind, for what one thread does
  --peers     also helgrind, clang's TSan and its deadlock preload, where present (slow)
  --json      figures as JSON, to FILE or instead of the text
END
}

# scenario, goal as a ratio (us: an absolute limit in microseconds), what it is
table() {
	cat <<'END'
alone - one lock, in a process of one thread
single 1.6 one lock, uncontended
nested2 1.6 nested 2
nested4 2.0 nested 4
crosswise 1.6 nested 2, released in the order taken
helpers 1.6 one lock, taken and released by helpers
turn1k 1.6 1,000 locks in turn
turn100k 1.8 100,000 locks in turn
under100k 2.6 100,000 locks under one lock
under1m 2.1 1,000,000 locks under one lock
two_plain 2.0 two threads, own locks, plain
two_nested 2.0 two threads, own locks, nested
two_shared 2.2 two threads, 10,000 shared locks under their own
contended 1.4 two threads, one lock
rw_read 1.6 rwlock read
rw_write 1.6 rwlock write
recursive 1.6 recursive
trylock 1.6 trylock
semaphore 1.6 binary semaphore
short_life 1.4 malloc, init, lock, unlock, destroy, free
create_join 1.1 thread create + join
ping_pong 1.05 condition ping-pong
edge_known_place 1us a new edge at a place seen before
edge_new_place 15us a new edge at a new place
edge_first_in_thread 50us the first edge in a thread
END
}

runs=7 depth=5 only='' peers='' json='' count=''
for arg; do
	case $arg in
	--runs=*) runs=${arg#*=} ;;
	--depth=*) depth=${arg#*=} ;;
	--only=*) only=$(echo "${arg#*=}" | tr ',' ' ') ;;
	--peers) peers=1 ;;
	--count) count=1 ;;
	--json) json=- ;;
	--json=*) json=${arg#*=} ;;
	--help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) build=$arg ;;
	esac
done
build=$(cd "${build:?BUILD is missing}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bench=$build/tests/bench/bench

# Each way to run the program is a function that prints nanoseconds.
native() { "$bench" "$@"; }
dlwatch() { LD_PRELOAD=$build/libdlwatch.so "$bench" "$@" 2>/dev/null; }
helgrind() { timeout 300 valgrind --tool=helgrind --log-file=/dev/null "$bench" "$@"; }
tsan() { TSAN_OPTIONS=detect_deadlocks=1 timeout 300 "$tmp/tsan" "$@" 2>/dev/null; }
dyndd() { LD_PRELOAD=$dyndd timeout 300 "$bench" "$@" 2>/dev/null; }

ways='native dlwatch'
if [ -n "$peers" ]; then
	command -v valgrind >/dev/null && ways="$ways helgrind"
	if command -v clang >/dev/null && clang -O2 -g -D_GNU_SOURCE -pthread -fsanitize=thread \
		"$here/bench.c" -o "$tmp/tsan" 2>/dev/null; then ways="$ways tsan"; fi
	dyndd=$(clang -print-file-name=libclang_rt.dyndd-x86_64.so 2>/dev/null)
	[ ! -e "$dyndd" ] || ways="$ways dyndd"
	for way in helgrind tsan dyndd; do
		case $ways in *$way*) ;; *) echo "bench: no $way here, skipped" >&2 ;; esac
	done
fi
if [ -n "$count" ] && ! command -v valgrind >/dev/null; then
	echo "bench: no valgrind here, instructions are not counted" >&2
	count=''
fi

[ -n "$only" ] || only=$(table | cut -d' ' -f1)
for scenario in $only; do
	for run in $(seq "$runs"); do
		for way in $ways; do
			case $way in native | dlwatch) ;; *) [ "$run" -le 2 ] || continue ;; esac
			ns=$($way "$scenario" "$depth") || ns=
			echo "$scenario $way ${ns:--}"
		done
	done
	[ "$json" = - ] || echo "  $scenario" >&2
done >"$tmp/raw"

# scenario way median low high, one line each
awk '{ if ($3 != "-") { n[$1" "$2]++; v[$1" "$2, n[$1" "$2]] = $3 } else if (!($1" "$2 in n)) n[$1" "$2] = 0 }
END { for (k in n) {
	c = n[k]; if (!c) { print k, "-", "-", "-"; continue }
	for (i = 1; i <= c; i++) for (j = i + 1; j <= c; j++)
		if (v[k, j] + 0 < v[k, i] + 0) { t = v[k, i]; v[k, i] = v[k, j]; v[k, j] = t }
	print k, v[k, int((c + 1) / 2)], v[k, 1], v[k, c] } }' "$tmp/raw" >"$tmp/medians"

table | while read -r scenario goal title; do
	case " $(echo "$only" | tr '\n' ' ') " in *" $scenario "*) ;; *) continue ;; esac
	for way in $ways; do
		awk -v s="$scenario" -v w="$way" -v goal="$goal" -v title="$title" -v OFS='\t' '
			$1 == s && $2 == w { print s, title, goal, w, $3, $4, $5 }' "$tmp/medians"
	done
done >"$tmp/rows"

# scenario native dlwatch: instructions of one operation
: >"$tmp/counts"
if [ -n "$count" ]; then
	for scenario in $only; do
		case $scenario in two_* | contended | ping_pong | create_join | edge_* | *00k | under1m) continue ;; esac
		"$here/count.sh" --depth="$depth" "$build" "$scenario"
	done >"$tmp/counts"
fi

# Ratios against native; a goal in µs is held against the time itself.
awk -F'\t' -v OFS='\t' -v counts="$tmp/counts" '
	BEGIN { while ((getline line <counts) > 0) { split(line, c, " "); n[c[1], "native"] = c[2]; n[c[1], "dlwatch"] = c[3] } }
	{ if ($4 == "native") native = $5
	  ratio = ($5 == "-" || native == "-" || native == 0) ? "-" : sprintf("%.2f", $5 / native)
	  print $0, ratio, (($1, $4) in n ? n[$1, $4] : "-") }' "$tmp/rows" >"$tmp/figures"

text() {
	awk -F'\t' '
	$4 == "native" { if (line) print line; line = sprintf("%-48s %9.1f", $2, $5); first = $9; next }
	$5 == "-" { line = line sprintf("  %s fails", $4); next }
	$4 == "dlwatch" {
		if ($3 == "-") met = 1; else
		met = $3 ~ /us$/ ? ($5 <= 1000 * $3) : ($8 <= $3 + 0)
		line = line sprintf(" %9.1f [%.1f-%.1f] %6s  goal %-5s%s", $5, $6, $7, $8, $3, met ? "" : " MISSED")
		if (first != "-") line = line sprintf("  instructions %d -> %d", first, $9)
		next }
	{ line = line sprintf("  %s %s", $4, $8) }
	END { print line }' "$tmp/figures"
}
as_json() {
	jq -R -n '[inputs | split("\t")
		| {scenario: .[0], title: .[1], goal: .[2], way: .[3], ns: (.[4] | tonumber? // null),
		   low: (.[5] | tonumber? // null), high: (.[6] | tonumber? // null), ratio: (.[7] | tonumber? // null),
		   instructions: (.[8] | tonumber? // null)}]' \
		"$tmp/figures"
}

if [ "$json" = - ]; then
	as_json
	exit
fi
[ -z "$json" ] || as_json >"$json"
printf '%-48s %9s %9s %s\n' "ns an operation, $runs runs, $depth calls deep" native dlwatch '[spread] ratio'
text
