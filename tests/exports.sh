#!/bin/sh
# exports.sh LIBRARY: what the library exports is what interpose/base/wrapped.def lists, nothing more and
# nothing less. Any other export might take over a name of the program.
set -u
list=$(cd "$(dirname "$0")/.." && pwd)/interpose/base/wrapped.def
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Some are listed for some versions of libc only.
printf '#include <features.h>\n#include "%s"\n' "$list" | ${CC:-cc} -D_GNU_SOURCE -E -P "-DWRAP(t, name, p)=@ name" "-DTHREADS_WRAP=WRAP" \
	"-DOPTIONAL_WRAP=WRAP" "-DOWN_EXPORT=WRAP" - | sed -n 's/^ *@ *\([A-Za-z_0-9]*\).*/\1/p' | sort -u >"$tmp/listed"
# What is hidden may be listed (GNU ld does so with names it makes itself), but nobody can bind to it.
readelf --dyn-syms -W "$1" | awk '$1 ~ /^[0-9]+:$/ && $4 != "SECTION" && $5 != "LOCAL" && $6 != "HIDDEN" && $7 ~ /^[0-9]+$/ {
	sub(/@.*/, "", $8); print $8 }' | sort -u >"$tmp/exported"
[ -s "$tmp/listed" ] || { echo "exports: nothing listed in $list" && exit 1; }
diff -u --label listed --label exported "$tmp/listed" "$tmp/exported" || exit 1
echo "exports: $(wc -l <"$tmp/exported") names, as listed"
