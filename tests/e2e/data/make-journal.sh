#!/bin/sh
# make-journal.sh PROGRAM KIND [CC FLAGS...]: compiles bank.c as PROGRAM (unless it is there) and
# prints a journal with one finding of KIND at places of it, as the library would write it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$1 kind=$2
shift 2
[ -e "$program" ] || ${CC:-cc} -g -O1 "$@" -o "$program" "$here/bank.c" -lpthread
program=$(cd "$(dirname "$program")" && pwd)/${program##*/}

# offset of a symbol, in hexadecimal without 0x
symbol() { nm "$program" | sed -n "s/^0*\([0-9a-f]*\) . $1\$/\1/p"; }
# how much room it takes, of all accounts one
room() { echo $((0x$(nm -S "$program" | sed -n "s/^[0-9a-f]* 0*\([0-9a-f]*\) . accounts\$/\1/p") / 3)); }
# return addresses of the calls of function $1, one a line: the instruction after each call
calls() {
	objdump -d --no-show-raw-insn "$program" |
		sed -n "/^[0-9a-f]* <$1>:\$/,/^\$/p" |
		awk '/^ *[0-9a-f]+:/ { sub(":", "", $1); if (after) print $1; after = /call| bl / }'
}
call() { calls "$1" | sed -n "$2p"; }
build_id=$(readelf -n "$program" | sed -n 's/.*Build ID: *//p')
accounts=$(symbol accounts)
lock() { printf '%x' $((0x$accounts + $1)); }
pid=${PID:-4242} base=0x555555554000

cat <<END
{"type":"process","version":1,"dlwatch":"${RELEASE:-$(sed -n 's/^VERSION := //p' "$here/../../../Makefile")}","pid":$pid,"ppid":1,"exe":"$program","argv":["bank","--fast"],"cwd":"$here","start":1700000000.125,"by":"exec"}
{"type":"module","id":1,"path":"$program","build_id":"$build_id","base":"$base","start":"$base","end":"0x555555559000"}
{"type":"stack","id":1,"frames":[[1,"0x$(call deposit 1)"],[1,"0x$(call work 2)"],[1,"0x$(call main 1)"]]}
{"type":"stack","id":2,"frames":[[1,"0x$(call deposit 2)"],[1,"0x$(call work 2)"],[1,"0x$(call main 1)"]]}
{"type":"stack","id":3,"frames":[[1,"0x$(call withdraw 1)"],[1,"0x$(call work 3)"]]}
{"type":"stack","id":4,"frames":[[1,"0x$(call withdraw 2)"],[1,"0x$(call work 3)"]],"cut":true}
{"type":"stack","id":5,"frames":[["a helper that has returned"],[1,"0x$(call work 1)"]]}
{"type":"thread","id":1,"tid":$pid,"name":"bank"}
{"type":"thread","id":2,"tid":$((pid + 1)),"name":"${THREAD2:-teller}","created":5,"parent":1}
{"type":"lock","id":1,"kind":"mutex","address":"0x1","module":1,"offset":"0x$(lock 8)","first":1}
{"type":"lock","id":2,"kind":"mutex","address":"0x2","module":1,"offset":"0x$(lock $(($(room) + 8)))","first":2}
{"type":"lock","id":3,"kind":"mutex","address":"0x7f0000001000","created":5,"first":5}
{"type":"edge","from":1,"to":2,"thread":1,"hold":1,"want":2,"from_mode":"exclusive","to_mode":"exclusive","gates":[3]}
{"type":"edge","from":2,"to":1,"thread":2,"hold":3,"want":4,"from_mode":"exclusive","to_mode":"exclusive","gates":[]}
END
cycle='[{"thread":1,"holds":{"lock":1,"mode":"exclusive","stack":1},"wants":{"lock":2,"mode":"exclusive","stack":2}},{"thread":2,"holds":{"lock":2,"mode":"exclusive","stack":3},"wants":{"lock":1,"mode":"exclusive","stack":4}}]'
case $kind in
none) ;;
deadlock) echo '{"type":"finding","id":1,"kind":"deadlock","certainty":"certain","time":1700000001.5,"cycle":'"$cycle"'}' ;;
lock-order-inversion) echo '{"type":"finding","id":1,"kind":"lock-order-inversion","certainty":"possible","time":1700000001.5,"cycle":'"$cycle"'}' ;;
gated) echo '{"type":"finding","id":1,"kind":"lock-order-inversion","certainty":"possible","time":1700000001.5,"harmless":"gate","harmless_lock":3,"cycle":'"$cycle"'}' ;;
self) echo '{"type":"finding","id":1,"kind":"deadlock","certainty":"certain","time":1700000001.5,"cycle":[{"thread":2,"holds":{"lock":1,"mode":"exclusive","stack":5},"wants":{"lock":1,"mode":"exclusive","stack":2}}]}' ;;
stall) echo '{"type":"finding","id":1,"kind":"stall","certainty":"certain","time":1700000009.5,"threads":[{"thread":1,"state":"blocked","waits":"join","since":1700000001.5,"stack":1,"holds":[]},{"thread":2,"state":"blocked","waits":"condition","for":3,"since":1700000003.5,"stack":4,"holds":[{"lock":2,"mode":"exclusive","stack":3}]}]}' ;;
*) echo '{"type":"finding","id":1,"kind":"'"$kind"'","certainty":"certain","time":1700000001.5,"threads":[{"thread":2,"state":"running","for":1,"stack":4,"holds":[]}]}' ;;
esac
[ -n "${NO_END:-}" ] || echo '{"type":"end","ended":"exit","status":0,"edges":2,"locks":3,"threads":2,"calls":1200,"errors":1}'
