#!/bin/sh
# report_unwatched.sh BUILD: programs that the library can't be loaded into, or that are started without
# it, run as ever; and the run says that they ran unwatched, and where nothing was watched at all.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
program=$build/tests/e2e/moved # has an inversion
cd "$tmp" || exit 1

# run NAME STATUS ARGUMENTS…
run() {
	name=$1 want=$2
	shift 2
	timeout -k 5 120 "$dlwatch" run --log="$tmp/log" --output=json:"$tmp/json" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	sed 's/^dlwatch: //' "$tmp/log" | tr '\n' ' ' >"$tmp/said"
	rm -f "$tmp/log"
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(cat "$tmp/said" "$tmp/err")"; fi
}
says() {
	if grep -qF -e "$1" "$tmp/said"; then ok; else fail "$name: no '$1' in: $(tail -c 300 "$tmp/said")"; fi
}
says_not() {
	if grep -qF -e "$1" "$tmp/said"; then fail "$name: '$1' in: $(tail -c 300 "$tmp/said")"; else ok; fi
}
# unwatched EXE WHY: in the summary and in the document
unwatched() {
	says "$1 ($2)"
	if jq -e --arg exe "$1" --arg why "$2" '.unwatched[] | select(.exe == $exe and .why == $why)' "$tmp/json" >/dev/null; then
		ok
	else
		fail "$name: not in the document: $(jq -c .unwatched "$tmp/json")"
	fi
}

# The quiet twin: all that runs is watched.
run 'all watched' 66 -- sh -c "'$program'; :"
says_not unwatched
says_not 'Nothing was watched'
says 'in 2 processes'
if jq -e '.unwatched == null' "$tmp/json" >/dev/null; then ok; else fail 'a list of none'; fi
run 'nothing to say' 0 -- true
says 'nothing found in 1 process.'
says_not 'Nothing was watched'

# The preload is reset, in each way; the program itself is started all the same.
run 'env -i' 0 -- env -i "$program"
unwatched "$program" 'LD_PRELOAD reset'
run 'a variable of the shell' 0 -- sh -c "LD_PRELOAD= '$program'; exit 0"
unwatched "$program" 'LD_PRELOAD reset'
run 'by a forked child' 0 -- sh -c "(LD_PRELOAD= '$program'); exit 0"
unwatched "$program" 'LD_PRELOAD reset'
run 'another preload stays' 0 --fail_on=warning -- sh -c "LD_PRELOAD=libm.so.6 '$program'; exit 0"
unwatched "$program" 'LD_PRELOAD reset'

# Started again and again it is a line, not a hundred.
DLWATCH_OPTIONS="report='$tmp/many.%p'" LD_PRELOAD=$build/libdlwatch.so \
	sh -c "for i in 1 2 3 4 5 6 7 8 9; do LD_PRELOAD= /bin/true; LD_PRELOAD= /bin/echo; done >/dev/null; exit 0"
if [ "$(cat "$tmp"/many.* | grep -c '"type":"unwatched"')" = 2 ]; then ok; else fail "again and again: $(cat "$tmp"/many.*)"; fi

# Left alone by name, and nothing left to watch.
run 'exe' 66 --exe=moved,sh -- sh -c "'$program'; '$build/tests/e2e/many_findings'; :"
unwatched "$build/tests/e2e/many_findings" exe
run 'exe of nobody' 0 --exe=nosuch -- "$program"
unwatched "$program" exe
says 'Nothing was watched'
run 'exe of nobody' 66 --exe=nosuch --fail_on=warning -- "$program"
mkdir "$tmp/empty"
if "$dlwatch" report "$tmp/empty" >"$tmp/out" && grep -q 'Nothing was watched' "$tmp/out"; then ok; else fail 'report of an empty folder'; fi
for option in fail_on fail-on; do
	"$dlwatch" report --$option=warning "$tmp/empty" >"$tmp/out"
	if [ $? = 66 ]; then ok; else fail "report --$option=warning of an empty folder"; fi
done
run 'warnings fail' 66 --fail_on=warning -- "$build/tests/cases/exit_holding"
run 'warnings do not' 0 -- "$build/tests/cases/exit_holding"

printf '#include <pthread.h>\nstatic void *f(void *x) { return x; }\nint main(void) { pthread_t t; return pthread_create(&t, 0, f, 0) || pthread_join(t, 0) ? 1 : 4; }\n' >"$tmp/threads.c"
printf 'int main(void) { return 4; }\n' >"$tmp/alone.c"
if gcc -static -pthread "$tmp/threads.c" -o "$tmp/static" 2>/dev/null; then
	run 'a static child' 4 -- sh -c ./static
	unwatched ./static static
	says_not 'Nothing was watched'
	run 'a static command' 4 -- ./static
	unwatched ./static static
	says 'Nothing was watched'
	# What a static program starts is watched: it hands its environment on.
	gcc -static "$tmp/alone.c" -o "$tmp/static-alone"
	run 'a static child without threads' 4 -- sh -c ./static-alone
	says_not unwatched
else
	echo "report_unwatched: no static C library, skipped"
fi
if command -v musl-gcc >/dev/null && musl-gcc "$tmp/threads.c" -o "$tmp/musl" 2>/dev/null && ./musl; [ $? = 4 ]; then
	run 'a musl child' 4 -- sh -c './musl; exit $?'
	unwatched ./musl 'other libc'
	printf '#!%s/musl\n' "$tmp" >"$tmp/script"
	chmod +x "$tmp/script"
	run 'a musl child, by a script' 4 -- sh -c ./script
	unwatched ./script 'other libc'
	# Alone preloaded, and beside another library that stays.
	for preload in "$build/libdlwatch.so" "libm.so.6:$build/libdlwatch.so" "$build/libdlwatch.so libm.so.6"; do
		DLWATCH_OPTIONS="report='$tmp/j.%p'" LD_PRELOAD=$preload env ./musl >"$tmp/out" 2>&1
		if [ $? = 4 ]; then ok; else fail "preload=$preload: $(cat "$tmp/out")"; fi
		if grep -q '"type":"unwatched"' "$tmp"/j.*; then ok; else fail "preload=$preload: not in the journal"; fi
		rm -f "$tmp"/j.*
	done
else
	echo "report_unwatched: no musl-gcc, skipped"
fi
# Before glibc 2.34: one that came without threads, and makes one by a plugin.
late=$build/tests/conformance/late_threads
if [ -x "$late" ] && readelf -d "$build/libdlwatch.so" | grep -q 'libdl\.so'; then
	run 'late threads' 0 -- "$late"
	unwatched "$late" 'no libpthread at start'
	says 'in 1 process'
fi
# What the loader drops for rights that the user has not.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 777 "$tmp"
	cp "$build/libdlwatch.so" "$tmp"
	cp "$program" "$tmp/privileged" && chmod 4755 "$tmp/privileged"
	setpriv --reuid=65534 --regid=65534 --clear-groups env DLWATCH_OPTIONS="report='$tmp/s.%p'" \
		LD_PRELOAD="$tmp/libdlwatch.so" sh -c './privileged; exit 0' 2>"$tmp/err"
	if "$dlwatch" report "$tmp"/s.* | grep -q './privileged (setuid)'; then ok; else fail "a setuid program: $(cat "$tmp"/s.* "$tmp/err")"; fi
fi
finish
