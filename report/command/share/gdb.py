"""The gdb command `dlwatch`: who waits for whom, in the process or core that gdb has.

In ~/.gdbinit, or by hand:   source /usr/local/share/dlwatch/gdb.py
A live process is written to a core first, since a process has one tracer only; it stays as it is.
"""
import os
import re
import shutil
import subprocess
import tempfile

import gdb


def find_command():
    """The command of the tree that this file was installed in, else that of PATH."""
    here = os.path.realpath(find_command.__code__.co_filename)  # older gdb sets no __file__
    beside = os.path.join(os.path.dirname(here), "../../bin/dlwatch")
    found = beside if os.access(beside, os.X_OK) else shutil.which("dlwatch")
    if not found:
        raise gdb.GdbError("dlwatch: the command is not in PATH")
    return found


def open_core():
    """The core that gdb has open; None: it has none."""
    found = re.search(r"core dump file:\s*`(.*)', file type", gdb.execute("info files", to_string=True))
    return found and found.group(1)


class Dlwatch(gdb.Command):
    """Who waits for whom: deadlocks, stalls, and what each thread holds and waits for.
Usage: dlwatch [OPTION...], the options of 'dlwatch core', such as --format=json -o FILE."""

    def __init__(self):
        super().__init__("dlwatch", gdb.COMMAND_STACK)

    def look(self, core, options):
        program = gdb.current_progspace().filename
        command = [find_command(), "core", *options, core]
        if program:
            command.append(program)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False)
        gdb.write(done.stdout)
        gdb.set_convenience_variable("_exitcode", done.returncode)

    def invoke(self, argument, from_tty):
        options = gdb.string_to_argv(argument)
        core = open_core()
        if core:
            self.look(core, options)
            return
        if not gdb.selected_inferior().pid:
            raise gdb.GdbError("dlwatch: there is neither a process nor a core")
        with tempfile.TemporaryDirectory(prefix="dlwatch-gdb-") as folder:
            core = os.path.join(folder, "core")
            gdb.execute(f"generate-core-file {core}", to_string=True)
            self.look(core, options)


Dlwatch()
