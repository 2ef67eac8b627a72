#!/bin/sh
# attach_process.sh BUILD [PART…]: the process goes on untouched, many threads take seconds, containers,
# formats, and a clear line for what can't be done.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_process: not allowed to trace here, skipped" && exit 0; }

# says STATUS WORDS COMMAND…
says() {
	want=$1 words=$2
	shift 2
	timeout -k 5 60 "$@" >"$tmp/json" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ] && grep -q -e "$words" "$tmp/err"; then
		pass
	else
		fail "$*: status $status, says: $(cat "$tmp/err")"
	fi
}

thousand() {
	what='attach 1000 threads'
	start 1001 "$programs/long_wait" condition 1000 || return
	look 0 attach --format=json "$pid" # within two minutes
	see '.threads|length==1002 and (map(select(.waits=="condition" and (.stack|length)>3))|length)==1000'
	look 0 attach "$pid"
	if grep -q 'threads were stopped, each for at most' "$tmp/json"; then pass; else fail "$what: length of the stop"; fi
	let_go "$what"
}

# Every one of the program's five threads sits in its call.
start_calls() {
	start 1 "$programs/calls" || return 1
	until_true are_blocked 5 || { fail "$what: not in their calls" && return 1; }
}

# epoll_wait and the like see nothing of it, and their stacks are there all the same.
undisturbed() {
	what='attach calls'
	start_calls || return
	look 0 attach --format=json "$pid"
	# newer processors have but the newer ones of these calls
	case $(uname -m) in x86_64) epoll=epoll_wait poll=poll ;; *) epoll=epoll_pwait poll=ppoll ;; esac
	see '.threads|map(.syscall)|contains([$epoll,$poll,"rt_sigtimedwait"])' --arg epoll $epoll --arg poll $poll
	see '.threads|map(select(.syscall==$epoll))|.[0].stack|map(.function)|index("in_epoll")!=null' --arg epoll $epoll
	see '.threads|map(select(.waits=="semaphore"))|.[0].timed'
	let_go "$what"
	what='attach --stop-all'
	start_calls || return
	look 0 attach --stop-all --format=json "$pid"
	see '(.threads|length)==5 and (.notes|any(test("^5 threads were stopped")))'
	end
}

is_stopped() { ! cat /proc/"$pid"/task/*/stat | grep -vq '^[^)]*) T'; }
stays_stopped() {
	what='attach stopped'
	start 2 "$programs/hang" abba || return
	kill -STOP "$pid"
	until_true is_stopped
	look 66 attach --format=json "$pid"
	see '.findings[0].kind=="deadlock"'
	if until_true is_stopped; then pass; else fail "$what: was set going"; fi
	end
}

# killed: whatever moment dlwatch is killed at, the process is let go.
killed() {
	what='attach killed'
	start 201 "$programs/long_wait" mutex 200 || return
	for pause in 0.05 0.07 0.08 0.09 0.1 0.12; do
		"$dlwatch" attach "$pid" >/dev/null 2>&1 &
		watcher=$!
		sleep $pause
		kill -9 $watcher 2>/dev/null
		wait $watcher 2>/dev/null
	done
	if cat /proc/"$pid"/task/*/status | grep -q '^State:.t '; then fail "$what: still stopped"; else pass; fi
	let_go "$what"
}

container() {
	what='attach container'
	unshare -mpf true 2>/dev/null || { echo "attach_process: no namespaces, part skipped" && return; }
	mkdir -p "$tmp/there"
	# shellcheck disable=SC2016 # expanded inside
	start 0 unshare -mpf --kill-child sh -c 'mount -t tmpfs none "$1" && cp "$2" "$1/inside" && exec "$1/inside" abba' \
		- "$tmp/there" "$programs/hang" || return
	pid=$(tr -d ' ' </proc/"$child"/task/"$child"/children)
	until_true are_waiting 2
	look 66 attach --format=json "$pid"
	see '.findings[0].cycle|all(.wants.stack|map(.file//"")|any(endswith("hang.c")))'
	see '.findings[0].locks|map(.expression)|index("accounts[1].lock")!=null'
	end
}

formats() {
	what='attach formats'
	start 2 "$programs/hang" abba || return
	timeout 60 "$dlwatch" attach --color=never "$pid" >"$tmp/text"
	for word in 'deadlock' 'worker-0' 'worker-1' 'accounts\[1\].lock' 'hang.c:' 'each for at most'; do
		if grep -q "$word" "$tmp/text"; then pass; else fail "$what: text lacks $word"; fi
	done
	look 66 attach --format=json -o "$tmp/file" "$pid"
	cp "$tmp/file" "$tmp/json"
	see '.version==1 and (.threads|length)==3 and (.processes[0]|.threads==3 and (.argv|length)==2)'
	look 66 attach --format=dot -o "$tmp/file.dot" "$pid"
	if grep -q '^digraph' "$tmp/file.dot" && grep -q worker-0 "$tmp/file.dot"; then pass; else fail "$what: dot"; fi
	look 66 attach --format=svg -o "$tmp/file.svg" "$pid"
	if grep -q '<svg' "$tmp/file.svg" && grep -q 'accounts\[1\]' "$tmp/file.svg"; then pass; else fail "$what: svg"; fi
	look 66 attach --format=html -o "$tmp/file.html" "$pid"
	if grep -q '</html>' "$tmp/file.html" && grep -q worker-0 "$tmp/file.html"; then pass; else fail "$what: html"; fi
	look 5 attach --exitcode=5 --format=json "$pid"
	says 2 'unknown format' "$dlwatch" attach --format=nosuch "$pid"
	says 2 'stack_depth' "$dlwatch" attach --stack_depth=0 "$pid"
	look 66 attach --stack_depth=1 --format=json "$pid"
	see '.threads|all(.stack|map(select(.inlined|not))|length<=2)'
	end
}

watches() { grep -q 'error: deadlock' "$tmp/watched" && [ "$(grep -c '^unchanged$' "$tmp/watched")" -ge 2 ]; }
watch() {
	what='attach --watch'
	start 2 "$programs/hang" abba || return
	"$dlwatch" attach --watch=0.1 "$pid" >"$tmp/watched" 2>&1 &
	watcher=$!
	if until_true watches; then pass; else fail "$what: not repeated"; fi
	if [ "$(grep -c '^---- [0-9:]* ----$' "$tmp/watched")" -ge 3 ]; then pass; else fail "$what: no line with the time"; fi
	end
	wait $watcher
	status=$?
	if [ $status = 66 ]; then pass; else fail "$what: status $status after the end"; fi
	says 2 'watch' "$dlwatch" attach --watch=never 1
}

errors() {
	what='attach errors'
	says 2 'no process 4194000' "$dlwatch" attach 4194000
	says 2 "number or name 'abc'" "$dlwatch" attach abc
	says 2 'no process is given' "$dlwatch" attach
	says 2 'kernel thread' "$dlwatch" attach 2
	start 2 "$programs/hang" abba || return
	if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
		chmod 755 "$tmp"
		cp "$dlwatch" "$tmp/dlwatch"
		says 2 'belongs to user 0' setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/dlwatch" attach --format=json "$pid"
		nothing_else
		if unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc' 2>/dev/null; then
			# shellcheck disable=SC2016 # expanded inside
			says 2 'not allowed to look into process' unshare -m sh -c \
				'mount -t proc -o "$1" proc /proc && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' \
				- hidepid=2 "$tmp/dlwatch" attach "$pid"
			nothing_else
			# shellcheck disable=SC2016 # expanded inside
			says 2 'not allowed to look into process' unshare -m sh -c \
				'mount -t proc -o "$1" proc /proc && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' \
				- hidepid=1 "$tmp/dlwatch" attach "$pid"
			nothing_else
		fi
	fi
	end
}

nothing_else() { if [ ! -s "$tmp/json" ] && [ "$(wc -l <"$tmp/err")" = 1 ]; then pass; else fail "$what: says more than one line"; fi; }

# To stop a thread must not make its wait young again: by the next look, the next command's too.
since() {
	what='attach since'
	start 2 "$programs/hang" abba || return
	sleep 1.5
	for _ in 1 2 3; do
		look 66 attach --format=json "$pid"
		see '.threads|map(select(.waits=="lock").since)|length==2 and min>=$before' --argjson before "${before:-1}"
		before=$(jq '.threads|map(select(.waits=="lock").since)|min' "$tmp/json")
	done
	# Where nothing can be kept it says what is left of the truth.
	setpriv_self="env -u XDG_RUNTIME_DIR setpriv --reuid=65534 --regid=65534 --clear-groups"
	if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
		chmod 755 "$tmp"
		cp "$programs/hang" "$dlwatch" "$tmp"
		end
		# shellcheck disable=SC2086 # a list
		start 2 $setpriv_self "$tmp/hang" abba || return
		# shellcheck disable=SC2086 # a list
		timeout 60 $setpriv_self "$tmp/dlwatch" attach "$pid" >"$tmp/text" 2>"$tmp/err"
		if grep -q 'not allowed' "$tmp/err" || grep -q 'for at least [0-9.]* s$' "$tmp/text"; then pass; else fail "$what: not 'at least'"; fi
	fi
	end
}

is_traced() { ! grep -q '^TracerPid:.0$' /proc/"$pid"/status; }
# What another traces can't be stopped; it is read all the same.
traced() {
	command -v strace >/dev/null || { echo "attach_process: no strace, part skipped" && return; }
	start 2 "$programs/hang" abba || return
	strace -f -o /dev/null -p "$pid" 2>/dev/null &
	tracer=$!
	until_true is_traced
	what='attach traced'
	says 2 'already traced by process' "$dlwatch" attach --format=json "$pid"
	see '.findings[0].kind=="deadlock"'
	see '.threads|all(.stack|map(.file//"")|any(endswith("hang.c")))'
	kill $tracer
	wait $tracer
	end
}

is_blocked_narrow() { [ "$(cat /proc/"$pid"/task/*/syscall | grep -c -e '^240 ' -e '^422 ')" = 2 ]; }
# as_foreign NAME WORDS THREADS: the program $tmp/NAME says that owners can't be told, and shows its threads.
as_foreign() {
	what="attach $1"
	start "$3" "$tmp/$1" abba || return
	says 2 "$2" "$dlwatch" attach --format=json "$pid"
	see '.findings==[] and .verdict=="nothing" and (.threads|map(select(.syscall=="futex"))|length)>=$n' --argjson n "$3"
	see '.threads|all((.stack|length)>0)'
}

# Programs whose locks are not glibc's of 64 bits: each where its compiler is there.
foreign() {
	sources=$(cd "$(dirname "$0")/../outside" && pwd)
	headers="-idirafter /usr/include -idirafter /usr/include/$(uname -m)-linux-gnu"
	# shellcheck disable=SC2086 # a list
	if command -v musl-gcc >/dev/null &&
		musl-gcc -g -D_GNU_SOURCE "$sources/raw.c" $headers -o "$tmp/raw" -pthread; then
		as_foreign raw musl 1 && let_go "$what"
	else
		echo "attach_process: no musl-gcc, part skipped"
	fi
	if cc -m32 -std=gnu11 -D_GNU_SOURCE -g "$sources/hang.c" -o "$tmp/hang32" -pthread 2>/dev/null; then
		what='attach hang32'
		start 0 "$tmp/hang32" abba
		until_true is_blocked_narrow
		says 2 '32-bit' "$dlwatch" attach --format=json "$pid"
		see '.threads|map(select(.syscall=="futex"))|length==2 and all(.stack|map(.file//"")|any(endswith("hang.c")))'
		see '.threads|map(select(.syscall=="pause"))|length==1'
		end
	else
		echo "attach_process: no 32-bit compiler, part skipped"
	fi
	if command -v go >/dev/null && GOCACHE=$tmp/go GOFLAGS=-buildvcs=false go build -o "$tmp/hanggo" "$sources/hang.go"; then
		as_foreign hanggo 'a Go program' 2 && end
	else
		echo "attach_process: no go, part skipped"
	fi
	if command -v rustc >/dev/null && rustc -g -o "$tmp/hangrs" "$sources/hang.rs" 2>/dev/null; then
		as_foreign hangrs 'a Rust program' 2
		see '.threads|map(select(.thread.name|startswith("worker-")?))|all(.stack|map(.function)|any(.=="hang::main::{{closure}}"))'
		see '.threads|map(select(.syscall=="clock_nanosleep"))|all(.stack|map(.function)|any(.=="std::thread::functions::sleep" or .=="std::thread::sleep"))'
		end
	else
		echo "attach_process: no rustc, part skipped"
	fi
}

static_program() {
	what='attach static'
	here=$(dirname "$0")
	cc -std=gnu11 -D_GNU_SOURCE -g -static "$here/../outside/hang.c" -o "$tmp/hang" -pthread 2>/dev/null ||
		{ echo "attach_process: no static libc, part skipped" && return; }
	start 2 "$tmp/hang" abba || return
	look 66 attach --format=json "$pid"
	see '.findings[0].locks|map(.expression)|index("accounts[0].lock")!=null'
	end
}

[ $# -gt 0 ] || set -- since thousand undisturbed stays_stopped killed container formats watch errors traced foreign static_program
for part; do $part; done
finish attach_process
