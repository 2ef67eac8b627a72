#!/bin/sh
# run.sh BUILD [all]: a signal at every instruction of a lock, an unlock, a try, of semaphores and
# read-write locks, and of the first taking of a new order (stepper.c, stepped.c). The handler locks,
# parks until another thread has learned new orders, forks, or jumps away (bolts: by a jump that no
# library sees; switches: to another stack). Natively and under the library the program must print and
# end the same, and nothing may be found that isn't there. Without `all` every Nth instruction is tried.
set -u
build=$(cd "$1" && pwd)
lib=$build/libdlwatch.so
bin=$build/tests/steps
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tried=0 failed=0 expected=0 may_be_said=''
if [ "${2:-}" = all ]; then few=1 some=1 seldom=1 once=11; else few=7 some=211 seldom=1009 once=10007; fi

timeout 60 "$bin/stepper" "$bin/stepped" unlock lock >/dev/null 2>&1
if [ $? != 3 ]; then
	echo "steps: no stepping here, skipped"
	exit 0
fi

# observe FILE ARGUMENT…
observe() {
	file=$1
	shift
	timeout -k 5 300 "$bin/stepper" "$@" >"$file" 2>"$file.err"
	echo "exit $?" >>"$file"
}

# compare EVERY PROGRAM-ARGUMENTS STEPPER-OPTIONS…
compare() {
	every=$1 what=$2
	shift 2
	tried=$((tried + 1))
	rm -f "$tmp"/journal.*
	# shellcheck disable=SC2086
	observe "$tmp/native" --every="$every" "$@" "$bin/stepped" $what
	# shellcheck disable=SC2086
	DLWATCH_OPTIONS="report='$tmp/journal.%p' show=all log='$tmp/log'" \
		observe "$tmp/watched" --every="$every" --preload="$lib" "$@" "$bin/stepped" $what
	if ! diff -u --label native --label watched "$tmp/native" "$tmp/watched" >"$tmp/diff"; then
		echo "FAIL $what (every $every)"
		cat "$tmp/diff" "$tmp/watched.err"
		failed=$((failed + 1))
	fi
	cat "$tmp"/journal.* 2>/dev/null | grep '"type":"finding"' >"$tmp/found"
	if [ -n "$may_be_said" ] && grep -qs '"what":"threads"' "$tmp"/journal.*; then return; fi
	if [ "$(wc -l <"$tmp/found")" != "$expected" ]; then
		echo "FAIL $what (every $every): not $expected findings"
		cat "$tmp/found"
		failed=$((failed + 1))
	fi
}

# What the operation left held is known rightly afterwards.
for operation in unlock rwunlock; do compare $few "$operation lock probe"; done
expected=1
for operation in lock trylock nested crosswise recursive read write spin; do
	compare $few "$operation lock probe"
done
expected=0
for operation in lock unlock trylock nested crosswise recursive read write rwunlock \
	sem_wait sem_trywait sem_post spin life rwlife compact; do
	compare $few "$operation lock"
	compare $few "$operation park"
	compare $((few * 5)) "$operation fork"
done
# Who jumped out of any instruction is watched on: what it does later is found.
expected=1
for operation in unlock trylock crosswise rwunlock sem_trywait sem_post compact rwlife; do
	compare $((few * 2)) "$operation jump 500" --jumps
done
compare $((few * 2)) "compact jump raw" --jumps
for operation in compact rwlife; do compare $((few * 2)) "$operation bolt" --jumps; done
# On a stack of the program's own it may be unknowable whether it left for good: then that is said.
for operation in compact rwlife trylock; do
	may_be_said=yes
	compare $((few * 2)) "$operation switch 300" --jumps
done
may_be_said='' expected=0
for operation in learn first create; do
	compare $some "$operation lock"
	compare $some "$operation park"
done
# Not inside pthread_create: a fork there may wait for a lock of libc's that the interrupted call has.
compare $seldom "learn fork"
# One that was installed by libc's syscall() is known: it waits until the library is left.
compare $some "learn park syscall"
if grep -q 'blocked at 0$' "$tmp/watched.err"; then
	echo "FAIL learn park syscall: it came inside the library"
	failed=$((failed + 1))
fi
# A handler that the library doesn't know of comes inside it too.
compare $some "learn lock raw"
compare $seldom "learn fork raw"
compare $((once * 2)) "learn park raw"
echo "steps: $tried tried, $failed failed"
[ $failed = 0 ]
