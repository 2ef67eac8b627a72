#!/bin/sh
# deps.sh: `make deps` with other tools in the place of apt's, that only write down what they are asked.
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() {
	echo "deps: $*: $(cat "$tmp/out" "$tmp/asked" 2>/dev/null)"
	exit 1
}
mkdir "$tmp/bin"
for tool in sh sed grep tr mkdir rm env cat cp; do ln -s "$(command -v $tool)" "$tmp/bin/"; done
tool() {
	cat >"$tmp/bin/$1"
	chmod +x "$tmp/bin/$1"
}
# What is installed stands in $tmp/there; installing $tmp/conflict removes another package.
tool dpkg-query <<END
#!/bin/sh
for last; do :; done
! grep -qx -e "\$last" '$tmp/there' || echo 'install ok installed'
END
tool apt-get <<END
#!/bin/sh
[ "\$1" = -s ] || echo "apt-get \$*" >>'$tmp/asked'
case \$1 in
-s) case " \$* " in *" \$(cat '$tmp/conflict') "*) echo 'Remv libc++-14-dev [1:14]' ;; esac ;;
download) : >"\$2_1_amd64.deb" ;;
esac
END
tool dpkg <<END
#!/bin/sh
mkdir -p "\$3/usr/include" && : >"\$3/usr/include/libunwind.h"
END
uid() { printf '#!/bin/sh\necho %s\n' "$1" | tool id; }
: >"$tmp/bin/gcc" && : >"$tmp/bin/clang" && chmod +x "$tmp/bin/gcc" "$tmp/bin/clang"
# deps STATUS CONFLICT THERE…
deps() {
	want=$1
	echo "$2" >"$tmp/conflict"
	shift 2
	printf '%s\n' "$@" >"$tmp/there"
	rm -f "$tmp/asked"
	PATH=$tmp/bin CC=${compiler:-gcc} CXX=${compiler:-g++} sh .dist/deps.sh "$tmp/deps" gcc g++ libunwind-dev check >"$tmp/out" 2>&1
	got=$?
	[ $got = "$want" ] || fail "status $got, not $want"
}
asked() { grep -q -e "$1" "$tmp/asked" || fail "'$1' was not asked for"; }

uid 0
deps 0 none g++ libunwind-dev check
[ ! -e "$tmp/asked" ] || fail 'nothing is missing, and yet'
compiler=clang deps 0 none libunwind-dev check
[ ! -e "$tmp/asked" ] || fail 'clang is there, and yet'
deps 0 none g++ check
asked '^apt-get install .*--no-remove .*libunwind-dev$'
# libunwind-dev would put libc++ out: its header comes, and stays.
deps 0 libunwind-dev g++
asked '^apt-get download libunwind-dev$'
asked '^apt-get install .*--no-remove .* libunwind8 check$'
[ -e "$tmp/deps/usr/include/libunwind.h" ] || fail 'no header'
deps 0 none g++ libunwind8 check
[ ! -e "$tmp/asked" ] || fail 'the header is there, and yet'
deps 1 check g++ libunwind-dev
grep -q 'would remove libc++-14-dev' "$tmp/out" || fail 'not said what would be removed'
if grep install "$tmp/asked"; then fail 'installed'; fi
# Neither root nor sudo, and no apt: what is missing is named.
uid 1000
deps 1 none g++
grep -q 'neither root nor sudo.* libunwind-dev check' "$tmp/out" || fail 'no names'
rm "$tmp/bin/apt-get"
deps 1 none g++
grep -q 'no apt-get here.* libunwind-dev check' "$tmp/out" || fail 'no names'
echo "deps: installs what is missing, and removes nothing"
