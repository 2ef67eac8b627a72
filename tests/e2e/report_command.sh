#!/bin/sh
# report_command.sh BUILD: what somebody meets who types a command for the first time: a word that is
# almost right, an option in a short form, a place that can't be written.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
cd "$tmp" || exit 1
# status STATUS ARGUMENTS…: of dlwatch; output in $tmp/out, messages in $tmp/err
status() {
	want=$1
	shift
	called="dlwatch $*"
	timeout 60 "$dlwatch" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	if [ $got = "$want" ]; then ok; else fail "$called: status $got, not $want: $(head -n 3 "$tmp/err")"; fi
}
# says FILE TEXT: the text as it stands
says() {
	if grep -q -F -e "$2" "$tmp/$1"; then ok; else fail "$called: no '$2' in $1: $(head -n 5 "$tmp/$1")"; fi
}
lacks() {
	if grep -q -F -e "$2" "$tmp/$1"; then fail "$called: '$2' in $1"; else ok; fi
}

words() {
	printf '#!/bin/sh\nexit 3\n' >app && chmod +x app
	status 2 ./app 'a b' --c=1
	says err "did you mean dlwatch run -- ./app 'a b' --c=1"
	status 2 cat file
	says err 'did you mean dlwatch run -- cat file'
	status 2 ./nothing
	says err "'./nothing' is neither a subcommand nor a program that can be run"
	lacks err 'did you mean'
	status 2 reprot
	says err 'did you mean dlwatch report'
	status 2 frobnicate
	lacks err 'did you mean'
	status 2 --log=none ./app
	says err 'did you mean dlwatch run --log=none ./app'
}

options() {
	for sub in run report merge diff attach core; do
		status 2 $sub --hlep
		says err "unknown option '--hlep': did you mean '--help'?"
		status 2 $sub --frobnicate=1
		says err "unknown option '--frobnicate'"
		lacks err 'did you mean'
		status 0 $sub -h
		says out "Usage: dlwatch $sub"
		cp out help
		status 0 help $sub
		if cmp -s out help; then ok; else fail "help $sub is not $sub --help"; fi
		status 0 $sub -V
		says out 'dlwatch '
	done
	status 2 help reprot
	says err 'did you mean dlwatch report'
	status 0 -V
	says out 'dlwatch '
	status 2 report --fromat=text x
	says err "did you mean '--format'?"
	status 2 run --stack-dpeth=3 -- true
	says err "did you mean '--stack_depth'?"
	status 2 run --timeout
	says err "option '--timeout' wants a value"
	status 2 report --live=1 x
	says err "option '--live' takes no value"
	status 2 report -z
	says err "unknown option '-z'"
	status 2 report --s=all x
	says err "option '--s=all' may mean more than one"
	status 3 run -o json:short.json --timeout=60 -- ./app
	if grep -q '"processes"' short.json; then ok; else fail "run -o writes nothing"; fi
	# What comes after the command is the command's own.
	status 0 run -- printf '%s' -h
	says out -h
}

# Before the command, not after an hour of it.
places() {
	printf '#!/bin/sh\n: >ran\n' >./touch && chmod +x ./touch
	for output in html:nowhere/x.html json:. json:app/x; do
		status 2 run --output=$output -- ./touch
		if [ -e ran ]; then fail "$called: the command has run" && rm ran; else ok; fi
	done
	status 2 run --suppressions=nowhere -- ./touch
	says err 'nowhere: No such file'
	if [ -e ran ]; then fail "$called: the command has run" && rm ran; else ok; fi
	# A line that suppresses nothing hides nothing.
	echo nonsense >list
	status 0 run --suppressions=list -- ./touch
	says err 'list:1: '
	echo kept >old.json
	status 0 run --output=json:old.json --output=json:- -- ./touch
	if grep -q '"processes"' old.json && grep -q '"processes"' out; then ok; else fail "$called: nothing is written"; fi
	if [ "$(echo old.json*)" = old.json ]; then ok; else fail "$called: leaves $(echo old.json*)"; fi
	mkfifo pipe
	(cat pipe >from-pipe) &
	status 0 run --output=json:pipe -- true
	wait
	if grep -q '"processes"' from-pipe; then ok; else fail "$called: nothing went into the pipe"; fi
}

# What a shell, another subcommand or another tool would have understood.
hints() {
	status 2
	says err 'begin with: dlwatch run -- ./your-program'
	status 127 run FOO=1 ./app
	says err 'did you mean dlwatch run -- env FOO=1 ...'
	status 127 run -- cd /
	says err "did you mean dlwatch run -- sh -c 'cd ...'"
	: >source.c
	status 126 run -- ./source.c
	says err 'Permission denied: it is not executable'
	status 3 run -o x.html --timeout=60 -- ./app
	if grep -q '<!DOCTYPE html>' x.html; then ok; else fail "run -o x.html writes no HTML"; fi
	status 2 report x.html
	says err 'x.html:1: not a dlwatch journal but a page, as report --format=html writes it'
	status 2 run --output=svg -- ./app
	says err 'did you mean --output=svg:report.svg'
	status 2 run --output=htlm:x -- ./app
	says err 'did you mean html'
	status 2 report --format=jsno x
	says err 'did you mean json'
	status 2 attach --format=jsno 1
	says err 'did you mean json'
	status 2 report --show=everything x
	says err 'one of: feasible all strict unused-suppressions'
	status 3 run --timeout=1m -- ./app
	status 2 run --timeout=5x -- ./app
	says err 'wants seconds, or 5m, 2h'
	status 2 attach --watch 2 77
	says err 'did you mean --watch=2 77'
	status 2 report "$dlwatch"
	says err "did you mean dlwatch run -- $dlwatch"
	lacks out 'nothing found'
	status 0 run --output=json:report.json -- true
	status 2 report report.json
	says err '--baseline and dlwatch diff read those'
	mkdir journals
	TMPDIR=$tmp/journals status 2 report
	lacks err 'newest'
	mkdir journals/dlwatch-Abc123
	TMPDIR=$tmp/journals status 2 report
	says err "the newest that a run kept are in $tmp/journals/dlwatch-Abc123"
	# The suffix says the format where nothing else does.
	"$dlwatch" run --log=none --report="$tmp/kept/%p" -- "$build/tests/cases/abba_inversion"
	status 66 report -o page.html kept
	if grep -q '<html' page.html; then ok; else fail "$called: no html"; fi
	status 66 report --format=text -o text.html kept
	if grep -q 'Summary: 1 error' text.html; then ok; else fail "$called: no text"; fi
}

verbosity() {
	LD_PRELOAD=$build/libdlwatch.so DLWATCH_OPTIONS=verbosity=1 "$build/tests/cases/abba_inversion" 2>&1 |
		sed -n 's/^dlwatch\[[0-9]*]: \(watching\|wrapped calls\|works\).*/\1/p' | sort >preload
	if [ "$(wc -l <preload)" = 3 ]; then ok; else fail "verbosity of a preload: $(cat preload)"; fi
	status 66 run --verbosity=1 -- "$build/tests/cases/abba_inversion"
	sed -n 's/^dlwatch\[[0-9]*]: \(watching\|wrapped calls\|works\).*/\1/p' err | sort >watched
	if cmp -s preload watched; then ok; else fail "$called: $(cat watched)"; fi
	if [ "$(grep -c 'lock-order-inversion: ' err)" = 1 ]; then ok; else fail "$called: the block comes twice"; fi
	# shellcheck disable=SC2016 # the inner shell's
	status 66 run --verbosity=1 --log=lines -- sh -c 'cd / && exec "$0"' "$build/tests/cases/abba_inversion"
	if grep -q 'wrapped calls' lines && grep -q 'Summary: 1 error' lines; then ok; else fail "$called: $(cat lines)"; fi
	status 66 run --verbosity=1 --log=none -- "$build/tests/cases/abba_inversion"
	lacks err 'watching'
	status 66 run -- "$build/tests/cases/abba_inversion"
	lacks err 'watching'
	# A run inside a run leaves the telling to the outer one.
	status 66 run --verbosity=1 -- "$dlwatch" run -- "$build/tests/cases/abba_inversion"
	if [ "$(grep -c '^dlwatch: Summary' err)" = 1 ]; then ok; else fail "$called: two summaries"; fi
}

# An empty file where the loader looks first: as good as not installed.
no_libunwind() {
	mkdir none
	: >none/libunwind-x86_64.so.8
	: >none/libunwind-aarch64.so.8
	# shellcheck disable=SC2016 # the inner shell's
	LD_LIBRARY_PATH=$tmp/none status 66 run -- sh -c '"$0"; true' "$build/tests/cases/abba_inversion"
	says err 'so.8 is not installed'
	says err '(libunwind-'
	# Its lines break where the path lets them.
	if [ "$(sed 's/^dlwatch: //' err | tr '\n' ' ' | grep -o 'could not be watched' | wc -l)" = 1 ]; then ok; else fail "$called: said more than once"; fi
	status 66 run -- "$build/tests/cases/abba_inversion"
	lacks err 'libunwind'
}

# Graphviz, or what stands in its place, runs as it would without us.
helpers() {
	mkdir bin
	printf '#!/bin/sh\ntouch "%s"\nenv >"%s"\ncat >/dev/null\necho "<svg/>"\n' "$tmp/started" "$tmp/env" >bin/dot
	chmod +x bin/dot
	PATH=$tmp/bin:$PATH LD_PRELOAD=libdlwatch.so:libm.so.6 status 66 run --log=none --output=svg:x.svg -- "$build/tests/cases/abba_inversion"
	if [ -e started ]; then ok; else fail "$called: no dot was started"; fi
	if grep 'DLWATCH\|libdlwatch' env; then fail "$called: dot is watched"; else ok; fi
	if grep -q '^LD_PRELOAD=libm.so.6$' env; then ok; else fail "$called: lost $(grep LD_PRELOAD env)"; fi
}

long_lines() {
	cat >long.c <<-'END'
		#include <pthread.h>
		static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
		int main(void)
		{
		    int a_name_that_is_rather_long = 1, another_name_that_is_no_shorter = 2, sum_of_both_of_them = 0; sum_of_both_of_them = a_name_that_is_rather_long + another_name_that_is_no_shorter; return pthread_mutex_unlock(&m) + sum_of_both_of_them - 3;
		}
	END
	if gcc -g -pthread long.c -o long 2>/dev/null; then
		COLUMNS=80 status 66 run -- ./long
		says err '5 | int a_name_that_is_rather_long'
		if grep '5 | int' err | grep -q '…$'; then ok; else fail "$called: a line that is cut does not show it"; fi
		COLUMNS=400 status 66 run -- ./long
		lacks err '…'
	fi
}

for part in words options places hints verbosity no_libunwind helpers long_lines; do $part; done
finish
