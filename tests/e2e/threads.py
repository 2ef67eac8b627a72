"""Python threads at work: locks, conditions, queues, pools; prints what came out."""
import concurrent.futures
import hashlib
import queue
import threading

lock, condition, events = threading.Lock(), threading.Condition(), threading.Event()
total = 0


def add(n):
    global total
    for _ in range(n):
        with lock:
            total += 1


def relay(source, target):
    while (item := source.get()) is not None:
        target.put(hashlib.sha256(item).digest())
    target.put(None)


threads = [threading.Thread(target=add, args=(2000,)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("total", total)

queues = [queue.Queue(8) for _ in range(4)]
threads = [threading.Thread(target=relay, args=pair) for pair in zip(queues, queues[1:])]
for t in threads:
    t.start()
threading.Thread(target=lambda: [queues[0].put(b"%d" % i) for i in range(300)] + [queues[0].put(None)]).start()
digest = hashlib.sha256()
while (item := queues[-1].get()) is not None:
    digest.update(item)
for t in threads:
    t.join()
print("digest", digest.hexdigest())

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print("pool", sum(pool.map(lambda n: n * n, range(500))))


def waiter():
    with condition:
        condition.wait_for(events.is_set)


t = threading.Thread(target=waiter)
t.start()
with condition:
    events.set()
    condition.notify_all()
t.join()
print("done")
