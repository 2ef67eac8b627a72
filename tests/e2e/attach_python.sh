#!/bin/sh
# attach_python.sh BUILD [PART…]: lines of Python stand in the place of the interpreter's frames, in a live process
# and in its core, by every CPython that is found: python3, and those of $HOME/.pyenv.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
here=$(cd "$(dirname "$0")" && pwd)
can_trace || { echo "attach_python: not allowed to trace here, skipped" && exit 0; }
pythons=
for python in /usr/bin/python3 "$HOME"/.pyenv/versions/*/bin/python3; do
	version=$("$python" -c 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1])' 2>/dev/null) || continue
	if [ "$version" -ge 309 ] && [ "$version" -le 314 ]; then pythons="$pythons $python"; fi
done
[ -n "$pythons" ] || { echo "attach_python: no CPython 3.9 to 3.14, skipped" && exit 0; }

# line_of NAME: the line that says it waits.
line_of() { grep -n "waits: $1\$" "$here/python/hang.py" | cut -d: -f1; }

# The document has this place of Python, and no frame of the interpreter.
see_lines() {
	for name in nested Réader.wait conditional event main; do
		# Before 3.11 a function's name stands without its class.
		see '[.threads[].stack[]?|select(.language=="python" and .line==($line|tonumber) and (.file|endswith("hang.py")))|.function]|any(.==$name or .==($name|sub(".*\\.";"")))' \
			--arg line "$(line_of "$name")" --arg name "$name"
	done
	# Each in its place: C's function is called by the outer ones and calls the inner ones.
	see '[.threads[].stack|map(.function//"")|select(index("native"))|map(select(test("^(nested|generated|compare|msort.*|qsort.*|native)$"))|sub("(msort|qsort).*";"C"))|unique_by(.)|length]==[5]'
	see '[.threads[].stack|map(.function//"")|select(index("native"))|(index("compare")<index("native")) and (index("nested")<index("generated")) and ((map(test("sort"))|index(true)) as $c|index("compare")<$c and $c<index("native"))]==[true]'
	see '[.threads[].stack[]?|select((.function//"")|test("^_?Py[A-Z]|_?PyEval"))]==[]'
}

# By the name that threading gives it, where the system's is not its own. From 3.14 on CPython sets that, which a
# core does not tell.
see_name() {
	[ "$1" != core ] || "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || return
	see '[.threads[]|select(.stack|map(.function//"")|index("native"))|.thread.name|select(.=="the réader of numbers" or startswith("the réader of"))]|length==1'
}

lines() {
	for python in $pythons; do
		what="attach to $python"
		start 5 "$python" "$here/python/hang.py" || continue
		look 0 attach --format=json "$pid"
		see_lines
		see_name attach
		see '[.threads[].stack[]?.unknown//empty]==[]'
		look 0 attach "$pid"
		if grep -q "at .*hang.py:$(line_of nested) in nested" "$tmp/json" && grep -q '| with first:' "$tmp/json"; then
			pass
		else
			fail "$what: $(cat "$tmp/json")"
		fi
		tr -s ' \n' ' ' <"$tmp/json" >"$tmp/words"
		for text in 'waits for first (Python lock' 'waits for jobs (Python' 'waits for second (Python lock'; do
			if grep -q "$text" "$tmp/words"; then pass; else fail "$what: not '$text': $(cat "$tmp/json")"; fi
		done
		what="attach --native to $python"
		look 0 attach --native --format=json "$pid"
		see '[.threads[].stack[]?.function//""|select(test("^_?PyEval_"))]|length>0'
		let_go "$what"
	done
}

# Of locks that CPython keeps in words of its own (3.14) the library sees nothing.
has_visible_locks() {
	"$1" -c 'import _thread, sys; sys.exit(type(_thread.allocate_lock()).__basicsize__ < 32)'
}

# Two wait for each other for locks that any thread may release: said, and no finding. Without the
# library nobody knows who has them, and that is said. A framework's frames take one line.
circle_preloaded() {
	if ! has_visible_locks "$python"; then
		echo "attach_python: $python keeps its locks inline, circle with the library skipped"
		return
	fi
	what="circle of $python"
	start 3 env LD_PRELOAD="$build/libdlwatch.so" "$python" "$here/python/circle.py" || return
	look 0 attach "$pid"
	tr -s ' \n' ' ' <"$tmp/json" >"$tmp/words"
	for text in '2 threads wait for each other: [^;]*tid [0-9]*) for [a-z]*, which [^;]*tid [0-9]*) holds; ' \
		"at [^ ]*circle.py:$(grep -n 'waits: forward' "$here/python/circle.py" | cut -d: -f1) in forward" \
		'by [0-9]* frames of unittest' 'waits for second (Python lock[^;]*(held by [^,]*, tid [0-9]*)'; do
		if grep -q "$text" "$tmp/words"; then pass; else fail "$what: not '$text': $(cat "$tmp/json")"; fi
	done
	if grep -q 'wait for each other.*wait for each other\|_set_tstate_lock' "$tmp/words"; then
		fail "$what: too much: $(cat "$tmp/json")"
	else
		pass
	fi
	let_go "$what"
}

circle() {
	for python in $pythons; do
		circle_preloaded
		what="circle of $python, not preloaded"
		start 3 "$python" "$here/python/circle.py" || continue
		look 0 attach "$pid"
		tr -s ' \n' ' ' <"$tmp/json" >"$tmp/words"
		if grep -q "[23] threads wait for semaphores (locks of Python's are such), which don't say who holds them: [^.]*second[^.]*\. The stacks" "$tmp/words"; then
			pass
		else
			fail "$what: $(cat "$tmp/json")"
		fi
		let_go "$what"
	done
}

cores() {
	command -v gcore >/dev/null || { echo "attach_python: no gcore, cores skipped" && return; }
	for python in $pythons; do
		what="core of $python"
		start 5 "$python" "$here/python/hang.py" || continue
		gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
		look 0 core --format=json "$tmp/core.$pid"
		see_lines
		see_name core
		rm -f "$tmp/core.$pid"
		let_go "$what"
	done
}

# What runs on while it is looked at shows frames that belong together, or says that it can't.
running() {
	for python in $pythons; do
		what="attach to a running $python"
		start 0 "$python" "$here/python/runs.py" || continue
		for _ in 1 2 3; do
			look 0 attach --format=json "$pid"
			see '[.threads[].stack[]?|select(.language=="python")|select((.file|endswith("/runs.py"))|not)]==[]'
			see '[.threads[].stack|map(select(.language=="python")|.function)|select(length>0)|.[length-1]=="<module>" or (map(.=="turn")|any)]|all'
		done
		let_go "$what"
	done
}

# Recognised and named, and nothing is guessed.
pypy() {
	command -v pypy3 >/dev/null || { echo "attach_python: no pypy3, skipped" && return; }
	what="attach to PyPy"
	start 5 pypy3 "$here/python/hang.py" || return
	look 2 attach "$pid" # a part could not be told
	if grep -q "Python's lines are not shown: PyPy" "$tmp/json" "$tmp/err"; then pass; else fail "$what: not named"; fi
	if grep -q 'hang.py:\|GIL' "$tmp/json"; then fail "$what: something is guessed"; else pass; fi
	let_go "$what"
}

[ $# -gt 0 ] || set -- lines circle cores running pypy
for part; do $part; done
finish attach_python
