"""Two threads of a test framework hold a lock each and wait for the other's, while main could let go
of both: a circle, and no proof. One joins, which is none. The end of stdin lets all go."""

import os
import sys
import threading
import unittest

first, second = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def forward():
    with first:
        both.wait()
        second.acquire()  # waits: forward


def backward():
    with second:
        both.wait()
        first.acquire()  # waits: backward


def tested(function):
    unittest.FunctionTestCase(function).run()


def main():
    threads = [threading.Thread(target=tested, args=(f,), daemon=True) for f in (forward, backward)]
    for thread in threads:
        thread.start()
    threading.Thread(target=threads[0].join, daemon=True).start()
    print(f"ready {os.getpid()}\n", end="", flush=True)
    sys.stdin.read()
    print("done", flush=True)
    os._exit(0)


main()
