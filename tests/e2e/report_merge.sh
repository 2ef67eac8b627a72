#!/bin/sh
# report_merge.sh BUILD: histories. "A then B" in one run, "B then A" in another; merging in any
# order and grouping, and again, gives the same bytes.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
cd "$here/data" || exit 1
# merge NAME STATUS OUT IN…
merge() {
	name=$1 want=$2 out=$3
	shift 3
	timeout 120 "$dlwatch" merge -o "$out" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(head -n 3 "$tmp/err")"; fi
}
same() {
	if cmp -s "$tmp/$1" "$tmp/$2"; then ok; else fail "$3: $(diff "$tmp/$1" "$tmp/$2" | head -n 4 | cut -c1-300)"; fi
}
# is FILE FILTER EXPECTED NAME: of its report
is() {
	got=$(timeout 60 "$dlwatch" report --format=json "$tmp/$1" 2>"$tmp/err" | jq -c "$2" 2>&1)
	if [ "$got" = "$3" ]; then ok; else fail "$4: $2 is $got, not $3"; fi
}

./make-journal.sh "$tmp/bank" none >"$tmp/both"
# Each run has one of the two edges; the load address differs.
grep -v '"from":2,' "$tmp/both" >"$tmp/ab.json"
PID=77 ./make-journal.sh "$tmp/bank" none | grep -v '"from":1,' | sed 's/0x555555/0x7fabcd/g' >"$tmp/ba.json"
PID=78 ./make-journal.sh "$tmp/bank" deadlock >"$tmp/dead.json"
echo '{"type":"again","finding":1,"count":4}' >>"$tmp/dead.json"
PID=79 ./make-journal.sh "$tmp/bank" stall >"$tmp/stall.json"

across() {
	merge 'two runs' 0 "$tmp/two" "$tmp/ab.json" "$tmp/ba.json"
	is two '[.findings[]|.kind,.severity,.certainty]' '["lock-order-inversion","error","possible"]' across
	is two '.findings[0].reason|test("seen across runs; each of these locks is one variable")' true across
	is two '[.findings[0].locks[].name]|sort' '["accounts+'"$second_lock"'","accounts+8"]' across
	is two '[.findings[0].cycle[].holds.stack[0]|[.function,.line]]|sort' '[["deposit",14],["withdraw",22]]' across
	is two '[.processes[].pid]|sort' '[77,4242]' across
	merge 'one run' 0 "$tmp/one" "$tmp/ab.json"
	is one '.findings|length' 0 'one run'
	# One process has both: it has judged them itself, and found nothing.
	cp "$tmp/both" "$tmp/both.json"
	merge 'a run with both' 0 "$tmp/judged" "$tmp/both.json"
	is judged '.findings|length' 0 'a run with both'
	merge 'two and the one with both' 0 "$tmp/judged" "$tmp/both.json" "$tmp/ab.json" "$tmp/ba.json"
	is judged '.findings|length' 0 'a run with both'
}

# evidence_of NAME WANTED RUN…: merges the runs, each a list of works, and compares [locks, whether it took several runs].
evidence_of() {
	title=$1 wanted=$2 i=0
	shift 2
	rm -rf "$tmp/runs"
	mkdir "$tmp/runs"
	for works; do
		i=$((i + 1))
		# shellcheck disable=SC2086 # a list
		LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/runs/$i' log=none" "$tmp/evidence" $works
	done
	merge "$title" 0 "$tmp/evidence.history" "$tmp/runs"
	is evidence.history '[.findings[]|[([.locks[].name]|sort|add),(.reason//""|test("across runs"))]]' "$wanted" "$title"
	# As good when one run after the other is added.
	rm -f "$tmp/grown"
	for run in "$tmp"/runs/*; do
		if [ -e "$tmp/grown" ]; then set -- "$tmp/grown" "$run"; else set -- "$run"; fi
		merge "$title" 0 "$tmp/grown" "$@"
	done
	same evidence.history grown "$title"
}

# What is across runs is decided by the pieces of evidence of a circle's steps, not by the orders alone.
evidence() {
	if ! cc -g -O1 -pthread evidence.c -o "$tmp/evidence"; then fail 'evidence.c' && return; fi
	evidence_of 'one thread has both in one run' '[["ab",true]]' there_and_back back
	evidence_of 'the other way, twice' '[["ab",true]]' there_and_back there there_and_back
	evidence_of 'one thread, again and again' '[]' there_and_back there_and_back
	evidence_of 'a run that tells it by itself' '[["ab",false]]' 'there back' back there_and_back
	evidence_of 'two steps of one run' '[["abc",true]]' 'there on' home
	evidence_of 'two steps of one thread' '[]' there_and_on home
	evidence_of 'two steps of one thread, in two runs' '[["abc",true]]' there_and_on on home
	evidence_of 'two threads of one work' '[["abc",true]]' 'there_and_on there_and_on' home
	evidence_of 'a longer circle beside a shorter one of one thread' '[["abc",true]]' 'there_and_back on' home
}

# What is held around both is held around both in any run; a class of locks is no gate.
gates() {
	for run in ab ba; do
		awk '/"type":"edge"/ && !n++ {print "{\"type\":\"lock\",\"id\":4,\"kind\":\"mutex\",\"name\":\"gate\",\"address\":\"0x9\"}"}
			{ sub("\"gates\":\\[3*\\]", "\"gates\":[4]"); print }' "$tmp/$run.json" >"$tmp/g$run.json"
	done
	merge 'gated' 0 "$tmp/gated" "$tmp/gab.json" "$tmp/gba.json"
	is gated '.findings|length' 0 gated
	merge 'gated on one side' 0 "$tmp/half" "$tmp/gab.json" "$tmp/ba.json"
	is half '.findings|length' 1 'gated on one side'
}

# What a program means in one run is meant in all; a class is known in any run, and is no one lock.
annotated() {
	sed '/"type":"edge"/s/}$/,"intended":true}/' "$tmp/ba.json" >"$tmp/mba.json"
	merge 'a meant order' 0 "$tmp/meant" "$tmp/ab.json" "$tmp/mba.json"
	is meant '.findings|length' 0 'a meant order'
	for run in ab ba; do
		sed '/"type":"lock"/s/"module":1,"offset":"[^"]*"\(.*\)}$/"name":"lock \1"}/; /"type":"lock"/s/"name":"lock .*"first":\([12]\)"}/"class":"node \1"}/' "$tmp/$run.json" >"$tmp/c$run.json"
	done
	merge 'classes' 0 "$tmp/classes" "$tmp/cab.json" "$tmp/cba.json"
	is classes '[.findings[]|.locks[].class]|sort' '["node 1","node 2"]' 'classes'
	is classes '.findings[0].reason|test("may be different objects")' true 'classes'
	for run in ab ba; do sed 's/"class":"node ./"class":"node/' "$tmp/c$run.json" >"$tmp/o$run.json"; done
	merge 'one class' 0 "$tmp/one_class" "$tmp/oab.json" "$tmp/oba.json"
	is one_class '.findings|length' 0 'one class'
}

algebra() {
	merge 'all' 0 "$tmp/all" "$tmp/ab.json" "$tmp/ba.json" "$tmp/dead.json" "$tmp/stall.json"
	merge 'other order' 0 "$tmp/turned" "$tmp/stall.json" "$tmp/dead.json" "$tmp/ba.json" "$tmp/ab.json"
	same all turned commutative
	merge left 0 "$tmp/left" "$tmp/ab.json" "$tmp/ba.json"
	merge left2 0 "$tmp/left" "$tmp/left" "$tmp/dead.json"
	merge left3 0 "$tmp/left" "$tmp/left" "$tmp/stall.json"
	merge right 0 "$tmp/right" "$tmp/dead.json" "$tmp/stall.json"
	merge right2 0 "$tmp/right" "$tmp/ba.json" "$tmp/right"
	merge right3 0 "$tmp/right" "$tmp/ab.json" "$tmp/right"
	same all left associative
	same left right associative
	merge again 0 "$tmp/again" "$tmp/all" "$tmp/all" "$tmp/dead.json" "$tmp/left"
	same all again idempotent
	is all '[.findings[]|[.kind,.count]]' '[["deadlock",4],["stall",1]]' counts
}

damage() {
	head -c 700 "$tmp/two" >"$tmp/cut"
	merge 'a cut history' 2 "$tmp/rest" "$tmp/cut" "$tmp/ab.json"
	if grep -q 'cut:[0-9]*: ' "$tmp/err" && [ -s "$tmp/rest" ]; then ok; else fail 'a cut history is not named'; fi
	cp "$tmp/rest" "$tmp/kept"
	merge 'nothing' 2 "$tmp/rest" "$tmp/missing"
	same rest kept 'a history is not given up for what is missing'
	timeout 9 "$dlwatch" merge "$tmp/ab.json" 2>"$tmp/err"
	if [ $? = 2 ] && grep -q -e '-o OUT' "$tmp/err"; then ok; else fail 'no -o'; fi
}

# Many journals of one program cost one line each.
many() {
	mkdir "$tmp/many"
	i=0
	while [ $i -lt 300 ]; do
		i=$((i + 1))
		sed "s/\"pid\":4242/\"pid\":$i/" "$tmp/ab.json" >"$tmp/many/$i.json"
	done
	merge many 0 "$tmp/history" "$tmp/many"
	if [ "$(grep -c '"type":"journal"' "$tmp/history")" = 300 ] && [ "$(grep -c '"type":"edge"' "$tmp/history")" = 1 ] &&
		grep -q '"journals":"1-300"' "$tmp/history"; then ok; else fail 'many journals'; fi
}

# Real processes, each at other addresses.
watched() {
	if ! cc -g -O1 -pthread orders.c -o "$tmp/orders"; then fail 'orders.c' && return; fi
	mkdir "$tmp/watched"
	for way in reload evict transfer transfer; do
		LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/watched/$way.%p' log=none" "$tmp/orders" $way
	done
	merge 'two orders' 0 "$tmp/orders.history" "$tmp"/watched/reload.* "$tmp"/watched/evict.*
	is orders.history '[.findings[]|.kind,([.locks[].name]|sort)]' '["lock-order-inversion",["cache","config"]]' 'two processes'
	merge 'one class' 0 "$tmp/class.history" "$tmp"/watched/transfer.*
	is class.history '[(.findings|length),(.processes|length)]' '[0,2]' 'two objects of one class, in the order of their addresses'
	"$dlwatch" report "$tmp/orders.history" >"$tmp/out"
	if grep -q 'work takes .* in one run, and the other way round in another' <<-END; then ok; else fail 'words for two runs'; fi
		$(tr -s '\n ' ' ' <"$tmp/out")
	END
}

# What a run told with a doubt stays a warning; what another run told without one is an error in all.
doubts() {
	PID=80 ./make-journal.sh "$tmp/bank" lock-order-inversion >"$tmp/sure.json"
	for doubt in semaphore condition join; do
		sed 's/"certainty":"possible"/&,"doubt":"'$doubt'"/; s/"pid":80/"pid":81/' "$tmp/sure.json" >"$tmp/$doubt.json"
	done
	merge 'a doubt' 0 "$tmp/doubted" "$tmp/semaphore.json"
	is doubted '[.findings[]|.severity,.reason]' '["warning","a semaphore in it may be no lock"]' 'a doubt'
	merge 'two doubts' 0 "$tmp/doubted" "$tmp/condition.json" "$tmp/sure.json"
	is doubted '[.findings[]|.severity]' '["error"]' 'a doubt, and none'
	merge 'a condition' 0 "$tmp/doubted" "$tmp/condition.json"
	is doubted '[.findings[]|.severity,.reason]' '["warning","a condition seems to keep the steps apart"]' 'a condition'
	sed -i 's/"pid":81/"pid":82/' "$tmp/join.json"
	merge 'a condition in one' 0 "$tmp/doubted" "$tmp/condition.json" "$tmp/join.json"
	is doubted '[.findings[]|.severity,.reason]' '["warning","a step is the end of a thread"]' 'a condition in one run only'
}

# A semaphore is a lock as long as nobody else posts it, in any of the runs; and maybe none where it
# is kept beyond the lock that it was taken under.
semaphores() {
	if ! cc -g -O1 -pthread semaphores.c -o "$tmp/semaphores"; then fail 'semaphores.c' && return; fi
	mkdir "$tmp/posted"
	for work in there back room; do
		for mode in lock signal; do
			LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/posted/$work.$mode' log=none" "$tmp/semaphores" $work $mode
		done
	done
	merge 'semaphores' 0 "$tmp/posted.history" "$tmp/posted/there.lock" "$tmp/posted/back.lock"
	is posted.history '[.findings[]|.severity,([.locks[].kind]|sort)]' '["error",["mutex","semaphore"]]' 'a semaphore that is a lock'
	merge 'semaphores' 0 "$tmp/posted.history" "$tmp/posted/there.lock" "$tmp/posted/room.lock"
	is posted.history '[.findings[]|.severity,(.reason|test("a semaphore in it may be no lock"))]' '["warning",true]' 'a room'
	for first in there.lock there.signal; do
		merge 'semaphores' 0 "$tmp/posted.history" "$tmp/posted/$first" "$tmp/posted/back.signal"
		is posted.history '.findings|length' 0 "a signal: $first"
	done
	# Of those that are made at one place some may be locks.
	for run in there.lock back.signal; do sed '/"kind":"semaphore"/s/"module":[0-9]*,"offset":"[^"]*",//' "$tmp/posted/$run" >"$tmp/posted/made.$run"; done
	merge 'semaphores' 0 "$tmp/posted.history" "$tmp/posted/made.there.lock" "$tmp/posted/made.back.signal"
	is posted.history '[.findings[]|.severity]' '["warning"]' 'a class of semaphores'
	# And in a history that learns of it later.
	merge 'semaphores' 0 "$tmp/posted.history" "$tmp/posted/there.lock" "$tmp/posted/back.lock"
	merge 'semaphores' 0 "$tmp/posted.history" "$tmp/posted/there.signal" "$tmp/posted.history"
	is posted.history '.findings|length' 0 'a signal, seen later'
	merge 'semaphores' 0 "$tmp/posted.again" "$tmp/posted.history" "$tmp/posted/back.lock"
	same posted.history posted.again 'a signal, merged again'
}

# A circle between locks that were made at a place where others had been: they have no line of their own.
repeats() {
	if ! cc -g -O1 -pthread repeats.c -o "$tmp/repeats"; then fail 'repeats.c' && return; fi
	mkdir "$tmp/repeated"
	for way in account ledger; do
		LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/repeated/$way' log=none" "$tmp/repeats" $way 5000
	done
	LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/repeated/twice' log=none" "$tmp/repeats" account 300
	merge 'repeats' 0 "$tmp/repeats.history" "$tmp/repeated/account" "$tmp/repeated/ledger"
	is repeats.history '[.findings[]|.kind,.severity,(.reason|test("may be different objects")),([.locks[].created[0].function]|sort)]' \
		'["lock-order-inversion","error",true,["new_account","new_ledger"]]' 'a circle of repeats'
	merge 'repeats, quiet' 0 "$tmp/repeats.history" "$tmp/repeated/account" "$tmp/repeated/twice"
	is repeats.history '.findings|length' 0 'one order, repeated'
	# The journal is as long as the code has places; all that was seen is counted.
	if [ "$(grep -c '"type":"edge"' "$tmp/repeated/account")" = 1 ] && [ "$(grep -c '"type":"lock"' "$tmp/repeated/account")" = 2 ]; then ok; else
		fail "repeats: $(grep -c '"type":"edge"' "$tmp/repeated/account") edges are written"
	fi
	is repeated/account '[.processes[0]|.edges,.ended]' '[5000,"exit"]' 'orders counted'
	# Of a process that was killed what the counts say: each fourth power.
	grep -v '"type":"end"' "$tmp/repeated/account" >"$tmp/repeated/killed"
	is repeated/killed '[.processes[0]|.edges,.ended]' '[5000,"killed"]' 'orders counted of a killed one'
	sed '/"count":5000/d' "$tmp/repeated/killed" >"$tmp/repeated/cut"
	is repeated/cut '.processes[0].edges' 4096 'orders counted so far'
}

# doubtful CASE NAMES: a warning of one run is no error of a history, and its tests keep their names.
doubtful() {
	if ! cc -g -O0 -pthread -D_GNU_SOURCE -I../.. -I../../.. "../../cases/$1.c" -o "$tmp/$1"; then fail "$1.c" && return; fi
	"$dlwatch" run --report="$tmp/$1.%p" -- "$tmp/$1" >"$tmp/out" 2>&1
	status=$?
	if [ $status = 0 ] && tr -s '\n ' ' ' <"$tmp/out" | sed 's/dlwatch[^:]*: //g' | grep -q "$3"; then ok; else fail "$1 under run: status $status"; fi
	"$dlwatch" run --show=strict --log=none -- "$tmp/$1" >"$tmp/out" 2>&1
	status=$?
	if [ $status = "$4" ]; then ok; else fail "$1, strict: status $status"; fi
	merge "$1" 0 "$tmp/$1.history" "$tmp/$1".[0-9]*
	merge "$1, once more" 0 "$tmp/$1.again" "$tmp/$1.history"
	same "$1.history" "$1.again" "$1, once more"
	is "$1.again" '[.findings[]|.severity,([.cycle[].scope]|sort)]' "[\"warning\",$2]" "$1"
}
doubted() {
	if cc -g -O0 -pthread -D_GNU_SOURCE -I../.. -I../../.. ../../cases/scope_and_real.c -o "$tmp/real"; then
		"$dlwatch" run --report="$tmp/real.%p" -- "$tmp/real" >"$tmp/out" 2>&1
		status=$?
		got=$(grep -c ' error: lock-order-inversion' "$tmp/out")/$(grep -c '1 error in 1 process' "$tmp/out")
		if [ $status = 66 ] && [ "$got" = 1/1 ]; then ok; else fail "a warning that is an error: status $status, $got"; fi
	else fail scope_and_real.c; fi
	doubtful scope_inversion '["One","Two"]' 'in test One .* in test Two .* test One and test Two run one after the other' 66
	doubtful sem_readers '[null,null]' 'may be no lock' 66
}

# withheld CASE STATUS FINDINGS: a program that is killed; what nobody made void by then is told.
withheld() {
	if ! cc -g -O0 -pthread -D_GNU_SOURCE -I../.. -I../../.. "../../cases/$1.c" -o "$tmp/$1"; then fail "$1.c" && return; fi
	"$dlwatch" run --report="$tmp/$1.%p" -- "$tmp/$1" >"$tmp/out" 2>&1
	status=$?
	if [ $status = "$2" ]; then ok; else fail "$1 under run: status $status"; fi
	if [ "$(grep -c 'error: lock-order-inversion' "$tmp/out")" = "$3" ]; then ok; else fail "$1 under run: $(cat "$tmp/out")"; fi
	cat "$tmp/$1".[0-9]* >"$tmp/$1.journal"
	if grep -q '"type":"withheld"' "$tmp/$1.journal"; then ok; else fail "$1: nothing was withheld"; fi
	is "$1.journal" '[.findings[].severity]|length' "$3" "$1"
	merge "$1" 0 "$tmp/$1.history" "$tmp/$1".[0-9]*
	is "$1.history" '[.findings[].severity]|length' "$3" "$1"
}
kills() {
	withheld sem_killed 66 1
	withheld sem_killed_signal_quiet 137 0
	# A process that still runs may show it yet.
	sleep 60 &
	# Until it is sleep, it is this shell, and the journal would name another program than it becomes.
	while [ "$(readlink -f /proc/$!/exe)" = "$(readlink -f /proc/$$/exe)" ]; do sleep 0.01; done
	sed "1s|\"pid\":[0-9]*|\"pid\":$!|; 1s|\"exe\":\"[^\"]*\"|\"exe\":\"$(readlink -f /proc/$!/exe)\"|; 1s|\"start\":[0-9.]*|\"start\":$(date +%s).5|" \
		"$tmp/sem_killed.journal" >"$tmp/running"
	is running '[.processes[0].ended,(.findings|length)]' '["running",0]' 'withheld in a process that runs'
	kill $!
}

# Threads have the names that their own program gives them; holds their stacks, steps their tests.
names() {
	for program in server tests; do
		cc -g -O0 -pthread -D_GNU_SOURCE -I../../.. named_orders.c -o "$tmp/$program" || return
	done
	seen() { LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS="report='$tmp/names.$3.%p' log=none" "$tmp/$1" "$2"; }
	seen server main a
	seen tests named b
	merge 'names by program' 0 "$tmp/names.1" "$tmp"/names.[ab].*
	merge 'names once more' 0 "$tmp/names.2" "$tmp/names.1"
	same names.1 names.2 'names once more'
	is names.2 '[.findings[].cycle[]|[.thread.name,(.process.exe|split("/")|last)]]|sort' \
		'[[null,"server"],["elsewhere","tests"]]' 'names by program'
	is names.2 '.findings[0].message|test("elsewhere takes M before C, main takes them the other way|main takes C before M, elsewhere takes them")' \
		true 'names by program'
	seen server assoc c
	seen server crawler d
	seen server lru e
	for way in 'c d' 'd c' 'c d e'; do
		# shellcheck disable=SC2046
		merge "holds, $way" 0 "$tmp/holds" $(for one in $way; do echo "$tmp"/names."$one".*; done)
		is holds '[.findings[]|select((.cycle|length)==2).cycle[]|.thread.name,(.holds.stack|length > 0)]|sort' \
			'[true,true,"assoc","crawler"]' "holds, $way"
	done
	seen tests test f
	merge 'tests' 0 "$tmp/names.3" "$tmp"/names.[df].*
	merge 'tests once more' 0 "$tmp/names.4" "$tmp/names.3"
	same names.3 names.4 'tests once more'
	is names.4 '[.findings[].cycle[]|[.thread.name,.scope]]|sort' '[["crawler",null],["tester","Lookup"]]' tests
}

for part in names across evidence gates annotated algebra damage many watched doubts semaphores repeats doubted kills; do $part; done
finish
