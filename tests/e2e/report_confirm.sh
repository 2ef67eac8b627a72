#!/bin/sh
# report_confirm.sh BUILD: what can meet is confirmed, what is kept apart is not, and it is said how far it came.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
PATH=$build:$PATH
bin=$build/tests/e2e
export TMPDIR="$tmp/tmpdir"
mkdir "$TMPDIR"
unset MAKEFLAGS MFLAGS MAKELEVEL
same() { # same NAME WANT GOT
	if [ "$2" = "$3" ]; then ok; else fail "$1: $3, not $2"; fi
}
says() { # says WORDS NAME FILE
	if grep -q -e "$1" "$3"; then ok; else fail "$2: no '$1' in $(tail -n 8 "$3")"; fi
}
# watch COMMAND…: its journals go to $tmp/j.
watch() {
	rm -rf "$tmp/j"
	timeout 60 dlwatch run --report="$tmp/j/%p.json" --log=none -- "$@" >/dev/null 2>&1
}
# confirm OPTION… -- COMMAND…: from there; the status in $status, the report in $tmp/out.
confirm() {
	timeout 300 dlwatch confirm --format=json "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}
outcome() { jq -r '.findings[0] | "\(.certainty) \(.severity) \(.confirmed.result)"' "$tmp/out"; }
why() { jq -r '.findings[0].confirmed.why' "$tmp/out"; }

# reaches NAME COMMAND…: from what was watched. All but the odd try may miss on a busy machine, so there are some.
reaches() {
	name=$1
	shift
	confirm --tries="${tries:-6}" "$tmp/j" -- "$@"
	same "$name: status" 66 $status
	same "$name" "certain error deadlock" "$(outcome)"
}
# meets NAME PROGRAM CASE: watched where one side waits for the other, tried where only time keeps them apart.
meets() {
	name=$1
	shift
	watch "$@" flag
	reaches "$name" "$@" time 50
}

# kept NAME COMMAND…
kept() {
	name=$1
	shift
	watch "$@"
	confirm --tries=2 "$tmp/j" -- "$@"
	same "$name: status" 0 $status
	same "$name" "possible error not reached" "$(outcome)"
}

# One of a sort here; all of them: CONFIRM_CASES="$(…/meets --list)".
: "${CONFIRM_CASES:=same rw-read recursive errorcheck awake mixed helper often hot tree join five}"
for case in $CONFIRM_CASES; do meets "$case" "$bin/meets" "$case"; done
meets guards "$bin/meets_cxx" guards
meets shared_mutex "$bin/meets_cxx" table
for apart in pipe flag condition semaphore; do kept "$apart" "$bin/meets" plain $apart; done
kept "guards and a flag" "$bin/meets_cxx" guards flag

# A pause changes nothing but the time.
kept "errno, signals, cancellation" "$bin/steered"
why >"$tmp/why"
if grep 'failed' "$tmp/why"; then fail "a steered program went wrong"; else ok; fi

# What is said of it, and what comes of it.
watch "$bin/meets" plain pipe
confirm --tries=1 --unconfirmed=warning "$tmp/j" -- "$bin/meets" plain pipe
same "lowered" "possible warning not reached" "$(outcome)"
why >"$tmp/why"
says 'side-1 stood at meets.c:[0-9]* for [0-9]* ms while it held a; side-2 never came to meets.c' why "$tmp/why"
confirm --tries=1 "$tmp/j" -- "$bin/meets" spin time 1
why >"$tmp/why"
says 'this command never took a at meets.c:[0-9]*, as side-1 did' "a step that is not reached" "$tmp/why"
confirm --tries=1 "$tmp/j" -- sh -c 'exit 3'
why >"$tmp/why"
says 'the command failed (status 3) in the try' "a command that fails" "$tmp/why"
confirm --tries=1 --timeout=0.3 "$tmp/j" -- sleep 60
why >"$tmp/why"
says 'it ran too long and was ended after' "a command that is slow" "$tmp/why"
confirm --tries=1 "$tmp/j" -- "$bin/../cases/abba"
why >"$tmp/why"
says 'it hung for another reason in the try' "a command that hangs" "$tmp/why"
confirm --tries=1 "$tmp/j" -- no-such-command
same "no such command: status" 2 $status
says 'command not found' "no such command" "$tmp/err"
confirm --finding=0123456789abcdef "$tmp/j" -- true
same "no such finding: status" 2 $status

# The program is built anew, and otherwise, in the same place.
build_anew() { # build_anew OPTION…
	${CC:-cc} "$@" -D_GNU_SOURCE -pthread -o "$tmp/meets" "$here/meets.c"
}
build_anew -O0 -g
watch "$tmp/meets" same flag
fingerprint=$(dlwatch report --format=json "$tmp/j" | jq -r '.findings[0].fingerprint')
for options in '-O1 -g' '-O2 -g' '-O0 -g0'; do
	# shellcheck disable=SC2086
	build_anew $options
	same "$options: the fingerprint" "$fingerprint" \
		"$(dlwatch report --format=json "$tmp/j" | jq -r '.findings[0].fingerprint')"
	confirm --tries=6 "$tmp/j" -- "$tmp/meets" same time 50
	same "$options: rebuilt" "certain error deadlock" "$(outcome)"
	why >"$tmp/why"
	says 'built anew' "$options: it is said" "$tmp/why"
done
sed '/^static void both/,/^}/d; s/both(/pthread_mutex_trylock(/' "$here/meets.c" >"$tmp/meets.c"
sed -i 's/pthread_mutex_trylock(\(&*[a-z_>-]*[[:alnum:]]*[][a-z]*\), .*)/pthread_mutex_trylock(\1)/' "$tmp/meets.c"
${CC:-cc} -O0 -g -D_GNU_SOURCE -I"$here" -pthread -o "$tmp/meets" "$tmp/meets.c"
confirm --tries=1 "$tmp/j" -- "$tmp/meets" same time 50
why >"$tmp/why"
says 'the place both (meets.c:[0-9]*) is not in' "a place that is gone" "$tmp/why"

# Each order in a run of its own: only together they are a circle, and one command comes to both.
for side in first second; do
	timeout 60 dlwatch run --report="$tmp/$side/%p.json" --log=none -- "$bin/meets" plain $side 1 >/dev/null 2>&1
done
dlwatch merge -o "$tmp/history" "$tmp/first" "$tmp/second"
confirm --tries=6 "$tmp/history" -- "$bin/meets" plain time 50
same "of two runs" "certain error deadlock" "$(outcome)"
confirm --tries=1 "$tmp/history" -- "$bin/meets" plain first 1
why >"$tmp/why"
says 'this command never took b at meets.c:[0-9]*, as side-. did' "one of two runs" "$tmp/why"

# The GIL, which whoever stands in the other place must not have yet.
python=/usr/bin/python3
if [ -x "$python" ] && [ -e "$bin/lib/native.so" ]; then
	set -- "$python" "$here/python/gil.py" "$bin/lib/native.so" publisher_first
	watch "$@"
	if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
		echo "report_confirm: CPython 3.9 leaves no mark of its frames on the C stack, so that the places are not known, skipped"
	elif [ "$(dlwatch report --format=json "$tmp/j" | jq -r '.findings[0].locks[].kind' | grep -c gil)" = 1 ]; then
		tries=20 reaches GIL "$@"
	else
		echo "report_confirm: this interpreter's GIL is not known, skipped"
	fi
else
	echo "report_confirm: no python3, skipped"
fi

# A try again, and after a run.
watch "$bin/meets" same flag
confirm --tries=4 "$tmp/j" -- "$bin/meets" same time 50
replay=$(jq -r '.findings[0].confirmed.replay' "$tmp/out")
fingerprint=$(jq -r '.findings[0].fingerprint' "$tmp/out")
again=0
for _ in 1 2 3; do
	confirm --replay="$replay" -- "$bin/meets" same time 50
	[ $status != 66 ] || again=1
done
same "a replay" 1 $again
timeout 120 dlwatch run --confirm=4 --output=json:"$tmp/out" -- "$bin/meets" same time 50 >/dev/null 2>"$tmp/err"
same "run --confirm: status" 66 $?
same "run --confirm" "certain error deadlock" "$(outcome)"
same "the fingerprint" "$fingerprint" "$(jq -r '.findings[0].fingerprint' "$tmp/out")"
says 'confirmed in [1-4] of 4 tries' "the block" "$tmp/err"
timeout 120 dlwatch run --confirm=1 --unconfirmed=warning -- "$bin/meets" plain pipe >/dev/null 2>"$tmp/err"
same "run --confirm --unconfirmed: status" 0 $?

finish
