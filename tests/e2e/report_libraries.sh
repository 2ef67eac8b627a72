#!/bin/sh
# report_libraries.sh BUILD: the libraries themselves whose locks are watched (GLib, clang's and gcc's
# OpenMP), and Rust and Qt, whose locks can't be: what is found in programs of them, and what isn't. Those that
# are not installed are skipped.
# shellcheck source=tests/e2e/frame.sh
. "$(dirname "$0")/frame.sh"
cd "$tmp" || exit 1

# run NAME STATUS PROGRAM…
run() {
	name=$1 want=$2
	shift 2
	timeout -k 5 120 "$dlwatch" run --log="$tmp/log" --stall_after=1 --output=json:"$tmp/json" -- "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	tr -s '\n ' '  ' <"$tmp/log" | sed 's/dlwatch\[[0-9]*\]: //g' >"$tmp/said"
	rm -f "$tmp/log"
	if [ $status = "$want" ]; then ok; else fail "$name: status $status, not $want: $(cat "$tmp/said" "$tmp/err")"; fi
}
# see NAME FILTER: what the document says
see() {
	if jq -e "$2" "$tmp/json" >/dev/null; then ok; else fail "$1: not so: $2: $(jq -c .findings "$tmp/json")"; fi
}

glib() {
	flags=$(pkg-config --cflags --libs glib-2.0 2>/dev/null) || { echo "report_libraries: no GLib, part skipped" && return; }
	cat >glib.c <<'END'
#include <glib.h>
#include <string.h>
static GMutex a, b;
static GRecMutex tree;
static GRWLock cache;
static GCond filled;
static gint n;
static void step(void) { g_atomic_int_inc(&n); }
static void await(gint so_many) { while (g_atomic_int_get(&n) < so_many) g_thread_yield(); }
static gpointer abba_one(gpointer x) { g_mutex_lock(&a); step(); await(2); g_mutex_lock(&b); return x; }
static gpointer abba_two(gpointer x) { g_mutex_lock(&b); step(); await(2); g_mutex_lock(&a); return x; }
static gpointer orders_one(gpointer x)
{
    g_rec_mutex_lock(&tree); g_rw_lock_writer_lock(&cache); g_rw_lock_writer_unlock(&cache); g_rec_mutex_unlock(&tree);
    step();
    return x;
}
static gpointer orders_two(gpointer x)
{
    await(1);
    g_rw_lock_reader_lock(&cache); g_rec_mutex_lock(&tree); g_rec_mutex_unlock(&tree); g_rw_lock_reader_unlock(&cache);
    return x;
}
static gpointer waits(gpointer x) { g_mutex_lock(&a); g_cond_wait(&filled, &a); g_mutex_unlock(&a); return x; }
static gpointer quiet(gpointer x)
{
    for (int i = 0; i < 1000; i++) { g_mutex_lock(&a); g_mutex_lock(&b); g_mutex_unlock(&b); g_mutex_unlock(&a); }
    return x;
}
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    GThreadFunc one = quiet, two = quiet;
    if (!strcmp(what, "abba")) { one = abba_one; two = abba_two; }
    if (!strcmp(what, "orders")) { one = orders_one; two = orders_two; }
    if (!strcmp(what, "waits")) { one = two = waits; }
    GThread *x = g_thread_new("one", one, NULL), *y = g_thread_new("two", two, NULL);
    g_thread_join(x); g_thread_join(y);
    return 0;
}
END
	for how in '' '-Wl,-z,now -fno-plt' '-no-pie -fno-pie'; do
		# shellcheck disable=SC2086
		cc -g $how -o glib glib.c $flags || { fail "glib.c" && return; }
		run "glib abba $how" 66 ./glib abba
		see "glib abba $how" '.findings|length==1 and (.[0]|.kind=="deadlock" and .certainty=="certain" and ([.locks[].name]|sort==["a","b"]))'
		run "glib orders $how" 66 ./glib orders
		see "glib orders $how" '.findings|length==1 and (.[0]|.kind=="lock-order-inversion" and ([.locks[].name]|sort==["cache","tree"]))'
		run "glib waits $how" 66 ./glib waits
		see "glib waits $how" '.findings|length==1 and (.[0]|.kind=="stall" and ([.threads[].waits]|sort==["condition","condition","join"]))'
		run "glib quiet $how" 0 ./glib quiet
	done
}

openmp() {
	cat >openmp.c <<'END'
#include <omp.h>
#include <string.h>
static omp_lock_t a, b;
static int n;
static void step(void) { __atomic_fetch_add(&n, 1, __ATOMIC_SEQ_CST); }
static void await(int so_many) { while (__atomic_load_n(&n, __ATOMIC_SEQ_CST) < so_many) continue; }
static void take(omp_lock_t *outer, omp_lock_t *inner)
{
    omp_set_lock(outer); omp_set_lock(inner); omp_unset_lock(inner); omp_unset_lock(outer);
}
static void sections(void)
{
#pragma omp parallel num_threads(2)
    if (omp_get_thread_num() == 0) {
#pragma omp critical(io)
        {
#pragma omp critical(table)
            n += 0;
        }
        step();
    } else {
        await(1);
#pragma omp critical(table)
        {
#pragma omp critical(io)
            n += 0;
        }
    }
}
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int v[12] = {0}, a1 = 1, a2 = 2, a3 = 3, a4 = 4, a5 = 5, sum = 0;
    omp_init_lock(&a); omp_init_lock(&b);
    if (!strcmp(what, "abba")) {
#pragma omp parallel num_threads(2)
        {
            int me = omp_get_thread_num();
            omp_set_lock(me ? &b : &a); step(); await(2); omp_set_lock(me ? &a : &b);
        }
    }
    if (!strcmp(what, "sections")) sections();
    /* Regions, and what a barrier parts, never meet. */
#pragma omp parallel num_threads(2) shared(v, a1, a2, a3, a4, a5) reduction(+ : sum)
    {
        if (omp_get_thread_num() == 0) take(&a, &b);
        sum += v[3] + a1 + a2 + a3 + a4 + a5;
    }
#pragma omp parallel num_threads(2)
    {
        if (omp_get_thread_num() == 1) take(&b, &a);
#pragma omp barrier
        if (omp_get_thread_num() == 0) take(&a, &b);
    }
    return sum == 30 ? 0 : 1;
}
END
	for compiler in gcc clang; do
		"$compiler" -g -fopenmp -o "openmp-$compiler" openmp.c 2>/dev/null || { echo "report_libraries: no OpenMP of $compiler, part skipped" && continue; }
		"./openmp-$compiler" || { fail "openmp-$compiler by itself" && continue; }
		run "$compiler abba" 66 "./openmp-$compiler" abba
		see "$compiler abba" '.findings|length==1 and (.[0]|.kind=="deadlock" and ([.locks[].name]|sort==["a","b"]))'
		run "$compiler sections" 66 "./openmp-$compiler" sections
		see "$compiler sections" '.findings|length==1 and (.[0]|.kind=="lock-order-inversion" and ([.locks[].name]|sort==["critical section io","critical section table"]))'
		run "$compiler regions" 0 "./openmp-$compiler"
	done
}

rust() {
	cat >rust.rs <<'END'
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
fn main() {
    let (a, b, gate) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)), Arc::new(Barrier::new(2)));
    let (x, y, g) = (a.clone(), b.clone(), gate.clone());
    let left = thread::spawn(move || { let _x = x.lock().unwrap(); g.wait(); let _y = y.lock().unwrap(); });
    if std::env::args().count() > 1 {
        let _y = b.lock().unwrap();
        gate.wait();
        let _x = a.lock().unwrap();
    } else {
        gate.wait();
    }
    left.join().unwrap();
}
END
	rustc -g -o rust rust.rs 2>/dev/null || { echo "report_libraries: no rustc, part skipped" && return; }
	run rust 66 ./rust stalls
	see rust '.findings|length==1 and (.[0]|.kind=="stall" and .severity=="error" and ([.locks[].name]|all(.=="a Rust Mutex")))'
	if [ "$(grep -o "Locks of Rust's std are futexes that name no holder" said | wc -l)" = 1 ]; then ok; else fail "rust: not said once: $(cat said)"; fi
	run 'rust quiet' 0 ./rust
}

# Qt's locks are futexes too. A QSemaphore of Qt 5 is a mutex and a condition, which are watched.
qt() {
	cat >qt.cpp <<'END'
#include <QMutex>
#include <QSemaphore>
#include <QThread>
static QMutex a, b;
static QSemaphore have;
struct Thread : QThread {
    QMutex &first, &second;
    bool crosses;
    Thread(QMutex &x, QMutex &y, bool both) : first(x), second(y), crosses(both) {}
    void run() override
    {
        first.lock();
        if (crosses) {
            have.release();
            while (have.available() < 2)
                yieldCurrentThread();
            second.lock();
            second.unlock();
        }
        first.unlock();
    }
};
int main(int argc, char **)
{
    Thread left(a, b, argc > 1), right(b, a, argc > 1);
    left.start();
    right.start();
    left.wait();
    right.wait();
    return 0;
}
END
	for version in 5 6; do
		flags=$(pkg-config --cflags --libs "Qt${version}Core" 2>/dev/null) || continue
		# shellcheck disable=SC2086
		c++ -g -fPIC qt.cpp -o "qt$version" $flags 2>/dev/null || continue
		run "qt$version" 66 "./qt$version" stalls
		see "qt$version" '.findings|length==1 and (.[0]|.kind=="stall" and .severity=="error" and .certainty=="certain")'
		if [ "$(grep -o "Locks of Qt are futexes that name no holder" said | wc -l)" = 1 ]; then ok; else fail "qt: not said once: $(cat said)"; fi
		run "qt$version quiet" 0 "./qt$version"
	done
	[ -e qt5 ] || [ -e qt6 ] || echo "report_libraries: no Qt, part skipped"
}

glib
openmp
rust
qt
finish
