#!/bin/sh
# attach_roots.sh BUILD: programs that run on another C library, in each of the root folders that
# $DLWATCH_ROOTS names (made by debootstrap --include=gcc,libc6-dev, say), seen from here: live, and as
# cores of another machine. Skipped without them.
set -u
[ -n "${DLWATCH_ROOTS:-}" ] || { echo "attach_roots: no DLWATCH_ROOTS, skipped" && exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# As a build folder: programs that start in the root, and a command that looks for files there.
make_build() {
	mkdir -p "$tmp/tests/outside" "$1/dlwatch-test"
	cp "$here"/../outside/*.c "$1/dlwatch-test"
	for program in hang long_wait moving calls raw order; do
		chroot "$1" gcc -std=gnu11 -D_GNU_SOURCE -g "/dlwatch-test/$program.c" -o "/dlwatch-test/$program" -pthread || return
		printf '#!/bin/sh\nexec chroot %s /dlwatch-test/%s "$@"\n' "$1" "$program" >"$tmp/tests/outside/$program"
		chmod +x "$tmp/tests/outside/$program"
	done
	cat >"$tmp/dlwatch" <<-END
		#!/bin/sh
		[ "\$1" != core ] || { shift && set -- core --sysroot='$1' "\$@"; }
		exec '$build/dlwatch' "\$@"
	END
	chmod +x "$tmp/dlwatch"
}

for root in $DLWATCH_ROOTS; do
	make_build "$root" || { echo "FAIL attach_roots: $root: can't build there" && failed=1 && continue; }
	echo "attach_roots: $root"
	[ -d "$root/proc/self" ] || mount -t proc proc "$root/proc"
	"$here/attach_waits.sh" "$tmp" kinds spin timed own_futex || failed=1
	"$here/attach_hangs.sh" "$tmp" || failed=1
	"$here/core_kinds.sh" "$tmp" kinds hangs || failed=1
	rm -rf "$root/dlwatch-test"
done
[ $failed = 0 ]
