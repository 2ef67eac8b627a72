# shellcheck shell=sh disable=SC2154 # part of run.sh: tmp, lib, dlwatch, build are its
# Bad input: each a clear line that names what is wrong, nothing lost, and the watched program runs on.

# says NAME STATUS WORD COMMAND…: ends with STATUS and says WORD on stderr; WORD '' wants silence there.
says() {
	name=$1 want=$2 word=$3
	shift 3
	timeout -k 5 120 "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status != "$want" ]; then
		fail "$name: status $status, not $want"
	elif [ -n "$word" ] && ! grep -q -e "$word" "$tmp/err"; then
		fail "$name: does not say $word"
	elif [ -z "$word" ] && [ -s "$tmp/err" ]; then
		fail "$name: is not silent"
	else
		pass
		return
	fi
	head -n 5 "$tmp/err"
}

# preload OPTIONS COMMAND…
preload() {
	options=$1
	shift
	env LD_PRELOAD="$lib" DLWATCH_OPTIONS="$options" "$@"
}

bad_options() {
	quiet=$build/tests/cases/abba_quiet
	for pair in 'nosuch=1 nosuch' 'stack_depth=9999 stack_depth' 'on_deadlock=explode explode' \
		'marks marks' 'report=/nonexistent/x /nonexistent/x' 'log=/nonexistent/y /nonexistent/y' \
		"suppressions=/nonexistent/z /nonexistent/z"; do
		# Words that only open on a finding may keep silent before one.
		case $pair in report=* | log=*) program=$build/tests/cases/abba_inversion ;; *) program=$quiet ;; esac
		says "option ${pair% *}" 0 "${pair#* }" env LD_PRELOAD="$lib" DLWATCH_OPTIONS="${pair% *}" "$program"
	done
	says 'several bad options' 0 'second' env LD_PRELOAD="$lib" DLWATCH_OPTIONS='first=1 second=2:third' "$quiet"
	says 'no options' 0 '' env LD_PRELOAD="$lib" "$quiet"
	says 'help=1' 0 stall_after env LD_PRELOAD="$lib" DLWATCH_OPTIONS=help=1 "$quiet"
	says 'exe of others' 0 '' env LD_PRELOAD="$lib" DLWATCH_OPTIONS=exe=other "$build/tests/cases/abba_inversion"
	says 'exe of its own' 0 inversion env LD_PRELOAD="$lib" DLWATCH_OPTIONS=exe=other,abba_inversion \
		"$build/tests/cases/abba_inversion"
}

# What is no file is not opened: a pipe would be waited for for ever, at the start of every program.
no_files() {
	mkfifo "$tmp/fifo"
	quiet=$build/tests/cases/abba_quiet inversion=$build/tests/cases/abba_inversion
	for path in "$tmp/fifo" "$tmp" /dev/zero; do
		says "suppressions=$path" 0 "'$path' can't be read" env LD_PRELOAD="$lib" \
			DLWATCH_OPTIONS="suppressions=$path" "$quiet"
		says "run --suppressions=$path" 2 "$path: " "$dlwatch" run --suppressions="$path" -- "$inversion"
		says "report --suppressions=$path" 2 "$path: " "$dlwatch" report --suppressions="$path" "$tmp/good.journal"
		[ -d "$path" ] && continue # a baseline may be a folder of journals
		says "run --baseline=$path" 2 "$path: " "$dlwatch" run --baseline="$path" -- "$inversion"
		says "report --baseline=$path" 2 "$path: " "$dlwatch" report --baseline="$path" "$tmp/good.journal"
	done
	says 'report /dev/zero' 2 'a line longer than' "$dlwatch" report /dev/zero # it has no end
	for path in "$tmp/fifo" "$tmp"; do
		says "log=$path" 0 "'$path'" env LD_PRELOAD="$lib" DLWATCH_OPTIONS="log=$path" "$inversion"
		says "run --log=$path" 66 "$path: " "$dlwatch" run --log="$path" -- "$inversion"
		says "report=$path" 0 inversion env LD_PRELOAD="$lib" DLWATCH_OPTIONS="report=$path" "$inversion"
	done
	# A log that somebody has open and never reads.
	sleep 60 <>"$tmp/fifo" &
	sleeper=$!
	says 'a log that nobody reads' 0 '' env LD_PRELOAD="$lib" DLWATCH_OPTIONS="log=$tmp/fifo" "$build/tests/e2e/many_findings"
	kill "$sleeper"
	says 'suppressions=/dev/null' 0 '' env LD_PRELOAD="$lib" DLWATCH_OPTIONS=suppressions=/dev/null "$quiet"
	printf '*:*\n' >"$tmp/all"
	(cd "$tmp" && mkdir -p other && says 'a relative suppressions file' 0 '' env LD_PRELOAD="$lib" \
		DLWATCH_OPTIONS="suppressions=all" "$build/tests/e2e/moved" other)
}

# A relative preload after the program has gone elsewhere: what lies there by the command's name is not it.
relative_preload() {
	mkdir -p "$tmp/here/evil" "$tmp/here/fine"
	cp "$lib" "$dlwatch" "$tmp/here"
	printf '#!/bin/sh\necho theirs >&2\n' >"$tmp/here/evil/dlwatch"
	chmod +x "$tmp/here/evil/dlwatch"
	for preload in ./libdlwatch.so libdlwatch.so; do
		(
			cd "$tmp/here" || exit
			LD_LIBRARY_PATH=. LD_PRELOAD=$preload timeout -k 5 120 "$build/tests/e2e/moved" evil 2>"$tmp/err"
		)
		if grep -q theirs "$tmp/err"; then fail "preload=$preload: a program of that name was run"; else pass; fi
		if grep -q 'tests/e2e/moved.c:' "$tmp/err"; then pass; else fail "preload=$preload: no names after chdir"; fi
	done
}

# A journal to damage: one with findings.
make_journal() {
	preload "report='$tmp/good.journal' log=none" "$build/tests/cases/abba_inversion"
	[ -s "$tmp/good.journal" ] || fail 'no journal was made'
}

damaged_journals() {
	make_journal
	says 'a good journal' 66 '' "$dlwatch" report "$tmp/good.journal"
	size=$(wc -c <"$tmp/good.journal")
	for cut in 1 7 100 $((size / 2)) $((size - 2)); do
		head -c "$cut" "$tmp/good.journal" >"$tmp/cut.journal"
		timeout 60 "$dlwatch" report "$tmp/cut.journal" >"$tmp/out" 2>"$tmp/err"
		status=$?
		if [ $status -gt 66 ] || ! grep -q 'cut.journal' "$tmp/err"; then
			fail "journal cut at $cut: status $status"
			head -n 3 "$tmp/err"
		else
			pass
		fi
	done
	head -c 100000 /dev/urandom >"$tmp/noise.journal"
	says 'noise' 2 noise.journal "$dlwatch" report "$tmp/noise.journal"
	: >"$tmp/empty.journal"
	says 'an empty file' 2 empty.journal "$dlwatch" report "$tmp/empty.journal"
	says 'a missing file' 2 missing.journal "$dlwatch" report "$tmp/missing.journal"
	sed 's/"version":1/"version":99/' "$tmp/good.journal" >"$tmp/new.journal"
	says 'a newer version' 2 new.journal "$dlwatch" report "$tmp/new.journal"
	{ sed 1q "$tmp/good.journal" && echo '{"type":"finding","id":1,"kind":"deadlock","cycle":[{"thread":77}]}' &&
		echo '{"type":"stack","id":-5,"frames":[[[[[[[' && sed 1d "$tmp/good.journal"; } >"$tmp/hostile.journal"
	timeout 60 "$dlwatch" report --format=json "$tmp/hostile.journal" >"$tmp/out" 2>"$tmp/err"
	if [ $? -le 66 ] && grep -q hostile.journal "$tmp/err"; then pass; else fail 'a hostile journal'; fi
}

command_line() {
	says 'no subcommand' 2 . "$dlwatch"
	says 'an unknown subcommand' 2 frobnicate "$dlwatch" frobnicate
	says 'an unknown option' 2 frobnicate "$dlwatch" report --frobnicate
	says 'an unknown format' 2 frobnicate "$dlwatch" report --format=frobnicate "$tmp/good.journal"
	says 'run without a command' 2 . "$dlwatch" run
	says '--version' 0 '' "$dlwatch" --version
	for sub in '' run report; do
		# shellcheck disable=SC2086 # none, or one word
		says "$sub --help" 0 '' "$dlwatch" $sub --help
	done
}

run_statuses() {
	says 'run: status of the command' 3 'nothing found' "$dlwatch" run -- sh -c 'exit 3'
	says 'run: success' 0 'nothing found' "$dlwatch" run -- true
	says 'run: a signal' 137 . "$dlwatch" run -- sh -c 'kill -9 $$'
	says 'run: missing' 127 nosuchprogram "$dlwatch" run -- nosuchprogram
	: >"$tmp/not-executable"
	says 'run: not executable' 126 not-executable "$dlwatch" run -- "$tmp/not-executable"
	says 'run: exitcode' 9 deadlock "$dlwatch" run --exitcode=9 -- "$build/tests/cases/abba"
	says 'run: errors' 66 deadlock "$dlwatch" run -- "$build/tests/cases/abba"
	says 'run: an inversion' 66 inversion "$dlwatch" run "$build/tests/cases/abba_inversion"
	says 'run: a harmless cycle' 0 show "$dlwatch" run -- "$build/tests/cases/gate"
}

# Programs that no preload reaches, or that want to be first.
unwatchable() {
	printf 'int main(void) { return 4; }\n' >"$tmp/p.c"
	if gcc -static "$tmp/p.c" -o "$tmp/static" 2>/dev/null; then
		says 'run: a static program' 4 static "$dlwatch" run -- "$tmp/static"
	fi
	if gcc -fsanitize=address "$tmp/p.c" -o "$tmp/asan" 2>/dev/null; then
		says 'run: a sanitized program' 4 'nothing found' "$dlwatch" run -- "$tmp/asan"
	fi
}

# An empty file where the loader looks first: as good as not installed.
no_libunwind() {
	mkdir -p "$tmp/none"
	: >"$tmp/none/libunwind.so.8"
	: >"$tmp/none/libunwind-$(uname -m).so.8"
	LD_LIBRARY_PATH=$tmp/none says 'no libunwind' 66 libunwind \
		env LD_PRELOAD="$lib" DLWATCH_OPTIONS=on_deadlock=exit "$build/tests/cases/abba"
}

# A journal that can't grow, and a process that is killed.
journal_trouble() {
	(
		trap '' XFSZ
		ulimit -f 1
		preload "report='$tmp/full.journal' log=none" "$build/tests/cases/one_finding"
	) >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = 0 ]; then pass; else fail "a full disk: status $status"; fi
	timeout -s KILL 3 env LD_PRELOAD="$lib" DLWATCH_OPTIONS="report='$tmp/killed.journal' log=none" \
		"$build/tests/cases/abba" >/dev/null 2>&1
	says 'a killed process keeps its finding' 66 '' "$dlwatch" report "$tmp/killed.journal"
	grep -q deadlock "$tmp/out" || fail 'a killed process: the deadlock is not in its journal'
	rm -f "$tmp"/*.journal*
}

bad_input() {
	bad_options
	damaged_journals
	no_files
	relative_preload
	command_line
	run_statuses
	unwatchable
	no_libunwind
	journal_trouble
}
