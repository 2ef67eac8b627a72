#!/bin/sh
# integrations.sh BUILD [PART…]: what is installed works with the tools that teams have, each as the README
# says. A tool that is not there is skipped.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
tmp=$(mktemp -d)
export TMPDIR="$tmp"
trap 'rm -rf "$tmp"' EXIT
failed=0 passed=0
ok() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL integrations: $*"
}
# status NAME STATUS COMMAND…
status() {
	name=$1 want=$2
	shift 2
	timeout 120 "$@" >"$tmp/out" 2>&1
	got=$?
	if [ $got = "$want" ]; then ok; else fail "$name: status $got, not $want: $(tail -n 15 "$tmp/out")"; fi
}
# says NAME PATTERN [FILE]
says() {
	if grep -q -e "$2" "${3:-$tmp/out}"; then ok; else fail "$1: no '$2' in $(tail -n 5 "${3:-$tmp/out}")"; fi
}
has() {
	for program; do
		command -v "$program" >/dev/null || { echo "integrations: no $program, skipped" && return 1; }
	done
}
prefix=$tmp/dlw
(cd "$here/.." && ${MAKE:-make} -s O="$build" install DESTDIR=/ PREFIX="$prefix") >"$tmp/out" 2>&1 || fail "make install: $(cat "$tmp/out")"
PATH=$prefix/bin:$PATH
unset MAKEFLAGS MFLAGS MAKELEVEL
toy=$here/e2e/data/ci

with_cmake() {
	has cmake ctest || return 0
	status cmake 0 cmake -DCMAKE_PREFIX_PATH="$prefix" -DTOY="$toy" -S "$here/integrations/cmake" -B "$tmp/cmake"
	status 'cmake: build' 0 cmake --build "$tmp/cmake"
	status 'cmake: ctest' 8 ctest --test-dir "$tmp/cmake" --output-on-failure
	says ctest ': both .*Failed'
	says ctest 'lock-order-inversion'
	for test in pay known annotated; do says ctest ": $test .* Passed"; done
	status 'cmake: off' 0 cmake -DDLWATCH_TESTS=OFF "$tmp/cmake"
	status 'cmake: ctest, off' 8 ctest --test-dir "$tmp/cmake"
	says 'ctest, off' 'both .*Passed'
	says 'ctest, off' 'annotated .*Failed'
	status 'cmake: a later version' 1 cmake -DWANTED=99 "$tmp/cmake"
}

with_meson() {
	has meson ninja || return 0
	mkdir "$tmp/meson" && cp "$toy"/*.[ch] "$here/integrations/meson/meson.build" "$tmp/meson"
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig status meson 0 meson setup "$tmp/meson/build" "$tmp/meson"
	status 'meson: natively' 0 meson test -C "$tmp/meson/build"
	status 'meson: deadlocks' 1 meson test -C "$tmp/meson/build" --setup deadlocks
	says meson 'both.*FAIL.*exit status 66'
	says meson 'pay  *OK'
}

# The file that is promised to stay says what the reports have, of each kind, of a profile, and of attach.
with_schema() {
	python3 -c 'import jsonschema' 2>/dev/null || { echo "integrations: no python3-jsonschema, skipped" && return 0; }
	n=0
	for kind in deadlock lock-order-inversion gated self stall unlock-not-owner destroy-locked wait-without-mutex exit-holding-lock none; do
		"$here/e2e/data/make-journal.sh" "$tmp/bank" $kind >"$tmp/$kind.jsonl"
		dlwatch report --show=all --format=json -o "$tmp/report.$kind.json" "$tmp/$kind.jsonl"
		n=$((n + 1))
	done
	dlwatch run --log=none --output=json:"$tmp/report.run.json" -- "$build/tests/e2e/mistakes"
	dlwatch run --log=none --profile --output=json:"$tmp/report.profile.json" -- "$build/samples/bank_transfer" >/dev/null
	sleep 100 &
	dlwatch attach --format=json -o "$tmp/report.attach.json" $!
	kill $!
	status schema 0 python3 -W ignore "$here/integrations/schema.py" "$prefix/share/dlwatch/report.schema.json" "$tmp"/report.*.json
	sed 's/"kind": "deadlock"/"kind": "other"/' "$tmp/report.deadlock.json" >"$tmp/report.wrong.json"
	status 'schema: another kind' 1 python3 -W ignore "$here/integrations/schema.py" "$prefix/share/dlwatch/report.schema.json" "$tmp/report.wrong.json"
}

# A finding names the tests that ran.
with_listeners() {
	for framework in gtest catch2; do
		case $framework in
		gtest) flags='-lgtest -lgtest_main' ;;
		*) flags=$([ -e /usr/include/catch2/catch_all.hpp ] && echo -lCatch2Main -lCatch2) ;;
		esac
		printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$([ $framework = gtest ] && echo gtest/gtest.h || echo catch2/catch.hpp)" >"$tmp/there.cpp"
		${CXX:-g++} -std=c++17 -E "$tmp/there.cpp" >/dev/null 2>&1 || { echo "integrations: no $framework, skipped" && continue; }
		# shellcheck disable=SC2046,SC2086 # words
		status "$framework: build" 0 ${CXX:-g++} -std=c++17 -Wall -Wextra -g $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags dlwatch) \
			"$here/integrations/$framework.cpp" -o "$tmp/$framework" $flags -pthread
		status "$framework: natively" 0 "$tmp/$framework"
		status "$framework: watched" 0 dlwatch run --output=json:"$tmp/$framework.json" -- "$tmp/$framework"
		got=$(jq -c '[.findings[]|.kind,.severity,[.cycle[].scope]|tostring|gsub("[_ ]";"")]' "$tmp/$framework.json")
		case $got in
		'["lock-order-inversion","warning","[\"Bank'[.p]*'ays\",\"Bank'[.g]*'ets\"]"]') ok ;;
		*) fail "$framework: $got" ;;
		esac
	done
}

# The composite action, as its steps call it.
with_github() {
	action=$here/../.github/actions/dlwatch
	export GITHUB_ACTION_PATH="$action" GITHUB_OUTPUT="$tmp/outputs" GITHUB_STEP_SUMMARY="$tmp/summary" RUNNER_TEMP="$tmp"
	status 'action: install' 0 "$action/install.sh"
	export DLWATCH_RUN_COMMAND="cd '$tmp' && '$tmp/toy/test_both'; echo done" DLWATCH_RUN_OPTIONS=--log=none \
		DLWATCH_RUN_JOURNALS="$tmp/journals" DLWATCH_RUN_SARIF="$tmp/dlwatch.sarif"
	mkdir -p "$tmp/toy" && ${CC:-cc} -g -o "$tmp/toy/test_both" "$toy/test_both.c" "$toy/locks.c" -pthread
	status 'action: run' 66 "$action/run.sh"
	says 'action: run' '^done'
	says 'action: run' '^::error '
	says 'action: outputs' '^errors=1$' "$tmp/outputs"
	# shellcheck disable=SC2016 # as it stands there
	says 'action: summary' '^| error | `lock-order-inversion` |' "$tmp/summary"
	says 'action: SARIF' '"lock-order-inversion"' "$tmp/dlwatch.sarif"
	if ls "$tmp/journals"/test_both.*.jsonl >/dev/null; then ok; else fail 'action: no journal'; fi
	DLWATCH_RUN_COMMAND='exit 3' status 'action: its own status' 3 "$action/run.sh"
	says 'action: nothing' '^Nothing found' "$tmp/summary"
	# Each input that the steps name is declared.
	# shellcheck disable=SC2013 # words
	for input in $(sed -n 's/.*\${{ inputs\.\([a-z]*\) }}.*/\1/p' "$action/action.yml"); do
		says "action: input $input" "^  $input:" "$action/action.yml"
	done
}

with_gitlab() {
	template=$here/../.dist/examples/gitlab.yml
	script=$(sed -n 's/^    - \(dlwatch run .*\)/\1/p' "$template")
	export DLWATCH_COMMAND="$build/tests/e2e/mistakes" DLWATCH_MORE=--log=none
	status gitlab 66 sh -c "cd '$tmp' && $script"
	says gitlab '<failure' "$tmp/dlwatch.xml"
	if ls "$tmp"/dlwatch-journals/mistakes.*.jsonl >/dev/null; then ok; else fail 'gitlab: no journal'; fi
	unset DLWATCH_COMMAND DLWATCH_MORE
	python3 -c 'import yaml' 2>/dev/null || { echo "integrations: no python3-yaml, files not parsed" && return 0; }
	for file in "$template" "$here"/../.github/actions/dlwatch/action.yml "$here"/../.dist/examples/*.yaml; do
		status "${file##*/}" 0 python3 -c 'import sys, yaml; list(yaml.safe_load_all(open(sys.argv[1])))' "$file"
	done
}

# The problem matcher finds in each line what it says.
with_vscode() {
	dlwatch run -- "$build/tests/e2e/mistakes" >"$tmp/out" 2>&1
	got=$(jq -rR --slurpfile tasks "$prefix/share/dlwatch/vscode-tasks.json" \
		'$tasks[0].tasks[0].problemMatcher.pattern as $p | [match($p.regexp) | .captures[].string] | select(length > 0) |
		select(.[$p.file - 1] | test("\\.[ch]$")) | select(.[$p.line - 1] | tonumber > 0) |
		.[$p.severity - 1] + " " + .[$p.code - 1]' <"$tmp/out" | sort)
	dlwatch run --log=none --output=json:"$tmp/vscode.json" -- "$build/tests/e2e/mistakes" >/dev/null 2>&1
	want=$(jq -r '.findings[]|[.severity,.kind]|join(" ")' "$tmp/vscode.json" | sort)
	if [ "$got" = "$want" ] && [ -n "$want" ]; then ok; else fail "vscode: '$got', not '$want'"; fi
}

# Until it hangs: it is looked at until the look says so.
await_hang() {
	for _ in $(seq 200); do
		dlwatch attach "$1" >"$tmp/out" 2>&1
		[ $? = 66 ] && return
		kill -0 "$1" 2>/dev/null || break
	done
	fail "$2: does not hang: $(tail -n 3 "$tmp/out")"
}

with_gdb() {
	has gdb || return 0
	if ! gdb -batch -ex 'python print(1)' 2>&1 | grep -qx 1; then echo "integrations: no python in gdb, skipped" && return; fi
	"$build/samples/dining_philosophers" >/dev/null 2>&1 &
	pid=$!
	await_hang $pid gdb
	# shellcheck disable=SC2016 # for gdb
	status 'gdb: live' 0 gdb -nx -batch -ex "source $prefix/share/dlwatch/gdb.py" -ex dlwatch -ex 'print $_exitcode' -ex 'generate-core-file '"$tmp/core" -p $pid
	says 'gdb: live' 'error: deadlock: 5 threads'
	says 'gdb: live' ' = 66'
	if kill -0 $pid; then ok; else fail 'gdb: the process has ended'; fi
	kill $pid
	status 'gdb: core' 0 gdb -nx -batch -ex "source $prefix/share/dlwatch/gdb.py" -ex 'dlwatch --format=json' "$build/samples/dining_philosophers" "$tmp/core"
	says 'gdb: core' '"kind": "deadlock"'
	status 'gdb: neither' 1 gdb -nx -batch -ex "source $prefix/share/dlwatch/gdb.py" -ex dlwatch
	says 'gdb: neither' 'neither a process nor a core'
}

# The drop-in's environment, as systemd would give it to a service.
with_systemd() {
	conf=$prefix/share/dlwatch/systemd.conf
	mkdir -p "$tmp/state/dlwatch/toy"
	options=$(sed -n 's/^Environment="DLWATCH_OPTIONS=\(.*\)"$/\1/p' "$conf" | sed "s|%S|$tmp/state|g; s|%N|toy|g; s|%%|%|g")
	preload=$(sed -n 's/^Environment=LD_PRELOAD=//p' "$conf")
	status systemd 0 env LD_LIBRARY_PATH="$prefix/lib" LD_PRELOAD="$preload" DLWATCH_OPTIONS="$options" "$build/tests/e2e/mistakes"
	if grep -q 'unknown\|no such option' "$tmp/out"; then fail "systemd: $(head -n 3 "$tmp/out")"; else ok; fi
	# A deadlock comes into the file that the next start reads.
	status 'systemd: a deadlock' 66 env LD_LIBRARY_PATH="$prefix/lib" LD_PRELOAD="$preload" DLWATCH_OPTIONS="$options on_deadlock=exit" \
		"$build/tests/e2e/mistakes" deadlock
	if [ -s "$tmp/state/dlwatch/toy/avoid" ]; then ok; else fail "systemd: no file of deadlocks to avoid: $(ls -l "$tmp/state/dlwatch/toy")"; fi
	status 'systemd: journals' 66 dlwatch report "$tmp/state/dlwatch/toy"
	says 'systemd: no command line' '"argv":\[\]' "$tmp"/state/dlwatch/toy/mistakes.*.jsonl
	command -v systemd-analyze >/dev/null || { echo "integrations: no systemd, drop-in not verified" && return 0; }
	printf '[Service]\nExecStart=/bin/true\n' >"$tmp/toy.service"
	mkdir -p "$tmp/toy.service.d" && cp "$conf" "$tmp/toy.service.d/dlwatch.conf"
	status 'systemd: verify' 0 systemd-analyze verify "$tmp/toy.service"
}

# A container: other mount and pid namespaces, a root with libc alone, the bundle in /opt/dlwatch.
with_container() {
	unshare -mpf true 2>/dev/null || { echo "integrations: no namespaces, skipped" && return 0; }
	has patchelf || return 0
	for library in dw elf jansson z lzma bz2; do
		case $(${CC:-cc} -print-file-name=lib$library.a) in */*) ;; *) echo "integrations: no lib$library.a, containers skipped" && return ;; esac
	done
	(cd "$here/.." && ${MAKE:-make} -s O="$build" static) >"$tmp/out" 2>&1 || { fail "make static: $(tail -n 5 "$tmp/out")" && return; }
	root=$tmp/root
	mkdir -p "$root/proc" "$root/opt" "$root/tmp"
	tar -xzf "$(tail -n 1 "$tmp/out" | sed "s|^build/|$build/|")" -C "$root/opt" && mv "$root"/opt/dlwatch-* "$root/opt/dlwatch"
	cp "$build/samples/dining_philosophers" "$root/dine"
	ldd "$root/dine" | sed -n 's|.*[[:space:]]\(/[^ ]*\) (.*|\1|p' | while read -r file; do mkdir -p "$root${file%/*}" && cp "$file" "$root$file"; done
	if ldd "$root/opt/dlwatch/bin/dlwatch" >/dev/null 2>&1; then fail 'container: the command needs libraries'; else ok; fi
	cat >"$tmp/container" <<-END
		#!/bin/sh
		exec env -u TMPDIR unshare --mount --pid --fork --kill-child sh -c 'mount -t proc proc "$root/proc" && exec chroot "$root" "\$@"' - "\$@"
	END
	chmod +x "$tmp/container"
	# The first process of a pid namespace starts no helper: the places are told, and the journal has the rest.
	status 'container: preload' 66 env LD_PRELOAD=/opt/dlwatch/lib/libdlwatch.so DLWATCH_OPTIONS="on_deadlock=exit:report=/tmp/j" "$tmp/container" /dine
	says 'container: preload' 'DEADLOCK'
	status 'container: its journal' 66 "$tmp/container" /opt/dlwatch/bin/dlwatch report /tmp/j
	says 'container: its journal' 'forks\[1\]'
	says 'container: its journal' 'by philosopher '
	status 'container: run' 66 "$tmp/container" /opt/dlwatch/bin/dlwatch run -- /dine
	says 'container: run' 'dining_philosophers.c:[0-9]*'
	"$tmp/container" /dine >/dev/null 2>&1 &
	outer=$!
	pid=
	while [ -z "$pid" ] && kill -0 $outer; do pid=$(pgrep -P $outer -x dine); done
	await_hang "$pid" container
	says 'container: attach from the host' 'forks\[1\]'
	status 'container: attach inside' 66 env -u TMPDIR nsenter --target "$pid" --mount --pid --root --wd=/ /opt/dlwatch/bin/dlwatch attach 1
	says 'container: attach inside' 'forks\[1\]'
	kill "$pid" $outer 2>/dev/null
}

# Packages for arm64, made here, where a cross compiler and that machine's libraries are. They run where the kernel
# knows how to run them.
with_arm64() {
	has dpkg-buildpackage aarch64-linux-gnu-gcc || return 0
	why=$("$here/../.dist/cross.sh" arm64 "$here/../.dist/debian/control" 2>&1) ||
		{ echo "integrations: packages for arm64 skipped: $why" && return 0; }
	(cd "$here/.." && ${MAKE:-make} -s O="$tmp/cross" deb DEB_ARCH=arm64) >"$tmp/out" 2>&1 ||
		{ fail "make deb DEB_ARCH=arm64: $(tail -n 15 "$tmp/out")" && return; }
	for package in dlwatch libdlwatch-dev; do
		dpkg-deb -x "$tmp/cross/deb/${package}"_*_arm64.deb "$tmp/arm64" || fail "arm64: no $package"
	done
	lib=$tmp/arm64/usr/lib/aarch64-linux-gnu
	for file in "$lib/libdlwatch.so" "$tmp/arm64/usr/bin/dlwatch"; do
		status 'arm64: machine' 0 readelf -h "$file"
		says 'arm64: machine' 'Machine: *AArch64'
	done
	[ "$(PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --variable=preload dlwatch)" = /usr/lib/aarch64-linux-gnu/libdlwatch.so ] ||
		fail 'arm64: pkg-config names another library'
	says 'arm64: CMake' 'LIST_DIR}/../../libdlwatch.so"' "$lib/cmake/dlwatch/dlwatch-config.cmake"
	says 'arm64: CMake' 'LIST_DIR}/../../../../bin/dlwatch"' "$lib/cmake/dlwatch/dlwatch-config.cmake"
	gzip -dc "$tmp/arm64/usr/share/man/man1/dlwatch.1.gz" >"$tmp/page"
	dlwatch --generate dlwatch.1 | cmp - "$tmp/page" || fail 'arm64: another manual'
	status 'arm64: a program' 0 aarch64-linux-gnu-gcc -D_GNU_SOURCE -g -pthread "$here/../samples/bank_transfer.c" -o "$tmp/bank"
	"$tmp/bank" >/dev/null 2>&1 || { echo 'integrations: the kernel runs no arm64 program, packages for arm64 made, not run' && return 0; }
	status 'arm64: run' 66 "$tmp/arm64/usr/bin/dlwatch" run -- "$tmp/bank"
	says 'arm64: run' 'lock-order-inversion'
	says 'arm64: run' 'transfer .*bank_transfer.c:[0-9]*'
	status 'arm64: off' 0 "$tmp/bank"
}

[ $# -gt 0 ] || set -- with_cmake with_meson with_schema with_listeners with_github with_gitlab with_vscode with_gdb with_systemd \
	with_container with_arm64
for part; do $part; done
echo "integrations: $passed passed, $failed failed"
[ $failed = 0 ]
