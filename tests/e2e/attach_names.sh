#!/bin/sh
# attach_names.sh BUILD [PART…]: a process by its name, looked at again and again; a core and its
# program in any order.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_names: not allowed to trace here, skipped" && exit 0; }
cp "$programs/hang" "$tmp/sleeper-of-$$"

# says STATUS WORDS ARGUMENTS…: of dlwatch
says() {
	want=$1 words=$2
	shift 2
	timeout -k 5 60 "$dlwatch" "$@" >"$tmp/text" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ] && cat "$tmp/text" "$tmp/err" | grep -q -F -e "$words"; then
		pass
	else
		fail "$*: status $status, says: $(head -n 5 "$tmp/err")"
	fi
}

names() {
	says 2 "no process has the number or name 'sleeper-of-$$'" attach sleeper-of-$$
	start 2 "$tmp/sleeper-of-$$" abba || return
	first=$pid
	says 66 "(process $first" attach sleeper-of-$$
	start 2 "$tmp/sleeper-of-$$" abba || return
	says 2 "2 processes are called 'sleeper-of-$$'" attach sleeper-of-$$
	for one in $first $pid; do
		if grep -q "^ *$one  .*sleeper-of-$$ abba\$" "$tmp/err"; then pass; else fail "process $one is not listed"; fi
	done
	says 66 "(process $first" attach "$first"
	kill -9 "$first"
	end
}

look_is() { [ "$(grep -c "$1" "$tmp/looks")" -ge "$2" ]; }

# What stands where it stood is not told again; what moves is.
unchanged() {
	start 2 "$programs/long_wait" mutex 1 || return
	timeout -k 5 60 "$dlwatch" attach --watch=0.05 "$pid" >"$tmp/looks" 2>"$tmp/err" &
	watcher=$!
	until_true look_is '^unchanged$' 2 || fail "says nothing of unchanged: $(head -n 5 "$tmp/looks")"
	if [ "$(grep -c '^Summary' "$tmp/looks")" = 1 ]; then pass; else fail 'what is unchanged is told again'; fi
	let_go 'a process that was watched'
	wait "$watcher"
	start 2 "$programs/hang" abba || return
	timeout -k 5 60 "$dlwatch" attach --watch=0.05 --format=json "$pid" >"$tmp/looks" 2>"$tmp/err" &
	watcher=$!
	until_true look_is '"verdict"' 2 || fail "json is left out where nothing has changed"
	if grep -q unchanged "$tmp/looks"; then fail 'json holds words for people'; else pass; fi
	end
	wait "$watcher"
}

cores() {
	command -v gcore >/dev/null || { echo "attach_names: no gcore, part skipped" && return; }
	start 2 "$tmp/sleeper-of-$$" abba || return
	gcore -o "$tmp/core" "$pid" >"$tmp/gcore.out" 2>&1
	set -- "$tmp"/core.*
	end
	[ -f "$1" ] || { echo "attach_names: gcore is not allowed to, part skipped" && return; }
	for format in text json; do
		says 66 deadlock core --format=$format "$1" "$tmp/sleeper-of-$$"
		cp "$tmp/text" "$tmp/usual"
		says 66 deadlock core --format=$format "$tmp/sleeper-of-$$" "$1"
		if cmp -s "$tmp/text" "$tmp/usual"; then pass; else fail 'core: the order makes a difference'; fi
	done
	says 2 'is a program or library' core "$tmp/sleeper-of-$$"
	says 2 'did you mean dlwatch core' report "$1"
}

[ $# -gt 0 ] || set -- names unchanged cores
for part; do $part; done
finish attach_names
