#!/bin/sh
# install.sh BUILD: an installed tree works where it lies.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() {
	echo "install: $*"
	exit 1
}
${MAKE:-make} -s O="$build" install DESTDIR="$tmp" PREFIX=/opt/dlw >"$tmp/log" 2>&1 || { cat "$tmp/log"; fail "make install"; }
root=$tmp/opt/dlw
for part in bin/dlwatch lib/libdlwatch.so; do [ -e "$root/$part" ] || fail "$part is missing"; done
"$root/bin/dlwatch" --version >/dev/null || fail "--version: status $?"
timeout 60 "$root/bin/dlwatch" run -- "$build/samples/dining_philosophers" >"$tmp/out" 2>&1
status=$?
if [ $status != 66 ] || ! grep -q Hypatia "$tmp/out"; then
	cat "$tmp/out"
	fail "run: status $status"
fi
echo "install: works from PREFIX under DESTDIR"
