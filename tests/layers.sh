#!/bin/sh
# layers.sh BUILD: a room calls only rooms that stand after it in its row, seen in what its objects
# define and use. Rooms parted by a comma don't know each other. So no two rooms call each other.
# Beside that: no folder has more than 15 files, and no more than 3 files call each other in a
# circle (12 in the order graph, which is one structure, and 5 in the journal's writer). graph/ needs
# nothing but libc's headers, report/emit/ only graph/.
#
# One symbol may go up: the table of hooks (interpose/threads/hooks.h).
build=$1
cd "$(dirname "$0")/.." || exit 2
status=0
fail() {
	echo "layers: $*" >&2
	status=1
}

# layer KIND TOP ROW [MOST]: the rooms below the folder TOP, whose objects are in BUILD/KIND; MOST
# files may call each other in a circle.
layer() {
	top=$2
	for folder in "$top" "$top"/*/ "$top"/*/*/; do
		[ -d "$folder" ] || continue
		n=$(find "$folder" -maxdepth 1 -name '*.c' | wc -l)
		[ "$n" -le 15 ] || fail "$folder has $n files, at most 15 are wanted"
	done
	objects=$(find "$top" -name '*.c' | sed "s|^|$build/$1/|; s|c\$|o|")
	# shellcheck disable=SC2086
	nm -AP $objects | awk -v prefix="$build/$1/$top/" -v row="$3" -v most="${4:-3}" '
		function room(file) { return file ~ "/" ? substr(file, 1, match(file, "/[^/]*$") - 1) : "." }
		function bad(text) { print "layers: " text; failed = 1 }
		BEGIN {
			n = split(row, groups, " ")
			for (i = 1; i <= n; i++) {
				m = split(groups[i], names, ",")
				for (k = 1; k <= m; k++) rank[names[k]] = i
			}
		}
		{
			file = substr($1, length(prefix) + 1)
			sub(/\.o:$/, "", file)
			files[file]
			if ($3 ~ /^[TDBRWVC]$/) made[$2] = file
			else if ($3 ~ /^[Uwv]$/ && $2 != "dlw_hooks") used[file, $2]
		}
		END {
			for (file in files) if (!(room(file) in rank)) bad("no place for the room of " file)
			for (use in used) {
				split(use, part, SUBSEP)
				from = part[1]; to = made[part[2]]
				if (to == "" || to == from) continue
				reaches[from, to] = 1
				if (room(from) != room(to) && rank[room(from)] >= rank[room(to)])
					bad(from ".c calls up: " part[2] " of " to ".c")
			}
			for (via in files) for (from in files) if (reaches[from, via])
				for (to in files) if (reaches[via, to]) reaches[from, to] = 1
			for (from in files) {
				circle = ""; n = 0
				for (to in files) if (reaches[from, to] && reaches[to, from]) { circle = circle " " to ".c"; n++ }
				if (n > most && !(circle in told)) { bad("a circle of " n " files:" circle); told[circle] }
			}
			exit failed
		}' >&2 || status=1
}

layer lib graph 'order . base' 12
layer lib report/emit 'journal,python .' 5
layer lib interpose '. wrap/process,wrap/libs wrap steer watch order tell locks threads stacks python base'
layer cmd report/command 'cli generate run confirm report,merge inspect inspect/across inspect/own inspect/glibc,inspect/walk inspect/python
	inspect/target journal format format/html format/text format/picture advice document document/names symbols base'

# What is below needs nothing from above, and graph/ not even a header.
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# alone FOLDER...
alone() {
	# shellcheck disable=SC2046
	ld -r -o "$tmp/all.o" $(find "$@" -name '*.c' | sed "s|^|$build/lib/|; s|c\$|o|") || fail "$*: no objects"
	for symbol in $(nm -u "$tmp/all.o" | grep -o 'dlw_.*'); do fail "$* do without all else, but need $symbol"; done
}
alone graph
alone graph report/emit
cp -r graph "$tmp" || exit 2
for file in graph/*.c graph/*/*.c; do
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I "$tmp" -fsyntax-only "$tmp/$file" || fail "$file does not compile alone"
done
[ $status -ne 0 ] || echo "layers: every call between rooms goes down"
exit $status
