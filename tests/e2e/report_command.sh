#!/bin/sh
# report_command.sh BUILD: what somebody meets who types a command for the first time: a word that is
# almost right, an option in a short form, a place that can't be written.
set -u
build=$(cd "$1" && pwd)
dlwatch=$build/dlwatch
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0 passed=0
ok() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL report_command: $*"
}
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

for part in words options; do $part; done
echo "report_command: $passed passed, $failed failed"
[ $failed = 0 ]
