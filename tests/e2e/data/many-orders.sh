#!/bin/sh
# many-orders.sh N PROGRAM: prints the journal of a process that took N+1 locks, variables of PROGRAM
# (its array `locks`), hand over hand: N orders, each at a code place of its own.
set -eu
n=$1 program=$2
symbol() { nm "$program" | sed -n "s/^0*\([0-9a-f]*\) . $1\$/\1/p"; }
build_id=$(readelf -n "$program" | sed -n 's/.*Build ID: *//p')
exec awk -v n="$n" -v program="$program" -v build_id="$build_id" -v locks=$((0x$(symbol locks))) -v code=$((0x$(symbol main))) '
function lock(i) {
	printf "{\"type\":\"stack\",\"id\":%d,\"frames\":[[1,\"0x%x\"]]}\n", i, code + 1 + i
	printf "{\"type\":\"lock\",\"id\":%d,\"kind\":\"mutex\",\"address\":\"0x%x\",\"module\":1,\"offset\":\"0x%x\",\"first\":%d}\n", i, 93824992231424 + locks + 40 * i, locks + 40 * i, i
}
BEGIN {
	printf "{\"type\":\"process\",\"version\":1,\"dlwatch\":\"0.2.0\",\"pid\":4242,\"ppid\":1,\"exe\":\"%s\",\"argv\":[\"many\"],\"cwd\":\"/\",\"start\":1700000000.125,\"by\":\"exec\"}\n", program
	printf "{\"type\":\"module\",\"id\":1,\"path\":\"%s\",\"build_id\":\"%s\",\"base\":\"0x555555554000\",\"start\":\"0x555555554000\",\"end\":\"0x555655554000\"}\n", program, build_id
	print "{\"type\":\"thread\",\"id\":1,\"tid\":4242,\"name\":\"many\"}"
	lock(1)
	for (i = 1; i <= n; i++) {
		lock(i + 1)
		printf "{\"type\":\"edge\",\"id\":%d,\"from\":%d,\"to\":%d,\"thread\":1,\"hold\":%d,\"want\":%d,\"from_mode\":\"exclusive\",\"to_mode\":\"exclusive\"}\n", i, i, i + 1, i, i + 1
	}
	printf "{\"type\":\"end\",\"ended\":\"exit\",\"status\":0,\"edges\":%d,\"locks\":%d,\"threads\":1,\"calls\":0,\"errors\":0}\n", n, n + 1
}'
