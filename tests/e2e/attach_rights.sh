#!/bin/sh
# attach_rights.sh BUILD [PART…]: what a program names (sources, files that it has mapped) is read with its rights
# and from its root, never with those of the one who looks; and nothing that is opened can block.
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
can_trace || { echo "attach_rights: not allowed to trace here, skipped" && exit 0; }
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then echo "attach_rights: not root, skipped" && exit 0; fi
sources=$(cd "$(dirname "$0")/../outside" && pwd)
nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
chmod 755 "$tmp"
mkdir "$tmp/sources" "$tmp/inner"
# Its debug information says that it was made of $tmp/sources/hang.c.
cc -std=gnu11 -D_GNU_SOURCE -g "-ffile-prefix-map=$sources=$tmp/sources" "$sources/hang.c" -o "$tmp/hang" -pthread || exit 1

# made_of TEXT FILE: a source whose every line is TEXT.
made_of() { yes "$1" | head -n 400 >"$2"; }
# shows TEXT, hides TEXT: on the lines of source in the report.
shows() { if grep -q " | $1" "$tmp/json"; then pass; else fail "$what: does not show '$1'"; fi; }
hides() { if ! grep -q " | $1" "$tmp/json" && grep -q "hang.c:[0-9]" "$tmp/json"; then pass; else fail "$what: shows '$1'"; fi; }

other_user() {
	what='sources of another user'
	made_of secret "$tmp/sources/hang.c"
	# shellcheck disable=SC2086 # a list
	start 2 $nobody "$tmp/hang" abba || return
	chmod 600 "$tmp/sources/hang.c"
	look 66 attach "$pid"
	hides secret
	chmod 644 "$tmp/sources/hang.c"
	look 66 attach "$pid"
	shows secret
	end
}

# A file of the same name in another root is another file.
other_root() {
	what='sources in a container'
	unshare -m true 2>/dev/null || { echo "attach_rights: no mount namespace, part skipped" && return; }
	made_of outside "$tmp/sources/hang.c"
	made_of inside "$tmp/inner/hang.c"
	# shellcheck disable=SC2016 # expanded inside
	start 2 unshare -m sh -c 'mount --bind "$1" "$2" && exec "$3" abba' - "$tmp/inner" "$tmp/sources" "$tmp/hang" || return
	look 66 attach "$pid"
	shows inside
	hides outside
	# A link in the container leads to a file of the container.
	rm "$tmp/inner/hang.c"
	made_of outside "$tmp/target"
	ln -s "$tmp/target" "$tmp/inner/hang.c"
	look 66 attach "$pid"
	shows outside
	end
	what='sources in a chroot'
	cc -std=gnu11 -D_GNU_SOURCE -g -static "-ffile-prefix-map=$sources=/sources" "$sources/hang.c" -o "$tmp/static" -pthread 2>/dev/null ||
		{ echo "attach_rights: no static libc, part skipped" && return; }
	mkdir -p "$tmp/there/sources"
	cp "$tmp/static" "$tmp/there/static"
	rm -f "$tmp/sources/hang.c"
	made_of outside "$tmp/hang.c"
	ln -s "$tmp/hang.c" "$tmp/there/sources/hang.c"
	start 2 chroot "$tmp/there" /static abba || return
	look 66 attach "$pid"
	hides outside
	rm "$tmp/there/sources/hang.c"
	made_of inside "$tmp/there/sources/hang.c"
	look 66 attach "$pid"
	shows inside
	end
}

# By the journal, too: who owns the program says what its sources are.
journal() {
	what='a journal of another user'
	made_of secret "$tmp/sources/hang.c"
	chmod 600 "$tmp/sources/hang.c"
	cp "$tmp/hang" "$tmp/theirs"
	mkdir -m 777 "$tmp/journals"
	cp "$build/libdlwatch.so" "$tmp"
	# shellcheck disable=SC2086 # a list
	timeout 60 env LD_PRELOAD="$tmp/libdlwatch.so" DLWATCH_OPTIONS="log=none on_deadlock=exit report='$tmp/journals/j'" \
		$nobody "$tmp/theirs" abba </dev/null >/dev/null
	chown 65534 "$tmp/theirs"
	look 66 report "$tmp/journals"
	hides secret
	chown 65534 "$tmp/sources/hang.c"
	look 66 report "$tmp/journals"
	shows secret
	# Without the right to become another: by the owner of the file.
	chmod 644 "$tmp/journals"/* # as its owner may
	cp "$dlwatch" "$tmp/dlwatch"
	chown 65533 "$tmp/sources/hang.c"
	for owner in 65533 65534; do
		chown $owner "$tmp/sources/hang.c"
		setpriv --reuid=65533 --regid=65533 --clear-groups "$tmp/dlwatch" report "$tmp/journals" >"$tmp/json" 2>"$tmp/err"
		hides secret
	done
	chmod 644 "$tmp/sources/hang.c"
	setpriv --reuid=65533 --regid=65533 --clear-groups "$tmp/dlwatch" report "$tmp/journals" >"$tmp/json" 2>"$tmp/err"
	shows secret
}

# A pipe where a file was: nobody will ever write into it.
pipes() {
	what='a pipe for a program and its source'
	rm -f "$tmp/sources/hang.c"
	mkfifo "$tmp/sources/hang.c"
	cp "$tmp/hang" "$tmp/gone"
	start 2 "$tmp/gone" abba || return
	rm "$tmp/gone"
	mkfifo "$tmp/gone"
	look 66 attach "$pid"
	hides ''
	timeout 20 "$dlwatch" core "$tmp/gone" >"$tmp/json" 2>"$tmp/err"
	status=$?
	if [ $status = 2 ] && [ "$(wc -l <"$tmp/err")" = 1 ]; then pass; else fail "$what: core: status $status, $(cat "$tmp/err")"; fi
	timeout 20 "$dlwatch" report --suppressions="$tmp/gone" --baseline="$tmp/gone" /dev/null >"$tmp/json" 2>"$tmp/err"
	status=$?
	if [ $status = 2 ]; then pass; else fail "$what: report: status $status"; fi
	end
	# The debug file that it names.
	what='a pipe for a debug file'
	cp "$tmp/hang" "$tmp/stripped"
	objcopy --only-keep-debug "$tmp/hang" "$tmp/stripped.debug" && strip "$tmp/stripped" &&
		objcopy --add-gnu-debuglink="$tmp/stripped.debug" "$tmp/stripped" || return
	start 2 "$tmp/stripped" abba || return
	look 66 attach --format=json "$pid"
	see '.findings[0].cycle|all(.wants.stack|map(.file//"")|any(endswith("hang.c")))'
	rm "$tmp/stripped.debug"
	mkfifo "$tmp/stripped.debug"
	look 66 attach --format=json "$pid"
	see '.findings[0].cycle|all(.wants.stack|map(.file//"")|any(endswith("hang.c"))|not)'
	end
}

[ $# -gt 0 ] || set -- other_user other_root journal pipes
for part; do $part; done
finish attach_rights
