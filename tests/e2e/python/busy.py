"""Threads that pass the GIL and a lock to each other all the time, until stdin ends."""
import os
import sys
import threading

lock = threading.Lock()
over = threading.Event()


def work():
    n = 0
    while not over.is_set():
        with lock:
            n += 1


threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads:
    t.start()
print(f"ready {os.getpid()}\n", end="", flush=True)
sys.stdin.read()
over.set()
for t in threads:
    t.join()
print("done", flush=True)
