#!/usr/bin/python3
"""Two Python threads, two locks, opposite orders: each holds its first before it asks for its second.
Where CPython makes its locks of semaphores (to 3.13) dlwatch sees who holds them; else it is a stall."""
import os
import threading

left, right = threading.Lock(), threading.Lock()
left_taken, right_taken = os.pipe(), os.pipe()


def forward():
    with left:
        os.write(left_taken[1], b"!")
        os.read(right_taken[0], 1)
        with right:
            print("forward has both")


def backward():
    with right:
        os.write(right_taken[1], b"!")
        os.read(left_taken[0], 1)
        with left:
            print("backward has both")


threads = [threading.Thread(target=forward), threading.Thread(target=backward)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
