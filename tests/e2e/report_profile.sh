#!/bin/sh
# report_profile.sh BUILD: what the locks of a program cost that is known, and nothing of it where nobody asks.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
program=$build/tests/e2e/profile
export TMPDIR="$tmp"
cd "$tmp" || exit 1
# is FILTER EXPECTED: of the JSON report; `cost(LOCK; FUNCTION)` is a row of it
is() {
	got=$(jq -c "def cost(l; f): .profile[]|select((.lock.expression // .lock.name // \"\") == l and .stack[0].function == f); $1" json)
	if [ "$got" = "$2" ]; then ok; else fail "$1 is $got, not $2"; fi
}
says() {
	if tr -s ' \n' ' ' <"$1" | sed 's/dlwatch: //g' | grep -q -e "$2"; then ok; else fail "no '$2' in $1: $(head -n 40 "$1")"; fi
}

timeout 120 "$dlwatch" run --profile --output=json:json --output=html:html -- "$program" 2>text ||
	fail "run --profile: $(head -n 5 text)"
# The parent's thousand, and the child's five in a row of its own.
is '[cost("hot"; "pass")|.takings]|sort' '[5,1000]'
is '[cost("hot"; "pass")|.contended]' '[0,0]'
is '[cost("hot"; "keep")|[.takings,.contended,.blocked.count]]' '[[1,0,1]]'
is '[cost("hot"; "ask")|[.takings,.contended,.waits.thread,.waits.holder[0].function]]' '[[1,1,"keeper","keep"]]'
is 'cost("hot"; "ask").waits|.total > 0 and .longest == .total' true
is '[cost("hot"; "keep").blocked.total] == [cost("hot"; "ask").waits.total]' true
# The first taking of each thread is timed: the keeper's lasted longer than anybody waited for it.
is 'cost("hot"; "keep").holds|.timed == 1 and .longest == .total' true
is '[cost(""; "change")|.takings]' '[7]'
is '.profile[0].stack[0].function' '"ask"'
says text 'What the locks cost hot in ask (profile.c:[0-9]*): taken 1 time; busy 1 time, waited for .* while it was held by keeper, taken in keep (profile.c:'
says text 'object->lock in change (profile.c:[0-9]*): taken 7 times'
says text 'hot in pass (profile.c:[0-9]*): taken 1,000 times'
says html 'What the locks cost'
says html '<b>object-&gt;lock</b> <i>change (profile.c:'
# The journals are kept, and say it again.
timeout 60 "$dlwatch" report "$tmp"/dlwatch-* >again
says again 'hot in ask (profile.c:'

# As an option of a preload, and its helpers' places with their callers.
env LD_PRELOAD="$build/libdlwatch.so" DLWATCH_OPTIONS="profile=1 report=$tmp/preload.%p" "$program"
timeout 60 "$dlwatch" report --format=json -o json preload.*
is '[cost("hot"; "pass")|.takings]|sort' '[5,1000]'

# What found no room is said.
cat preload.* | head -n 1 >full
echo '{"type":"profile","lost":5}' >>full
timeout 60 "$dlwatch" report full >text
says text 'had no room for 5 takings'

timeout 120 "$dlwatch" run --output=json:json --output=html:html -- "$program" 2>text
is '.profile' null
if grep -q 'What the locks cost' text html; then fail 'told though nobody asks'; else ok; fi

finish
