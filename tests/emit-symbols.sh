#!/bin/sh
# emit-symbols.sh OBJECT…: what runs inside the dying process asks nothing of libc but pure functions:
# no malloc, no stdio, no pthread, no name lookup (each may want a lock that a thread holds for ever).
set -u
allowed='^(mem(cpy|move|set|cmp|chr|rchr|mem)|mempcpy|str(n?len|n?cmp|chr|chrnul|rchr|str|spn|cspn|pbrk|n?casecmp|toul|tol|toull|toll)|__errno_location|_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__ctype_b_loc|environ|__isoc23_.*|dlw_.*)$'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/own"
bad=$(nm --undefined-only "$@" | awk '$1 == "U" { print $2 }' | sort -u | grep -vxFf "$tmp/own" | grep -vE "$allowed")
if [ -n "$bad" ]; then
	echo "emit: the objects need what they must not:" "$bad"
	exit 1
fi
echo "emit: $# objects, no allocation, no stdio, no locks"
