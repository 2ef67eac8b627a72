#!/bin/sh
# exports.sh LIBRARY: what the library exports is what interpose/wrapped.def lists, nothing more and
# nothing less. Any other export might take over a name of the program.
set -u
list=$(cd "$(dirname "$0")/.." && pwd)/interpose/wrapped.def
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -n 's/^[A-Z_]*\(WRAP\|EXPORT\)([^,]*, *\([A-Za-z_0-9]*\).*/\2/p' "$list" | sort -u >"$tmp/listed"
nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$tmp/exported"
[ -s "$tmp/listed" ] || { echo "exports: nothing listed in $list" && exit 1; }
diff -u --label listed --label exported "$tmp/listed" "$tmp/exported" || exit 1
echo "exports: $(wc -l <"$tmp/exported") names, as listed"
