#!/bin/sh
# attach_gil.sh BUILD [PART…]: who waits for the GIL of a CPython that was never preloaded, and who has it:
# in a live process and in its core, by every CPython that is found.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
here=$(cd "$(dirname "$0")" && pwd)
native=$build/tests/e2e/lib/native.so
can_trace || { echo "attach_gil: not allowed to trace here, skipped" && exit 0; }
pythons=
for python in /usr/bin/python3 "$HOME"/.pyenv/versions/*/bin/python3; do
	version=$("$python" -c 'import ctypes, sys; print(sys.version_info[0] * 100 + sys.version_info[1])' 2>/dev/null) || continue
	if [ "$version" -ge 309 ] && [ "$version" -le 314 ]; then pythons="$pythons $python"; fi
done
[ -n "$pythons" ] || { echo "attach_gil: no CPython 3.9 to 3.14, skipped" && exit 0; }

is_told() {
	timeout -k 5 120 "$dlwatch" attach --format=json "$pid" >"$tmp/json" 2>"$tmp/err"
	[ $? = 66 ]
}

# The one circle, of these kinds of locks, certain.
see_circle() {
	see '[.findings[]|select(.kind=="deadlock" and .certainty=="certain")|.locks as $l|[.cycle[].wants.lock|$l[.].kind]|sort|join(" ")]==[$kinds]' --arg kinds "$1"
}

# Who waits for the GIL is awake for a moment every 5 ms, and a core has but one look: it may show that
# thread running. Another one is taken then.
is_told_by_core() {
	rm -f "$tmp/core.$pid"
	gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
	timeout -k 5 120 "$dlwatch" core --format=json "$tmp/core.$pid" >"$tmp/json" 2>"$tmp/err"
	[ $? = 66 ]
}

# hang CASE KINDS, live and as a core
hang() {
	what="$1 of $python"
	start 1 "$python" "$here/python/gil.py" "$native" "$1" || return
	if until_true is_told; then pass; else fail "$what: not told"; fi
	see_circle "$2"
	see '[.threads[]|select(.waits=="gil")]|length>0'
	if command -v gcore >/dev/null; then
		what="core of $what"
		if is_told_by_core || is_told_by_core || is_told_by_core; then pass; else fail "$what: not told: $(cat "$tmp/err")"; fi
		see_circle "$2"
		rm -f "$tmp/core.$pid"
	fi
	end
}

hangs() {
	for python in $pythons; do
		hang deadlock 'gil mutex'
		hang three 'gil mutex mutex'
		hang join 'gil thread'
		"$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' || hang itself gil # 3.13 sees that itself
	done
}

# poke VALUE: into the word of the mutex under which the GIL of $tmp/json changes hands.
poke() {
	gil=$(jq -r '[.findings[].locks[]|select(.kind=="gil")][0].address' "$tmp/gil")
	"$python" -c 'import sys
f = open(f"/proc/{sys.argv[1]}/mem", "r+b", 0)
f.seek(int(sys.argv[2], 16) + 32 + 48 + 40 + 48)
f.write(int(sys.argv[3]).to_bytes(4, "little"))' "$pid" "$gil" "$1"
}

# Whoever is about to have it has set that it is taken, and is not written down as its holder yet: the
# holder who is has let it go.
changes_hands() {
	if [ "$(uname -m)" != x86_64 ]; then return; fi
	for python in $pythons; do
		what="changing hands, $python"
		start 1 "$python" "$here/python/gil.py" "$native" deadlock || return
		if until_true is_told; then pass; else fail "$what: not told"; fi
		cp "$tmp/json" "$tmp/gil"
		poke 1
		look 0 attach --format=json "$pid"
		see '.findings==[]'
		poke 0
		if until_true is_told; then pass; else fail "$what: not told again"; fi
		see_circle 'gil mutex'
		end
	done
}

# Threads that go on are in no circle, however often they wait for it.
busy() {
	for python in $pythons; do
		what="busy $python"
		start 0 "$python" "$here/python/busy.py" || continue
		for _ in 1 2 3 4 5; do
			look 0 attach --format=json "$pid"
			see '.findings==[]'
		done
		let_go "$what"
	done
}

[ $# -gt 0 ] || set -- hangs changes_hands busy
for part; do $part; done
finish attach_gil
