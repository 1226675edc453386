"""What the tests of the Python module share: a folder of their own, other Python programs, stand-ins for `tune`."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TUNE_PROGRAM", str(SOURCE / "build" / "release" / "bin" / "tune"))
MODULE = str(SOURCE / "package" / "python")
os.environ["TUNE_PROGRAM"] = PROGRAM
if MODULE not in sys.path:
    sys.path.insert(0, MODULE)

import tune  # noqa: E402  (after the path to it)

LINE = {"x": tune.Float(-10, 10)}


def square(trial):
    return (trial["x"] - 2) ** 2


class StudyTest(unittest.TestCase):
    """Each test has a folder, and 60 seconds at most: what hangs fails."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        self.store = self.folder / "store"

        def fail(*_):
            raise AssertionError("the test hangs")

        before = signal.signal(signal.SIGALRM, fail)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 60, 5)  # again and again, where an end hangs too
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def program(self, text, *arguments):
        """Another Python program, in the test's folder and a process group of its own; it is ended with the test."""
        file = self.folder / "program.py"
        file.write_text(textwrap.dedent(text))
        environment = {**os.environ, "PYTHONPATH": MODULE, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen([sys.executable, file, *arguments], cwd=self.folder, env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def stand_in(self, text):
        """A program in the place of `tune`: Python that may use `request()` and `answer(value)`; `trial(N)` is an item."""
        file = self.folder / "stand-in"
        file.write_text(f"#!{sys.executable}\n" + textwrap.dedent("""\
            import json, os, sys, time
            def request():
                line = sys.stdin.readline()
                if not line: sys.exit()
                return json.loads(line)
            def answer(value): print(json.dumps(value), flush=True)
            def trial(number): return {"trial": number, "parameters": {"x": 0.5 + number}}
            """) + textwrap.dedent(text))
        file.chmod(0o755)
        os.environ["TUNE_PROGRAM"] = str(file)
        self.addCleanup(os.environ.__setitem__, "TUNE_PROGRAM", PROGRAM)


def wait_until(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError("waited in vain")
        time.sleep(0.005)
