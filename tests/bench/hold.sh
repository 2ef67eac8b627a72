#!/bin/sh
# hold.sh BUILD CFLAGS: the fast paths keep to the instruction counts in `instructions`, and 5 % more;
# with a profile asked for, and 22 % more.
# They say something only for the compiler, the flags and the libc they were recorded with.
# hold.sh --record BUILD CFLAGS writes them anew.
set -u
here=$(cd "$(dirname "$0")" && pwd)
recorded=$here/instructions
record=''
[ "$1" != --record ] || { record=1 && shift; }
build=$1 flags=$2

skip() {
	echo "hold: $*, skipped"
	exit 0
}
command -v valgrind >/dev/null || skip "no valgrind"
command -v readelf >/dev/null || skip "no readelf"
compiler=$(readelf -p .comment "$build/libdlwatch.so" | sed -n 's/^ *\[ *[0-9a-f]*\] *//p' | head -n 1)
maker="$compiler, $flags, $(getconf GNU_LIBC_VERSION), $(uname -m)"

if [ -n "$record" ]; then
	{
		echo "# $maker"
		"$here/count.sh" "$build" single nested2 crosswise helpers trylock recursive rw_read rw_write semaphore short_life \
			python_gil python_lock
	} >"$recorded"
	cat "$recorded"
	exit
fi
[ "$(sed -n 's/^# //p' "$recorded")" = "$maker" ] || skip "recorded with another compiler, flags or libc ($maker)"
failed=0
while read -r scenario native before <&3; do
	case $scenario in
	'#') continue ;;
	python_*) "${PYTHON:-/usr/bin/python3}" -c 'import ctypes' 2>/dev/null || continue ;;
	esac
	now=$("$here/count.sh" --watched "$build" "$scenario" | cut -d' ' -f3)
	if [ -z "$now" ] || [ "$((now * 100))" -gt "$((before * 105))" ]; then
		echo "FAIL $scenario: ${now:-no} instructions an operation, $before when recorded (native $native)"
		failed=1
	fi
done 3<"$recorded"
journals=$(mktemp -d)
trap 'rm -rf "$journals"' EXIT
for scenario in single nested2 helpers; do
	before=$(sed -n "s/^$scenario [0-9]* //p" "$recorded")
	now=$(DLWATCH_OPTIONS="profile=1 report=$journals/%p" "$here/count.sh" "$build" $scenario | cut -d' ' -f3)
	if [ -z "$now" ] || [ "$((now * 100))" -gt "$((before * 122))" ]; then
		echo "FAIL $scenario: ${now:-no} instructions an operation with a profile, $before when recorded without"
		failed=1
	fi
done
[ $failed = 0 ] && echo "hold: the fast paths are as short as recorded"
exit $failed
