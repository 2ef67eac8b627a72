#!/bin/sh
# attach_across.sh BUILD [PART…]: locks that processes share. Who holds them is told of living and of
# ended processes; what another process may still end is no certain finding.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_across: not allowed to trace here, skipped" && exit 0; }

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
	pid=$(pgrep -P "$child" | head -n 1)
	until_true are_waiting 1
	look 66 attach --format=json "$pid"
	see '.findings[0]|.certainty=="possible" and (.reason|test("other pid namespaces"))'
	end
	what='attach lives in another pid namespace'
	start 0 unshare --pid --fork --kill-child "$programs/across" lives || return
	pid=$(pgrep -P "$child" | head -n 1)
	until_true are_waiting 1
	look 0 attach --format=json "$pid"
	see '.findings==[] and (.threads[0].note|test("^held by thread [0-9]+ of process [0-9]+$"))'
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

[ $# -gt 0 ] || set -- died died_awake lives numbers apart hidden
for part; do $part; done
finish attach_across
