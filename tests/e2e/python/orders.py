"""Two threads and two locks. `circle`: in opposite orders, so that they hang; `same`: in one order."""

import sys
import threading

first, second = threading.Lock(), threading.Lock()
meeting = threading.Barrier(2)


class Guarded:
    """A lock that is taken by a function which returns with it."""

    def __init__(self, lock):
        self.lock = lock

    def take(self):
        self.lock.acquire()  # taken: take


def direct():
    with first:  # taken: direct
        meeting.wait()
        with second:  # wanted: direct
            pass


def helped():
    guarded = Guarded(second)
    guarded.take()  # called: helped
    meeting.wait()
    first.acquire()  # wanted: helped


def same():
    with first:
        with second:
            pass


def main():
    functions = (direct, helped) if sys.argv[1] == "circle" else (same, same)
    threads = [threading.Thread(target=f, name=f"the one that is {f.__name__}é") for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("done")


main()
