#!/bin/sh
# report_timeline.sh BUILD: what the threads of a finding did last, in all formats that tell it.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
program=$build/tests/e2e/last_steps
export TMPDIR="$tmp"
cd "$tmp" || exit 1
# is FILTER EXPECTED [FILE]: of the JSON report; `lane(NAME)` is a thread of its time line, `name` a lock's
is() {
	got=$(jq -c "((.findings[0].locks // {}) + (.findings[0].timeline_locks // {})) as \$locks |
		def lane(n): .findings[0].timeline[]|select(.thread.name == n);
		def name: \$locks[.lock]|(.expression // .name);
		$1" "${3:-json}")
	if [ "$got" = "$2" ]; then ok; else fail "$1 is $got, not $2"; fi
}
says() {
	if tr -s ' \n' ' ' <"$1" | grep -q -e "$2"; then ok; else fail "no '$2' in $1: $(head -n 60 "$1")"; fi
}

timeout 120 "$dlwatch" run --report="$tmp/j/%p.jsonl" --output=json:json --output=html:html \
	--output=perfetto:trace -- "$program" >out 2>text
if [ $? -eq 66 ]; then ok; else fail "run: $(head -n 5 text)"; fi

tail='["took","outer"],["took","inner"],["gave back","outer"],["gave back","inner"]'
tail="$tail"',["took","table"],["gave back","table"],["tried","busy"],["asked","busy"],["took","busy"]'
tail="$tail"',["gave back","busy"],["took","first"],["asked","second"]'
is '[lane("walker").events[-12:][]|[.what,name]]' "[$tail]"
is '[lane("walker").events|length,.[0].what,(.[0]|name),(.[1]|name)]' '[32,"took","spare[30]","spare[30]"]'
is 'lane("walker").cut' true
is '[lane("main").events[]|[.what,name]]' \
	'[["took","busy"],["gave back","busy"],["took","second"],["asked","first"]]'
is 'lane("main").cut' null
is '[lane("walker").events[]|select(name == "table").mode]' '["shared","shared"]'
# Only waits have times; the one for busy is over, and came before both of the deadlock.
is '[.findings[0].timeline[].events[]|select(.ago and .what != "asked")]' '[]'
is '[lane("walker").events[]|select(.what == "asked")|.waits,has("until")]' '["lock",true,"lock",false]'
is '[lane("walker").events[]|select(.what == "asked").ago]|.[0] > .[1] and .[1] >= 0' true
is 'lane("walker").events[-1].stack[0]|[.function,(.file|split("/")|last)]' '["walk","last_steps.c"]'
# Locks that only pass by are not the finding's.
is '[.findings[0].locks[]|.expression // .name]|sort' '["first","second"]'

# In the text for who asks.
timeout 60 "$dlwatch" report --timeline j >long
says long 'took L[12] [^ ]*last_steps.c:[0-9]* asked for L[12] '
says long 'T[12] (and more before) took spare\[30\] '
says long 'took outer [^ ]*last_steps.c:[0-9]* took inner [^ ]*:[0-9]* gave back outer gave back inner took table for reading '
says long 'tried for busy in vain [^ ]*last_steps.c:[0-9]* asked for busy [^ ]*last_steps.c:[0-9]*, [0-9.]* [mun]*s before, and waited [0-9.]* [mun]*s took busy '
says long 'asked for L[12] [^ ]*last_steps.c:[0-9]*, [0-9.]* [mun]*s before, and waits'
timeout 60 "$dlwatch" report j >short
if grep -q 'last steps' short; then fail "the text tells it unasked"; else ok; fi

# Drawn.
says html '<h4>The last steps</h4>'
if [ "$(grep -c 'class="who"' html)" = 2 ]; then ok; else fail "not two lanes"; fi
says html '<g class="w"><title>asked for busy, [^ ]*last_steps.c:[0-9]*, [0-9.]* [mun]*s before, and waited'
if [ "$(grep -o '<g class="t">' html | wc -l)" = 1 ]; then ok; else fail "not one try"; fi

# The trace: slices of a track lie within each other, arrows stand in slices, and waits are as long as they were.
is '[.traceEvents[]|select(.ph == "X" and (.name|startswith("waited for")))]|length' 3 trace
is '[.traceEvents[]|select(.ph == "X" and .name == "held inner")|.args["goes on"]]' '[true,null]' trace
is '[.traceEvents[]|select(.ph == "X")]|group_by([.pid,.tid])|map([.[] as $a|.[] as $b|select($a.ts < $b.ts and $b.ts < $a.ts + $a.dur - 0.001 and $b.ts + $b.dur > $a.ts + $a.dur + 0.001)]|length)|add' 0 trace
is '[.traceEvents[]|select(.ph == "X")|.dur > 0 and .ts >= 0 and (.args.stack|type) == "array"]|unique' '[true]' trace

# From outside: what the process keeps of it.
LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS=log=none "$program" &
pid=$!
n=0
until timeout 60 "$dlwatch" attach --format=json "$pid" >json 2>/dev/null
	jq -e '.findings[0].timeline|length == 2' json >/dev/null 2>&1 || [ $((n += 1)) -gt 200 ]; do :; done
is '[lane("walker").events[-2:][]|[.what,name]]' '[["took","first"],["asked","second"]]'
kill "$pid"
wait "$pid" 2>/dev/null

# Nothing found, nothing told.
rm -rf j
timeout 120 "$dlwatch" run --report="$tmp/j/%p.jsonl" --output=json:json -- "$program" quiet 2>text || fail "quiet: $(cat text)"
is '.findings' '[]'
if grep -q '"trail"' j/* 2>/dev/null; then fail "a trail without a finding"; else ok; fi

finish
