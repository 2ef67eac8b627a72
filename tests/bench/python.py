"""python.py LIBRARY SCENARIO [DEPTH [N]]: what something of CPython's costs: nanoseconds of one operation,
the best of a few rounds; of `python_idle` KiB that the process has for itself.

With N the operation is done N times and no more, for who counts instructions. LIBRARY is lib/gil.c, made
into one. DEPTH is taken as bench.c takes it, and means nothing here. All but `python_switch` run in a
process of two threads, one of which sleeps: in one of one thread libc leaves its atomic operations out.
"""
import ctypes
import sys
import threading
import time
from itertools import repeat

ROUNDS = 5
library = ctypes.PyDLL(sys.argv[1])
inner_lock = threading.Lock()
outer_lock = threading.Lock()


def gil(n):
    library.drop_and_retake(n)


def mutex(n):
    library.lock_mutex(n)


def lock(n):
    for _ in repeat(None, n):
        with inner_lock:
            pass


def nested(n):
    with outer_lock:
        lock(n)


def nothing(n):
    for _ in repeat(None, n):
        pass


def switch(n):
    """n times the interpreter goes to the other of two threads, both of which compute."""
    turn = 0
    left = n

    def compute(me):
        nonlocal turn, left
        while left > 0:
            if turn != me:
                turn = me
                left -= 1

    other = threading.Thread(target=compute, args=(1,))
    other.start()
    compute(2)
    other.join()


def best(work, n):
    clock = time.perf_counter_ns if work is switch else time.process_time_ns
    times = []
    for _ in range(ROUNDS):
        start = clock()
        work(n)
        times.append(clock() - start)
    return min(times) / n


def private_kib():
    with open("/proc/self/smaps_rollup", encoding="ascii") as text:
        return next(int(line.split()[1]) for line in text if line.startswith("Private_Dirty:"))


# how often in a round, and the loop around it that does not count
SCENARIOS = {
    "python_gil": (gil, 100000, None),
    "python_mutex": (mutex, 100000, None),
    "python_lock": (lock, 100000, nothing),
    "python_nested": (nested, 100000, nothing),
    "python_switch": (switch, 400, None),
}

if sys.argv[2] == "python_idle":
    print(private_kib())
    sys.exit()
work, times, loop = SCENARIOS[sys.argv[2]]
if work is switch:
    sys.setswitchinterval(1e-6)
else:
    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
if len(sys.argv) > 4:
    work(int(sys.argv[4]))
else:
    print(f"{best(work, times) - (best(loop, times) if loop else 0):.1f}")
