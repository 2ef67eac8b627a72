#!/bin/sh
# report_html.sh BUILD: the HTML report in a real browser, headless: see browser.py for what is looked at.
# Skipped where there is no Chromium or no Python.
set -u
here=$(cd "$(dirname "$0")" && pwd)
dlwatch=$(cd "$1" && pwd)/dlwatch
browser=
for name in chromium chromium-browser google-chrome; do
	[ -n "$browser" ] || browser=$(command -v "$name")
done
if [ -z "$browser" ] || [ ! -x /usr/bin/python3 ]; then
	echo "report_html: no chromium or no python3, skipped"
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
TMPDIR=$tmp
export TMPDIR
cd "$here/data" || exit 1
failed=0 passed=0

# look NAME: $tmp/NAME.html
look() {
	if timeout 300 /usr/bin/python3 "$here/browser.py" "$browser" "$tmp/$1.html" >"$tmp/said" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL report_html: $1"
		sed 's/^/    /' "$tmp/said"
	fi
}

all_kinds() {
	mkdir "$tmp/journals"
	for kind in deadlock lock-order-inversion gated self stall unlock-not-owner destroy-locked \
		wait-without-mutex exit-holding-lock; do
		./make-journal.sh "$tmp/bank" "$kind" >"$tmp/journals/$kind.json"
	done
	"$dlwatch" report --show=all --format=html -o "$tmp/all.html" "$tmp/journals"
	look all
	./make-journal.sh "$tmp/bank" none >"$tmp/none.json"
	"$dlwatch" report --format=html -o "$tmp/nothing.html" "$tmp/none.json"
	look nothing
}

# A name is text, whatever it looks like.
hostile() {
	THREAD2='<script>alert(1)</script><img src=http://localhost/x onerror=alert(2)>' \
		./make-journal.sh "$tmp/bank" deadlock >"$tmp/hostile.json"
	"$dlwatch" report --format=html -o "$tmp/hostile.html" "$tmp/hostile.json"
	look hostile
}

# Ten thousand locks, each taken before three others, and one circle among them.
many_locks() {
	awk 'BEGIN {
		print "{\"type\":\"process\",\"version\":1,\"pid\":9,\"exe\":\"/opt/server\",\"argv\":[\"server\"],\"cwd\":\"/\"}"
		print "{\"type\":\"thread\",\"id\":1,\"tid\":9,\"name\":\"server\"}"
		print "{\"type\":\"thread\",\"id\":2,\"tid\":10,\"name\":\"worker\"}"
		n = 10000
		for (i = 1; i <= n; i++)
			printf "{\"type\":\"lock\",\"id\":%d,\"kind\":\"mutex\",\"address\":\"0x%x\",\"name\":\"objects[%d].lock\"}\n", i, 65536 + 64 * i, i
		way = "\"from_mode\":\"exclusive\",\"to_mode\":\"exclusive\",\"gates\":[]}"
		for (i = 1; i <= n; i++)
			for (k = 1; k <= 3; k++)
				if ((to = i + k * k * 7) <= n)
					printf "{\"type\":\"edge\",\"from\":%d,\"to\":%d,\"thread\":1,\"hold\":0,\"want\":0,%s\n", i, to, way
		printf "{\"type\":\"edge\",\"from\":5007,\"to\":5000,\"thread\":2,\"hold\":0,\"want\":0,%s\n", way
		step = "{\"thread\":%d,\"holds\":{\"lock\":%d,\"mode\":\"exclusive\"},\"wants\":{\"lock\":%d,\"mode\":\"exclusive\"}}"
		printf "{\"type\":\"finding\",\"id\":1,\"time\":1,\"kind\":\"lock-order-inversion\",\"certainty\":\"possible\",\"cycle\":["
		printf step "," step "]}\n", 1, 5000, 5007, 2, 5007, 5000
		print "{\"type\":\"end\",\"ended\":\"exit\",\"status\":0,\"edges\":30000,\"locks\":10000,\"threads\":2,\"calls\":1}"
	}' >"$tmp/many.json"
	"$dlwatch" report --format=html -o "$tmp/many.html" "$tmp/many.json"
	look many
	if grep -q 'class="node lock marked"' "$tmp/many.html" && [ "$(wc -c <"$tmp/many.html")" -lt 200000 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL report_html: many: the circle is not marked, or the page is too large"
	fi
}

# Three hundred findings with time lines, and an order in which every lock is taken before every later one: what is long is
# told in short, and the picture is drawn by ourselves where there is no Graphviz, and says the same.
many_findings() {
	awk 'BEGIN {
		print "{\"type\":\"process\",\"version\":1,\"pid\":9,\"exe\":\"/opt/server\",\"argv\":[\"server\"],\"cwd\":\"/\"}"
		print "{\"type\":\"thread\",\"id\":1,\"tid\":9,\"name\":\"server\"}"
		print "{\"type\":\"thread\",\"id\":2,\"tid\":10,\"name\":\"worker\"}"
		print "{\"type\":\"thread\",\"id\":3,\"tid\":11,\"name\":\"a thread with a name that goes on and on\"}"
		print "{\"type\":\"module\",\"id\":1,\"path\":\"/opt/server\",\"base\":\"0x1000\"}"
		for (i = 1; i <= 300; i++)
			printf "{\"type\":\"stack\",\"id\":%d,\"frames\":[[1,\"0x%x\"],[1,\"0x%x\"],[1,\"0x77\"],[1,\"0x88\"]]}\n", i, 4096 + 64 * i, 99999 + i % 7
		n = 3600
		for (i = 1; i <= n; i++)
			printf "{\"type\":\"lock\",\"id\":%d,\"kind\":\"mutex\",\"address\":\"0x%x\",\"name\":\"Namespace::Component<WWWW>::instance_of_it(%d)->mutex\"}\n", i, 65536 + 64 * i, i
		way = "\"from_mode\":\"exclusive\",\"to_mode\":\"exclusive\",\"gates\":[]}"
		for (i = 1; i <= 12; i++)
			for (k = i + 1; k <= 12; k++)
				printf "{\"type\":\"edge\",\"from\":%d,\"to\":%d,\"thread\":1,\"hold\":%d,\"want\":%d,%s\n", i, k, i, k, way
		step = "{\"thread\":%d,\"holds\":{\"lock\":%d,\"mode\":\"exclusive\",\"stack\":%d},\"wants\":{\"lock\":%d,\"mode\":\"exclusive\",\"stack\":%d}}"
		for (i = 1; i <= 300; i++) {
			printf "{\"type\":\"finding\",\"id\":%d,\"time\":1,\"kind\":\"lock-order-inversion\",\"certainty\":\"possible\",\"cycle\":[", i
			printf step "," step "]}\n", i % 2 + 1, i, i, i + 300, i, 3, i + 300, i, i, i
			for (t = 0; t < 2; t++) {
				printf "{\"type\":\"trail\",\"finding\":%d,\"thread\":%d,\"cut\":true,\"locks\":[", i, t ? 3 : i % 2 + 1
				for (k = 0; k < 12; k++)
					printf "%s{\"kind\":\"mutex\",\"address\":\"0x%x\"}", k ? "," : "", 65536 + 64 * (i + 12 * k)
				printf "],\"events\":["
				for (k = 0; k < 32; k++)
					printf "%s{\"what\":\"%s\",\"lock\":%d,\"place\":%d%s}", k ? "," : "", k % 8 == 7 ? "asked" : k % 2 ? "gave back" : "took", \
						int(k / 2) % 12, (i + k) % 300 + 1, k % 8 == 7 ? sprintf(",\"ago\":%g,\"until\":%g", 1 / (k + 1), 1 / (k + 2)) : ""
				print "]}"
			}
		}
		print "{\"type\":\"end\",\"ended\":\"exit\",\"status\":0,\"edges\":66,\"locks\":3600,\"threads\":3,\"calls\":1}"
	}' >"$tmp/findings.json"
	"$dlwatch" report --format=html -o "$tmp/findings.html" "$tmp/findings.json"
	look findings
	mkdir "$tmp/bin"
	printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/dot" && chmod +x "$tmp/bin/dot"
	PATH=$tmp/bin:$PATH "$dlwatch" report --format=html -o "$tmp/alone.html" "$tmp/findings.json"
	look alone
	for page in findings alone; do
		if [ "$(grep -o '<article' "$tmp/$page.html" | wc -l)" = 300 ] && [ "$(wc -c <"$tmp/$page.html")" -lt 400000 ] &&
			grep -q 'class="line"' "$tmp/$page.html"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "FAIL report_html: $page: no time line, not 300 findings, or $(wc -c <"$tmp/$page.html") bytes"
		fi
	done
}

all_kinds
hostile
many_locks
many_findings
echo "report_html: $passed passed, $failed failed"
[ $failed = 0 ]
