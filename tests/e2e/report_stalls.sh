#!/bin/sh
# report_stalls.sh BUILD: what would have ended the waits of a stall: signals of a condition, those
# that come to a barrier.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
cd "$here/data" || exit 1
# stall WAY: found by the process itself, since run may see it from outside before; into $tmp/text, and
# as JSON into $tmp/json.
stall() {
	way=$1
	rm -f "$tmp/journal"
	LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/journal' stall_after=1 on_deadlock=exit log=none" \
		timeout 60 "$tmp/stalls" "$way"
	status=$?
	if [ $status = 66 ]; then ok; else fail "$way: status $status"; fi
	"$dlwatch" report "$tmp/journal" | tr -s '\n ' ' ' >"$tmp/text"
	"$dlwatch" report --format=json "$tmp/journal" >"$tmp/json"
}
says() { if grep -q -e "$1" "$tmp/text"; then ok; else fail "$way: no '$1' in $(head -c 1500 "$tmp/text")"; fi; }
is() {
	got=$(jq -c "$1" "$tmp/json" 2>&1)
	if [ "$got" = "$2" ]; then ok; else fail "$way: $1 is $got, not $2"; fi
}
told='[.findings[0].threads[]|select(.waits=="condition").signalled|[.count,.before,.thread.name//.thread.id,.stack[0].function]]|unique'

cc -g -O0 -pthread -D_GNU_SOURCE stalls.c -o "$tmp/stalls" || exit 1
stall never
says '(it was never signalled)'
says 'Nobody has signalled L1: see which line should'
is "$told" '[[0,null,null,null]]'
stall before
says '(the condition was signalled 2 times, last by main in announce (stalls.c:37), before this wait began)'
says 'The signal in announce (stalls.c:37) came before the wait in wait_for_it (stalls.c:'
says 'one that nobody waits for is lost'
is "$told|.[0][0:2]" '[2,true]'
stall after
says '(the condition was signalled once by main in announce (stalls.c:37), after this wait began)'
says 'A signal wakes one of those who wait: where all are to go on, announce (stalls.c:37) must wake all'
is "$told|.[0][0:2]" '[1,false]'
stall heap
says '(the condition was signalled at this address 2 times, last by main'
stall barrier
says '(2 of 3 have come to it)'
says 'lets nobody go before 1 more come: see why'
is '[.findings[0].threads[]|select(.waits=="barrier")|[.arrived,.of]]|unique' '[[2,3]]'
finish
