#!/bin/sh
# bare.sh [SYSTEM|TREE]: the README's two commands on a bare Debian: a minimal tree made by debootstrap
# (bookworm, unless SYSTEM is another, such as trixie or sid) or a copy of TREE, one made before; the
# last commit in it, nothing else. Needs root and a network. With ROOTS=FOLDER the bare tree is kept as
# FOLDER/SYSTEM.bare and used again, and FOLDER/SYSTEM is left as it is after the commands.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "bare: needs root" >&2 && exit 1; }
command -v debootstrap >/dev/null || { echo "bare: needs debootstrap" >&2 && exit 1; }
tmp=$(mktemp -d)
root=$tmp/root
clean() {
	umount "$root/proc" "$root/dev" 2>/dev/null || :
	rm -rf --one-file-system "$tmp"
}
trap clean EXIT

# make_bare FOLDER: a minimal tree of $system there. The mirror is the one that this machine uses itself.
make_bare() {
	mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -n 1)
	debootstrap --variant=minbase "$system" "$1" "$mirror" >"$tmp/log" 2>&1 ||
		{ tail "$tmp/log" && rm -rf --one-file-system "$1" && exit 1; }
}

case ${1:-bookworm} in
*/* | .*)
	cp -a "$1" "$root"
	;;
*)
	system=${1:-bookworm}
	if [ -z "${ROOTS:-}" ]; then
		make_bare "$root"
	else
		root=$ROOTS/$system
		umount "$root/proc" "$root/dev" 2>/dev/null || :
		rm -rf --one-file-system "$root"
		mkdir -p "$ROOTS"
		[ -d "$root.bare" ] || make_bare "$root.bare"
		cp -a "$root.bare" "$root"
	fi
	;;
esac
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || :
for conf in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
	[ ! -e "$conf" ] || cp "$conf" "$root/etc/apt/apt.conf.d/"
done
# The lists of a mirror that keeps the state of one day are past their date.
echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/bare"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/src"
git archive HEAD | tar -x -C "$root/src"

# The commands are taken from the README itself: the first two indented lines that name `make deps`.
grep -E '^ +.*make deps' README.md | sed 's/^ *//' | head -n 2 >"$tmp/commands"
[ "$(wc -l <"$tmp/commands")" = 2 ] || { echo "bare: README has not its two commands" >&2 && exit 1; }
# What the README says of use, once it is installed, is true too.
echo 'make install && { LD_PRELOAD=libdlwatch.so build/samples/bank_transfer 2>&1 | grep lock-order-inversion; }' >>"$tmp/commands"
in_root() {
	chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 sh -c "cd /src && $1"
}
while read -r command; do
	echo "== $command"
	start=$(date +%s)
	status=0
	in_root "$command" </dev/null >"$tmp/log" 2>&1 || status=$?
	tail -n "${TAIL:-40}" "$tmp/log"
	echo "== status $status after $(($(date +%s) - start)) s"
	[ $status = 0 ] || exit 1
done <"$tmp/commands"
