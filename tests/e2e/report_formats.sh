#!/bin/sh
# report_formats.sh BUILD: journals made by data/make-journal.sh to every format, suppressions,
# baselines, damage. Prints what fails; nothing of it needs the library.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
cd "$here/data" || exit 1

# Sources are named from the top of the repository, where this is one; else from here.
top=$(pwd)
while [ "$top" != "" ] && ! [ -e "$top/.git" ]; do top=${top%/*}; done
bank=bank.c
[ -z "$top" ] || bank=${here#"$top"/}/data/bank.c

kinds='deadlock lock-order-inversion gated self stall unlock-not-owner destroy-locked wait-without-mutex exit-holding-lock none'
for kind in $kinds; do
	./make-journal.sh "$tmp/bank" "$kind" >"$tmp/$kind.json" || fail "no journal of $kind"
done

# report NAME STATUS ARGUMENTS…: output in $tmp/out, messages in $tmp/err
report() {
	name=$1 want=$2
	shift 2
	timeout 60 "$dlwatch" report "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(head -n 3 "$tmp/err")"; fi
}
# says FILE PATTERN NAME
says() {
	if grep -q -e "$2" "$tmp/$1"; then ok; else fail "$3: no '$2' in $1: $(head -n 5 "$tmp/$1")"; fi
}
# is FILTER EXPECTED NAME: of the JSON in $tmp/out
is() {
	got=$(jq -c "$1" <"$tmp/out" 2>&1)
	if [ "$got" = "$2" ]; then ok; else fail "$3: $1 is $got, not $2"; fi
}

json() {
	report 'json' 66 --format=json "$tmp/deadlock.json"
	is '.version' 1 json
	is '[.findings[]|.kind,.severity,.certainty,.count]' '["deadlock","error","certain",1]' json
	is '.findings[0].fingerprint|test("^[0-9a-f]{16,}$")' true json
	is '.findings[0].cycle[0].holds.stack[0]|[.function,.file,.line]' '["deposit","bank.c",14]' json
	is '.findings[0].cycle[1].wants.stack[0]|[.function,.file,.line]' '["withdraw","bank.c",23]' json
	is '[.findings[0].cycle[]|.thread.name,.holds.lock,.wants.lock]' '["bank","L1","L2","teller","L2","L1"]' json
	is '[.findings[0].locks[]|.name,.expression]' '["accounts+8","accounts[0].lock","accounts+'"$second_lock"'","accounts[1].lock"]' json
	is '.processes[0]|[.pid,.ended,.status,.edges,.locks,.threads,.argv[1]]' '[4242,"exit",0,2,3,2,"--fast"]' json
	is '.summary' '{"errors":1,"warnings":0,"notes":0,"suppressed":0,"hidden":0}' json
	report 'json of an accusation' 66 --format=json "$tmp/unlock-not-owner.json"
	is '.findings[0].threads[0]|[.thread.name,.state,.for]' '["teller","running","L1"]' accusation
	report 'a frame that could not be known' 66 --format=json "$tmp/self.json"
	is '.findings[0].cycle[0].holds.stack[0].unknown' '"a helper that has returned"' unknown
	report 'a warning is no error' 0 --format=json "$tmp/exit-holding-lock.json"
	is '.summary.warnings' 1 warning
	NO_END=1 ./make-journal.sh "$tmp/bank" deadlock >"$tmp/killed.json"
	report 'a killed process' 66 --format=json "$tmp/killed.json"
	is '.processes[0].ended' '"killed"' killed
}

show() {
	report 'a harmless cycle' 0 --format=json "$tmp/gated.json"
	is '.summary.hidden' 1 hidden
	report 'text names the option' 0 "$tmp/gated.json"
	says out 'show=all' hidden
	report '--show=all' 0 --show=all --format=json "$tmp/gated.json"
	is '.findings[0]|[.severity,.harmless,.reason]' '["note","gate","guarded by L3, a gate held around all of it"]' all
	report '--show=strict' 66 --show=strict --format=json "$tmp/gated.json"
	is '.findings[0].severity' '"error"' strict
}

# The same in another process, at another load address, after a rebuild with other options.
equal_findings() {
	PID=77 ./make-journal.sh "$tmp/bank" deadlock | sed 's/0x555555/0x7fabcd/g' >"$tmp/other.json"
	report 'two processes' 66 --format=json "$tmp/deadlock.json" "$tmp/other.json"
	is '[.findings[].count]' '[2]' 'equal findings'
	is '[.processes[].pid]' '[4242,77]' processes
	report 'one' 66 --format=json "$tmp/deadlock.json"
	print=$(jq -r '.findings[0].fingerprint' "$tmp/out")
	./make-journal.sh "$tmp/rebuilt" deadlock -O2 -fno-inline -DOTHER >"$tmp/rebuilt.json"
	report 'rebuilt' 66 --format=json "$tmp/rebuilt.json"
	is '.findings[0].fingerprint' "\"$print\"" 'after a rebuild'
	mkdir "$tmp/folder"
	cp "$tmp/deadlock.json" "$tmp/stall.json" "$tmp/folder"
	echo 'not a journal' >"$tmp/folder/README"
	report 'a folder' 66 --format=json "$tmp/folder"
	is '[.findings[].kind]' '["deadlock","stall"]' folder
	timeout 60 "$dlwatch" report --format=json - <"$tmp/deadlock.json" >"$tmp/out"
	is '[.findings[].kind]' '["deadlock"]' 'standard input'
}

suppressions() {
	printf 'deadlock:deposit\nstall:nothing\n' >"$tmp/list"
	report 'suppressed' 0 --format=json --suppressions="$tmp/list" "$tmp/deadlock.json"
	is '[.summary.suppressed,(.findings|length)]' '[1,0]' suppressed
	report 'unused ones' 0 --show=unused-suppressions --suppressions="$tmp/list" "$tmp/deadlock.json"
	says out 'list:2: stall:nothing' unused
	printf 'nonsense\n' >"$tmp/list"
	report 'a malformed one' 2 --suppressions="$tmp/list" "$tmp/deadlock.json"
	says err 'list:1: ' malformed
	for kind in $kinds; do
		report "made for $kind" "$([ "$kind" = none ] || [ "$kind" = exit-holding-lock ] && echo 0 || echo 66)" \
			--show=strict --format=suppressions "$tmp/$kind.json"
		cp "$tmp/out" "$tmp/ready"
		[ "$kind" != deadlock ] || says out '^fingerprint:[0-9a-f]\{16\}$' 'by fingerprint'
		report "ready for $kind" 0 --show=strict --suppressions="$tmp/ready" "$tmp/$kind.json"
	done
}

baseline() {
	report 'to a file' 66 --format=json -o "$tmp/old.report" "$tmp/deadlock.json"
	report 'known' 0 --baseline="$tmp/old.report" "$tmp/deadlock.json"
	report 'known by its journal' 0 --baseline="$tmp/deadlock.json" "$tmp/deadlock.json"
	report 'new' 66 --format=json --baseline="$tmp/old.report" "$tmp/deadlock.json" "$tmp/stall.json"
	is '[.findings[].kind]' '["stall"]' baseline
	is '.summary.known' 1 baseline
	echo '{"a":1}' >"$tmp/bad.report"
	report 'no baseline' 2 --baseline="$tmp/bad.report" "$tmp/deadlock.json"
	says err 'bad.report:1: ' 'a bad baseline'
	printf '{"version":1,\n"findings":[' >"$tmp/bad.report"
	report 'a cut baseline' 2 --baseline="$tmp/bad.report" "$tmp/deadlock.json"
	says err 'bad.report:2: ' 'a cut baseline'
}

# diff NAME STATUS ARGUMENTS…: as report
diff_of() {
	name=$1 want=$2
	shift 2
	timeout 60 "$dlwatch" diff "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(head -n 3 "$tmp/err")"; fi
}

# A report, a journal and a folder of journals against each other; what is harmless is no finding.
difference() {
	mkdir "$tmp/was" "$tmp/is"
	cp "$tmp/deadlock.json" "$tmp/stall.json" "$tmp/gated.json" "$tmp/was"
	cp "$tmp/deadlock.json" "$tmp/unlock-not-owner.json" "$tmp/is"
	report 'old' 66 --show=all --format=json -o "$tmp/was.report" "$tmp/was"
	for old in "$tmp/was" "$tmp/was.report"; do
		diff_of "something new since $old" 66 --format=json "$old" "$tmp/is"
		is '[.new[].kind],[.gone[].kind],[.same[].kind]' "$(printf '["unlock-not-owner"]\n["stall"]\n["deadlock"]')" diff
		is '.summary' '{"new":1,"gone":1,"same":1}' diff
		is '.same[0]|[.severity,.place.file,.place.line]' "[\"error\",\"$bank\",15]" 'place in a diff'
	done
	diff_of 'in words' 66 "$tmp/was.report" "$tmp/is"
	says out "^  $bank:15: error: .*\[deadlock\]" 'diff in words'
	says out '^Summary: 1 new, 1 gone, 1 the same\.' 'diff in words'
	diff_of 'another status' 7 --exitcode=7 "$tmp/was" "$tmp/is"
	diff_of 'nothing new' 0 "$tmp/was" "$tmp/deadlock.json"
	says out '^Summary: 0 new, 1 gone, 1 the same\.' 'nothing new'
	diff_of 'nothing at all' 0 -o "$tmp/nothing" "$tmp/none.json" "$tmp/gated.json"
	if grep -q '^Summary: 0 new, 0 gone, 0 the same\.' "$tmp/nothing"; then ok; else fail 'diff to a file'; fi
	# What others wrote may hold what turns a terminal, or begins a command of a CI.
	printf '{"version":1,"findings":[{"fingerprint":"0123456789abcdef","kind":"stall","message":"a\\u001b[2Jb\\n::error::c"}]}' >"$tmp/evil.report"
	diff_of 'a report of others' 66 "$tmp/none.json" "$tmp/evil.report"
	says out '?: a?\[2Jb?::error::c' 'a report of others'
	diff_of 'no report' 2 "$tmp/was" "$tmp/nowhere"
	says err 'nowhere: No such file' 'no report'
	diff_of 'one alone' 2 "$tmp/was"
}

# Against the schema of OASIS, where SARIF_SCHEMA names it (sarif-schema-2.1.0.json).
valid_sarif() {
	if [ -z "${SARIF_SCHEMA:-}" ] || ! python3 -c 'import jsonschema' 2>/dev/null; then
		echo "report_formats: no SARIF_SCHEMA or no python3 jsonschema, validation skipped"
		return
	fi
	wrong=$(python3 - "$SARIF_SCHEMA" "$1" <<-'END'
		import json, sys, jsonschema
		schema, document = (json.load(open(name)) for name in sys.argv[1:])
		check = jsonschema.Draft4Validator if "draft-04" in schema["$schema"] else jsonschema.Draft7Validator
		for error in check(schema, format_checker=jsonschema.FormatChecker()).iter_errors(document):
		    print(list(error.path), error.message[:200])
	END
	)
	if [ -z "$wrong" ]; then ok; else fail "sarif is not valid: $wrong"; fi
}

# Well-formed, where xmllint is there to tell.
valid_xml() {
	if ! command -v xmllint >/dev/null; then return; fi
	if xmllint --noout "$tmp/out" 2>"$tmp/err"; then ok; else fail "$1 is not well-formed: $(head -n 3 "$tmp/err")"; fi
}

# By the rules of the Chrome trace event format: every event of a known phase with its fields, slices of a
# thread nested and none that overlaps in part, arrows with both ends inside a slice.
perfetto() {
	report perfetto 66 --format=perfetto --show=all "$tmp"/*.json
	is '[.traceEvents[].ph]|unique' '["M","X","f","i","s"]' 'perfetto phases'
	is '[.traceEvents[]|(.pid|type),(.tid|type),(.name|type)]|unique' '["number","string"]' 'perfetto fields'
	is '[.traceEvents[]|select(.ph=="M")|[.name,(.args.name|type)]]|unique' '[["process_name","string"],["thread_name","string"]]' 'perfetto names'
	is '[.traceEvents[]|select(.ph=="X")|.ts>=0 and .dur>0 and (.args.stack|type=="array")]|unique' '[true]' 'perfetto slices'
	# shellcheck disable=SC2016 # jq's variables
	is '[.traceEvents[]|select(.ph=="X")]|group_by([.pid,.tid])|map([.[] as $a|.[] as $b|select($a.ts<$b.ts and $b.ts<$a.ts+$a.dur and $b.ts+$b.dur>$a.ts+$a.dur+0.001)]|length)|add' 0 'perfetto nesting'
	is '[.traceEvents[]|select(.ph=="s" or .ph=="f")]|group_by(.id)|map(map(.ph)|sort|join(""))|unique' '["fs"]' 'perfetto arrows'
	# shellcheck disable=SC2016 # jq's variables
	is '.traceEvents as $all|[$all[]|select(.ph=="s" or .ph=="f")|. as $e|any($all[];.ph=="X" and .pid==$e.pid and .tid==$e.tid and .ts<=$e.ts and $e.ts<=.ts+.dur)]|unique' '[true]' 'perfetto ends of arrows'
	report 'perfetto of a deadlock' 66 --format=perfetto "$tmp/deadlock.json"
	is '[.traceEvents[]|select(.ph=="X")|.name]|sort' '["holds accounts[0].lock","holds accounts[1].lock","waits for accounts[0].lock","waits for accounts[1].lock"]' 'perfetto of a deadlock'
	is '[.traceEvents[]|select(.ph=="X" and (.name|startswith("waits")))|.args.stack[0]]|map(test("bank.c:[0-9]+$"))' '[true,true]' 'perfetto stacks'
	is '[.traceEvents[]|select(.name=="thread_name")|.args.name]|sort' '["main","teller"]' 'perfetto threads'
	report 'perfetto of nothing' 0 --format=perfetto "$tmp/none.json"
	is '[.traceEvents[].ph]|unique' '["M"]' 'perfetto of nothing'
}

formats() {
	report sarif 66 --format=sarif --show=all "$tmp"/*.json
	is '.version' '"2.1.0"' sarif
	is '.runs[0].tool.driver.name' '"dlwatch"' sarif
	is '[.runs[0].results[]|.codeFlows[0].threadFlows|length > 0]|all' true 'sarif thread flows'
	is '[.runs[0].results[].codeFlows[].threadFlows[].locations|length > 0]|all' true 'sarif locations'
	is '[.runs[0].results[].message.text|length > 0]|all' true 'sarif messages'
	is '[.runs[0].results[]|.partialFingerprints|length]|unique' '[1]' 'sarif fingerprints'
	is '[.runs[0].results[0].codeFlows[0].threadFlows[].id]' '["main","teller"]' 'sarif threads'
	is '.runs[0].results[0].locations[0].physicalLocation|[.artifactLocation.uri,.artifactLocation.uriBaseId,.region.startLine]' \
		"[\"$bank\",\"SRCROOT\",15]" 'sarif place'
	is '[.runs[0].tool.driver.rules[]|[.shortDescription,.fullDescription,.help]|all(.text|length>0 and (contains("{")|not))]|all' true 'sarif rules'
	# shellcheck disable=SC2016 # jq's variable
	is '[.runs[0] as $run|$run.results[]|.ruleId==$run.tool.driver.rules[.ruleIndex].id]|all' true 'sarif rule of a result'
	valid_sarif "$tmp/out"
	report junit 66 --format=junit --suppressions=/dev/null "$tmp/deadlock.json" "$tmp/exit-holding-lock.json"
	says out '<testsuite name="dlwatch" tests="2" failures="1"' junit
	says out '<failure type="deadlock"' junit
	valid_xml junit
	report 'junit of nothing' 0 --format=junit "$tmp/none.json"
	says out 'tests="1" failures="0"' junit
	report github 66 --format=github "$tmp/deadlock.json"
	says out "^::error file=$bank,line=15,title=deadlock::main and teller wait" github
	report line 66 --format=line "$tmp/deadlock.json" "$tmp/exit-holding-lock.json"
	says out "^$bank:15: error: main and teller wait for each other, and neither can go on \[deadlock\]$" line
	says out "^$bank:[0-9]*: warning: .* \[exit-holding-lock\]$" line
	if [ "$(wc -l <"$tmp/out")" = 2 ]; then ok; else fail 'line: more than a line a finding'; fi
	report 'line of nothing' 0 --format=line "$tmp/none.json"
	if [ -s "$tmp/out" ]; then fail 'line: something of nothing'; else ok; fi
	report dot 66 --format=dot "$tmp/deadlock.json"
	says out '^digraph dlwatch' dot
	says out 'label="accounts\[0\].lock"' dot
	says out 'label="teller"' dot
	report html 66 --format=html "$tmp/deadlock.json" "$tmp/stall.json"
	says out 'name="viewport"' html
	says out 'prefers-color-scheme:dark' html
	says out '<svg xmlns' html
	says out 'data-kind="stall"' html
	if grep -q -e 'src=' -e '<link' -e 'url(http' -e '@import' "$tmp/out"; then fail 'html wants the network'; else ok; fi
	THREAD2='<b>\"x' ./make-journal.sh "$tmp/bank" deadlock >"$tmp/markup.json"
	report 'html of a hostile name' 66 --format=html "$tmp/markup.json"
	if grep -q '<b>"x' "$tmp/out"; then fail 'html lets markup through'; else ok; fi
	mkdir "$tmp/empty"
	PATH=$tmp/empty "$dlwatch" report --format=svg "$tmp/deadlock.json" >"$tmp/out" 2>"$tmp/err"
	says err 'Graphviz' 'svg without Graphviz'
	says out '^</svg>' 'svg without Graphviz'
	valid_xml 'svg without Graphviz'
	if command -v dot >/dev/null; then
		report 'svg by Graphviz' 66 --format=svg "$tmp/deadlock.json"
		says out 'Generated by graphviz' 'svg by Graphviz'
		valid_xml 'svg by Graphviz'
	fi
	mkdir "$tmp/broken"
	printf '#!/bin/sh\nexit 1\n' >"$tmp/broken/dot"
	chmod +x "$tmp/broken/dot"
	PATH=$tmp/broken:$PATH "$dlwatch" report --format=svg "$tmp/deadlock.json" >"$tmp/out" 2>"$tmp/err"
	says err 'Graphviz (dot) failed' 'svg by a broken Graphviz'
	says out '^</svg>' 'svg by a broken Graphviz'
}

text() {
	COLUMNS=80 report text 66 "$tmp/deadlock.json"
	for words in 'deadlock: main and teller wait for each other' 'L1 = accounts\[0\].lock (mutex, bank.c:[0-9]*)' \
		'T1 = main, T2 = "teller"' 'The circle: T1 --waits for L2--> T2 --waits for L1--> T1' \
		'^  (process [0-9]*, bank; seen as it happened; fingerprint [0-9a-f]*)$' \
		'^  T1 holds L1, taken at deposit  bank.c:14$' '^  T2 holds L2, taken at withdraw  bank.c:22$' '22 | pthread_mutex_lock(&accounts\[1\].lock);' 'T2 waits for L1' \
		'What breaks it: Take L1 before L2 everywhere, as T1 does: withdraw' 'That breaks "circular' \
		'(--advice tells more ways' 'Summary: 1 error in 1 process (3 locks, 2 orders).'; do
		says out "$words" text
	done
	# but for the line that tools read
	says out "^$bank:15: error: .* \[deadlock\]$" text
	if [ "$(grep -v "^$bank:" "$tmp/out" | wc -L)" -le 80 ]; then ok; else fail 'text is wider than 80 columns'; fi
	if grep -q "$(printf '\033')" "$tmp/out"; then fail 'text is coloured without a terminal'; else ok; fi
	for n in 1 2 3 4; do PID=99990$n ./make-journal.sh "$tmp/bank" none | grep -v '"type":"end"' >"$tmp/killed.$n"; done
	report 'one killed' 0 "$tmp/killed.1"
	says out '^Process 999901 (.*) did not end in order: it was killed' 'one killed'
	report 'many killed' 0 "$tmp"/killed.?
	if [ "$(grep -c 'did not end in order' "$tmp/out")" = 1 ]; then ok; else fail 'many killed: a line for each'; fi
	says out '^4 processes did not end in order: 999901 (' 'many killed'
	report 'the lecture' 66 --advice "$tmp/deadlock.json"
	says out 'Or back off: ask for the later lock with' 'the lecture'
	if [ "$(grep -c 'A deadlock needs four things at once' "$tmp/out")" = 1 ]; then ok; else fail 'the lecture is not told once'; fi
	report 'the lecture alone' 0 --advice
	says out 'mutual exclusion' 'the lecture alone'
	report 'colour' 66 --color=always "$tmp/deadlock.json"
	says out "$(printf '\033')" colour
	THREAD2='\u001b[31m' ./make-journal.sh "$tmp/bank" deadlock >"$tmp/escape.json"
	report 'a hostile name' 66 "$tmp/escape.json"
	if grep -q "$(printf '\033')" "$tmp/out"; then fail 'a name reaches the terminal as it is'; else ok; fi
	timeout 60 "$dlwatch" report --format=text --live --color=never - <"$tmp/deadlock.json" >"$tmp/out"
	if grep -v '^dlwatch\[4242\]:' "$tmp/out" >"$tmp/bare"; then fail '--live: a line without its prefix'; else ok; fi
}

# Names of a module that was rebuilt would be wrong ones.
modules() {
	./make-journal.sh "$tmp/gone" deadlock >"$tmp/gone.json"
	echo 'int main(void) { return 0; }' | cc -x c - -o "$tmp/gone"
	report 'rebuilt since' 66 --format=json "$tmp/gone.json"
	is '.findings[0].cycle[0].holds.stack[0]|[.function,.line,(.offset|length > 2)]' '[null,null,true]' 'rebuilt since'
	./make-journal.sh "$tmp/stripped" deadlock >"$tmp/stripped.json"
	id=$(readelf -n "$tmp/stripped" | sed -n 's/.*Build ID: *//p')
	folder=$tmp/debug/.build-id/$(echo "$id" | cut -c1-2)
	mkdir -p "$folder"
	objcopy --only-keep-debug "$tmp/stripped" "$folder/$(echo "$id" | cut -c3-).debug"
	strip "$tmp/stripped"
	report 'stripped' 66 --format=json "$tmp/stripped.json"
	is '.findings[0].cycle[0].holds.stack[0].function' null stripped
	DLWATCH_DEBUG_PATH=$tmp/debug report 'with its debug file' 66 --format=json "$tmp/stripped.json"
	is '.findings[0].cycle[0].holds.stack[0]|[.function,.file,.line]' '["deposit","bank.c",14]' 'debug file'
	is '.findings[0].locks.L1.expression' '"accounts[0].lock"' 'debug file'
	rm "$tmp/stripped"
	DLWATCH_DEBUG_PATH=$tmp/debug report 'with its debug file alone' 66 --format=json "$tmp/stripped.json"
	is '.findings[0].cycle[0].holds.stack[0]|[.function,.file,.line]' '["deposit","bank.c",14]' 'debug file alone'
}

# Whatever names hold: every format is well-formed UTF-8, and no name begins a line of its own.
names() {
	cp "$tmp/bank" "$tmp/odd"
	strip -g "$tmp/odd" && objcopy --redefine-sym deposit="$(printf 'depo\377sit')" --redefine-sym withdraw="$(printf 'with\ndraw')" "$tmp/odd"
	sed "s|$tmp/bank|$tmp/odd|g"'; s/"name":"teller"/"name":"a\\n::error::told\\u202e\\u0085\\ufffe ::error::wrapped"/' \
		"$tmp/deadlock.json" >"$tmp/odd.json"
	for format in text line json sarif junit github dot svg html suppressions; do
		report "odd names as $format" 66 --format=$format "$tmp/odd.json"
		if iconv -f utf-8 -t utf-16 "$tmp/out" >/dev/null 2>&1; then ok; else fail "odd names as $format: no UTF-8"; fi
		if ! LC_ALL=C grep -q "$(printf '\302\205\|\342\200\256\|\357\277\276')" "$tmp/out"; then ok; else fail "odd names as $format: not cleaned"; fi
		[ $format = github ] || { if ! grep -q '^ *::error' "$tmp/out"; then ok; else fail "odd names as $format: a command of GitHub"; fi; }
		case $format in
		junit | svg)
			command -v python3 >/dev/null || continue
			if python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$tmp/out" 2>"$tmp/err"; then
				ok
			else
				fail "odd names as $format: $(tail -n 1 "$tmp/err")"
			fi
			;;
		json)
			is '.findings[0].cycle[].thread.name|select(.!="bank")' '"a?::error::told??? ::error::wrapped"' 'odd names'
			is '.findings[0].cycle[0].holds.stack[0].function' '"depo�sit"' 'odd names'
			;;
		esac
	done
}

for part in names json show equal_findings suppressions baseline difference perfetto formats text modules; do $part; done
finish
