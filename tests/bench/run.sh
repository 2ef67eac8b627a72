#!/bin/sh
# What an operation costs: the bench program natively, under dlwatch, and under the peers that
# this machine has, in turns, so that a slow minute hits all alike. Medians with their spread.
set -u
usage() {
	cat <<'END'
usage: run.sh [--runs=N] [--depth=N] [--only=SCENARIO,…] [--count] [--peers] [--json[=FILE]] [--markdown] BUILD
  --runs=7    runs of each program, of which the median is shown
  --depth=5   calls on the stack below the operation
  --count     also instructions an operation, by valgrind, for what one thread does
  --peers     also helgrind, clang's TSan and its deadlock preload, where present (slow)
  --json      figures as JSON, to FILE or instead of the text
  --markdown  the README's tables instead of the text; with --count also that of instructions
END
}

# scenario, goal as a ratio (us, ns, KiB: an absolute limit; with a + before it: what is added to the
# native figure), what it is
table() {
	cat <<'END'
alone +3ns one lock, in a process of one thread
single 1.28 one lock, uncontended
nested2 1.28 nested 2
nested4 1.28 nested 4
crosswise 1.35 nested 2, released in the order taken
helpers 1.35 one lock, taken and released by helpers
turn1k 1.28 1,000 locks in turn
turn100k 1.28 100,000 locks in turn
under100k 1.28 100,000 locks under one lock
under1m 1.28 1,000,000 locks under one lock
random1m 1.7 1,000,000 locks under one lock, in random order
second100k 25ns 100,000 locks under one lock, the second visit
two_plain 1.28 two threads, own locks, plain
two_nested 1.28 two threads, own locks, nested
two_shared 1.7 two threads, 10,000 shared locks under their own
contended 1.1 two threads, one lock
rw_read 1.35 rwlock read
rw_write 1.2 rwlock write
recursive 1.4 recursive
trylock 1.3 trylock
semaphore 1.4 binary semaphore
short_life 1.3 malloc, init, lock, unlock, destroy, free
create_join 1.05 thread create + join
ping_pong 1.05 condition ping-pong
barrier 1.05 barrier round of two threads
edge_known_place 0.5us a new order at a place seen before
edge_new_place 1.8us a new order at a new place
edge_first_in_thread 1.2us the first new order of a thread
start +200us a start of /bin/true
idle +400KiB a process that watches nothing, its own memory
python_gil +40ns CPython: its GIL dropped and taken again
python_lock +30ns CPython: with lock
python_nested +30ns CPython: with lock, under another
python_mutex 1.28 one lock, with CPython's GIL held
python_switch 1.05 CPython: a switch between two threads that compute
python_start +1000us a start of CPython, processor time
python_idle +800KiB CPython, which imported threading, its own memory
END
}

runs=7 depth=5 only='' peers='' json='' count='' markdown=''
for arg; do
	case $arg in
	--runs=*) runs=${arg#*=} ;;
	--depth=*) depth=${arg#*=} ;;
	--only=*) only=$(echo "${arg#*=}" | tr ',' ' ') ;;
	--peers) peers=1 ;;
	--count) count=1 ;;
	--json) json=- ;;
	--markdown) markdown=1 ;;
	--json=*) json=${arg#*=} ;;
	--help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) build=$arg ;;
	esac
done
build=$(cd "${build:?BUILD is missing}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
export PYTHON="${PYTHON:-/usr/bin/python3}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The program that measures a scenario.
program_of() {
	case $1 in
	edge_* | second*) echo first ;;
	start | *_start | idle) echo whole ;;
	python_*) echo python ;;
	*) echo bench ;;
	esac
}
# Each way to run $program is a function that prints nanoseconds (KiB for memory).
native() {
	case $program in
	python) "$PYTHON" "$here/python.py" "$build/tests/bench/lib/gil.so" "$@" ;;
	*) "$build/tests/bench/$program" "$@" ;;
	esac
}
dlwatch() (
	export LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS=log=none
	native "$@"
)
helgrind() { timeout 300 valgrind --tool=helgrind --log-file=/dev/null "$build/tests/bench/$program" "$@"; }
tsan() { TSAN_OPTIONS=detect_deadlocks=1 timeout 300 "$tmp/$program" "$@" 2>/dev/null; }
dyndd() { LD_PRELOAD=$dyndd timeout 300 "$build/tests/bench/$program" "$@" 2>/dev/null; }

ways='native dlwatch'
if [ -n "$peers" ]; then
	command -v valgrind >/dev/null && ways="$ways helgrind"
	if command -v clang >/dev/null && for program in bench first whole; do
		clang -O2 -g -D_GNU_SOURCE -pthread -fsanitize=thread "$here/$program.c" -o "$tmp/$program" || exit
	done 2>/dev/null; then ways="$ways tsan"; fi
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
if ! "$PYTHON" -c 'import ctypes' 2>/dev/null; then
	echo "bench: no $PYTHON here, its rows are skipped" >&2
	only=$(echo "$only" | tr ' ' '\n' | grep -v ^python_)
fi
for scenario in $only; do
	program=$(program_of "$scenario")
	for run in $(seq "$runs"); do
		for way in $ways; do
			case $way,$program in native,* | dlwatch,*) ;; *,python) continue ;; *) [ "$run" -le 2 ] || continue ;; esac
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
		case $scenario in two_* | contended | barrier | edge_* | turn* | *00k | *1m | *start | *idle | *switch) continue ;; esac
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
	# Figure against native: a ratio, or a limit of its own, or one for what is added.
	function is_met(goal, value, native, ratio, unit) {
		if (goal !~ /s$|B$/) return ratio <= goal + 0
		unit = goal ~ /us$/ ? 1000 : 1
		return goal ~ /^\+/ ? value - native <= substr(goal, 2) * unit : value <= goal * unit
	}
	$4 == "native" { if (line) print line; native = $5; line = sprintf("%-52s %9.1f", $2, $5); first = $9; next }
	$5 == "-" { line = line sprintf("  %s fails", $4); next }
	$4 == "dlwatch" {
		line = line sprintf(" %9.1f [%.1f-%.1f] %6s  goal %-7s%s", $5, $6, $7, $8, $3,
			is_met($3, $5, native, $8) ? "" : " MISSED")
		if (first != "-") line = line sprintf("  instructions %d -> %d", first, $9)
		next }
	{ line = line sprintf("  %s %s", $4, $8) }
	END { print line }' "$tmp/figures"
}
# What the README shows in tables: ratios; starts, memory and new orders stand in its text.
markdown() {
	awk -F'\t' -v ways="$ways" '
	function small(x) { return x == "-" ? "fails" : x + 0 >= 50 ? sprintf("%.0f", x) : sprintf("%.1f", x) }
	BEGIN {
		head = "| an operation | native ns | dlwatch ns [spread] | ratio |"; rule = "|---|---|---|---|"
		if (ways ~ /tsan/) { head = head " TSan |"; rule = rule "---|" }
		if (ways ~ /dyndd/) { head = head " dyndd |"; rule = rule "---|" }
		if (ways ~ /helgrind/) { head = head " Helgrind |"; rule = rule "---|" }
		print head "\n" rule
	}
	function flush_row() {
		if (title == "" || goal ~ /[0-9]us$|B$/) return
		row = sprintf("| %s | %.1f | %.1f [%.1f-%.1f] | %s |", title, native, value, low, high, ratio)
		if (ways ~ /tsan/) row = row " " small(peer["tsan"]) " |"
		if (ways ~ /dyndd/) row = row " " small(peer["dyndd"]) " |"
		if (ways ~ /helgrind/) row = row " " small(peer["helgrind"]) " |"
		print row
	}
	$4 == "native" { flush_row(); title = $2; goal = $3; native = $5; next }
	$4 == "dlwatch" { value = $5; low = $6; high = $7; ratio = $8; next }
	{ peer[$4] = $8 }
	END { flush_row() }' "$tmp/figures"
	awk -F'\t' '
	$4 == "native" { native = $5; next }
	$4 != "dlwatch" || $3 !~ /[0-9]us$|B$/ { next }
	!shown++ { print "\n| beside them | native | dlwatch [spread] |\n|---|---|---|" }
	$3 ~ /us$/ { printf "| %s, us | %.2f | %.2f [%.2f-%.2f] |\n", $2, native / 1000, $5 / 1000, $6 / 1000, $7 / 1000; next }
	{ printf "| %s, KiB | %.0f | %.0f [%.0f-%.0f] |\n", $2, native, $5, $6, $7 }' "$tmp/figures"
	[ -z "$count" ] || {
		printf '\n| instructions an operation | native | dlwatch |\n|---|---|---|\n'
		awk -F'\t' '$4 == "native" { native = $9 } $4 == "dlwatch" && $9 != "-" { printf "| %s | %s | %s |\n", $2, native, $9 }' \
			"$tmp/figures"
	}
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
if [ -n "$markdown" ]; then
	markdown
	exit
fi
printf '%-52s %9s %9s %s\n' "ns an operation, $runs runs, $depth calls deep" native dlwatch '[spread] ratio'
text
