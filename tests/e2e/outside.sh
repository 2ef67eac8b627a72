# shellcheck shell=sh disable=SC2016,SC2034,SC2154 # jq's variables; used by who sources this
# Shared by attach_*.sh and core_*.sh: programs that wait, brought into position and let go again.
# A part is a function; without names all of $parts run. Nothing sleeps to be in time: the programs say
# when their threads exist, and /proc says when they are in their calls.

set -u
build=$(cd "$1" && pwd)
shift
dlwatch=$build/dlwatch
programs=$build/tests/outside
tmp=$(mktemp -d)
passed=0 failed=0 running=
case $(uname -m) in x86_64) futex=202 ;; *) futex=98 ;; esac

clean() {
	for one in $running; do
		# the number of one that has ended may be a stranger's by now
		if grep -qs "^PPid:[[:space:]]*$$\$" "/proc/$one/status"; then kill -9 "$one"; fi
	done
	rm -rf "$tmp"
}
trap clean EXIT

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL $*"
}
finish() {
	echo "$1: $passed passed, $failed failed"
	[ "$failed" = 0 ]
}

# until COMMAND…: polls, at most half a minute.
until_true() {
	for _ in $(seq 600); do
		"$@" 2>/dev/null && return
		sleep 0.05
	done
	return 1
}

is_ready() { grep -q ready "$tmp/out"; }
count_futex() { cat /proc/"$pid"/task/*/syscall 2>/dev/null | grep -c "^$futex "; }
are_waiting() { [ "$(count_futex)" -ge "$1" ]; }
are_blocked() { [ "$(cat /proc/"$pid"/task/*/syscall | grep -c '^[0-9]')" -ge "$1" ]; }
are_running() { [ "$(cat /proc/"$pid"/task/*/syscall | grep -c '^running')" -ge "$1" ]; }

# start N PROGRAM ARG…: sets $pid once it is ready and N of its threads wait in a futex.
start() {
	want=$1
	shift
	rm -f "$tmp/in" "$tmp/out" # the last program's line would be taken for this one's
	mkfifo "$tmp/in"
	"$@" <"$tmp/in" >"$tmp/out" 2>"$tmp/program.err" &
	child=$!
	running="$running $child"
	exec 9>"$tmp/in"
	until_true is_ready || { fail "$*: not ready" && return 1; }
	pid=$(sed -n 's/^ready //p' "$tmp/out")
	until_true are_waiting "$want" || { fail "$*: not in position" && return 1; }
}

# let_go NAME: the program finishes as it does undisturbed.
let_go() {
	exec 9>&-
	wait "$child"
	status=$?
	if [ $status = 0 ] && [ "$(tail -n 1 "$tmp/out")" = "done" ]; then
		pass
	else
		fail "$1: did not finish normally (status $status, $(tail -n 1 "$tmp/out"))"
	fi
}

end() {
	exec 9>&-
	kill -9 "$child" "$pid" 2>/dev/null
	wait "$child" 2>/dev/null
}

# look STATUS COMMAND…: runs it with --format=json into $tmp/json.
look() {
	want=$1
	shift
	timeout -k 5 120 "$dlwatch" "$@" >"$tmp/json" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ]; then
		pass
	else
		fail "$what: status $status, not $want: $(cat "$tmp/err")"
	fi
}

# see FILTER [jq options]: what must be true of the document.
see() {
	filter=$1
	shift
	if jq -e "$@" "$filter" "$tmp/json" >/dev/null 2>&1; then
		pass
	else
		fail "$what: not $filter $*"
		jq -c '.findings[]?|[.kind,.message,.reason]' "$tmp/json" | head -n 5
		jq -c '.threads[]?|[.thread.name,.state,.waits,.for,.syscall,.note,[.holds[].lock]]' "$tmp/json" | head -n 8
		jq -c .locks "$tmp/json" | cut -c 1-400
	fi
}

can_trace() {
	start 1 "$programs/long_wait" mutex 1 || return 1
	"$dlwatch" attach "$pid" >"$tmp/text" 2>&1
	grep -q 'not allowed' "$tmp/text" && end && return 1
	end
	passed=0
}

# What is known of `long_wait KIND`: KIND waits object name mode holder threads-in-futex
waits='mutex lock mutex gate exclusive holder 2
recursive lock mutex gate exclusive holder 2
errorcheck lock mutex gate exclusive holder 2
adaptive lock mutex gate exclusive holder 2
robust lock mutex gate exclusive holder 2
pi lock mutex gate exclusive holder 2
timedlock lock mutex gate exclusive holder 2
mtx lock mutex plain exclusive holder 2
rdlock lock rwlock table shared holder 2
wrlock lock rwlock table exclusive holder 2
upgrade lock rwlock table exclusive - 2
semaphore semaphore semaphore slots - - 2
condition condition condition news - - 2
barrier barrier barrier meeting - - 2
destroy destroy condition news - - 3
once once once setup - holder 2
join join thread - - - 2
file file file - - holder 2
fputs file file - - holder 2'

# see_wait waits object name mode holder: of the thread named `waiter`; in a core, of the last with such a wait.
see_wait() {
	see '(.threads|map(select(.waits==$w and .for!=null and (.for as $l|$all[0].locks[$l].kind==$o)))) as $t
		| ($t|length)>0 and ($t[-1] | (.for as $l | .state=="blocked"
		and ($n=="-" or $all[0].locks[$l].name==$n)
		and ($m=="-" or .mode==$m)
		and (if $h=="-" then ([$all[0].threads[].holds[]|select(.lock==$l)]|length)==0
			else ([$all[0].threads[]|select(.holds|map(.lock)|index($l))]|length)==1 end)
		and (.stack|map(.function)|index("enter_and_leave")!=null)
		and ([.stack[]|select(.function=="enter_and_leave")][0]|.line>0 and (.file|endswith("long_wait.c")))))' \
		--arg w "$1" --arg o "$2" --arg n "$3" --arg m "$4" --arg h "$5" --slurpfile all "$tmp/json"
}
