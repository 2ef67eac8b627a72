#!/bin/sh
# attach_preloaded.sh BUILD [PART…]: processes that run under the library, live and as cores: what only its
# own records tell. Each part has what the same program looks like without the library as its twin.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_preloaded: not allowed to trace here, skipped" && exit 0; }
library=$build/libdlwatch.so
cores=no
if command -v gcore >/dev/null; then cores=yes; else echo "attach_preloaded: no gcore, cores skipped"; fi

# Under the library, which says nothing itself.
watched_start() {
	n=$1
	shift
	start "$n" env LD_PRELOAD="$library" DLWATCH_OPTIONS=log=none "$@"
}

# look_both STATUS: the live process first, then its core; see_both FILTER must hold for each document.
look_both() {
	look "$1" attach --format=json "$pid"
	mv "$tmp/json" "$tmp/live.json"
	rm -f "$tmp"/core.*
	[ $cores = yes ] || return
	gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
	look "$1" core --format=json "$tmp/core.$pid"
	mv "$tmp/json" "$tmp/core.json"
}
see_both() {
	name=$what
	for kind in live core; do
		[ -f "$tmp/$kind.json" ] || continue
		what="$name, $kind" && cp "$tmp/$kind.json" "$tmp/json" && see "$@"
	done
	what=$name
}

# A reader is named, with the line where it took the lock.
reader() {
	what='preloaded reader'
	watched_start 3 "$programs/long_wait" upgrade 2 || return
	look_both 0
	see_both '.threads|map(select(.thread.name=="holder"))|.[0].holds|length==1 and (.[0]|.mode=="shared"
		and (.stack|map(.function)|.[0]=="read_table" and .[1]=="hold") and (.stack[0].file|endswith("long_wait.c")))'
	see_both '.threads|map(select(.waits=="lock"))|length==2 and all(.note|test("^held by holder"))'
	see_both '.verdict=="long-wait" and .findings==[]'
	let_go "$what"
	what='reader without the library'
	start 3 "$programs/long_wait" upgrade 2 || return
	look 0 attach --format=json "$pid"
	see '[.threads[].holds[]]==[] and .verdict!="long-wait"'
	let_go "$what"
}

# Circles over what the C library does not record.
circles() {
	for way in readers spin; do
		what="preloaded $way"
		watched_start 0 "$programs/hang" $way || continue
		[ $way = spin ] || until_true are_waiting 2
		[ $way != spin ] || until_true are_running 2
		look 66 attach --format=json "$pid"
		see '.findings|length==1 and (.[0]|.kind=="deadlock" and .count==1 and (.cycle|length)==2)'
		see '.findings[0].cycle|all(.holds.stack|map(.file//"")|any(endswith("hang.c")))'
		see '.threads|map(select(.thread.name|startswith("worker")))|all((.holds|length)==1 and (.timed|not))'
		see '.processes|length==1'
		end
	done
	what='readers without the library'
	start 2 "$programs/hang" readers || return
	look 0 attach --format=json "$pid"
	see '.findings==[]'
	end
}

# One that was found by the library is listed once, as one process's.
deadlock() {
	what='preloaded abba'
	watched_start 2 "$programs/hang" abba || return
	look_both 66
	see_both '.findings|map(select(.kind=="deadlock"))|length==1 and .[0].count==1'
	see_both '.processes|length==1'
	see_both '.findings[0].cycle|all((.holds.stack|map(.line)|.[0]>0) and (.wants.stack|length)>0)'
	see_both '.verdict=="deadlock"'
	see_both '[.findings[0].cycle[].thread.tid]-[.threads[].thread.tid]==[]'
	end
}

pool() {
	what='preloaded pool'
	watched_start 2 "$programs/hang" pool || return
	look_both 0
	see_both '.threads|map(select(.waits=="semaphore"))|length==2 and all(.note|.=="its units are held by worker-0, worker-1" or .=="its units are held by worker-1, worker-0")'
	see_both '.threads|map(select(.waits=="semaphore"))|all(.holds[0].stack[0].function=="take_two")'
	end
}

# A semaphore that another thread posted since is held by nobody.
posted() {
	what='preloaded posted'
	watched_start 1 "$programs/hang" posted || return
	look_both 0
	see_both '([.threads[].holds[]]|length)==0 and ([.locks[].address]|index("0x1")==null)'
	end
}

# What could hang some day, and where a helper took what is held now.
order() {
	what='preloaded order'
	watched_start 1 "$programs/order" || return
	look_both 66
	see_both '.findings|length==1 and (.[0]|.kind=="lock-order-inversion" and (.cycle|length)==2)'
	see_both '.verdict=="nothing"'
	see_both '.threads|map(select(.thread.name=="keeper"))|.[0].holds[0].stack|map(.function)|.[0:2]==["open_ledger","keep"]'
	let_go "$what"
	what='order without the library'
	start 1 "$programs/order" || return
	look 0 attach --format=json "$pid"
	see '.findings==[]'
	let_go "$what"
}

# A library without symbols, and one that keeps its records another way.
other_library() {
	cp "$library" "$tmp/libdlwatch.so"
	strip "$tmp/libdlwatch.so" 2>/dev/null || { echo "attach_preloaded: no strip, part skipped" && return; }
	what='stripped library'
	start 1 env LD_PRELOAD="$tmp/libdlwatch.so" DLWATCH_OPTIONS=log=none "$programs/order" || return
	look 66 attach --format=json "$pid"
	see '.findings|length==1'
	let_go "$what"
	what='library of another version'
	sed 's/dlwrecs\x00./dlwrecs\x00\x63/' "$library" >"$tmp/libdlwatch.so"
	start 1 env LD_PRELOAD="$tmp/libdlwatch.so" DLWATCH_OPTIONS=log=none "$programs/order" || return
	look 2 attach --format=json "$pid"
	if grep -q 'records of version 99' "$tmp/err"; then pass; else fail "$what: says $(cat "$tmp/err")"; fi
	see '.findings==[] and (.threads|length)==2'
	let_go "$what"
}

# In a pid namespace the numbers in the records are not those that we see.
elsewhere() {
	what='preloaded in a container'
	unshare -pf true 2>/dev/null || { echo "attach_preloaded: no pid namespace, part skipped" && return; }
	start 0 unshare -pf --kill-child env LD_PRELOAD="$library" DLWATCH_OPTIONS=log=none "$programs/hang" readers || return
	pid=$(tr -d ' ' </proc/"$child"/task/"$child"/children)
	until_true are_waiting 2
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0].cycle|length)==2'
	see '[.findings[0].cycle[].thread.tid]-[.threads[].thread.tid]==[]'
	end
}

[ $# -gt 0 ] || set -- reader circles deadlock pool posted order other_library elsewhere
for part; do $part; done
finish attach_preloaded
