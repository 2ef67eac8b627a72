"""locks.py NATIVE CASE: orders of Python's own locks. What is to be found stands in report_python.sh."""
import queue
import signal
import sys
import threading
import time


def run(first, second):
    """One after the other: nothing hangs. No create or join stands between, which would order them."""
    over = threading.Event()

    def then():
        over.wait()
        second()

    def before():
        first()
        over.set()

    threads = [threading.Thread(target=then), threading.Thread(target=before)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def both_ways(a, b):
    def forward():
        with a:  # held: forward
            with b:  # wanted: forward
                pass

    def backward():
        with b:  # held: backward
            with a:  # wanted: backward
                pass

    run(forward, backward)


def inversion():
    both_ways(threading.Lock(), threading.Lock())


def dropped():
    """The GIL is dropped, and taken again, between the two and under them."""
    a, b = threading.Lock(), threading.Lock()

    def forward():
        with a:
            time.sleep(0.001)
            with b:
                time.sleep(0.001)

    def backward():
        with b:
            time.sleep(0.001)
            with a:
                time.sleep(0.001)

    run(forward, backward)


def condition():
    both_ways(threading.Condition(), threading.Condition(threading.Lock()))


def recursive():
    both_ways(threading.RLock(), threading.Lock())


def call():
    a, b = threading.Lock(), threading.RLock()

    def forward():
        a.acquire()
        b.acquire()
        b.release()
        a.release()

    def backward():
        b.acquire()
        a.acquire()
        a.release()
        b.release()

    run(forward, backward)


def tries():
    a, b = threading.Lock(), threading.Lock()

    def forward():
        with a:
            if b.acquire(blocking=False):
                b.release()

    def backward():
        with b:
            if a.acquire(False):
                a.release()

    run(forward, backward)


def limits():
    a, b = threading.Lock(), threading.Lock()
    busy = threading.Event()

    def keep(lock):
        with lock:
            busy.set()
            time.sleep(0.2)

    def under(outer, inner):
        keeper = threading.Thread(target=keep, args=(inner,))
        keeper.start()
        busy.wait()
        busy.clear()
        with outer:
            if inner.acquire(timeout=60):
                inner.release()
        keeper.join()

    run(lambda: under(a, b), lambda: under(b, a))


def nested(outer, inner):
    with outer:
        with inner:
            pass


def joined():
    """By the thread that took them the other way round, and by one that joined it before."""
    a, b = threading.Lock(), threading.Lock()

    def between():
        t = threading.Thread(target=nested, args=(a, b))
        t.start()
        t.join()

    t = threading.Thread(target=between)
    t.start()
    t.join()
    nested(b, a)


def joined_another():
    """That one has ended, and its neighbour still runs."""
    a, b = threading.Lock(), threading.Lock()
    over = threading.Event()

    def then():
        over.wait()
        nested(a, b)

    threads = [threading.Thread(target=then), threading.Thread(target=int)]
    for t in threads:
        t.start()
    threads[1].join()
    nested(b, a)
    over.set()
    threads[0].join()


def joined_in_vain():
    a, b = threading.Lock(), threading.Lock()
    over = threading.Event()

    def then():
        over.wait()
        nested(a, b)

    t = threading.Thread(target=then)
    t.start()
    t.join(0.01)
    nested(b, a)
    over.set()
    t.join()


def joins():
    """Under a lock that the thread takes."""
    lock = threading.Lock()
    started = threading.Event()

    def work():
        started.wait()
        with lock:
            pass

    worker = threading.Thread(target=work)
    worker.start()
    with lock:
        started.set()
        worker.join()


def twice():
    lock = threading.Lock()
    with lock:
        with lock:
            pass


def twice_called():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def simple_queue():
    """All sleep until a signal handler puts something: one in a queue, which waits by a lock that it
    takes itself."""
    source, over = queue.SimpleQueue(), threading.Event()

    def worker():
        source.get(block=True)
        over.set()

    threading.Thread(target=worker).start()
    signal.signal(signal.SIGALRM, lambda *_: source.put(1))
    signal.alarm(2)
    over.wait()


def events():
    """Waiters' locks, events, queues in both orders: nothing is asked for under anything."""
    started, done = threading.Event(), threading.Lock()
    source, target = queue.Queue(1), queue.Queue(1)
    done.acquire()

    def relay():
        started.set()
        while (item := source.get()) is not None:
            target.put(item)
        done.release()

    threading.Thread(target=relay).start()
    started.wait()
    for i in range(100):
        source.put(i)
        target.get()
    source.put(None)
    done.acquire()


def many():
    """Locks that come and go, with the GIL dropped under each."""
    for _ in range(1000):
        with threading.Lock():
            time.sleep(0)


def many_stay():
    """Locks that stay, as many as are made."""
    made = [threading.Condition() for _ in range(1000)]
    for condition in made:
        with condition:
            time.sleep(0)


globals()[sys.argv[2]]()
print("done")
