"""library.py NATIVE CASE: locks that Python's library takes for a program: those of logging's handlers and of
imports. What is to be found stands in report_python.sh."""

import importlib
import io
import logging
import os
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # nothing is left beside the sources
from turns import in_turn, run  # noqa: E402

state = threading.Lock()
meeting = threading.Barrier(2)
log = logging.getLogger("tests")
log.propagate = False
log.addHandler(logging.StreamHandler(io.StringIO()))


class Described:
    """Formatted under the handler's lock."""

    def __str__(self):
        with state:
            return "described"


def logs_under_lock():
    with state:
        log.warning("changed")


def logs_after():
    with state:
        pass
    log.warning("changed")


def logs_described():
    log.warning("%s", Described())


def write_module(name, text):
    with open(os.path.join(folder.name, name + ".py"), "w", encoding="utf-8") as file:
        file.write("import __main__\n" + text)


def imports(name):
    def runs():
        importlib.import_module(name)

    return runs


def imports_round():
    """Each is being imported by one thread as it wants the other. CPython sees that, and goes on."""
    write_module("left", "__main__.meeting.wait()\nimport right\n")
    write_module("right", "__main__.meeting.wait()\nimport left\n")
    run(imports("left"), imports("right"))


def imports_under_lock():
    """One thread imports what takes the lock; the other has the lock, and imports that."""
    write_module("settings", "__main__.meeting.wait()\nwith __main__.state:\n    pass\n")

    def holds():
        with state:
            meeting.wait()
            import settings  # noqa: F401

    run(imports("settings"), holds)


def imports_after_lock():
    write_module("settings", "__main__.meeting.wait()\nwith __main__.state:\n    pass\n")

    def holds():
        with state:
            pass
        meeting.wait()
        import settings  # noqa: F401

    run(imports("settings"), holds)


cases = {
    "logging": lambda: in_turn(logs_under_lock, logs_described),
    "logging_after": lambda: in_turn(logs_after, logs_described),
    "imports_round": imports_round,
    "imports_under_lock": imports_under_lock,
    "imports_after_lock": imports_after_lock,
}
with tempfile.TemporaryDirectory() as path:
    folder = type("Folder", (), {"name": path})
    sys.path.insert(0, path)
    cases[sys.argv[-1]]()
print("done")
