#!/bin/sh
# report_run.sh BUILD: what `dlwatch run` does with a tree of processes. The watched ones are shell
# scripts that leave ready-made journals, so that each thing happens when the test says so.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
export TMPDIR="$tmp/tmpdir"
mkdir "$TMPDIR"
cd "$here/data" || exit 1

# leave JOURNAL [PID]: what a watched process with this journal would leave
cat >"$tmp/leave" <<'END'
#!/bin/sh
folder=$(printf %s "$DLWATCH_OPTIONS" | sed "s/.*report='\([^']*\)\/%e-%p.json'.*/\1/")
cp "$1" "$folder/bank-$$.json"
END
chmod +x "$tmp/leave"
for kind in deadlock stall gated exit-holding-lock; do
	./make-journal.sh "$tmp/bank" $kind >"$tmp/$kind.json"
done
PID=77 ./make-journal.sh "$tmp/bank" deadlock >"$tmp/deadlock2.json"

# run NAME STATUS ARGUMENTS…
run() {
	name=$1 want=$2
	shift 2
	timeout 60 "$dlwatch" run "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(head -n 5 "$tmp/err")"; fi
}
says() {
	if grep -q -e "$2" "$tmp/$1"; then ok; else fail "$3: no '$2' in $1: $(head -n 5 "$tmp/$1")"; fi
}
says_not() {
	if grep -q -e "$2" "$tmp/$1"; then fail "$3: '$2' in $1"; else ok; fi
}
left() { find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'dlwatch-*' | wc -l; }

statuses() {
	run 'its own status' 3 -- sh -c 'exit 3'
	says err 'nothing found' 'a quiet run'
	if [ "$(left)" = 0 ]; then ok; else fail 'a folder is left of a quiet run'; fi
	run 'a finding' 66 -- "$tmp/leave" "$tmp/deadlock.json"
	says err '^dlwatch\[4242\]: error: deadlock' 'a finding'
	says err '^dlwatch: Summary: 1 error in [0-9]* process[es]* (3 locks, 2 orders)\.$' summary
	folder=$(sed -n 's/^dlwatch: the journals are kept in \([^ ]*\) .*/\1/p' "$tmp/err")
	if [ -d "$folder" ] && timeout 60 "$dlwatch" report "$folder" >"$tmp/out"; [ $? = 66 ]; then ok; else fail 'no folder kept'; fi
	run '--exitcode' 9 --exitcode=9 -- "$tmp/leave" "$tmp/deadlock.json"
	run '--exitcode=0' 5 --exitcode=0 -- sh -c "'$tmp/leave' '$tmp/deadlock.json'; exit 5"
	run 'a warning' 0 -- "$tmp/leave" "$tmp/exit-holding-lock.json"
	says err '1 warning' 'a warning'
	run 'a harmless cycle' 0 -- "$tmp/leave" "$tmp/gated.json"
	says err 'show=all' 'a harmless cycle'
	run '--show=strict' 66 --show=strict -- "$tmp/leave" "$tmp/gated.json"
	run 'a signal' 143 -- sh -c 'kill -TERM $$'
	says err 'signal 15' 'a signal'
	run 'missing' 127 -- no-such-program
	says err 'dlwatch: no-such-program: ' missing
	run 'not executable' 126 -- "$tmp/deadlock.json"
	run 'a folder' 126 -- "$tmp"
	run 'a bad option' 2 --stack_depth=0 -- true
	says err "stack_depth.*1-256" 'a bad option'
	# shellcheck disable=SC2016 # expanded inside
	run 'dashes' 0 --stack-depth=9 -- sh -c 'echo "$DLWATCH_OPTIONS"'
	says out "stack_depth='9'" dashes
	echo 'int main(void) { return 4; }' | cc -static -x c - -o "$tmp/static" 2>/dev/null && {
		run 'a static program' 4 -- "$tmp/static"
		says err 'statically linked' static
	}
}

tree() {
	# Two processes, one mistake.
	run 'a tree' 66 --output=json:"$tmp/a b.json" --output=junit:"$tmp/o.xml" -- \
		sh -c "'$tmp/leave' '$tmp/deadlock.json' & (sh -c \"'$tmp/leave' '$tmp/deadlock2.json'\" & wait) & wait"
	if [ "$(jq -c '[[.findings[].count], ([.processes[].pid]|sort)]' "$tmp/a b.json")" = '[[2],[77,4242]]' ]; then ok; else
		fail "a tree: $(jq -c '[.findings[].count]' "$tmp/a b.json")"
	fi
	if [ "$(grep -c 'error: deadlock' "$tmp/err")" = 1 ]; then ok; else fail 'one mistake is printed twice'; fi
	if grep -q 'failures="1"' "$tmp/o.xml"; then ok; else fail 'no JUnit file'; fi
	run 'suppressed' 0 --suppressions="$tmp/list" -- "$tmp/leave" "$tmp/deadlock.json" 
}

user_paths() {
	mkdir "$tmp/own dir"
	run 'own journals' 66 --report="$tmp/own dir/j%%.json" -- \
		sh -c "cp '$tmp/deadlock.json' '$tmp/own dir/j%.json'; cp '$tmp/stall.json' '$tmp/own dir/j%-1.json'"
	says err '2 errors in [0-9]* processes' 'own journals'
	run 'not ours' 0 --report="$tmp/own dir/j%%.json" -- true
	says err 'nothing found' 'journals of an earlier run'
	run 'a log' 66 --log="$tmp/log" -- "$tmp/leave" "$tmp/deadlock.json"
	says log 'error: deadlock' 'a log'
	says_not err 'error: deadlock' 'a log'
	run 'no log' 66 --log=none -- "$tmp/leave" "$tmp/deadlock.json"
	says_not err 'error: deadlock' 'no log'
	# shellcheck disable=SC2016 # expanded inside
	DLWATCH_OPTIONS='show=all stack_depth=7' run 'the environment' 0 -- sh -c 'echo "$DLWATCH_OPTIONS"'
	says out "show='all'.*stack_depth='7'" 'the environment'
	says out "exitcode='0'" 'children keep their status'
	DLWATCH_OPTIONS=nonsense=1 run 'a bad environment' 0 -- true
	says err nonsense 'a bad environment'
}

signals() {
	# Passed on, once: the child counts them.
	cat >"$tmp/child" <<'END'
#!/bin/sh
trap 'echo got; exit 7' USR1
echo ready
while :; do read -r _ <"$1"; done
END
	mkfifo "$tmp/fifo" "$tmp/said"
	"$dlwatch" run -- sh "$tmp/child" "$tmp/fifo" >"$tmp/said" 2>"$tmp/err" &
	runner=$!
	{
		read -r word
		kill -USR1 $runner
		# The shell sees its trap when the read ends.
		until [ -e "$tmp/done" ]; do echo >"$tmp/fifo"; done &
		poker=$!
		read -r word
		kill $poker
	} <"$tmp/said"
	wait $runner
	status=$?
	if [ "$word" = got ] && [ $status = 7 ]; then ok; else fail "signals: '$word', status $status"; fi
	# When the command has ended, they end what is still read and written: here a pipe without a reader.
	mkfifo "$tmp/unread"
	"$dlwatch" run --output=json:"$tmp/unread" -- "$tmp/leave" "$tmp/deadlock.json" >"$tmp/out" 2>"$tmp/err" &
	runner=$!
	until grep -q 'Summary: 1 error' "$tmp/err"; do sleep 0.1; done
	kill -TERM $runner
	wait $runner 2>/dev/null
	status=$?
	if [ $status = 143 ]; then ok; else fail "a signal at the end: status $status"; fi
	says err 'the journals are kept in' 'a signal at the end'
}

# Others may put files into the folder of root's run. One that only leads to a journal is none.
strangers() {
	cat >"$tmp/put" <<-'END'
		folder=${DLWATCH_OPTIONS#*report=\'}
		folder=${folder%%/%e*}
		"$@" "$folder/stranger-4242.json"
	END
	run 'a journal put there' 66 sh "$tmp/put" cp "$tmp/deadlock.json"
	says err 'main and teller wait for each other' 'a journal put there'
	run 'a link put there' 0 sh "$tmp/put" ln -s "$tmp/deadlock.json"
	run 'a pipe put there' 0 sh "$tmp/put" mkfifo
}

timeouts() {
	# a number of this test's own, and not in the command line of who looks for it
	nap=1234$$
	run 'a hung tree' 143 --timeout=1 -- sh -c "echo begun; sleep $nap & sh -c 'sleep $nap; :' ; :"
	says err 'timeout' 'a hung tree'
	says err 'of process .*sleep' 'a hung tree'
	if grep -qsa "[1]${nap#1}" /proc/[0-9]*/cmdline; then fail 'the tree lives on'; else ok; fi
	# Its first thread has ended, and reads as a process that has.
	cat >"$tmp/headless.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *play(void *unused)
{
    printf("%d\n", (int)getpid());
    fflush(stdout);
    for (;;)
        pause();
    return unused;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, play, NULL);
    pthread_exit(NULL);
}
END
	cc -g -pthread "$tmp/headless.c" -o "$tmp/headless" || return
	run 'a first thread that has ended' 143 --timeout=1 -- "$tmp/headless"
	says err '1 process still ran and was ended' 'a first thread that has ended'
	if kill -0 "$(cat "$tmp/out")" 2>/dev/null; then fail 'it was left running'; else ok; fi
	run 'in time' 0 --timeout=50 -- true
}

# Preloaded by hand, with no journal: the block on stderr has the names all the same.
plain() {
	cc -g -D_GNU_SOURCE -pthread -I../.. ../../cases/abba_inversion.c -o "$tmp/inversion" || return
	timeout 60 env LD_PRELOAD="$build/libdlwatch.so" "$tmp/inversion" >"$tmp/out" 2>"$tmp/err"
	says err 'error: lock-order-inversion: forward takes a before b, backward' plain
	says err 'T1 = "forward", T2 = "backward"' plain
	timeout 60 env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS='suppressions=/nonexistent/z' "$tmp/inversion" 2>"$tmp/err"
	if [ "$(grep -c "suppressions '/nonexistent/z' can't be read" "$tmp/err")" = 1 ]; then ok; else fail 'unreadable suppressions'; fi
	echo 'lock-order-inversion:backward' >"$tmp/mute"
	timeout 60 env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS="suppressions='$tmp/mute'" "$tmp/inversion" 2>"$tmp/err"
	says_not err 'inversion' 'plain, suppressed'
}

# Without the library in them: seen from outside, told once, and ended.
outside() {
	cat >"$tmp/stuck.c" <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <unistd.h>
		static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
		int main(int argc, char **argv)
		{
			(void)argv;
			pthread_mutex_lock(&a);
			if (argc > 1)
				for (;;)
					usleep(1000);
			pthread_mutex_lock(&a);
			return 0;
		}
	END
	# Before glibc 2.34 a static program that can make no thread writes no owner into a mutex.
	cc -static -g -pthread -Wl,--undefined=pthread_create "$tmp/stuck.c" -o "$tmp/stuck" 2>/dev/null || { echo 'report_run: no static libc, skipped' && return; }
	# Where processes may not be traced, nothing can be seen.
	"$dlwatch" attach $$ >/dev/null 2>&1 || { echo 'report_run: no process can be looked at, skipped' && return; }
	run 'a static program that is stuck' 66 --stall_after=1 --timeout=50 -- "$tmp/stuck"
	says err 'error: deadlock: main waits for a, which it holds itself' 'from outside'
	says err "can't go on and was ended by dlwatch" 'from outside'
	if [ "$(grep -c 'error: deadlock' "$tmp/err")" = 1 ]; then ok; else fail 'told more than once'; fi
	run 'one that runs' 143 --stall_after=1 --timeout=4 -- "$tmp/stuck" on
	says_not err 'error:' 'one that runs'
	run 'another program' 143 --exe=others --stall_after=1 --timeout=4 --output=json:"$tmp/o.json" -- "$tmp/stuck"
	says_not err 'on_deadlock' 'another program'
}

# Two runs at once whose journals go to one folder: neither counts what the other has found.
is_there() { ls "$tmp"/shared/hang* >/dev/null 2>&1; }
others() {
	mkdir "$tmp/shared" "$tmp/inner"
	mkfifo "$tmp/hold"
	# shellcheck disable=SC2016 # expanded inside
	timeout 60 "$dlwatch" run --report="$tmp/shared/%e.%p.json" -- sh -c 'cat <"$1"' - "$tmp/hold" 2>"$tmp/first" &
	first=$!
	exec 8>"$tmp/hold"
	run 'the run that finds it' 66 --report="$tmp/shared/%e.%p.json" -- "$build/tests/outside/hang" abba
	if is_there; then ok; else fail 'others: no journal'; fi
	exec 8>&-
	wait $first
	status=$?
	if [ $status = 0 ] && grep -q 'nothing found' "$tmp/first"; then ok; else fail "others: status $status: $(cat "$tmp/first")"; fi
	# A run inside a run is part of it.
	run 'a run inside a run' 66 --report="$tmp/inner/%e.%p.json" -- "$dlwatch" run --exitcode=0 --report="$tmp/inner/%e.%p.json" -- \
		"$build/tests/outside/hang" abba
}

# A process that is killed between making its journal and the first line (left by the command itself
# here): nothing that it had told is lost.
killed_at_once() {
	# shellcheck disable=SC2016 # expanded inside
	run 'killed as it began' 0 --report="$tmp/at_once/%e.%p" -- sh -c 'mkdir -p "$1" && : >"$1/sh.4194303"' - "$tmp/at_once"
	says err '1 process was killed as it began' 'killed as it began'
}

# A disk without room: what was lost may have been an error.
full() {
	unshare -m true 2>/dev/null || { echo 'report_run: no mount namespace, part skipped' && return; }
	mkdir "$tmp/small"
	for size in 0 64k 1M; do
		# shellcheck disable=SC2016 # expanded inside
		unshare -m sh -c 'size=$2 && [ "$size" != 0 ] || size=16k
			mount -t tmpfs -o size="$size" none "$1" && { [ "$2" != 0 ] || head -c 20000 /dev/zero >"$1/.full" 2>/dev/null
			TMPDIR="$1" "$3" run -- "$4"; status=$?
			echo "status $status, kept $(ls "$1" | wc -l)"; }' - "$tmp/small" $size "$dlwatch" "$build/tests/e2e/orders" >"$tmp/out" 2>"$tmp/err"
		case $size in
		0)
			says out 'status 2, kept 1' 'no room at all'
			says err '1 journal is empty: there was no room for a line' 'no room at all'
			;;
		64k)
			says out 'status 2, kept 1' 'a full disk'
			says err 'ends early (no space left on the device)' 'a full disk'
			says_not err 'was killed' 'a full disk'
			;;
		*)
			says out 'status 0, kept 0' 'room enough'
			says err 'nothing found in 1 process ([0-9]* locks, [0-9]* orders)' 'room enough'
			;;
		esac
	done
}

printf 'deadlock:*\n' >"$tmp/list"
for part in statuses tree user_paths strangers signals timeouts plain outside others killed_at_once full; do $part; done
finish
