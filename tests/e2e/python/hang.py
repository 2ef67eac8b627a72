"""Threads that wait in the ways that Python has; each line that waits says so. The end of stdin lets
all of them go."""

import ctypes
import os
import queue
import sys
import threading

first, second = threading.Lock(), threading.Lock()
condition = threading.Condition()
jobs = queue.Queue()
finished = threading.Event()
libc = ctypes.CDLL(None)
compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def nested(n):
    if n:
        return nested(n - 1)
    with first:  # waits: nested
        return n


def generated():
    yield nested(2)


def compare(left, right):
    return sum(generated())


def native():
    """C's own code between two frames of Python."""
    numbers = (ctypes.c_int * 2)(2, 1)
    libc.qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), compare_type(compare))


class Réader:
    def wait(self):
        jobs.get()  # waits: Réader.wait


def conditional():
    with condition:
        condition.wait()  # waits: conditional


def event():
    finished.wait()  # waits: event


def let_go():
    sys.stdin.read()
    second.release()


def main():
    first.acquire()
    second.acquire()
    functions = (native, Réader().wait, conditional, event)
    threads = [threading.Thread(target=f, daemon=True) for f in functions]
    threads[0].name = "the réader of numbers"
    for thread in threads + [threading.Thread(target=let_go, daemon=True)]:
        thread.start()
    print(f"ready {os.getpid()}\n", end="", flush=True)
    second.acquire()  # waits: main
    first.release()
    jobs.put(1)
    finished.set()
    while threads[2].is_alive():
        with condition:
            condition.notify()
        threads[2].join(0.01)
    for thread in threads:
        thread.join()
    print("done", flush=True)


main()
