#!/bin/sh
# attach_inside.sh BUILD [PART…]: waits inside a call of the C library have a name.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_inside: not allowed to trace here, skipped" && exit 0; }

# WAY threads-in-futex what the report says of the frame
calls='fork 1 fork handlers
exit 1 exit handlers
tsd 2 the thread has ended: destructors of its thread-specific data
tsd-only 2 the thread has ended: destructors of its thread-specific data'

# What the C library calls by itself is no call of the program: who called it, and why, is said. None of
# these hangs.
called() {
	echo "$calls" >"$tmp/calls"
	while read -r way n words <&3; do
		what="attach $way"
		start "$n" "$programs/inside" "$way" || continue
		look 0 attach "$pid"
		if grep -q 'waits for the lock gate' "$tmp/json"; then pass; else fail "$what: no gate"; fi
		# Only a library with its symbols tells the name of a function that it does not export.
		if grep -q "($words)" "$tmp/json" || ! has_symbols; then pass; else fail "$what: $(cat "$tmp/json")"; fi
		let_go "$what"
	done 3<"$tmp/calls"
	what='a return from main is no destructor'
	start 2 "$programs/long_wait" mutex 1 || return
	look 0 attach "$pid"
	if grep -q 'destructors\|handlers)' "$tmp/json"; then fail "$what: $(cat "$tmp/json")"; else pass; fi
	let_go "$what"
}
has_symbols() {
	look 0 attach --format=json "$pid"
	jq -e '[.threads[].stack[]|select(.module//""|test("/libc[.-]"))|.function]|all(. != null)' "$tmp/json" >/dev/null
}

own_lock() {
	what='attach malloc'
	start 1 "$programs/inside" malloc || return
	look 0 attach --format=json "$pid"
	see '.findings==[] and (.threads|any(.note//""|test("^inside the C library, in .*(alloc|free|arena).*; its own lock names no holder$|malloc, for one")))'
	let_go "$what"
}

# Its holder lives, but not here.
child() {
	what='attach child'
	start 0 "$programs/inside" child || return
	until_true are_waiting 1
	look 66 attach --format=json "$pid"
	see '.findings[0]|.kind=="deadlock" and .certainty=="certain" and (.reason|test("no longer exists: it stayed in the parent, process [0-9]+,"))'
	see '.findings[0].message|test("its holder stayed in the parent when this process was forked$")'
	end
}

[ $# -gt 0 ] || set -- called own_lock child
for part; do $part; done
finish attach_inside
