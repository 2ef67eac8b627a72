#!/bin/sh
# attach_hangs.sh BUILD [PART…]: what can't go on is a finding, what moves or ends by itself is none.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_hangs: not allowed to trace here, skipped" && exit 0; }

# WAY threads-in-futex cycle lock
ways='abba 2 2 accounts[1].lock
recursive 2 2 accounts[1].lock
errorcheck 2 2 accounts[0].lock
robust 2 2 accounts[1].lock
pi 2 2 -
self 1 1 gate
main-gone 1 1 gate
rwlock 2 2 tables[0]
join 2 2 -
join-lock 2 2 gate
once 2 2 setup
file 2 2 -
gone 1 1 gate'

deadlocks() {
	echo "$ways" >"$tmp/ways"
	while read -r way n length lock <&3; do
		what="attach $way"
		start "$n" "$programs/hang" "$way" || continue
		look 66 attach --format=json "$pid"
		see '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and .severity=="error")'
		see '.findings[0].cycle|length==$n' --argjson n "$length"
		# Entry i wants what entry i+1 holds, and each is known by a different name.
		see '.findings[0].cycle as $c|[range($c|length)]|all($c[.].wants.lock==$c[(.+1)%($c|length)].holds.lock)'
		see '$l=="-" or (.findings[0].locks|map(.name,.expression)|index($l)!=null)' --arg l "$lock"
		see '.findings[0].cycle|all(.wants.stack|map(.file//"")|any(endswith("hang.c")))'
		see '.summary.errors==1 and .verdict=="deadlock"'
		end
	done 3<"$tmp/ways"
}

ring() {
	what='attach ring'
	start 40 "$programs/hang" ring 40 || return
	look 66 attach --format=json "$pid"
	see '.findings[0].cycle|length==40 and (map(.thread.name)|unique|length)==40'
	end
}

holder_gone() {
	what='attach gone'
	start 1 "$programs/hang" gone || return
	look 66 attach --format=json "$pid"
	see '.findings[0].reason|test("no longer exists")'
	end
	what='attach forked'
	start 0 "$programs/hang" forked || return
	pid=$(sed -n 's/^ready //p' "$tmp/out")
	until_true are_waiting 1
	look 66 attach --format=json "$pid"
	see '.findings[0]|.kind=="deadlock" and (.reason|test("no longer exists"))'
	kill -9 "$pid"
	end
}

stall() {
	what='attach stall'
	start 3 "$programs/hang" condition || return
	look 66 attach --format=json "$pid"
	see '.findings|length==1 and (.[0]|.kind=="stall" and .certainty=="certain" and (.threads|length)==3)'
	end
}

long_wait() {
	what='attach long wait'
	start 9 "$programs/long_wait" mutex 8 || return
	look 0 attach "$pid"
	if grep -q 'a long wait: 9 threads wait' "$tmp/json" && grep -q gate "$tmp/json"; then
		pass
	else
		fail "$what: does not name all who wait: $(cat "$tmp/json")"
	fi
	look 0 attach --format=json "$pid"
	see '.verdict=="long-wait" and .findings==[] and (.notes|any(test("a long wait: 9 threads wait for gate")))'
	let_go "$what"
}

# The look itself must not wake the one that sleeps on a word that has changed.
lost_wakeup() {
	what='attach lost wake-up'
	start 1 "$programs/hang" reinit || return
	for _ in 1 2; do
		look 0 attach --format=json "$pid"
		see '.notes|any(test("^a lost wake-up: worker-0 sleeps for gate.*nobody is about to wake it$"))'
		see '.threads|map(select(.note//""|test("lost wake-up")))|length==1 and .[0].waits=="lock"'
	done
	end
	what='attach no lost wake-up'
	start 9 "$programs/long_wait" mutex 8 || return
	look 0 attach --format=json "$pid"
	see '(.notes+[.threads[].note//empty])|any(test("lost"))|not'
	let_go "$what"
}

# Threads that meet in every order, never for long: many looks, no finding.
moving() {
	what='attach moving'
	start 0 "$programs/moving" || return
	for _ in $(seq 15); do
		look 0 attach --format=json "$pid"
		see '.findings==[]'
		# Who is told to wait for a holder is told so in both places, or in neither.
		see '(.threads|any(.note//""|test("held by"))) == (.notes|any(test("a long wait")))'
	done
	let_go "$what"
}

[ $# -gt 0 ] || set -- deadlocks ring holder_gone stall long_wait lost_wakeup moving
for part; do $part; done
finish attach_hangs
