"""gil.py NATIVE CASE: the GIL against native locks. What is to be found stands in report_python.sh."""
import ctypes
import os
import sys
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources
from turns import in_turn, run  # noqa: E402

drops = ctypes.CDLL(sys.argv[1])  # without the GIL in the call
keeps = ctypes.PyDLL(sys.argv[1])  # with it
callback = ctypes.CFUNCTYPE(None)(lambda: None)


def publisher():
    drops.publish(callback)


def publisher_of_index():
    drops.publish_index(callback)


def reader(others=0):
    drops.await_others(others)
    keeps.lookup()


def reader_behind_one():
    reader(1)


def reader_behind_two():
    reader(2)


def reader_without():
    drops.lookup()


def rebuilder():
    drops.rebuild()


def first():
    drops.initialise(callback)


def second():
    drops.await_others(1)
    keeps.initialise_later()


def deadlock():
    keeps.meet_from_here()
    run(publisher, reader_behind_one)


def three():
    keeps.meet_from_here()
    run(publisher_of_index, reader_behind_two, rebuilder)


def once():
    keeps.meet_from_here()
    run(first, second)


def join():
    keeps.run_and_join()


def join_without():
    drops.run_and_join()


def itself():
    keeps.take_twice()


def child():
    pid = os.fork()
    if pid == 0:
        deadlock()
        os._exit(0)
    os.waitpid(pid, 0)


def inversion():
    in_turn(publisher, reader)


def later(function):
    """Nothing but time keeps it from the others."""

    def play():
        time.sleep(0.1)
        function()

    play.__name__ = function.__name__
    return play


def publisher_first():
    run(publisher, later(reader))


def fixed():
    in_turn(publisher, reader_without)


def inner():
    keeps.cache_then_index()


def outer():
    keeps.index_then_cache()


def gate():
    in_turn(inner, outer)


def one_thread():
    publisher()
    reader()


def cache_line_index():
    keeps.lock_cache()
    keeps.lock_index()
    keeps.unlock_index()
    keeps.unlock_cache()


def index_line_cache():
    keeps.lock_index()
    keeps.lock_cache()
    keeps.unlock_cache()
    keeps.unlock_index()


def bytecode_between():
    sys.setswitchinterval(3600)  # else the GIL may go, and be wanted again, with a lock in hand: an order too
    in_turn(cache_line_index, index_line_cache)


def sub_interpreter():
    import _interpreters as interpreters

    own = interpreters.create("isolated")
    interpreters.run_string(own, "import time; time.sleep(0)")
    interpreters.destroy(own)
    deadlock()


print(f"ready {os.getpid()}\n", end="", flush=True)
globals()[sys.argv[2]]()
print("done")
