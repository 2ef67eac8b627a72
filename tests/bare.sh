#!/bin/sh
# bare.sh [TREE]: the README's two commands on a bare Debian 12: a minimal tree made by debootstrap
# (or a copy of TREE, one made before), the last commit in it, nothing else. Needs root and a network.
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

if [ $# -gt 0 ]; then
	cp -a "$1" "$root"
else
	# The mirror is the one that this machine uses itself.
	mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -n 1)
	debootstrap --variant=minbase bookworm "$root" "$mirror" >"$tmp/log" 2>&1 || { tail "$tmp/log" && exit 1; }
fi
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || :
for conf in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
	[ ! -e "$conf" ] || cp "$conf" "$root/etc/apt/apt.conf.d/"
done
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/src"
git archive HEAD | tar -x -C "$root/src"

# The commands are taken from the README itself: the first two indented lines that name `make deps`.
grep -E '^ +.*make deps' README.md | sed 's/^ *//' | head -n 2 >"$tmp/commands"
[ "$(wc -l <"$tmp/commands")" = 2 ] || { echo "bare: README has not its two commands" >&2 && exit 1; }
while read -r command; do
	echo "== $command"
	start=$(date +%s)
	status=0
	chroot "$root" env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 sh -c "cd /src && $command" \
		</dev/null >"$tmp/log" 2>&1 || status=$?
	tail -n "${TAIL:-40}" "$tmp/log"
	echo "== status $status after $(($(date +%s) - start)) s"
	[ $status = 0 ] || exit 1
done <"$tmp/commands"
