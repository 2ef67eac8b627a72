#!/bin/sh
# core_journals.sh BUILD [PART…]: what a journal says of a process that did not end in order, and that the report
# tells how each ended.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
library=$build/libdlwatch.so

# watched N OPTIONS PROGRAM ARG…: sets $pid, with its journal in $tmp/journal.
watched() {
	rm -f "$tmp/journal"
	n=$1 options="report='$tmp/journal' log=none $2"
	shift 2
	start "$n" env LD_PRELOAD="$library" DLWATCH_OPTIONS="$options" "$@"
}
is_in_journal() { grep -q "\"type\":\"$1\"" "$tmp/journal"; }
ended() { see '.processes|length==1 and .[0].ended==$e' --arg e "$1"; }
# Before its input ends: it would end in order by itself.
kill_hard() {
	kill -9 "$pid"
	exec 9>&-
	wait "$child" 2>/dev/null
}

# A finding is on the file before the call that made it returns; so are edges of threads that have ended.
killed() {
	what='journal of a killed process'
	watched 1 '' "$programs/order" || return
	kill_hard
	look 66 report --format=json "$tmp/journal"
	ended killed
	see '.findings|length==1 and .[0].kind=="lock-order-inversion"'
	edges=$(grep -c '"type":"edge"' "$tmp/journal")
	if [ "$edges" -ge 2 ]; then pass; else fail "$what: $edges edges, not 2"; fi
	timeout 60 "$dlwatch" report "$tmp/journal" >"$tmp/text"
	if grep -q 'was killed' "$tmp/text"; then pass; else fail "$what: the text does not say so"; fi
}

# One that hung for good: the finding has everybody's waits.
hung() {
	what='journal of a killed deadlock'
	watched 2 '' "$programs/hang" abba || return
	until_true is_in_journal finding
	look 66 report --format=json "$tmp/journal"
	ended running
	kill_hard
	look 66 report --format=json "$tmp/journal"
	ended killed
	see '.findings[0]|.kind=="deadlock" and (.cycle|length)==2 and (.cycle|all((.wants.stack|length)>0 and (.holds.stack|length)>0))'
}

# One of which nothing is certain, since a signal could end it: how its threads stood.
stood() {
	what='journal of a killed wait'
	watched 3 stall_after=1 "$programs/hang" handled || return
	until_true is_in_journal waits
	kill_hard
	look 0 report --format=json "$tmp/journal"
	ended killed
	see '.findings==[] and (.threads|length==3 and all(.state=="blocked" and (.stack|length)>0))'
	see '.threads|map(.waits)|sort==["condition","semaphore","semaphore"]'
}

# The kernel's way of killing, where a memory group can be made (either kind of them).
make_group() {
	for group in /sys/fs/cgroup/memory /sys/fs/cgroup; do
		[ -f $group/cgroup.procs ] || continue
		group=$group/dlwatch-test-$$
		mkdir "$group" 2>/dev/null || continue
		for limit in memory.limit_in_bytes memory.max; do
			echo 32M >"$group/$limit" && return
		done 2>/dev/null
		rmdir "$group"
	done
	return 1
}
memory() {
	make_group || { echo "core_journals: no memory group can be made, part skipped" && return; }
	what='journal of a process out of memory'
	rm -f "$tmp/journal"
	timeout -k 5 60 sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$group" env LD_PRELOAD="$library" \
		DLWATCH_OPTIONS="report='$tmp/journal' log=none" "$programs/order" eat </dev/null >/dev/null 2>&1
	status=$?
	if [ $status = 137 ]; then pass; else fail "$what: status $status, it was not killed"; fi
	look 66 report --format=json "$tmp/journal"
	ended killed
	see '.findings|length==1'
	rmdir "$group"
}

# ended_as WAY STATUS-OF-PROGRAM OPTIONS ARG…
ended_as() {
	want=$1 status_wanted=$2 options=$3
	shift 3
	rm -f "$tmp/journal"
	env LD_PRELOAD="$library" DLWATCH_OPTIONS="report='$tmp/journal' log=none $options" timeout -s KILL 60 "$@" </dev/null >/dev/null 2>&1
	status=$?
	what="journal of one that ended by $want"
	if [ $status = "$status_wanted" ]; then pass; else fail "$what: status $status, not $status_wanted"; fi
	timeout 60 "$dlwatch" report --format=json "$tmp/journal" >"$tmp/json" 2>"$tmp/err"
	ended "$want"
}

ways() {
	ended_as exit 0 '' "$programs/order"
	see '.processes[0].edges>=2 and (.findings|length)==1'
	ended_as deadlock 66 on_deadlock=exit "$programs/hang" abba
	see '.findings[0].kind=="deadlock"'
	ended_as exec 0 '' "$programs/order" true
	see '.findings|length==1'
}

# A core is left, and tells the same as the journal.
aborted() {
	case $(cat /proc/sys/kernel/core_pattern) in
	'|'* | /*) echo "core_journals: the kernel's cores go elsewhere, part skipped" && return ;;
	esac
	# shellcheck disable=SC3045 # dash and bash have it
	(cd "$tmp" && ulimit -c unlimited && ended_as abort 134 on_deadlock=abort "$programs/hang" abba && see '.findings|length==1')
	what='core of on_deadlock=abort'
	set -- "$tmp"/core*
	[ -f "$1" ] || { echo "core_journals: no core was left, skipped" && return; }
	look 66 core --format=json "$1"
	see '.findings|length==1 and (.[0]|.kind=="deadlock" and .count==1 and (.cycle|length)==2)'
	see '.findings[0].cycle|all((.holds.stack|map(.file//"")|any(endswith("hang.c"))) and (.wants.stack|map(.file//"")|any(endswith("hang.c"))))'
	see '.processes|length==1 and .[0].ended=="abort"'
}

[ $# -gt 0 ] || set -- killed hung stood memory ways aborted
for part; do $part; done
finish core_journals
