#!/bin/sh
# readme.sh: what the README lists is what there is: options, subcommands, formats, findings, samples.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
has() { # has WHAT NAME
	grep -q "\`[^\`]*$2[^\`]*\`\|^    .*$2" README.md && return
	echo "FAIL README does not name the $1 $2"
	failed=1
}
has_all() { # has_all WHAT TABLE
	while read -r name; do has "$1" "$name"; done <<END
$(sed -n 's/^DLW_[A-Z]*(\([a-z_]*\),.*/\1/p' "$2")
END
}
has_all option report/emit/options.def
has_all subcommand report/command/base/subcommand.def
has_all format report/command/format/format.def
# shellcheck disable=SC2013 # words, not lines
for kind in $(sed -n 's/^FINDING([A-Z_]*, "\([a-z-]*\)".*/\1/p' graph/kinds.def); do has finding "$kind"; done
for file in samples/*.c samples/*.cpp samples/*.py; do
	name=${file##*/}
	case $name in *.py) ;; *) name=${name%.*} ;; esac
	has sample "$name"
done

# NEWS begins with the version that the Makefile has.
version=$(sed -n 's/^VERSION := //p' Makefile)
sed -n '1s/^\(dlwatch [0-9.]*\).*/\1/p' NEWS | grep -qx "dlwatch $version" || { echo "FAIL NEWS does not begin with $version" && failed=1; }
[ $failed = 0 ] && echo "readme: names all there is"
exit $failed
