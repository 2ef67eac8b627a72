#!/bin/sh
# report_avoid.sh BUILD [PART…]: the option avoid. Programs that most runs end in a deadlock end in order once it
# was met, with the output that they should have; where nothing can avoid it that is said, and nobody waits
# longer than the limit; a file that others could write, and another build, are said and not believed.
# AVOID_RUNS=50: so many runs of each after its deadlock.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
shift
scene=$build/tests/e2e/avoid_scene
known=$tmp/known

# preload OPTIONS COMMAND…: what the library says goes to $tmp/said. The limit is such that nobody waits for it.
preload() {
	options=$1
	shift
	rm -f "$tmp/journal" "$tmp/said"
	timeout -k 5 120 env LD_PRELOAD="$build/libdlwatch.so" \
		DLWATCH_OPTIONS="exe=${1##*/} on_deadlock=exit report='$tmp/journal' log='$tmp/said' avoid_limit=3600000 $options" "$@" >"$tmp/out"
	status=$?
}
ends() { if [ "$status" = "$1" ]; then ok; else fail "$name: status $status, not $1: $(tail -n 3 "$tmp/said")"; fi; }
says() { if grep -qF -e "$1" "$tmp/said"; then ok; else fail "$name: not said: $1: $(grep avoid: "$tmp/said")"; fi; }
says_not() { if grep -sqF -e "$1" "$tmp/said"; then fail "$name: said: $1"; else ok; fi; }
# counts FIELD: of the last line on an avoided deadlock
counts() { sed -n 's/.*"type":"avoided".*"'"$1"'":\([0-9]*\).*/\1/p' "$tmp/journal" | tail -n 1; }

# learn KIND LENGTH: a file that knows the deadlock of this scene
learn() {
	rm -f "$known"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		preload "avoid='$known'" "$scene" "$1" "$2" 3
		[ $status = 66 ] && return
	done
	fail "$name: it never hangs"
}

by_timing() {
	runs=${AVOID_RUNS:-2}
	for kind in mutex recursive adaptive errorcheck helper writer reader spin semaphore; do
		for length in 2 3 5; do
			name="$kind $length"
			learn $kind $length
			i=0
			while [ $i -lt "$length" ]; do
				echo "$kind $i: 6"
				i=$((i + 1))
			done >"$tmp/wanted"
			i=0
			while [ $i -lt "$runs" ]; do
				preload "avoid='$known'" "$scene" $kind $length 3
				ends 0
				if cmp -s "$tmp/out" "$tmp/wanted"; then ok; else fail "$name: other output"; fi
				i=$((i + 1))
			done
			if grep -q '^avoid ' "$known"; then ok; else fail "$name: no line in the file"; fi
		done
	done
}

guards() {
	runs=${AVOID_RUNS:-2}
	for kind in mutex shared; do
		name="C++ guards, $kind"
		rm -f "$known"
		status=0
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			[ $status = 66 ] || preload "avoid='$known'" "$build/tests/e2e/avoid_guards" $kind
		done
		ends 66
		i=0
		while [ $i -lt "$runs" ]; do
			preload "avoid='$known'" "$build/tests/e2e/avoid_guards" $kind
			ends 0
			if [ "$(cat "$tmp/out")" = '9 9 9' ]; then ok; else fail "$name: $(cat "$tmp/out")"; fi
			i=$((i + 1))
		done
	done
}

# They wait in vain, once, and that is said.
meeting() {
	for kind in mutex recursive helper writer semaphore; do
		name="$kind, met between the locks"
		learn $kind 2
		preload "avoid='$known' avoid_limit=50" "$scene" $kind 2 3 meet
		ends 66
		says 'is known and was not avoided: a thread waited as long as avoid_limit allows'
		if [ "$(counts exhausted)" = 1 ]; then ok; else fail "$name: the limit was exhausted $(counts exhausted) times"; fi
	done
}

# Three limits in vain, and the deadlock is not avoided any more: the other rounds are as without.
in_vain() {
	name='in vain'
	learn mutex 2
	preload "avoid='$known' avoid_limit=20 verbosity=1" "$scene" mutex 2 20 only
	ends 0
	says 'is not avoided any more'
	says 'times avoided: 3'
	if grep -q '"type":"avoided".*"count":3,"exhausted":3,"let_go":0,"off":true' "$tmp/journal"; then ok; else fail "$name: journal"; fi
}

let_go() {
	name='the others wait for it'
	learn mutex 2
	preload "avoid='$known'" "$scene" mutex 2 1 outer
	ends 66 # at once, though the limit is an hour: the first thread waits for what the last has around both
	if [ "$(counts let_go)" -ge 1 ]; then ok; else fail "$name: not let go"; fi
}

# Others are not delayed: the limit is an hour.
no_delay() {
	learn mutex 2
	name='other locks'
	preload "avoid='$known'" "$scene" mutex 2 1 disjoint
	ends 0
	name='a lock that a condition wait has let go of'
	preload "avoid='$known'" "$scene" mutex 2 1 wait
	ends 0
	name='a forked child'
	preload "avoid='$known'" "$scene" mutex 2 1 fork
	ends 0
	name='a try'
	preload "avoid='$known'" "$scene" mutex 2 1 try
	case $status in 0 | 66) ok ;; *) fail "$name: status $status" ;; esac
}

# refused REASON FILE: nothing is avoided, nothing is kept, and the program runs
refused() {
	name=$1
	preload "avoid='$2'" "$scene" mutex 2 1 disjoint
	ends 0
	says "is refused: $1; no deadlock is avoided and none is kept"
}

trust() {
	name=trust
	learn mutex 2
	if [ "$(stat -c %a "$known")" = 600 ]; then ok; else fail "a new file has mode $(stat -c %a "$known")"; fi
	cp "$known" "$tmp/other"
	chmod 660 "$tmp/other"
	refused 'others than its owner can write it' "$tmp/other"
	chmod 602 "$tmp/other"
	refused 'others than its owner can write it' "$tmp/other"
	ln -s known "$tmp/link"
	refused 'it is a symbolic link' "$tmp/link"
	mkfifo "$tmp/pipe"
	refused 'it is no regular file' "$tmp/pipe"
	refused 'it is a folder' "$tmp"
	refused 'no such file or folder' "$tmp/nowhere/known"
	truncate -s 1100000 "$tmp/large"
	refused 'it is larger than 1 MiB' "$tmp/large"
	if [ "$(id -u)" = 0 ]; then
		chmod 600 "$tmp/other"
		chown 12345 "$tmp/other"
		refused 'it belongs to another user' "$tmp/other"
	fi
	# run says it once for all processes (before glibc 2.34 a shell is none that avoids anything)
	rm -f "$tmp/said"
	# shellcheck disable=SC2016 # for the shells
	"$dlwatch" run --log="$tmp/said" --avoid="$tmp/pipe" -- sh -c '"$0"; sh -c "true; \"\$0\"" "$0"' \
		"$build/tests/e2e/moved" >/dev/null 2>&1
	if [ "$(grep -c 'is refused' "$tmp/said")" = 1 ]; then ok; else fail "run says a refusal $(grep -c 'is refused' "$tmp/said") times"; fi
}

damage() {
	name=damage
	learn mutex 2
	{
		echo 'avoid 2 1122334455667788 module'
		sed -n '/^avoid/s/exclusive 0+/exclusive 0+f/p' "$known"
		head -c 1000 /dev/urandom | tr '\n\0' '[x*]'
		echo
		grep '^avoid' "$known"
		grep '^avoid' "$known" | head -c 60
	} >"$tmp/damaged"
	chmod 600 "$tmp/damaged"
	preload "avoid='$tmp/damaged'" "$scene" mutex 2 3
	ends 0
	says "damaged:1: the line is passed over: of a version that this dlwatch does not know"
	says 'damaged:2: the line is passed over: it does not fit its number'
	says 'damaged:3: the line is passed over: '
	says 'damaged:5: the line is passed over: '
	# Full of zeros, as after a power cut, and of lines that say nothing.
	cp "$known" "$tmp/zeros"
	{
		head -c 5000 /dev/zero
		yes avoid | head -n 30
		grep '^avoid' "$known"
	} >>"$tmp/zeros"
	preload "avoid='$tmp/zeros'" "$scene" mutex 2 3
	ends 0
	says '22 more lines are passed over' # one of them is that of the zeros
	preload "avoid='$tmp/zeros'" "$scene" helper 2 3
	preload "avoid='$tmp/zeros'" "$scene" helper 2 3
	ends 0
	# Another one is added behind the line that was cut.
	preload "avoid='$tmp/damaged'" "$scene" helper 2 3
	preload "avoid='$tmp/damaged'" "$scene" helper 2 3
	ends 0
	preload "avoid='$tmp/damaged'" "$scene" mutex 2 3
	ends 0
}

other_build() {
	name='another build'
	command -v objcopy >/dev/null || { echo "report_avoid: no objcopy, another build is not tried" && return; }
	learn mutex 2
	cp "$scene" "$tmp/avoid_scene"
	printf '\004\0\0\0\024\0\0\0\003\0\0\0GNU\0another build number' >"$tmp/note"
	sed -i "s|module [^ ]*|module $tmp/avoid_scene|" "$known"
	preload "avoid='$known'" "$tmp/avoid_scene" mutex 2 3
	ends 0 # the same build elsewhere is the same
	objcopy --update-section .note.gnu.build-id="$tmp/note" "$tmp/avoid_scene" 2>"$tmp/err" || { fail "$name: $(cat "$tmp/err")" && return; }
	preload "avoid='$known'" "$tmp/avoid_scene" mutex 2 1 disjoint
	says "is of another build of $tmp/avoid_scene, and is not avoided"
	ends 0
}

# A server that a supervisor starts again: it hangs once.
supervised() {
	name=supervised
	rm -f "$known"
	starts=0 status=66
	while [ $status = 66 ] && [ $starts -lt 5 ]; do
		starts=$((starts + 1))
		preload "avoid='$known'" "$scene" mutex 3 20
	done
	ends 0
	if [ $starts = 2 ]; then ok; else fail "$name: $starts starts"; fi
	"$dlwatch" run --log="$tmp/said" --avoid="$known" -- "$scene" mutex 3 3 >/dev/null 2>&1
	sed 's/^dlwatch: //' "$tmp/said" | tr '\n' ' ' >"$tmp/line"
	if grep -Eq 'the known deadlock [0-9a-f]{16} was avoided' "$tmp/line"; then ok; else fail "$name: not in the summary of run"; fi
}

[ $# -gt 0 ] || set -- by_timing guards meeting in_vain let_go no_delay trust damage other_build supervised
for part; do $part; done
finish
