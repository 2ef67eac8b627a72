"""extension.py FOLDER MODULE CASE: an extension's locks against the GIL; the module is capi or bound, in
that folder. What is to be found stands in report_extension.sh."""

import importlib
import os
import sys

sys.dont_write_bytecode = True  # nothing is left beside the sources
from turns import in_turn, run  # noqa: E402

sys.path.insert(0, sys.argv[1])
module = importlib.import_module(sys.argv[2])


def publisher():
    module.publish(lambda: None)  # line: publisher


def reader():
    module.await_other()
    module.lookup()  # line: reader


def reader_fixed():
    module.await_other()
    module.lookup_fixed()


def initialiser(what):
    def begins():
        getattr(module, what)()  # line: initialiser

    return begins


def late(what):
    def comes():
        module.await_other()
        getattr(module, what)()  # line: late

    return comes


def meet(first, second):
    module.meet_from_here()
    run(first, second)


cases = {
    "deadlock": lambda: meet(publisher, reader),
    "fixed": lambda: meet(publisher, reader_fixed),
    "inversion": lambda: in_turn(publisher, reader),
    "inversion_fixed": lambda: in_turn(publisher, reader_fixed),
    "once": lambda: meet(initialiser("enter_once"), late("enter_once_later")),
    "once_fixed": lambda: meet(initialiser("enter_once"), late("enter_once_fixed")),
    "static": lambda: meet(initialiser("call_static"), late("call_static_later")),
    "static_fixed": lambda: meet(initialiser("call_static"), late("call_static_fixed")),
    "early": lambda: meet(initialiser("call_early"), late("call_early_later")),
}

print(f"ready {os.getpid()}\n", end="", flush=True)
cases[sys.argv[3]]()
print("done")
