"""Programs that are killed and interrupted, and the study that goes on."""
import collections
import os
import random
import signal
import subprocess
import threading
import time
import unittest

from study_fixture import LINE, StudyTest, square, tune, wait_until

TRIALS = 24

# Writes down each trial when it begins, and when it was told.
KILLED = """
    import sys, threading, time, tune
    study = tune.Study({"x": tune.Float(-10, 10)}, "store", name="s", seed=5)
    log = open("log", "a")
    lock = threading.Lock()
    def write(what, trial):
        with lock:
            log.write(f"{what} {trial.number}\\n")
            log.flush()
    def objective(trial):
        write("begun", trial)
        for step in range(1, 4):
            time.sleep(0.003)
            trial.report((trial["x"] - 2) ** 2 + 1 / step, step)
        return (trial["x"] - 2) ** 2
    if sys.argv[1] == "optimize":
        study.optimize(objective, trials=24, workers=2)
    else:
        while len(study.trials) < 24:
            trial = study.ask()
            study.tell(trial, objective(trial))
            write("told", trial)
"""


class Killed(StudyTest):
    def test_kill(self):
        """A program that is killed at any moment, and started again each time, loses no result and ends with all trials."""
        for way in ("optimize", "ask"):
            with self.subTest(way):
                self.folder.joinpath("log").unlink(missing_ok=True)
                dice, kills = random.Random(1), 0
                while True:
                    process = self.program(KILLED, way)
                    wait_until(lambda: self.folder.joinpath("log").exists() or process.poll() is not None)
                    try:
                        process.wait(0.3 * dice.random() if kills < 3 else 30)
                        break
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                        kills += 1
                self.assertEqual(process.returncode, 0, process.stderr.read())
                self.assertGreaterEqual(kills, 1)
                with tune.Study(LINE, self.store, name="s") as study:
                    self.assertEqual([trial.number for trial in study.trials], list(range(1, TRIALS + 1)))
                    for trial in study.trials:
                        self.assertEqual((trial.state, trial.value), ("completed", square(trial.parameters)))
                counts = collections.Counter(self.folder.joinpath("log").read_text().splitlines())
                self.assertEqual({number for what, number in map(str.split, counts) if what == "begun"},
                                 {str(number) for number in range(1, TRIALS + 1)})
                self.assertFalse([line for line, count in counts.items() if line.startswith("told") and count > 1])
            for file in sorted(self.store.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()

    def left_open(self):
        """Leaves trials 1 and 2 open in the store, as a program does that was killed."""
        process = self.program("""
            import os, signal, tune
            study = tune.Study({"x": tune.Float(-10, 10)}, "store", name="s", seed=5)
            study.ask().report(7, 1)
            study.ask()
            os.kill(os.getpid(), signal.SIGKILL)
        """)
        self.assertEqual(process.wait(), -signal.SIGKILL)

    def test_again(self):
        """Trials that were open when the program was killed are run again first, with the same numbers."""
        self.left_open()
        study = tune.Study(LINE, self.store, name="s", seed=5)
        self.assertEqual([trial.state for trial in study.trials], ["running", "running"])
        again = []

        def objective(trial):
            again.append((trial.number, trial.is_resumed))
            trial.report(square(trial), 1)
            return square(trial)

        study.optimize(objective, trials=3)
        self.assertEqual(again, [(1, True), (2, True), (3, False)])

    def test_failed(self):
        """With unfinished="failed" they have failed, and are not run again."""
        self.left_open()
        study = tune.Study(LINE, self.store, name="s", seed=5, unfinished="failed")
        self.assertEqual([(trial.state, trial.reason) for trial in study.trials], [("failed", "lost")] * 2)
        self.assertEqual(study.ask().number, 3)

    def test_fork(self):
        """A fork that outlives a killed program does not hold its study, and may not use it."""
        process = self.program("""
            import os, signal, sys, time, tune
            study = tune.Study({"x": tune.Float(-10, 10)}, "store", name="s")
            if os.fork() == 0:
                try:
                    study.ask()
                except tune.UsageError as error:
                    print(os.getpid(), flush=True)
                time.sleep(20)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)
        """)
        fork = int(process.stdout.readline())
        self.addCleanup(os.kill, fork, signal.SIGKILL)
        process.wait()
        begin = time.monotonic()
        with tune.Study(LINE, self.store, name="s") as study:
            study.optimize(square, trials=2)
        self.assertLess(time.monotonic() - begin, 5)


class Interrupted(StudyTest):
    def interrupt(self, text, times=1):
        """Starts a program, presses Ctrl-C after each "ready" line, and returns what it printed after that."""
        process = self.program(text)
        for _ in range(times):
            self.assertEqual(process.stdout.readline(), "ready\n", process.poll() and process.stderr.read())
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, error = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, error)
        return out

    def test_alone(self):
        """Ctrl-C ends a run at once, leaves its trial open, and the next run begins with that trial."""
        out = self.interrupt("""
            import time, tune
            study = tune.Study({"x": tune.Float(-10, 10)}, seed=1)
            begun = []
            def objective(trial):
                begun.append(trial.number)
                if begun == [1, 2, 3]:
                    print("ready", flush=True)
                    time.sleep(20)
                return 1
            try:
                study.optimize(objective, trials=5)
            except KeyboardInterrupt:
                print([trial.state for trial in study.trials])
            study.optimize(objective, trials=5)
            print(begun, {trial.state for trial in study.trials})
        """)
        self.assertEqual(out, "['completed', 'completed', 'running']\n[1, 2, 3, 3, 4, 5] {'completed'}\n")

    def test_workers(self):
        """With several workers Ctrl-C lets the trials end that run, and begins no other."""
        out = self.interrupt("""
            import threading, time, tune
            study = tune.Study({"x": tune.Float(-10, 10)})
            gate = threading.Barrier(3)
            def objective(trial):
                if gate.wait(10) == 0:
                    print("ready", flush=True)
                time.sleep(0.3)
                return 1
            try:
                study.optimize(objective, trials=30, workers=3)
            except KeyboardInterrupt:
                print([trial.state for trial in study.trials])
        """)
        self.assertEqual(out, "['completed', 'completed', 'completed']\n")

    def test_twice(self):
        """A second Ctrl-C leaves the trials that run; what becomes of them later no longer counts."""
        out = self.interrupt("""
            import logging, threading, time, tune
            study = tune.Study({"x": tune.Float(-10, 10)})
            late = []
            ready = threading.Event()
            def objective(trial):
                ready.wait()
                try:
                    trial.report(1)
                    late.append("counted")
                except tune.UsageError as error:
                    late.append(error.message)
                return 1
            class Again(logging.Handler):
                def emit(self, record):
                    if "Ctrl-C again" in record.getMessage():
                        print("ready", flush=True)
            logging.getLogger("tune").addHandler(Again())
            threading.Timer(0.2, lambda: print("ready", flush=True)).start()
            try:
                study.optimize(objective, trials=30, workers=2)
            except KeyboardInterrupt:
                print([trial.state for trial in study.trials])
            ready.set()
            while len(late) < 2:
                time.sleep(0.01)
            print("counted" in late, "is run again" in late[0])
            study.optimize(lambda trial: 2, trials=2)
            print([trial.value for trial in study.trials])
        """, times=2)
        self.assertEqual(out, "['running', 'running']\nFalse True\n[2.0, 2.0]\n")

    def test_any_moment(self):
        """Ctrl-C at any moment, also amid a request, leaves a study that goes on with every result."""
        study = tune.Study(LINE, strategy="random")
        told = {}
        main = threading.main_thread().ident
        dice = random.Random(3)

        def objective(trial):
            trial.report(1, 1)
            told[trial.number] = square(trial)
            return told[trial.number]

        interrupted = 0
        for _ in range(60):
            timer = threading.Timer(0.02 * dice.random(), signal.pthread_kill, (main, signal.SIGINT))
            try:
                timer.start()
                study.optimize(objective, timeout=0.1)
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                timer.join()
        study.optimize(objective, trials=len(study.trials) + 1)
        self.assertGreater(interrupted, 50)
        for trial in study.trials:
            self.assertEqual((trial.state, trial.value), ("completed", told[trial.number]))


if __name__ == "__main__":
    unittest.main()
