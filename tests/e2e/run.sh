#!/bin/sh
# run.sh BUILD [NAME…]: real programs, natively and watched: the same output, calls seen, nothing found;
# and bad input: a clear line each time, nothing lost. Programs that are not there are skipped.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
lib=$build/libdlwatch.so
dlwatch=$build/dlwatch
tmp=$(mktemp -d)
servers=
clean() {
	for pid in $servers; do
		# the number of one that has ended may be a stranger's by now
		if grep -qs "^PPid:[[:space:]]*$$\$" "/proc/$pid/status"; then kill "$pid"; fi
	done
	rm -rf "$tmp"
}
trap clean EXIT
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAIL $*"
}
has() {
	for program; do
		command -v "$program" >/dev/null || { echo "e2e: no $program, skipped" && return 1; }
	done
}

# watch COMMAND…: under the library; journal and its lines are kept apart from what the program says.
# A script, so that the process behind `&` is the timeout itself, which passes signals on.
watch=$tmp/watch
cat >"$watch" <<END
#!/bin/sh
exec timeout -k 5 180 env LD_PRELOAD='$lib' \
	DLWATCH_OPTIONS="report='$tmp/journal.%e.%p' log='$tmp/log.%e.%p' verbosity=1" "\$@"
END
chmod +x "$watch"

# What the watched runs left since the last call: calls were seen, nothing found, nothing switched off.
# judge NAME
judge() {
	calls=$(cat "$tmp"/log.* 2>/dev/null | sed -n 's/.*wrapped calls: \([0-9][0-9]*\).*/\1/p' | sort -n | tail -n 1)
	if [ "${calls:-0}" -gt 0 ]; then pass; else fail "$1: no wrapped call seen"; fi
	if cat "$tmp"/journal.* 2>/dev/null | grep '"type":"finding"' | grep -v '"harmless"'; then
		fail "$1: a finding"
		"$dlwatch" report "$tmp"/journal.* | head -n 60
	else
		pass
	fi
	if cat "$tmp"/journal.* 2>/dev/null | grep '"type":"off"'; then fail "$1: switched off"; else pass; fi
	rm -f "$tmp"/journal.* "$tmp"/log.*
}

# both NAME COMMAND…: output and status natively and watched.
both() {
	name=$1
	shift
	timeout -k 5 180 "$@" >"$tmp/native" 2>"$tmp/native.err"
	echo "status $?" >>"$tmp/native"
	"$watch" "$@" >"$tmp/watched" 2>"$tmp/watched.err"
	echo "status $?" >>"$tmp/watched"
	if cmp -s "$tmp/native" "$tmp/watched" && diff -u "$tmp/native.err" "$tmp/watched.err"; then
		pass
	else
		fail "$name: other output"
		diff -a "$tmp/native" "$tmp/watched" | head -n 20
	fi
	judge "$name"
}

python() {
	[ -x /usr/bin/python3 ] || { echo "e2e: no python3, skipped" && return; }
	both python3 /usr/bin/python3 "$here/threads.py"
}

compressors() {
	seq 1 400000 >"$tmp/data"
	if has xz; then
		both 'xz -T2' xz -T2 -0 --block-size=262144 -c "$tmp/data"
		xz -T2 -0 --block-size=262144 -c "$tmp/data" >"$tmp/data.xz"
		both 'xz -d -T2' xz -d -T2 -c "$tmp/data.xz"
	fi
	if has pbzip2; then
		both pbzip2 pbzip2 -p2 -b1 -c "$tmp/data"
		pbzip2 -p2 -b1 -c "$tmp/data" >"$tmp/data.bz2"
		both 'pbzip2 -d' pbzip2 -d -p2 -c "$tmp/data.bz2"
	fi
}

git_threads() {
	has git || return
	repo=$tmp/repo
	mkdir "$repo"
	for i in $(seq 300); do seq "$i" $((i * 7 + 200)) >"$repo/file$i"; done
	(cd "$repo" && git init -q && git add . && git -c user.name=t -c user.email=t@t commit -qm t && git repack -qadf) >/dev/null 2>&1
	both 'git grep' git -C "$repo" grep --threads=2 -c '77'
	set -- "$repo"/.git/objects/pack/*.pack
	both 'git index-pack' git index-pack --threads=2 -o "$tmp/index" "$1"
}

# Until the server answers; it is ours, so its end is noticed at once.
until_up() {
	for _ in $(seq 300); do
		[ -S "$1" ] && return
		sleep 0.1
	done
	fail "no server at $1"
}

memcached_load() {
	has memcached || return
	"$watch" memcached -u "$(id -un)" -t 4 -s "$tmp/mc.sock" -a 777 2>"$tmp/mc.err" &
	server=$!
	servers="$servers $server"
	until_up "$tmp/mc.sock"
	if timeout 180 "$build/tests/e2e/mc_load" "$tmp/mc.sock"; then pass; else fail "memcached: wrong answers"; fi
	kill "$server"
	wait "$server"
	judge memcached
}

redis_load() {
	has redis-server redis-benchmark redis-cli || return
	"$watch" redis-server --port 0 --unixsocket "$tmp/redis.sock" --save '' --io-threads 2 \
		--io-threads-do-reads yes --dir "$tmp" >"$tmp/redis.log" 2>&1 &
	server=$!
	servers="$servers $server"
	until_up "$tmp/redis.sock"
	if timeout 180 redis-benchmark -s "$tmp/redis.sock" -q -n 5000 -c 20 -P 4 -t set,get,lpush,lrange_100 >/dev/null &&
		[ "$(redis-cli -s "$tmp/redis.sock" set k v)" = OK ] && [ "$(redis-cli -s "$tmp/redis.sock" get k)" = v ]; then
		pass
	else
		fail "redis: wrong answers"
	fi
	redis-cli -s "$tmp/redis.sock" flushall async >/dev/null
	redis-cli -s "$tmp/redis.sock" shutdown nosave >/dev/null 2>&1
	wait "$server"
	judge redis
}

# shellcheck source=tests/e2e/bad_input.sh
. "$here/bad_input.sh"

reports() {
	for script in "$here"/report_*.sh; do
		if "$script" "$build"; then pass; else fail "${script##*/}"; fi
	done
}

[ $# -gt 0 ] || set -- python compressors git_threads memcached_load redis_load bad_input reports
for part; do $part; done
echo "e2e: $passed passed, $failed failed"
[ $failed = 0 ]
