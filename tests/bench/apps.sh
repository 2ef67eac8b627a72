#!/bin/sh
# Real programs natively and preloaded, in turns: wall time, the program's CPU time, peak memory.
# A server is what is measured, its load runs beside it unwatched. What isn't installed is skipped.
set -u
usage() {
	cat <<'END'
usage: apps.sh [--runs=N] [--only=APP,…] [--json[=FILE]] [--markdown] BUILD
  --runs=5    pairs of runs, of which the medians are shown
  --json      figures as JSON, to FILE or instead of the text
  --markdown  the README's table instead of the text
END
}
apps='start threads suite memcached memcached_flood memcached_free firebird redis mariadb_select mariadb_write pbzip2 xz x264 python node jvm'

runs=5 only=$apps json='' markdown=''
for arg; do
	case $arg in
	--runs=*) runs=${arg#*=} ;;
	--only=*) only=$(echo "${arg#*=}" | tr ',' ' ') ;;
	--json) json=- ;;
	--json=*) json=${arg#*=} ;;
	--markdown) markdown=1 ;;
	--help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) build=$arg ;;
	esac
done
build=$(cd "${build:?BUILD is missing}" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bin=$build/tests/bench
chmod 755 "$tmp"

# needs COMMAND…: the name of the first that is missing, and false.
needs() {
	for c; do command -v "$c" >/dev/null || { missing=$c && return 1; }; done
}
# spent COMMAND…: in the way that the run is for ($preload), measured into $out.
spent() { "$bin/spent" "$out" env ${preload:+LD_PRELOAD=$preload DLWATCH_OPTIONS=log=none} "$@"; }
# serve READY COMMAND…: measured too, until it is told to end.
serve() {
	ready=$1
	shift
	(exec "$bin/spent" "$out" env ${preload:+LD_PRELOAD=$preload DLWATCH_OPTIONS=log=none} "$@") >"$tmp/server.log" 2>&1 &
	server=$!
	tries=0
	until $ready >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		sleep 0.1
	done
}
# load COMMAND…: what a server is there for. Its time is the wall time, not the server's life.
load() {
	from=$(date +%s%N)
	"$@" >"$tmp/load" 2>&1
	status=$?
	load_ms=$((($(date +%s%N) - from) / 1000000))
	return "$status"
}
ended() {
	kill -TERM "$server" && wait "$server"
	sed -i "s/^[0-9.]*/$load_ms/" "$out"
	return "$status"
}
sample() { [ -s "$tmp/sample" ] || find /usr/lib /usr/bin -type f -size +100k 2>/dev/null | sort | head -n 60 |
	xargs cat 2>/dev/null | head -c 24000000 >"$tmp/sample"; }

# Each app is a function that is run once a way. Its goal stands in the table below.
# shellcheck disable=SC2016 # for the inner shell
start() { spent sh -c 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done'; }
threads() { spent "$bin/come_and_go"; }
# This project's own test suite, in which Check forks a process for each test: under `run`, not only
# preloaded.
suite() {
	set -- "$build/tests/unit/run"
	[ -z "$preload" ] || set -- "$build/dlwatch" run --log=none -- "$@"
	preload='' spent env CK_RUN_SUITE=emit_options "$@" >/dev/null 2>&1
}
# The server on one processor, its load on the others: where the kernel would put them changes from
# run to run, and with it the time by half.
cpus=$(nproc)
[ "$cpus" -gt 1 ] && here='taskset -c 0' there="taskset -c 1-$((cpus - 1))" || here='' there=''
# shellcheck disable=SC2086 # words
cache() {
	rm -f "$tmp/port"
	export MEMCACHED_PORT_FILENAME="$tmp/port"
	serve "test -s $tmp/port" $here memcached -u root -t 2 -l 127.0.0.1 -p -1 -U 0 || return
	load $there "$bin/flood" "$(sed -n 's/^TCP INET: //p' "$tmp/port")" "$@"
	ended
}
memcached_() { cache 1000000 4; }
memcached_flood() { cache 2000000 100; }
# Where the kernel puts them: only the CPU time a request says something.
memcached_free() { here='' there='' && cache 1000000 4; }
firebird() {
	rm -f "$tmp/fire.fdb"
	{
		echo "create database '$tmp/fire.fdb'; create table t (a int, b varchar(20)); commit;"
		seq 2000 | sed "s/.*/insert into t values (&, 'row &');/"
		echo 'commit; select count(*), sum(a) from t; create index i on t (a); select * from t where a = 77;'
	} >"$tmp/fire.sql"
	spent isql-fb -q -i "$tmp/fire.sql" >/dev/null 2>&1
}
redis() {
	serve "redis-cli -s $tmp/redis ping" redis-server --port 0 --unixsocket "$tmp/redis" --save '' \
		--io-threads 2 --io-threads-do-reads yes --dir "$tmp" || return
	load redis-benchmark -s "$tmp/redis" -t set,get -n 300000 -c 20 -P 16 -q
	ended
}
database() {
	[ -d "$tmp/db" ] || mariadb-install-db --no-defaults --user=root --datadir="$tmp/db" \
		--auth-root-authentication-method=normal >/dev/null 2>&1 || return
	serve "mariadb-admin --no-defaults -uroot -S $tmp/db.sock ping" mariadbd --no-defaults --user=root \
		--datadir="$tmp/db" --socket="$tmp/db.sock" --skip-networking || return
	set -- "$1" "$2" --db-driver=mysql --mysql-user=root --mysql-socket="$tmp/db.sock" \
		--tables=2 --table-size=10000 --threads=2 --time=0
	if [ ! -e "$tmp/db.filled" ]; then
		mariadb --no-defaults -uroot -S "$tmp/db.sock" -e 'create database sbtest' &&
			sysbench "$@" prepare >/dev/null && touch "$tmp/db.filled"
	fi
	load sysbench "$@" --events="$events" run
	ended
}
mariadb_select() { events=60000 && database oltp_point_select --skip-trx; }
mariadb_write() { events=1500 && database oltp_read_write --skip-trx=off; }
pbzip2_() { sample && spent pbzip2 -p2 -k -c "$tmp/sample" >/dev/null; }
xz_() { sample && spent xz -T2 -1 -k -c "$tmp/sample" >/dev/null; }
x264() { spent ffmpeg -v quiet -f lavfi -i testsrc2=size=640x360:rate=30 -t 8 -c:v libx264 -preset veryfast \
	-threads 2 -f null - </dev/null; }
python() { spent "$(python3 -c 'import sys; print(sys.executable)')" -c '
import queue, threading
todo, lock, total = queue.Queue(100), threading.Lock(), [0]
def work():
    while (n := todo.get()) is not None:
        part = sum(i * i for i in range(n % 500))
        with lock:
            total[0] += part
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for n in range(40000): todo.put(n)
for t in threads: todo.put(None)
for t in threads: t.join()'; }
node_() { spent node -e '
	const c = require("crypto"); let n = 0;
	const next = () => { if (n++ < 400) c.pbkdf2("a", "b", 4000, 32, "sha256", next); };
	for (let i = 0; i < 4; i++) next();'; }
jvm() { spent java -version 2>/dev/null; }

# app, goal, commands it needs, function, what it is
table() {
	cat <<'END'
start|0.2ms|sh|start|200 starts of /bin/true
threads|1.03|sh|threads|200 threads that come and go
suite|1.05|sh|suite|our unit tests of the options, under `run`
memcached|1.08|memcached|memcached_|memcached, 2 million takings a second
memcached_flood|-|memcached|memcached_flood|memcached, 4 million takings a second
memcached_free|1.10|memcached|memcached_free|memcached, on any processor
firebird|1.10|isql-fb|firebird|firebird, 2,000 rows by isql
redis|1.03|redis-server redis-benchmark|redis|redis, two I/O threads
mariadb_select|1.05|mariadbd mariadb-install-db sysbench|mariadb_select|mariadb, sysbench point select
mariadb_write|1.05|mariadbd mariadb-install-db sysbench|mariadb_write|mariadb, sysbench read-write
pbzip2|1.03|pbzip2|pbzip2_|pbzip2 -p2
xz|1.03|xz|xz_|xz -T2
x264|1.03|ffmpeg|x264|ffmpeg, x264 with two threads
python|1.03|python3|python|python3, four threads on a queue
node|1.03|node|node_|node, thread pool
jvm|1.03|java|jvm|a JVM start
END
}

table | while IFS='|' read -r app goal commands function title; do
	case " $only " in *" $app "*) ;; *) continue ;; esac
	# shellcheck disable=SC2086 # a list
	needs $commands || { echo "bench-apps: no $missing here, $app skipped" >&2 && continue; }
	for run in $(seq "$runs"); do
		for way in native dlwatch; do
			preload='' out=$tmp/out
			[ $way = native ] || preload=$build/libdlwatch.so
			rm -f "$out"
			if $function </dev/null && [ -s "$out" ]; then
				echo "$app|$title|$goal|$run|$way|$(tr ' ' '|' <"$out")"
			else
				echo "bench-apps: $app failed ($way, run $run)" >&2
			fi
		done
	done
done >"$tmp/raw"

# app title goal, then native and dlwatch: median wall, cpu, KiB; medians of the pairs' ratios
awk -F'|' -v OFS='\t' '
	function median(list, n,    v, i, j, t) {
		split(list, v, " ")
		for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
		low = v[1]; high = v[n]
		return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
	}
	{ k = $1; if (!(k in title)) order[++apps] = k; title[k] = $2; goal[k] = $3
	  wall[k, $4, $5] = $6; cpu[k, $4, $5] = $7; kib[k, $4, $5] = $8; if ($4 > runs) runs = $4 }
	END { for (a = 1; a <= apps; a++) {
		k = order[a]; n = 0; w = c = nw = nc = nm = dm = ""
		for (r = 1; r <= runs; r++) {
			if (!((k, r, "native") in wall) || !((k, r, "dlwatch") in wall) || !cpu[k, r, "native"]) continue
			n++
			w = w " " wall[k, r, "dlwatch"] / wall[k, r, "native"]; c = c " " cpu[k, r, "dlwatch"] / cpu[k, r, "native"]
			nw = nw " " wall[k, r, "native"]; nc = nc " " cpu[k, r, "native"]
			nm = nm " " kib[k, r, "native"]; dm = dm " " kib[k, r, "dlwatch"]
		}
		if (!n) continue
		wr = median(w, n); cr = median(c, n); cl = low; ch = high
		print k, title[k], goal[k], median(nw, n), wr, median(nc, n), cr, cl, ch, median(nm, n), median(dm, n), n
	} }' "$tmp/raw" >"$tmp/figures"

text() {
	printf '%-38s %9s %6s %9s %6s %-13s %s\n' 'medians of pairs' 'wall ms' ratio 'CPU ms' ratio '[spread]' 'peak MB'
	awk -F'\t' '{
		if ($3 == "0.2ms") { met = $4 * ($5 - 1) <= 40; $3 = "+0.2 ms a start" } else
		met = $3 == "-" || ($5 <= $3 || $7 <= $3) && ($11 <= $10 * 1.05 || $11 <= $10 + 8192)
		printf "%-38s %9.0f %6.3f %9.0f %6.3f [%.3f-%.3f] %.0f -> %.0f  goal %s%s\n", $2, $4, $5, $6, $7, $8, $9,
			$10 / 1024, $11 / 1024, $3, met ? "" : " MISSED" }' "$tmp/figures"
}
markdown() {
	printf '| program | wall | CPU [spread] | peak MB |\n|---|---|---|---|\n'
	awk -F'\t' '{
		peak = sprintf("%.0f -> %.0f", $10 / 1024, $11 / 1024)
		if ($3 == "0.2ms") printf "| %s | +%.2f ms a start | | %s |\n", $2, $4 * ($5 - 1) / 200, peak
		else printf "| %s | %.2f | %.2f [%.3f-%.3f] | %s |\n", $2, $5, $7, $8, $9, peak }' "$tmp/figures"
}
as_json() {
	jq -R -n '[inputs | split("\t") | {app: .[0], title: .[1], goal: .[2], wall_ms: (.[3] | tonumber),
		wall_ratio: (.[4] | tonumber), cpu_ms: (.[5] | tonumber), cpu_ratio: (.[6] | tonumber), low: (.[7] | tonumber),
		high: (.[8] | tonumber), peak_kib: (.[9] | tonumber), watched_kib: (.[10] | tonumber), pairs: (.[11] | tonumber)}]' \
		"$tmp/figures"
}
[ "$json" != - ] || { as_json && exit; }
[ -z "$json" ] || as_json >"$json"
if [ -n "$markdown" ]; then markdown; else text; fi
