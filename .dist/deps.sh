#!/bin/sh
# deps.sh FOLDER PACKAGE…: installs those that are missing (Debian, Ubuntu); where all are there not even the
# package lists are read. A compiler is there under any name that $CC and $CXX give. No package of the user's is
# removed: where libunwind-dev would put another out (libc++'s, in Debian 12), its header alone, which is all that
# is needed of it, is unpacked in FOLDER.
set -eu
folder=$1
shift
is_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
is_there() {
	case $1 in
	gcc) command -v "${CC%% *}" >/dev/null || is_installed gcc ;;
	g++) command -v "${CXX%% *}" >/dev/null || is_installed g++ ;;
	libunwind-dev) is_installed "$1" || { [ -d "$folder/usr/include" ] && is_installed libunwind8; } ;;
	*) is_installed "$1" ;;
	esac
}
missing=
for package; do is_there "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "deps: no apt-get here; install what your system calls these:$missing" >&2 && exit 1; }
root=
if [ "$(id -u)" != 0 ]; then
	root=sudo
	command -v sudo >/dev/null ||
		{ echo "deps: neither root nor sudo; let somebody who may do it: apt-get install --no-install-recommends$missing" >&2 && exit 1; }
fi
# shellcheck disable=SC2086 # words
removed() { apt-get -s install --no-install-recommends $missing 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | tr '\n' ' '; }

$root apt-get update
if [ -n "$(removed)" ]; then
	case "$missing " in
	*' libunwind-dev '*)
		echo "deps: libunwind-dev would remove $(removed)- its header is unpacked in $folder instead"
		mkdir -p "$folder"
		(cd "$folder" && apt-get download libunwind-dev && dpkg -x libunwind-dev_*.deb . && rm libunwind-dev_*.deb)
		missing=$(echo "$missing " | sed 's/ libunwind-dev / libunwind8 /')
		;;
	esac
	[ -z "$(removed)" ] || { echo "deps: this would remove $(removed)- not done; missing:$missing" >&2 && exit 1; }
fi
# shellcheck disable=SC2086 # words
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --no-install-recommends $missing
