"""Threads at once, and in turn: for gil.py, library.py and extension.py."""

import threading


def run(*functions):
    threads = [threading.Thread(target=f, name=f.__name__) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def in_turn(first, second):
    """Nothing hangs; and no create or join stands between the two, which would order them."""
    over = threading.Event()

    def then():
        over.wait()
        second()

    def before():
        first()
        over.set()

    run(then, before)
