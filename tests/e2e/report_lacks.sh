#!/bin/sh
# report_lacks.sh BUILD: what does not work in a program that gave up root, that has no /proc or that of
# another pid namespace, no timers, or that confined itself, is said by the summary, in the journal and
# by a preload; what works all the same is found. Where all works nothing is said.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
program=$build/tests/e2e/lacks
chmod 777 "$tmp"

# run NAME STATUS COMMAND…
run() {
	name=$1 want=$2
	shift 2
	timeout -k 5 120 "$dlwatch" run --log="$tmp/log" --output=json:"$tmp/json" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	sed 's/^dlwatch: //' "$tmp/log" | tr '\n' ' ' >"$tmp/said"
	rm -f "$tmp/log"
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(tail -c 300 "$tmp/said" "$tmp/err")"; fi
}
says() {
	if grep -qF -e "$1" "$tmp/said"; then ok; else fail "$name: no '$1' in: $(tail -c 400 "$tmp/said")"; fi
}
says_not() {
	if grep -qF -e "$1" "$tmp/said"; then fail "$name: '$1' in: $(tail -c 400 "$tmp/said")"; else ok; fi
}
# lacks WORD: in the document
lacks() {
	if jq -e --arg word "$1" '.processes[].lacks[]? | select(.what == $word and .reduces)' "$tmp/json" >/dev/null; then
		ok
	else
		fail "$name: the document does not say that $1 is missing"
	fi
}
full='could not be watched in full'

# stall NAME SITUATION TEXT: the program hangs; a preload says at once, and keeps in its journal, why that
# is not seen.
stall() {
	rm -f "$tmp"/journal.* "$tmp/err"
	DLWATCH_OPTIONS="report='$tmp/journal.%p' stall_after=0" LD_PRELOAD=$build/libdlwatch.so \
		"$program" "$2" stall 2>"$tmp/err" &
	pid=$!
	i=0
	while ! grep -qs '"type":"lacks".*"reduces":true' "$tmp"/journal.* && [ $i -lt 600 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	if grep -qF -e "$3" "$tmp/err"; then ok; else fail "$1: the preload does not say '$3': $(cat "$tmp/err")"; fi
	if grep -hs '"type":"lacks"' "$tmp"/journal.* | grep -qF -e "$3"; then ok; else fail "$1: '$3' is not in the journal"; fi
	kill -9 $pid
	wait $pid 2>/dev/null
}

# The quiet twin: all works.
run 'nothing missing' 0 -- "$program" none
says_not "$full"
says 'nothing found in 1 process'
run 'a stall' 66 --stall_after=0 -- "$program" none stall
says_not "$full"
says 'stall: all 3 threads wait'

run 'no timers' 0 -- "$program" timers
says "$full: the user's timers are used up"
lacks alarm
timeout 60 "$dlwatch" run --log=none --output=html:"$tmp/html" -- "$program" timers >"$tmp/out" 2>"$tmp/err"
if grep -q 'not watched in full: the user.*s timers are used up' "$tmp/html"; then ok; else fail 'html'; fi
stall 'no timers' timers "the user's timers are used up"

DLWATCH_OPTIONS=verbosity=1 LD_PRELOAD=$build/libdlwatch.so "$program" none >"$tmp/out" 2>"$tmp/err"
if grep -q 'works: marks direct stacks helper sleepers alarm threads libraries$' "$tmp/err"; then ok; else fail "verbosity: $(cat "$tmp/err")"; fi
DLWATCH_OPTIONS=verbosity=1 LD_PRELOAD=$build/libdlwatch.so "$program" timers >"$tmp/out" 2>"$tmp/err"
if grep -q 'does not work: alarm (the user.*s timers are used up' "$tmp/err"; then ok; else fail "verbosity: $(cat "$tmp/err")"; fi

run 'confined' 0 -- "$build/tests/conformance/confined"
says 'switched itself off'
says 'seccomp'

if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$build/libdlwatch.so"; then
	run 'root given up' 0 -- "$program" drop
	says "$full: the process gave up its rights"
	lacks sleepers
	stall 'root given up' drop 'gave up its rights'
	# Orders are learned all the same, and the journal is there, in whatever order the two come.
	run 'an inversion without root' 66 -- "$program" drop inversion
	says 'lock-order-inversion'
	run 'an inversion in another root' 66 -- "$program" bare inversion
	says 'lock-order-inversion'
	run 'started without root' 66 -- setpriv --reuid=65534 --regid=65534 --clear-groups "$program" none inversion
	says 'lock-order-inversion'
	says_not "$full"
	run 'no /proc' 0 -- "$program" bare
	says "$full: it has no /proc"
	lacks sleepers
	stall 'no /proc' bare 'it has no /proc'
else
	echo 'report_lacks: not root, or others may not read this folder: giving up root skipped'
fi
if unshare --pid --fork true 2>/dev/null; then
	run 'the /proc of another namespace' 0 -- "$program" namespace
	says "$full: its /proc is that of another pid namespace"
	lacks sleepers
else
	echo 'report_lacks: no pid namespace allowed here, skipped'
fi
# In another root than the machine's a mount namespace may be refused.
if unshare --mount --pid --fork --mount-proc true 2>/dev/null; then
	# Nowhere to write a journal to: what was found is lost, and that is no green.
	TMPDIR=/tmp run 'no journal' 2 -- "$program" hide inversion
	says 'the journal of 1 process could not be written'
	TMPDIR=/tmp run 'nothing to write' 0 -- "$program" hide
	says_not 'could not be written'
	# Started where the run can't be reached at all, it speaks for itself.
	TMPDIR=/tmp run 'out of reach' 0 -- unshare --mount sh -c 'mount -t tmpfs none /tmp && exec "$@"' sh "$program" none inversion
	if grep -q "the journal .* can't be written" "$tmp/err"; then ok; else fail "out of reach: $(cat "$tmp/err")"; fi
	TMPDIR=/tmp run 'out of reach, and nothing to say' 0 -- unshare --mount sh -c 'mount -t tmpfs none /tmp && exec "$@"' sh "$program" none
	if [ -s "$tmp/err" ]; then fail "out of reach, and nothing to say: $(cat "$tmp/err")"; else ok; fi
	run 'the first of its namespace' 66 --stall_after=0 -- unshare --pid --fork --mount-proc "$program" none stall
	says_not "$full"
	says 'stall: all 3 threads wait'
	run 'hidepid' 66 --stall_after=0 -- unshare --mount --pid --fork sh -c "mount -t proc -o hidepid=2 proc /proc &&
		exec setpriv --reuid=65534 --regid=65534 --clear-groups '$program' none stall"
	says_not "$full"
	says 'stall: all 3 threads wait'
else
	echo 'report_lacks: no mount namespace allowed here, skipped'
fi

finish
