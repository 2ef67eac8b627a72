#!/bin/sh
# report_stacks.sh BUILD: the stacks of a report are exact, however the program was built: through
# constructors that have returned, inlining, link-time optimisation, split and separate debug information,
# without frame pointers, and in a library that was closed before the report.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
export TMPDIR="$tmp/tmpdir"
mkdir "$TMPDIR"
cp "$here"/data/guards.cpp "$here"/data/plugin.c "$here"/data/plugin_host.c "$tmp"
cd "$tmp" || exit 1
line_of() { grep -n -m 1 -e "$1" guards.cpp | cut -d: -f1; }
first=$(line_of 'guard(&first)') second=$(line_of 'other(&second)')

# look NAME PROGRAM ARG…: the report in $tmp/o.json
look() {
	what=$1
	shift
	timeout 60 "$dlwatch" run --timeout=50 --output=json:"$tmp/o.json" -- "$@" >out 2>err
	[ $? = 66 ] || fail "$what: $(head -n 3 err)"
}
# is FILTER EXPECTED
is() {
	got=$(jq -c "$1" "$tmp/o.json" 2>&1)
	if [ "$got" = "$2" ]; then ok; else fail "$what: $1 is $got, not $2"; fi
}
# Whatever stands between the lock and deposit (guards, helpers, inlined or not), deposit is there with the
# line of its guard, and its caller behind it.
deposit='map(select(.function|test("^deposit")))|map(.line)'
guards() {
	look "$1" ./guards
	is ".findings[0].cycle[0].holds.stack|$deposit" "[$first]"
	is ".findings[0].cycle[0].wants.stack|$deposit" "[$second]"
	[ "$2" = no ] || is ".findings[0].cycle[0].holds.stack|map(select(.inlined))|map(.function)|any(test(\"^Guard::Guard\"))" true
}

kinds_of_builds() {
	for compiler in g++ clang++; do
		command -v $compiler >/dev/null || { echo "report_stacks: no $compiler, skipped" && continue; }
		while read -r inlined options; do
			# shellcheck disable=SC2086
			if $compiler -g $options -pthread guards.cpp -o guards 2>err; then
				guards "$compiler $options" "$inlined"
			else
				echo "report_stacks: $compiler $options: $(head -n 1 err), skipped"
			fi
			rm -f ./*.dwo
		done <<-END
			no -O0
			yes -O2
			yes -O2 -fno-omit-frame-pointer
			yes -O3 -fomit-frame-pointer -fno-pie -no-pie
			yes -Os -gdwarf-4
		END
	done
	g++ -g -O2 -gsplit-dwarf -pthread guards.cpp -o guards && guards 'split' yes
	g++ -g -O2 -flto -pthread guards.cpp -o guards 2>/dev/null && guards 'link-time optimisation' yes
}

separate() {
	g++ -g -O2 -pthread guards.cpp -o guards
	objcopy --only-keep-debug guards guards.debug
	strip guards
	objcopy --add-gnu-debuglink=guards.debug guards
	guards 'a debug link' yes
	mkdir .debug
	mv guards.debug .debug
	guards 'a debug link into .debug' yes
	id=$(readelf -n guards | sed -n 's/.*Build ID: *//p')
	mkdir -p "debug/.build-id/$(echo "$id" | cut -c1-2)"
	mv .debug/guards.debug "debug/.build-id/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-).debug"
	DLWATCH_DEBUG_PATH=$tmp/debug guards 'a build id' yes
	rm -r debug
	# Nothing is known: then it says so, and names the module.
	look 'stripped' ./guards
	is '.findings[0].cycle[0].holds.stack|map([.function,(.module|test("guards$")),(.offset|length > 2)])|unique' '[[null,true,true]]'
}

closed() {
	cc -g -O1 -fPIC -shared plugin.c -o plugin.so
	cc -g -pthread plugin_host.c -o host -ldl
	look 'a library closed again' ./host ./plugin.so
	is '[.findings[0].cycle[].holds.stack|map(.function)]|unique' '[["my_lock","take_both","use"]]'
	is '[.findings[0].cycle[].wants.stack[1]|[.file,.line]]|unique|map(.[0])' '["plugin.c"]'
}

# Between routine and main stand libc and the library's own wrapper: the stack goes on behind them.
inside_once() {
	cc -g -D_GNU_SOURCE -pthread -I"$here/.." "$here/../cases/once_self.c" -o once
	look 'a once-routine' ./once
	is '.findings[0].cycle[0].wants.stack|map(.function)|[.[0],(index("main")!=null)]' '["routine",true]'
	is '.findings[0].cycle[0].holds.stack|[.[0].function,(map(.unknown)|any)]' '["main",false]'
	if grep -q 'by main ' err && ! grep -q 'run_routine\|pthread_once_slow' err; then ok; else fail 'a once-routine: its way in the text'; fi
}

# A call of itself again and again takes one line. What nobody can look up is counted, and told to who asks for everything.
nameless() {
	cc -O1 -fPIC -shared "$here/data/maze.c" -o libmaze.so && strip libmaze.so
	cc -g -O0 -D_GNU_SOURCE -pthread "$here/data/maze_user.c" -L. -Wl,-rpath,"$tmp" -lmaze -o maze_user
	look 'functions without a name' ./maze_user
	is '[.findings[0].cycle[].wants.stack|map(.function)]|map(select(length > 2))[0]' '["called_back",null,null,"go_through","descend","descend","descend","descend","through"]'
	sed 's/^dlwatch\[[0-9]*\]: *//' err >said
	if grep -A 6 'called_back ' said | tr '\n' ' ' |
		grep -q 'called_back .* | pthread_mutex_lock(&b); by go_through  libmaze.so+0x[0-9a-f]* by descend  [^ ]*maze_user.c:[0-9]* by descend  [^ ]*maze_user.c:[0-9]*, 3 times by through  [^ ]*maze_user.c:[0-9]* (2 functions without a name left out)'; then ok; else fail "$what: $(cat err)"; fi
	COLUMNS=80 "$dlwatch" report --advice "$TMPDIR"/dlwatch-* >all 2>&1
	if grep -q 'by ??  libmaze.so+0x' all && ! grep -q 'left out' all; then ok; else fail "$what: --advice: $(cat all)"; fi
	# Where it fits, what is done stands on the line of the place.
	if grep -q 'holds L1, taken at through  ' all; then ok; else fail "$what: not on one line: $(cat all)"; fi
	COLUMNS=40 "$dlwatch" report "$TMPDIR"/dlwatch-* >all 2>&1
	if grep -A 1 'holds L1, taken$' all | grep -q '^    at through  '; then ok; else fail "$what: not on two lines: $(cat all)"; fi
}

kinds_of_builds
separate
closed
inside_once
rm -rf "$TMPDIR"/dlwatch-*
nameless
finish
