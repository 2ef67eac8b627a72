#!/bin/sh
# core_kinds.sh BUILD [PART…]: the same from cores, the kernel's and gcore's, whole and damaged.
# shellcheck disable=SC2016 # jq's variables
# shellcheck source=tests/e2e/outside.sh
. "$(dirname "$0")/outside.sh"
case $(cat /proc/sys/kernel/core_pattern) in
'|'* | /*) kernel=no && echo "core_kinds: the kernel's cores go elsewhere, those parts skipped" ;;
*) kernel=yes ;;
esac
gcore=no
if command -v gcore >/dev/null; then gcore=yes; else echo "core_kinds: no gcore, those parts skipped"; fi
# shellcheck disable=SC3045 # dash and bash have it
ulimit -c unlimited 2>/dev/null || kernel=no
myself=$(cd "$(dirname "$0")" && pwd)/core_kinds.sh
cd "$tmp" || exit 1

# take HOW: ends the program with its core in $tmp/core; false where that can't be had.
take() {
	rm -f "$tmp"/core*
	if [ "$1" = gcore ]; then
		[ "$gcore" = yes ] && gcore -o "$tmp/core" "$pid" >"$tmp/gcore.out" 2>&1
	else
		[ "$kernel" = yes ] && kill -ABRT "$pid" && wait "$child" 2>/dev/null
	fi
	end
	set -- "$tmp"/core*
	[ -f "$1" ] || return 1
	[ "$1" = "$tmp/core" ] || mv "$1" "$tmp/core"
}

kinds() {
	echo "$waits" >"$tmp/waits"
	for how in gcore kernel; do
		while read -r kind wait object name mode holder n <&3; do
			what="$how core of $kind"
			start "$n" "$programs/long_wait" "$kind" 1 || continue
			take $how || continue
			look 0 core --format=json "$tmp/core"
			see_wait "$wait" "$object" "$name" "$mode" "$holder"
			see '.threads|map(select(.syscall=="read"))|length==1'
			# A process that was copied while it lived: what has become of it since is not known.
			see '(.processes[0].ended!="running") and (($how=="gcore")==(.notes|any(test("ran when this core was taken"))))' --arg how $how
		done 3<"$tmp/waits"
	done
}

# Without debug files the call that led into the library has to be read, from the program's own file.
hidden() { unshare -m sh -c '[ ! -d /usr/lib/debug ] || mount -t tmpfs none /usr/lib/debug; exec "$@"' - "$@"; }
no_debug_files() {
	hidden true 2>/dev/null || { echo "core_kinds: no mount namespace, part skipped" && return; }
	echo "$waits" | grep -e semaphore -e once -e wrlock -e condition -e mutex >"$tmp/waits"
	while read -r kind wait object name mode holder n <&3; do
		what="core of $kind without debug files"
		start "$n" "$programs/long_wait" "$kind" 1 || continue
		take kernel || continue
		hidden timeout 60 "$dlwatch" core --format=json "$tmp/core" >"$tmp/json" 2>"$tmp/err"
		see_wait "$wait" "$object" "$name" "$mode" "$holder"
	done 3<"$tmp/waits"
}

hangs() {
	for how in gcore kernel; do
		for way in abba self rwlock join-lock once file gone pi; do
			what="$how core of $way"
			start 1 "$programs/hang" $way || continue
			until_true are_waiting "$(case $way in self | gone) echo 1 ;; *) echo 2 ;; esac)"
			take $how || continue
			look 66 core --format=json "$tmp/core"
			see '.findings|length==1 and .[0].kind=="deadlock"'
			see '.findings[0].cycle|all(.wants.stack|map(.file//"")|any(endswith("hang.c")))'
		done
		what="$how core of a stall"
		start 3 "$programs/hang" condition || continue
		take $how || continue
		look 66 core --format=json "$tmp/core"
		see '.findings|length==1 and (.[0]|.kind=="stall" and .certainty=="possible" and (.reason|test("signal")))'
	done
}

# A debugger outside of a container writes its own numbers into the core; locks name the inner ones.
container() {
	what='core from outside of a container'
	unshare -pf true 2>/dev/null || { echo "core_kinds: no pid namespace, part skipped" && return; }
	start 0 unshare -pf --kill-child "$programs/hang" abba || return
	pid=$(tr -d ' ' </proc/"$child"/task/"$child"/children)
	until_true are_waiting 2
	take gcore || return
	look 66 core --format=json "$tmp/core"
	see '.findings[0]|.kind=="deadlock" and (.cycle|length)==2'
}

# says STATUS WORDS COMMAND…
says() {
	want=$1 words=$2
	shift 2
	timeout -k 5 60 "$@" >"$tmp/json" 2>"$tmp/err"
	status=$?
	if [ $status = "$want" ] && { [ -z "$words" ] || grep -q -e "$words" "$tmp/err"; }; then
		pass
	else
		fail "$*: status $status, says: $(cat "$tmp/err")"
	fi
}

# A core of abba, from a program at a place of its own.
one_core() {
	rm -rf "$tmp/place"
	mkdir "$tmp/place"
	cp "$programs/hang" "$tmp/place/hang"
	start 2 "$tmp/place/hang" abba || return 1
	take gcore || {
		start 2 "$tmp/place/hang" abba || return 1
		take kernel
	}
}

packed() {
	what='packed core'
	one_core || return
	for tool in zstd lz4 xz gzip; do
		command -v $tool >/dev/null || { echo "core_kinds: no $tool, skipped" && continue; }
		$tool -c "$tmp/core" >"$tmp/packed.$tool" 2>/dev/null
		what="core packed with $tool"
		look 66 core --format=json "$tmp/packed.$tool"
		see '.findings[0].kind=="deadlock"'
		head -c $(($(wc -c <"$tmp/packed.$tool") / 2)) "$tmp/packed.$tool" >"$tmp/half"
		says 2 "$tool" "$dlwatch" core "$tmp/half"
	done
	mkdir "$tmp/nothing"
	[ -e "$tmp/packed.xz" ] || printf '\3757zXZ\000' >"$tmp/packed.xz"
	says 2 "tool 'xz'" env PATH="$tmp/nothing" "$dlwatch" core "$tmp/packed.xz"
}

files() {
	what='core and its files'
	one_core || return
	mkdir -p "$tmp/root$tmp/place"
	mv "$tmp/place/hang" "$tmp/root$tmp/place/hang"
	says 2 'cannot find executable' "$dlwatch" core --format=json "$tmp/core"
	see '.threads|length==3'
	see '.findings[0].kind=="deadlock"'
	what='core with its executable'
	look 66 core --format=json "$tmp/core" "$tmp/root$tmp/place/hang"
	see '.findings[0].locks|map(.expression)|index("accounts[1].lock")!=null'
	what='core with a sysroot'
	look 66 core --format=json --sysroot="$tmp/root" "$tmp/core"
	see '.findings[0].locks|map(.expression)|index("accounts[1].lock")!=null'
	what='core with another executable'
	says 2 'not the file that ran' "$dlwatch" core --format=json "$tmp/core" "$programs/long_wait"
}

damaged() {
	what='damaged core'
	one_core || return
	size=$(wc -c <"$tmp/core")
	for cut in 0 1 64 4096 $((size / 3)) $((size / 2)) $((size - 4096)); do
		head -c "$cut" "$tmp/core" >"$tmp/cut"
		says 2 '' "$dlwatch" core --format=json "$tmp/cut"
		if [ -s "$tmp/err" ]; then pass; else fail "$what: cut at $cut says nothing"; fi
	done
	says 2 'not a core' "$dlwatch" core "$programs/hang"
	says 2 'no core' "$dlwatch" core "$myself"
	says 2 'No such file' "$dlwatch" core "$tmp/nosuch"
	says 2 'no core is given' "$dlwatch" core
	# The processor's number stands at byte 18: call it the other one that we know, and nobody's.
	case $(uname -m) in x86_64) other=267 ;; *) other=76 ;; esac # aarch64, x86-64
	for machine in $other 377; do
		cp "$tmp/core" "$tmp/other"
		# shellcheck disable=SC2059 # an octal byte
		printf "\\$machine" | dd of="$tmp/other" bs=1 seek=18 conv=notrunc 2>/dev/null
		says 2 'another processor' "$dlwatch" core --format=json "$tmp/other"
	done
}

[ $# -gt 0 ] || set -- kinds no_debug_files hangs container packed files damaged
for part; do $part; done
finish core_kinds
