#!/bin/sh
# install.sh BUILD: an installed tree works where it lies: command, library, header, pkg-config
# file, manual and completion, from PREFIX under DESTDIR.
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
(cd "$root" && find . -type f -o -type l | sort) >"$tmp/got"
cat >"$tmp/want" <<END
./bin/dlwatch
./include/dlwatch.h
./include/dlwatch/catch2.h
./include/dlwatch/gtest.h
./lib/cmake/dlwatch/dlwatch-config-version.cmake
./lib/cmake/dlwatch/dlwatch-config.cmake
./lib/libdlwatch.so
./lib/pkgconfig/dlwatch.pc
./share/bash-completion/completions/dlwatch
./share/dlwatch/gdb.py
./share/dlwatch/python/dlwatch.py
./share/dlwatch/report.schema.json
./share/dlwatch/systemd.conf
./share/dlwatch/vscode-tasks.json
./share/fish/vendor_completions.d/dlwatch.fish
./share/man/man1/dlwatch.1
./share/man/man7/libdlwatch.7
./share/zsh/site-functions/_dlwatch
END
diff -u --label installed --label expected "$tmp/got" "$tmp/want" || fail "not what is to be installed"

# The loader is told of it where that is possible, else the user how to name it.
grep -qx 'install: once it lies in /opt/dlw/lib, run (as root): ldconfig' "$tmp/log" || fail "DESTDIR: not a word of ldconfig"
mkdir "$tmp/sbin"
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\necho "ldconfig $*" >>"%s/asked"\n[ "$1" != -p ] || cat "%s/cache"\n' "$tmp" "$tmp" >"$tmp/sbin/ldconfig"
chmod +x "$tmp/sbin/ldconfig"
installs() { PATH=$tmp/sbin:$PATH ${MAKE:-make} -s O="$build" install PREFIX="$tmp/real" >"$tmp/log" 2>&1; }
echo "	libdlwatch.so (libc6,x86-64) => $tmp/real/lib/libdlwatch.so" >"$tmp/cache"
installs || fail "make install without DESTDIR"
if [ "$(id -u)" = 0 ]; then
	grep -qx 'ldconfig ' "$tmp/asked" || fail "ldconfig was not run"
	! grep -q 'install:' "$tmp/log" || fail "found by name, yet: $(cat "$tmp/log")"
fi
: >"$tmp/cache"
installs || fail "make install to where the loader doesn't look"
grep -qx "install: the loader does not find it by name; preload $tmp/real/lib/libdlwatch.so" "$tmp/log" ||
	fail "the loader does not look there, and nobody says so"

# The command finds its library, and the library its command.
"$root/bin/dlwatch" --version >/dev/null || fail "--version: status $?"
timeout 60 "$root/bin/dlwatch" run -- "$build/samples/dining_philosophers" >"$tmp/out" 2>&1
status=$?
if [ $status != 66 ] || ! grep -q Hypatia "$tmp/out"; then
	cat "$tmp/out"
	fail "run: status $status"
fi

# A program built against the installed header is watched by the installed library.
pc() { PKG_CONFIG_SYSROOT_DIR="$tmp" PKG_CONFIG_PATH="$root/lib/pkgconfig" pkg-config "$@" dlwatch; }
pc --exists || fail "pkg-config doesn't find dlwatch"
[ "$(pc --modversion)" = "$("$root/bin/dlwatch" --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')" ] || fail "pkg-config: version $(pc --modversion)"
[ "$(pc --libs)" = "" ] || fail "pkg-config: there is nothing to link, not $(pc --libs)"
for variable in preload command; do
	file=$(pc --variable=$variable)
	case $file in "$tmp"*) ;; *) file=$tmp$file ;; esac
	[ -e "$file" ] || fail "pkg-config: $variable is $file, which isn't there"
done
preload=$tmp/opt/dlw/lib/libdlwatch.so
mkdir "$tmp/build"
# shellcheck disable=SC2046 # words
${CC:-gcc} -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -g $(pc --cflags) samples/futex_lock.c -o "$tmp/build/futex_lock" -pthread ||
	fail "a program with dlwatch.h does not compile"
DLWATCH_OPTIONS="on_deadlock=exit:color=never" LD_PRELOAD=$preload timeout 60 "$tmp/build/futex_lock" >"$tmp/out" 2>&1
if [ $? != 66 ] || ! grep -q 'door of the bakery' "$tmp/out"; then
	cat "$tmp/out"
	fail "the program with dlwatch.h is not watched"
fi
# In every dialect it promises, and without a word from the compiler.
printf '#include <dlwatch.h>\nint main(void) { static int l; dlwatch_acquired(&l, DLWATCH_SHARED | DLWATCH_TRY); dlwatch_released(&l); return dlwatch_is_watching(); }\n' >"$tmp/build/t.c"
for compiler in "gcc -std=c99" "gcc -std=c17 -O2 -static" "gcc -no-pie" "clang -std=c99" \
	"g++ -x c++ -std=c++98" "clang++ -x c++ -std=c++20" "gcc -std=c99 -DDLWATCH_DISABLE"; do
	command -v "${compiler%% *}" >/dev/null || continue
	# shellcheck disable=SC2046,SC2086 # words
	$compiler -Wall -Wextra -Wpedantic -Werror $(pc --cflags) "$tmp/build/t.c" -o "$tmp/build/t" || fail "dlwatch.h: $compiler"
	"$tmp/build/t" || fail "dlwatch.h: $compiler: watched by nobody, it says"
	LD_PRELOAD=$preload "$tmp/build/t"
	case $?:$compiler in 0:*-static | 0:*DISABLE | 1:*) ;; *) fail "dlwatch.h: $compiler: not watched" ;; esac
done

# The manual has no fault that a formatter knows of, and speaks of every option and annotation.
keys=$(sed -n 's/^DLW_OPTION(\([a-z_]*\),.*/\1/p' report/emit/options.def)
calls=$(sed -n 's/^DLWATCH_INLINE [a-z]* \(dlwatch_[a-z_]*\)(.*/\1/p' interpose/include/dlwatch.h | sort -u)
for page in man1/dlwatch.1 man7/libdlwatch.7; do
	page=$root/share/man/$page
	if command -v mandoc >/dev/null; then
		mandoc -T lint "$page" || fail "mandoc finds fault"
	fi
	if command -v groff >/dev/null; then
		[ -z "$(groff -ww -man -Tutf8 "$page" 2>&1 >/dev/null)" ] || fail "groff finds fault with $page"
	fi
	for key in $keys; do
		case $key in help) continue ;; esac
		grep -q "$key=" "$page" || fail "$page has no word on $key"
	done
done
for call in $calls; do
	grep -q "$call" "$root/share/man/man7/libdlwatch.7" || fail "libdlwatch(7) has no word on $call"
done

bash tests/completion.sh "$root/share" || fail completion
# The tarball is the last commit, the same each time.
if git rev-parse -q --verify HEAD >/dev/null 2>&1; then
	for n in 1 2; do
		${MAKE:-make} -s O="$tmp/dist$n" dist >"$tmp/log" || fail "make dist"
	done
	cmp "$tmp"/dist[12]/dlwatch-*.tar.gz || fail "two tarballs of one commit"
	tar -tzf "$(cat "$tmp/log")" | grep -qx 'dlwatch-[0-9.]*/.dist/dist.mk' || fail "the tarball has not all"
fi

# Nothing is left of it, and what is not ours stays.
: >"$root/share/theirs"
${MAKE:-make} -s O="$build" uninstall DESTDIR="$tmp" PREFIX=/opt/dlw || fail "make uninstall"
[ "$(cd "$root" && find . -type f -o -type l)" = ./share/theirs ] || fail "left after uninstall: $(cd "$root" && find . -type f)"
[ ! -d "$root/lib/cmake/dlwatch" ] || fail "a folder of ours is left"
echo "install: works from PREFIX under DESTDIR"
