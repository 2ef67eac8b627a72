#!/bin/sh
# report_large.sh BUILD: many orders. What takes long says how far it is, on a terminal alone; a signal
# ends it, and leaves no file behind.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
# shellcheck disable=SC2046 # a list
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$tmp"' EXIT
MANY=30000
cat >"$tmp/many.c" <<END
#include <pthread.h>
pthread_mutex_t locks[$((MANY + 1))];
int main(void) { return 0; }
END
cc -g -pthread "$tmp/many.c" -o "$tmp/many" || exit 1
"$here/data/many-orders.sh" $MANY "$tmp/many" >"$tmp/journal" || exit 1

# Each order is read, whatever it is read for.
formats() {
	for format in json html dot; do
		if timeout 300 "$dlwatch" report --format=$format -o "$tmp/out.$format" "$tmp/journal" 2>"$tmp/err" && [ ! -s "$tmp/err" ] && [ -s "$tmp/out.$format" ]; then ok; else fail "$format: $(head -n 2 "$tmp/err")"; fi
	done
	if [ "$(jq -c '[.processes[0]|.edges,.locks]' "$tmp/out.json")" = "[$MANY,$((MANY + 1))]" ]; then ok; else fail 'orders counted'; fi
	if timeout 300 "$dlwatch" merge -o "$tmp/history" "$tmp/journal" 2>"$tmp/err" && grep -q "^dlwatch: 1 journal, $MANY lock orders; no cycle" "$tmp/err" &&
		[ "$(grep -c '"type":"edge"' "$tmp/history")" = $MANY ]; then ok; else fail "merge: $(head -n 2 "$tmp/err")"; fi
}

# A file that is being written is not left behind: stopped where it can be seen, so that it is not
# whole before the signal comes.
# interrupt SIGNAL COMMAND…, which writes $tmp/part/out
interrupt() {
	name=$1
	shift
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rm -rf "$tmp/part"
		mkdir "$tmp/part"
		# By nohup they come ignored.
		env --default-signal=HUP,TERM "$@" >"$tmp/out" 2>&1 &
		pid=$!
		while kill -0 $pid 2>/dev/null && [ -z "$(ls "$tmp/part")" ]; do :; done
		kill -STOP $pid 2>/dev/null
		if [ ! -e "$tmp/part/out" ] && kill -0 $pid 2>/dev/null && [ -n "$(ls "$tmp/part")" ]; then
			kill -"$name" $pid
			kill -CONT $pid
			wait $pid 2>/dev/null
			status=$?
			if [ -z "$(ls "$tmp/part")" ]; then ok; else fail "$name: left $(ls "$tmp/part")"; fi
			case $name$status in TERM143 | HUP129) ok ;; *) fail "$name: status $status" ;; esac
			return
		fi
		kill -CONT $pid 2>/dev/null
		wait $pid 2>/dev/null
	done
	echo "report_large: $* was too fast to be interrupted"
}
signals() {
	interrupt TERM "$dlwatch" merge -o "$tmp/part/out" "$tmp/journal"
	interrupt HUP "$dlwatch" merge -o "$tmp/part/out" "$tmp/journal"
	interrupt TERM "$dlwatch" report --format=html -o "$tmp/part/out" "$tmp/journal"
	# And while it waits for what it reads.
	mkfifo "$tmp/slow"
	"$dlwatch" report "$tmp/slow" >"$tmp/out" 2>&1 &
	pid=$!
	exec 3<>"$tmp/slow" # which waits for nobody
	timeout 120 head -n 1000 "$tmp/journal" >&3
	kill -TERM $pid
	wait $pid 2>/dev/null
	status=$?
	exec 3>&-
	rm "$tmp/slow"
	if [ $status = 143 ]; then ok; else fail "a signal while reading: status $status"; fi
}

# Fed as slowly as it takes until the line is there.
# feed OUTPUT: the journal's first part, and more of it until OUTPUT says how far it is
feed() {
	exec 3<>"$tmp/slow"
	timeout 120 head -n 10000 "$tmp/journal" >&3
	for _ in $(seq 600); do
		grep -q 'so far' "$1" && break
		echo '{"type":"exec"}' >&3
		sleep 0.1
	done
	echo '{"type":"end","ended":"exit","status":0,"edges":1,"locks":2,"threads":1}' >&3
	exec 3>&-
}
progress() {
	if ! script -qefc true /dev/null >/dev/null 2>&1 </dev/null; then echo 'report_large: no script or no terminals, no look at one' && return; fi
	for command in "report --format=json -o /dev/null" "merge -o $tmp/history"; do
		mkfifo "$tmp/slow"
		: >"$tmp/screen"
		script -qefc "'$dlwatch' $command '$tmp/slow'" "$tmp/screen" >/dev/null 2>&1 </dev/null &
		feed "$tmp/screen"
		wait $!
		if grep -q 'lock orders.* so far' "$tmp/screen"; then ok; else fail "$command: no progress on a terminal"; fi
		# The last that clears the line writes nothing into it, but for a message.
		if tr '\r' '\n' <"$tmp/screen" | grep "$(printf '\033\\[K')" | tail -n 1 | grep -q 'so far\|: writing'; then fail "$command: progress is not wiped"; else ok; fi
		# shellcheck disable=SC2086 # a list
		"$dlwatch" $command "$tmp/slow" >"$tmp/out" 2>"$tmp/err" & # no terminal
		: >"$tmp/screen"
		echo 'so far' >"$tmp/screen"
		feed "$tmp/screen"
		wait $!
		if ! grep -q 'so far' "$tmp/err"; then ok; else fail "$command: progress in a file"; fi
		rm "$tmp/slow"
	done
}

for part in formats signals progress; do $part; done
finish
