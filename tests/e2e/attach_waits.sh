#!/bin/sh
# attach_waits.sh BUILD [PART…]: every kind of wait, natively, seen from outside and then let go.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_waits: not allowed to trace here, skipped" && exit 0; }

kinds() {
	echo "$waits" >"$tmp/waits"
	while read -r kind wait object name mode holder n <&3; do
		what="attach $kind"
		start "$n" "$programs/long_wait" "$kind" 1 || continue
		look 0 attach --format=json "$pid"
		see_wait "$wait" "$object" "$name" "$mode" "$holder"
		see '.threads|map(select(.thread.name=="holder"))|.[0]|.waits=="syscall" and .syscall=="read"'
		[ "$kind" != condition ] || see '.threads[-1].note=="with gate"'
		[ "$kind" != barrier ] || see '.threads[-1].note=="1 of 2 threads have come"'
		see '.findings==[] and .processes[0].ended=="running"'
		let_go "$what"
	done 3<"$tmp/waits"
}

# A spinning thread is in no call: what it runs in tells.
spin() {
	what='attach spin'
	start 1 "$programs/long_wait" spin 1 || return
	until_true are_running 1
	for _ in 1 2 3 4 5; do # on a busy machine it may be off the processor in both samples
		timeout 60 "$dlwatch" attach --format=json "$pid" >"$tmp/json"
		jq -e '.threads[]|select(.waits=="spin")' "$tmp/json" >/dev/null && break
	done
	see '.threads|map(select(.waits=="spin"))|length==1'
	see '(.threads|map(select(.waits=="spin"))|.[0].for) as $l|.locks[$l]|.kind=="spin" and .name=="spin"'
	let_go "$what"
}

timed() {
	what='attach timedlock'
	start 2 "$programs/long_wait" timedlock 1 || return
	look 0 attach --format=json "$pid"
	see '.threads|map(select(.thread.name=="waiter"))|.[0].timed==true'
	# Once interrupted, the kernel restarts it as another call: it must be recognised again.
	look 0 attach --format=json "$pid"
	see '.threads|map(select(.thread.name=="waiter"))|.[0]|.timed==true and .waits=="lock"'
	let_go "$what"
}

static_guard() {
	what='attach guard'
	start 1 "$programs/guard" || return
	look 0 attach --format=json "$pid"
	see '.threads|map(select(.waits=="guard"))|length==1'
	let_go "$what"
}

own_futex() {
	what='attach raw'
	start 1 "$programs/raw" || return
	look 0 attach --format=json "$pid"
	see '.threads|map(select(.syscall=="futex"))|length==1 and (.[0].note|test("no holder"))'
	let_go "$what"
}

# What the names of a library's functions tell. Whose locks can't be watched is said once.
libraries() {
	what='attach library future'
	start 1 "$programs/library" future || return
	look 0 attach --format=json "$pid"
	see '.threads|map(select(.waits=="futex" and .for!=null))|length==1'
	see '(.locks[]|select(.kind=="futex").name)=="a std::future"'
	look 0 attach "$pid"
	if grep -q 'waits on a std::future' "$tmp/json" && ! grep -q 'no holder' "$tmp/json"; then
		pass
	else
		fail "$what: $(cat "$tmp/json")"
	fi
	let_go "$what"
	for way in qt qt-abba; do
		for preload in '' "$build/libdlwatch.so"; do
			what="attach library $way ${preload##*/}"
			start 1 env LD_PRELOAD="$preload" DLWATCH_OPTIONS=log=none:stall_after=3600 \
				"$programs/library" $way || continue
			[ $way = qt ] || until_true are_waiting 3
			look "$([ $way = qt ] && echo 0 || echo 66)" attach "$pid"
			if [ "$(tr -s ' \n' ' ' <"$tmp/json" | grep -o 'ocks of Qt are futexes that name no holder' | wc -l)" = 1 ] &&
				grep -q 'a QMutex' "$tmp/json"; then pass; else fail "$what: $(cat "$tmp/json")"; fi
			if [ $way = qt ]; then let_go "$what"; else end; fi
		done
	done
}

# What a thread holds is told by who waits for it: so a stall names its half circle without records.
half_circle() {
	what='attach library half'
	start 2 "$programs/library" half || return
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0]|.kind=="stall" and .certainty=="certain")'
	see '.findings[0].message|test("auditor waits for ledger, which main holds while it waits on a std::future")'
	see '.findings[0].threads|map(select(.waits=="futex"))|.[0].holds|length==1'
	end
}

# Without names of the library's inner functions the arguments, the call and the object have to do. The
# debug files are hidden from both, since the program's own root is looked at as well.
hidden() { unshare -m sh -c '[ ! -d /usr/lib/debug ] || mount -t tmpfs none /usr/lib/debug; exec "$@"' - "$@"; }
no_debug_files() {
	hidden true 2>/dev/null || { echo "attach_waits: no mount namespace, part skipped" && return; }
	echo "$waits" >"$tmp/waits"
	while read -r kind wait object name mode holder n <&3; do
		what="attach $kind without debug files"
		start "$n" hidden "$programs/long_wait" "$kind" 1 || continue
		hidden timeout 60 "$dlwatch" attach --format=json "$pid" >"$tmp/json" 2>"$tmp/err"
		see_wait "$wait" "$object" "$name" "$mode" "$holder"
		see '[.threads[].stack[]|select(.module|test("libc"))|.file//empty]==[]'
		let_go "$what"
	done 3<"$tmp/waits"
}

[ $# -gt 0 ] || set -- kinds spin timed static_guard own_futex libraries half_circle no_debug_files
for part; do $part; done
finish attach_waits
