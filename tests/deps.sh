#!/bin/sh
# deps.sh: `make deps`, and what `make deb` asks for another processor, with other tools in the place of apt's and
# dpkg's, that only write down what they are asked.
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

# cross STATUS UNMET: packages for arm64 on an amd64 machine, where dpkg finds UNMET build dependencies.
tool dpkg <<END
#!/bin/sh
case \$1 in
--print-architecture) echo amd64 ;;
--print-foreign-architectures) cat '$tmp/foreign' ;;
esac
END
tool dpkg-architecture <<END
#!/bin/sh
echo aarch64-linux-gnu
END
tool dpkg-checkbuilddeps <<END
#!/bin/sh
echo "\$*" >>'$tmp/asked'
[ ! -s '$tmp/unmet' ] || { echo "dpkg-checkbuilddeps: error: Unmet build dependencies: \$(cat '$tmp/unmet')" >&2 && exit 1; }
END
cross() {
	want=$1
	echo "${2:-}" | grep . >"$tmp/unmet"
	: >"$tmp/asked"
	PATH=$tmp/bin sh .dist/cross.sh "${arch:-arm64}" .dist/debian/control >"$tmp/out" 2>&1
	got=$?
	[ $got = "$want" ] || fail "cross: status $got, not $want"
}
says() { grep -qx -e "$1" "$tmp/out" || fail "cross: no word of '$1'"; }
unmet='build-essential:native debhelper-compat (= 13) libdw-dev (>= 1) uthash-dev libelf-dev:native'
: >"$tmp/foreign"
cross 1 "$unmet"
says '  dpkg --add-architecture arm64 && apt-get update'
says '  apt-get install --no-install-recommends crossbuild-essential-arm64 build-essential debhelper libdw-dev:arm64 uthash-dev:arm64 libelf-dev'
echo arm64 >"$tmp/foreign" && ln -s gcc "$tmp/bin/aarch64-linux-gnu-gcc"
cross 1 "$unmet"
if grep -e crossbuild -e add-architecture "$tmp/out"; then fail 'cross: asked for what is there'; fi
cross 0
asked '^-a arm64 -P cross,nocheck '
[ ! -s "$tmp/out" ] || fail 'cross: nothing is missing, and yet'
# The machine's own packages are dpkg-buildpackage's to check.
arch=amd64 cross 0 "$unmet"
if [ -s "$tmp/out" ] || [ -s "$tmp/asked" ]; then fail 'cross: its own packages, and yet'; fi
arch=s390x cross 1
says "deb: packages are made for amd64 and arm64, not for 's390x'"
rm "$tmp/bin/dpkg-checkbuilddeps"
cross 1
says 'deb: no dpkg-checkbuilddeps here; it is in dpkg-dev, of Debian and Ubuntu'
echo "deps: installs what is missing, and removes nothing"
