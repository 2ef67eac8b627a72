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
for key in $(sed -n 's/^DLW_OPTION(\([a-z_]*\),.*/\1/p' report/emit/options.def); do has option "$key"; done
for name in $(sed -n 's/^[A-Z_]*(\([a-z]*\),.*/\1/p' report/command/subcommand.def); do has subcommand "$name"; done
for name in $(sed -n 's/^[A-Z_]*(\([a-z]*\),.*/\1/p' report/command/format.def); do has format "$name"; done
for file in samples/*.c samples/*.cpp samples/*.py; do
	name=${file##*/}
	case $name in *.py) ;; *) name=${name%.*} ;; esac
	has sample "$name"
done
[ $failed = 0 ] && echo "readme: names all there is"
exit $failed
