"""Plugin of pytest: what dlwatch finds belongs to a test, and fails it.

    PYTHONPATH=PREFIX/share/dlwatch/python dlwatch run -- python3 -m pytest -p dlwatch

Each test is a scope (dlwatch_scope of dlwatch.h), so that a finding names the test that it was done
in. A test in which an error is found fails, with the report; one that had failed gets it as a
section. What is found after the last test, in set-up or in threads that outlive their test, stands
in the summary and fails the run. Workers of pytest-xdist do the same, each for its own tests.

Without libdlwatch.so in the process nothing is watched, and the summary says so. Without a journal
(report=FILE in DLWATCH_OPTIONS; `dlwatch run` sets it) findings can't be told here.
"""

import ctypes
import glob
import json
import os
import shutil
import subprocess

import pytest

VERSION = 1
SCOPE = 14  # its place among the functions of struct dlwatch_calls


class Calls(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ulong), ("functions", ctypes.c_void_p * (SCOPE + 1))]


def find_scope():
    """The library's function, or None: it is not there, or has none yet."""
    try:
        annotations = ctypes.CDLL(None).dlwatch_annotations
    except (AttributeError, OSError):
        return None
    annotations.restype = ctypes.POINTER(Calls)
    annotations.argtypes = [ctypes.c_uint]
    calls = annotations(VERSION)
    if not calls or calls.contents.size < ctypes.sizeof(Calls):
        return None
    return ctypes.CFUNCTYPE(None, ctypes.c_char_p)(calls.contents.functions[SCOPE])


def options():
    """DLWATCH_OPTIONS: parts with a colon or a space between, values quoted where they hold one."""
    found, part, quoted = {}, "", False
    for character in os.environ.get("DLWATCH_OPTIONS", "") + ":":
        if character == "'":
            quoted = not quoted
        elif character in ": " and not quoted:
            key, equals, value = part.partition("=")
            if equals:
                found[key] = value
            part = ""
        else:
            part += character
    return found


def journals(pattern, pid):
    """The files that this process may write: a name that was taken got a number."""
    program = os.path.basename(os.readlink("/proc/self/exe"))
    path = pattern.replace("%%", "\0").replace("%p", str(pid)).replace("%e", program)
    stem, suffix = os.path.splitext(path.replace("\0", "%"))
    return [name for name in glob.glob(glob.escape(stem) + "*" + glob.escape(suffix)) if is_of(name, pid)]


def is_of(name, pid):
    try:
        with open(name, encoding="utf-8", errors="replace") as journal:
            return json.loads(journal.readline()).get("pid") == pid
    except (OSError, ValueError, AttributeError):
        return False


def command():
    """Beside the library that is loaded, where it was built or installed; else by its name."""
    for entry in os.environ.get("LD_PRELOAD", "").replace(":", " ").split():
        folder = os.path.dirname(entry)
        for path in (os.path.join(folder, "dlwatch"), os.path.join(folder, "..", "bin", "dlwatch")):
            if os.path.basename(entry).startswith("libdlwatch.so") and os.access(path, os.X_OK):
                return path
    return shutil.which("dlwatch")


class Watcher:
    def __init__(self):
        self.scope = find_scope()
        self.options = options()
        self.command = command()
        self.read = {}  # bytes of each journal that were looked at
        self.known = set()
        self.outside = []  # findings of no test
        self.trouble = None
        if not self.scope:
            self.trouble = "libdlwatch.so is not in this process: nothing is watched (dlwatch run -- pytest ...)"
        elif not self.options.get("report"):
            self.trouble = "no journal is written (report=FILE in DLWATCH_OPTIONS): findings can't be told here"
        elif not self.command:
            self.trouble = "the command dlwatch is not found: findings can't be told here"

    def enter(self, name):
        if self.scope:
            self.scope(name.encode() if name else None)

    def told(self):
        """The journals of this process in which a finding was written since the last call."""
        found = []
        for name in journals(os.path.abspath(self.options["report"]), os.getpid()):
            with open(name, "rb") as journal:
                journal.seek(self.read.get(name, 0))
                text = journal.read()
            whole = text.rfind(b"\n") + 1  # what follows is still being written
            self.read[name] = self.read.get(name, 0) + whole
            if any(line.startswith(b'{"type":"finding"') for line in text[:whole].splitlines()):
                found.append(name)
        return found

    def report(self, style, names):
        arguments = [self.command, "report", "--format=" + style, "--color=never"]
        if self.options.get("suppressions"):
            arguments.append("--suppressions=" + self.options["suppressions"])
        if self.options.get("show"):
            arguments.append("--show=" + self.options["show"])
        done = subprocess.run(arguments + names, capture_output=True, check=False)
        if done.returncode not in (0, 66):
            self.trouble = done.stderr.decode(errors="replace").strip()
        return done.stdout.decode(errors="replace")

    def fails(self, finding):
        return finding["severity"] == "error" or (
            finding["severity"] == "warning" and self.options.get("fail_on") == "warning"
        )

    def news(self):
        """What was found since the last call and counts as a failure: texts."""
        if self.trouble:
            return []
        names = self.told()
        if not names:
            return []
        try:
            findings = json.loads(self.report("json", names))["findings"]
        except (ValueError, KeyError):
            return []
        new = [f for f in findings if f["fingerprint"] not in self.known and self.fails(f)]
        self.known.update(f["fingerprint"] for f in findings)
        return [self.text(finding) for finding in new] + ([self.report("text", names)] if new else [])

    @staticmethod
    def text(finding):
        tests = sorted({step["scope"] for step in finding.get("cycle", []) if "scope" in step})
        between = ", in " + " and ".join(tests) if tests else ""
        return "dlwatch: %s: %s [%s]%s" % (finding["severity"], finding["message"], finding["kind"], between)


watcher = None


def pytest_configure(config):
    global watcher
    watcher = Watcher()
    config.addinivalue_line("markers", "dlwatch: tests that dlwatch looks at (all of them)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    watcher.enter(item.nodeid)
    yield
    watcher.enter(None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    news = watcher.news()
    if not news:
        return
    text = "\n".join(news)
    if report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = text
    else:
        report.sections.append(("dlwatch", text))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    watcher.outside = watcher.news()
    if watcher.outside and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_report_header():
    return "dlwatch: " + (watcher.trouble or "watching; each test is a scope")


def pytest_terminal_summary(terminalreporter):
    if watcher.outside:
        terminalreporter.section("dlwatch: found outside of the tests")
        for text in watcher.outside:
            terminalreporter.line(text)
    if watcher.trouble:
        terminalreporter.line("dlwatch: " + watcher.trouble)
