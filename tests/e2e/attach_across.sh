#!/bin/sh
# attach_across.sh BUILD [PART…]: locks that processes share. Who holds them is told of living and of
# ended processes; what another process may still end is no certain finding.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_across: not allowed to trace here, skipped" && exit 0; }

# A bare system has no pgrep.
children() { cat /proc/"$1"/task/*/children 2>/dev/null | tr ' ' '\n' | sed '/^$/d'; }

died() {
	what='attach died'
	start 1 "$programs/across" died || return
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and (.cycle|length)==1)'
	see '.findings[0].reason|test("^its holder, process or thread [0-9]+, has ended$")'
	see '.findings[0].message|test("for ever: its holder has ended$")'
	see '.threads[0].note|test("held by process or thread [0-9]+, which has ended")'
	look 66 attach "$pid"
	if grep -q PTHREAD_MUTEX_ROBUST "$tmp/json" && grep -q 'Certain: ' "$tmp/json"; then
		pass
	else
		fail "$what: $(cat "$tmp/json")"
	fi
	end
}

# The same wait, but one that has the memory is awake; and it does let go.
died_awake() {
	what='attach died, awake'
	start 1 "$programs/across" died-awake || return
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="possible")'
	see '.findings[0].reason|test("has ended; but process [0-9]+ has this memory as well, is awake")'
	let_go "$what"
}

lives() {
	what='attach lives'
	start 1 "$programs/across" lives || return
	look 0 attach --format=json "$pid"
	see '.findings==[] and (.threads[0].note|test("^held by thread [0-9]+ of process [0-9]+$"))'
	let_go "$what"
	what='robust'
	start 0 "$programs/across" died-robust && let_go "$what"
}

# A thread that lives has the number again: in a new pid namespace any number can be had. It has not
# the memory, so it is no holder.
numbers() {
	what='attach number in use'
	unshare --pid --fork --mount-proc true 2>/dev/null || return
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in"
	# shellcheck disable=SC2016
	unshare --pid --fork --mount-proc sh -c '"$1/across" died <"$2/in" >"$2/out" & exec 9>"$2/in"
		for _ in $(seq 600); do
			grep -q ready "$2/out" && grep -q "^[0-9]" /proc/$!/syscall && break
			sleep 0.05
		done
		"$3" attach --format=json $! >"$2/before"
		tid=$(sed "s/.*thread \([0-9]*\), has ended.*/\1/;t;d" "$2/before" | head -n 1)
		echo $((tid - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 60 &
		[ $! = "$tid" ] && echo same >"$2/same"
		"$3" attach --format=json $(sed -n "s/^ready //p" "$2/out") >"$2/json" 2>"$2/err"
		kill -9 $(sed -n "s/^ready //p" "$2/out") $!' sh "$programs" "$tmp" "$dlwatch"
	[ -e "$tmp/same" ] || { echo "attach_across: number not had again" && return; }
	see '.findings[0]|.certainty=="possible" and (.reason|test("the number is in use again"))'
}

# From outside of its pid namespace its numbers tell nothing.
apart() {
	what='attach from another pid namespace'
	unshare --pid --fork --mount-proc true 2>/dev/null || return
	start 0 unshare --pid --fork --kill-child "$programs/across" died || return
	pid=$(children "$child" | head -n 1)
	until_true are_waiting 1
	look 66 attach --format=json "$pid"
	see '.findings[0]|.certainty=="possible" and (.reason|test("other pid namespaces"))'
	end
	what='attach lives in another pid namespace'
	start 0 unshare --pid --fork --kill-child "$programs/across" lives || return
	pid=$(children "$child" | head -n 1)
	until_true are_waiting 1
	look 0 attach --format=json "$pid"
	see '.findings==[] and (.threads[0].note|test("^held by thread [0-9]+ of process [0-9]+$"))'
	end
}

# The holder lives, but who looks may not look into it.
closed() {
	what='attach lives-closed'
	setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null || return
	start 1 "$programs/across" lives-closed || return
	setpriv --reuid=65534 --regid=65534 --clear-groups "$dlwatch" attach --format=json "$pid" \
		>"$tmp/json" 2>"$tmp/err"
	if grep -q 'not allowed' "$tmp/err"; then pass; else
		see '.findings==[] and (.threads[0].note|test("^held by thread [0-9]+ of another process; none that can be looked into has"))'
	fi
	let_go "$what"
}

# Two processes that number their threads differently: the same number may be two threads.
numbers_differ() {
	what='attach abba-apart'
	unshare --pid --fork true 2>/dev/null || return
	start 1 "$programs/across" abba-apart || return
	until_true all_wait "$pid"
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0]|.certainty=="possible" and (.cycle|length)==2)'
	see '.findings[0].reason|test("in different pid namespaces")'
	end
}

# With hidepid living processes look as if they were not there.
hidden() {
	what='attach with hidepid'
	# shellcheck disable=SC2016
	unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc &&
		exec setpriv --reuid=65534 --regid=65534 --clear-groups test ! -e /proc/1' 2>/dev/null || return
	chmod 755 "$tmp"
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in" && chmod 666 "$tmp/in"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$programs/across" died <"$tmp/in" >"$tmp/out" &
	child=$!
	exec 9>"$tmp/in"
	until_true is_ready || { fail "$what: not ready" && return; }
	pid=$(sed -n 's/^ready //p' "$tmp/out")
	until_true are_waiting 1
	unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc &&
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh "$dlwatch" attach --format=json "$pid" \
		>"$tmp/json" 2>"$tmp/err"
	if grep -q 'not allowed' "$tmp/err"; then pass; else
		see '.findings[0]|.certainty=="possible" and (.reason|test("does not show the processes of other users"))'
	fi
	end
}

# start_blocked N PROGRAM ARG…: as start, but N of its threads are in calls that a file's lock ends.
start_blocked() {
	blocked=$1
	shift
	start 0 "$@" || return
	until_true are_in_file_calls "$blocked" || { fail "$*: not in position" && return 1; }
}
are_in_file_calls() { [ "$(cat /proc/"$pid"/task/*/syscall | grep -c "^\($flock\|$fcntl\) ")" -ge "$1" ]; }
case $(uname -m) in x86_64) flock=73 fcntl=72 ;; *) flock=32 fcntl=25 ;; esac

# WAY threads-in-file-calls cycle
files='flock-twice 1 1
ofd-twice 1 1
flock-pool 3 1
flock-mutex 1 2
flock-abba 1 2
flock-posix 1 2'

# A file's lock is of whoever has it open: none of them is left to let it go.
files() {
	echo "$files" >"$tmp/files"
	while read -r way n length <&3; do
		what="attach $way"
		start_blocked "$n" "$programs/across" "$way" || continue
		until_true are_waiting_too "$way"
		look 66 attach --format=json "$pid"
		see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and .severity=="error")'
		see '.findings[0].cycle|length==$n' --argjson n "$length"
		see '.findings[0].cycle as $c|[range($c|length)]|all($c[.].wants.lock==$c[(.+1)%($c|length)].holds.lock)'
		see '.findings[0].locks|any(.kind=="file" and (.name|startswith("/tmp/across-")))'
		see '.threads|any(.waits=="file" and (.for!=null))'
		see '.findings[0].cycle|all(.wants.stack|map(.file//"")|any(endswith("across.c")))'
		case $way in
		flock-abba | flock-posix)
			see '.findings[0]|.cycle|map(.process.pid//empty)|length==1 and .[0]!=$pid' --argjson pid "$pid"
			see '.processes|length==2'
			;;
		*) see '.findings[0].cycle|all(.process==null)' ;;
		esac
		end
	done 3<"$tmp/files"
	what='attach flock-twice in words'
	start_blocked 1 "$programs/across" flock-twice || return
	look 66 attach --format=json "$pid"
	see '.findings[0].message|test("^main waits for the lock of /tmp/across-[^ ]*, which its own process has$")'
	see '.threads[0].note|test("^this process itself has the lock \\(descriptor [0-9]+\\)$")'
	end
}
# The other side of the circle is in its call as well.
are_waiting_too() {
	case $1 in
	flock-mutex) are_waiting 2 ;; # the gate, and main's join
	flock-pool) are_waiting 1 ;;
	flock-abba | flock-posix) grep -q "^\($flock\|$fcntl\) " /proc/"$(children "$child" | head -n 1)"/syscall ;;
	esac
}

# Somebody is awake that can let it go; and does.
files_quiet() {
	for way in flock-thread flock-held flock-child ofd-apart; do
		what="attach $way"
		start_blocked 1 "$programs/across" $way || continue
		look 0 attach --format=json "$pid"
		see '.findings==[] and (.threads|any(.waits=="file" and (.note|test("the lock|held by process"))))'
		let_go "$what"
	done
	what='flock inherited'
	start 0 "$programs/across" flock-inherited && let_go "$what"
	what='attach flock-handler'
	start_blocked 1 "$programs/across" flock-handler || return
	look 66 attach --format=json "$pid"
	see '.findings[0]|.certainty=="possible" and (.reason|test("a signal handler could interrupt the wait \\(SIGUSR1\\)"))'
	end
}

# WAY processes
circles='abba 2
rwlocks 2
abba-threads 2
ring 3'

# Two or three processes wait for each other: seen from each of them.
circles() {
	echo "$circles" >"$tmp/circles"
	while read -r way n <&3; do
		start 1 "$programs/across" "$way" || continue
		first=$pid
		other=$(children "$first" | head -n 1)
		for pid in $first $other; do
			what="attach $way ($pid of $first)"
			until_true are_waiting 1
			until_true all_wait "$first"
			look 66 attach --format=json "$pid"
			see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain")'
			see '.findings[0]|(.cycle|length)==$n and (.locks|length)==$n and .process.pid==$pid' \
				--argjson n "$n" --argjson pid "$pid"
			see '.findings[0].cycle as $c|[range($n)]|all($c[.].wants.lock==$c[(.+1)%$n].holds.lock)' --argjson n "$n"
			see '.findings[0].cycle|map(.process.pid//empty)|unique|length==$n-1 and (index($pid)|not)' \
				--argjson n "$n" --argjson pid "$pid"
			see '.findings[0].cycle|all(.wants.stack|map(.function)|index("cross"))'
			see '.processes|length==$n' --argjson n "$n"
		done
		pid=$first
		# shellcheck disable=SC2046
		kill -9 $(children "$first") 2>/dev/null
		end
	done 3<"$tmp/circles"
	what='attach abba in words'
	start 1 "$programs/across" abba || return
	until_true all_wait "$pid"
	look 66 attach "$pid"
	tr -s ' \n' ' ' <"$tmp/json" >"$tmp/words"
	if grep -q "of process [0-9]*, [^ ]*/across The circle: " "$tmp/words"; then
		pass
	else
		fail "$what: $(cat "$tmp/json")"
	fi
	# What lies in memory that the processes share is no part of the file mapped before it.
	if grep -q 'waits for the mutex at' "$tmp/words"; then fail "$what: named by a file"; else pass; fi
	end
}
all_wait() {
	for one in $1 $(children "$1") $(for child_of in $(children "$1"); do children "$child_of"; done); do
		grep -q "^$futex " /proc/"$one"/syscall || return
	done
}

# run looks for them while it runs, long before a stall would be looked for; and ends all of a circle.
# on_run STATUS WAY [PROGRAM]: what is left of it is in $tmp/json; `lets go` a while after it is ready.
on_run() {
	what="run ${3:-across} $2"
	rm -f "$tmp/in"
	mkfifo "$tmp/in"
	timeout -k 5 120 "$dlwatch" run --log="$tmp/log" --output=json:"$tmp/json" --stall_after=3600 -- \
		"$programs/${3:-across}" "$2" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
	child=$!
	running="$running $child"
	exec 9>"$tmp/in"
	until_true is_ready || fail "$what: not ready"
	# long enough for looks to come; what is quiet is so however long it takes
	[ "$1" = 66 ] || sleep 2
	[ "$1" = 66 ] || exec 9>&-
	wait "$child"
	status=$?
	exec 9>&-
	if [ $status = "$1" ]; then pass; else fail "$what: status $status, not $1: $(cat "$tmp/err")"; fi
}

# Parent and child: in wait4 (of either processor), and in a futex.
both_wait() {
	grep -q '^\(61\|260\) ' /proc/"$1"/syscall && grep -q "^$futex " /proc/"$(children "$1" | head -n 1)"/syscall
}

# Under the library, which says nothing itself.
watched_start() {
	n=$1
	shift
	start "$n" env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS=log=none "$@"
}

end_family() {
	# shellcheck disable=SC2046
	kill -9 $(children "$1") 2>/dev/null
	end
}

# A lock names no reader: the records of the processes do, where all that have it keep some.
readers() {
	for way in readers readers-both; do
		watched_start 1 "$programs/across" $way || continue
		first=$pid
		for pid in $first $(children "$first"); do
			what="attach $way ($pid of $first)"
			until_true all_wait "$first"
			look 66 attach --format=json "$pid"
			see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and (.cycle|length)==2)'
			see '.findings[0].cycle as $c|[range(2)]|all($c[.].wants.lock==$c[(.+1)%2].holds.lock)'
			see '.findings[0].cycle|any(.holds.mode=="shared" and (.holds.stack|map(.function)|index("read_across")))'
			see '.processes|length==2'
		done
		pid=$first
		end_family "$first"
	done
	what='attach readers without the library'
	start 1 "$programs/across" readers || return
	until_true all_wait "$pid"
	look 0 attach --format=json "$pid"
	see '.findings==[]'
	end_family "$pid"
}

# A process without records has the lock as well: nobody can say that it reads it not.
readers_unwatched() {
	what='attach readers-unwatched'
	watched_start 1 "$programs/across" readers-unwatched || return
	until_true two_wait "$pid"
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="possible")'
	see '.findings[0].reason|test("process [0-9]+ has the lock in its memory as well and keeps no records")'
	end_family "$pid"
}
two_wait() {
	[ "$(for one in $1 $(children "$1"); do cat /proc/"$one"/syscall; done | grep -c "^$futex ")" = 2 ]
}

readers_quiet() {
	for way in readers-leave readers-forked; do
		watched_start 0 "$programs/across" $way || continue
		first=$pid
		until_true all_wait "$(children "$first")"
		[ $way = readers-forked ] || until_true are_waiting 1
		for pid in $first $(children "$first"); do
			what="attach $way ($pid of $first)"
			look 0 attach --format=json "$pid"
			see '.findings==[]'
		done
		let_go "$what"
	done
	what='attach readers-timed'
	watched_start 1 "$programs/across" readers-timed || return
	until_true all_wait "$pid"
	look 0 attach --format=json "$pid"
	see '.findings==[]'
	end_family "$pid"
}

# Who took a semaphore is told by the records of all processes that have it. Seen from both.
semaphores() {
	for way in memory named mixed threads many; do
		watched_start 1 "$programs/semaphores" $way || continue
		first=$pid
		for pid in $first $(children "$first"); do
			what="attach semaphores $way ($pid of $first)"
			until_true all_wait "$first"
			look 66 attach --format=json "$pid"
			see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and (.cycle|length)==2)'
			see '.findings[0].cycle as $c|[range(2)]|all($c[.].wants.lock==$c[(.+1)%2].holds.lock)'
			see '.findings[0]|[.locks[].kind]|unique==$k' \
				--argjson k "$([ $way = mixed ] && echo '["mutex","semaphore"]' || echo '["semaphore"]')"
			see '.findings[0].cycle|any(.holds.stack|map(.function)|index("cross_semaphores"))'
			see '.findings[0].cycle|map(.process.pid//empty)|length==1 and (index($pid)|not)' --argjson pid "$pid"
			see '.threads|any(.note|test("^(taken|held) by thread [0-9]+ of process [0-9]+$"))'
		done
		pid=$first
		end_family "$first"
	done
}

# all_asleep WAY STATUS FILTER: what is found in such processes once all of them wait.
all_asleep() {
	watched_start 1 "$programs/semaphores" "$1" || return
	what="attach semaphores $1"
	until_true all_wait "$pid"
	look "$2" attach --format=json "$pid"
	see "$3"
	end_family "$pid"
}

# One that a thread has taken itself: a lock, if it was given back before, else an event.
semaphores_again() {
	all_asleep again 66 '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and (.cycle|length)==1)'
	all_asleep event 0 '.findings==[]'
}

# Nobody saw them made, or one that has them keeps no records: they may be no locks.
semaphores_doubtful() {
	doubtful='.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="possible" and (.reason|test'
	all_asleep unmade 66 "$doubtful"'("saw the semaphore made")))'
	all_asleep unwatched 66 "$doubtful"'("process [0-9]+ has the semaphore .* keeps no records")))'
}

# Somebody is awake that can post them, or they are no locks, or the wait ends by itself.
semaphores_quiet() {
	for way in awake signals; do
		watched_start 1 "$programs/semaphores" $way || continue
		first=$pid
		for pid in $first $(children "$first"); do
			what="attach semaphores $way ($pid of $first)"
			until_true two_wait "$first"
			look 0 attach --format=json "$pid"
			see '.findings==[]'
		done
		let_go "$what"
	done
	for way in used timed; do all_asleep $way 0 '.findings==[]'; done
	what='attach semaphores without the library'
	start 1 "$programs/semaphores" memory || return
	until_true all_wait "$pid"
	look 0 attach --format=json "$pid"
	see '.findings==[]'
	end_family "$pid"
}

# A process waits for a child that wants what it holds: seen from both.
waits_for_child() {
	start 0 "$programs/across" child || return
	first=$pid
	for pid in $first $(children "$first"); do
		what="attach child ($pid of $first)"
		until_true both_wait "$first"
		look 66 attach --format=json "$pid"
		see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and ([.locks[].kind]|sort==["mutex","thread"]))'
		see '.findings[0].cycle as $c|$c|length==2 and all($c[]; any(.wants.stack[].function; . != null))'
	done
	pid=$first
	# shellcheck disable=SC2046
	kill -9 $(children "$first") 2>/dev/null
	end
	what='attach child-handler'
	start 0 "$programs/across" child-handler || return
	until_true both_wait "$pid"
	look 66 attach --format=json "$pid"
	see '.findings[0]|.kind=="deadlock" and .certainty=="possible" and (.reason|test("SIGCHLD"))'
	# shellcheck disable=SC2046
	kill -9 $(children "$pid") 2>/dev/null
	end
}

on_runs() {
	for way in abba ring died flock-twice flock-abba flock-mutex child child-any readers readers-both; do
		on_run 66 $way
		see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and .count==1)'
	done
	for way in memory named mixed children; do
		on_run 66 $way semaphores
		see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and .count==1)'
	done
	for way in awake signals; do
		on_run 0 $way semaphores
		see '.findings==[]'
		if [ "$(tail -n 1 "$tmp/out")" = "done" ]; then pass; else fail "$what: not done"; fi
	done
	for way in died-awake lives flock-thread flock-held child-held readers-leave readers-forked; do
		on_run 0 $way
		see '.findings==[]'
		if [ "$(tail -n 1 "$tmp/out")" = "done" ]; then pass; else fail "$what: not done"; fi
	done
}

[ $# -gt 0 ] || set -- died died_awake lives closed numbers numbers_differ apart hidden files files_quiet circles readers readers_unwatched readers_quiet semaphores semaphores_again semaphores_doubtful semaphores_quiet waits_for_child on_runs
for part; do $part; done
finish attach_across
