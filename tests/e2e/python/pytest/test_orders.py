"""Tests of a program with two mutexes. Which of them are run, the names say."""

import ctypes
import os
import threading

libc = ctypes.CDLL(None)
first, second = (ctypes.create_string_buffer(64) for _ in range(2))


def nested(outer, inner):
    libc.pthread_mutex_lock(outer)
    libc.pthread_mutex_lock(inner)
    libc.pthread_mutex_unlock(inner)
    libc.pthread_mutex_unlock(outer)


def one_after_the_other(*steps):
    """Each in a thread of its own; none is created or joined between two of them."""
    turns = [os.pipe() for _ in steps]

    def take_turn(i):
        os.read(turns[i][0], 1)
        nested(*steps[i])
        if i + 1 < len(steps):
            os.write(turns[i + 1][1], b"!")

    threads = [threading.Thread(target=take_turn, args=(i,)) for i in range(len(steps))]
    for thread in threads:
        thread.start()
    os.write(turns[0][1], b"!")
    for thread in threads:
        thread.join()


def test_same_order():
    one_after_the_other((first, second), (first, second))


def test_circle():
    one_after_the_other((first, second), (second, first))


def test_nothing():
    assert True


def test_fails_by_itself():
    one_after_the_other((first, second), (second, first))
    assert False, "by itself"
