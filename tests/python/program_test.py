"""The program behind a study: missing, dying, held by another; and strategies that wait."""
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

from study_fixture import LINE, MODULE, PROGRAM, StudyTest, square, tune, wait_until


def children():
    """Processes of `tune` that this one has started."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name, rest = folder.joinpath("stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except (OSError, IndexError):
            continue
        if rest.split()[1] == str(os.getpid()) and rest.split()[0] != "Z":
            found.append(int(folder.name))
    return found


class Program(StudyTest):
    def test_missing(self):
        """Without the program a study is refused, with what to do about it."""
        os.environ["TUNE_PROGRAM"] = str(self.folder / "nowhere")
        self.addCleanup(os.environ.__setitem__, "TUNE_PROGRAM", PROGRAM)
        with self.assertRaisesRegex(tune.ProgramError, "TUNE_PROGRAM names .*nowhere"):
            tune.Study(LINE)
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["TUNE_PROGRAM"], os.environ["PATH"] = "", str(self.folder)
        with self.assertRaisesRegex(tune.ProgramError, "was not found"):
            tune.Study(LINE)
        os.environ["PATH"] = os.path.dirname(PROGRAM)
        tune.Study(LINE).optimize(square, trials=1)

    def test_other_program(self):
        """Another program of that name is found out."""
        for text, words in (("print('usage: tune [options]', flush=True); request()", "something else than tune does"),
                            ("sys.exit('no such command: ask-tell')", "exit code 1:\nno such command"),
                            ("os.close(1); time.sleep(0.1)", "has said nothing")):
            self.stand_in(text)
            with self.assertRaisesRegex(tune.ProgramError, words):
                tune.Study(LINE)

    def test_dies(self):
        """A program that dies in a run ends it with one exception, for eight workers too, and its stderr is there."""
        self.stand_in("""
            request(); answer({"trials": []})
            for number in range(1, 9):
                request(); answer({"trials": [trial(number)]})
            sys.stderr.write("error: the disk is full\\n")
            sys.exit(7)
        """)
        study = tune.Study(LINE, strategy="random")
        with self.assertRaisesRegex(tune.ProgramError, "exit code 7:\nerror: the disk is full"):
            study.optimize(lambda trial: time.sleep(0.1) or 1, workers=8)
        with self.assertRaises(tune.ProgramError):
            study.ask()
        study.close()

    def test_killed(self):
        """A program that is killed is said to be, and a study in a store goes on with another."""
        study = tune.Study(LINE, self.store, name="s")

        def objective(trial):
            if trial.number == 4:
                os.kill(study._session.process_id(), signal.SIGKILL)
            return square(trial)

        with self.assertRaisesRegex(tune.ProgramError, "was ended by signal 9"):
            study.optimize(objective, trials=6)
        with tune.Study(LINE, self.store, name="s") as study:
            self.assertEqual([trial.state for trial in study.trials], ["completed"] * 3 + ["running"])
            study.optimize(square, trials=6)
            self.assertEqual([trial.state for trial in study.trials], ["completed"] * 6)

    def test_no_answer(self):
        """A program that never answers is left by Ctrl-C, and holds up no end."""
        self.stand_in("""
            request(); answer({"trials": []})
            while True: time.sleep(1)
        """)
        tune.session._END_SECONDS, before = 0.2, tune.session._END_SECONDS
        self.addCleanup(setattr, tune.session, "_END_SECONDS", before)
        with tune.Study(LINE) as study:
            timer = threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                study.optimize(square, trials=1)
            timer.join()

    def test_held(self):
        """A study that is open already is refused, in the same program at once."""
        with tune.Study(LINE, self.store, name="s"):
            begin = time.monotonic()
            with self.assertRaisesRegex(tune.ConflictError, "this program has the study open already"):
                tune.Study(LINE, self.store, name="s")
            self.assertLess(time.monotonic() - begin, 2)

    def test_other_space(self):
        """A study goes on with no other space."""
        with tune.Study(LINE, self.store, name="s") as study:
            study.optimize(square, trials=1)
        with self.assertRaisesRegex(tune.ConflictError, "/parameters/x/max: 10.0 -> 11.0"):
            tune.Study({"x": tune.Float(-10, 11)}, self.store, name="s")

    def test_ended(self):
        """No process is left when a study is closed or forgotten, and a closed study says so."""
        before = set(children())
        study = tune.Study(LINE)
        study.optimize(square, trials=1)
        self.assertEqual(len(set(children()) - before), 1)
        study.close()
        study.close()
        with self.assertRaisesRegex(tune.UsageError, "was closed"):
            study.ask()
        study = tune.Study(LINE)
        del study
        wait_until(lambda: not set(children()) - before)

    def test_end_of_program(self):
        """A program that ends without closing its study leaves it finished in the store."""
        process = self.program("""
            import tune
            study = tune.Study({"x": tune.Float(-10, 10)}, "store", name="s")
            study.optimize(lambda trial: trial["x"], trials=3)
        """)
        self.assertEqual(process.wait(), 0)
        status = os.popen(f"{PROGRAM} status s --store {self.store}").read()
        self.assertIn("s: finished (trial limit), 3 of 3 trials", status)

    def test_notices(self):
        """What tune has to say is logged."""
        with self.assertLogs("tune", "WARNING") as logs:
            tune.Study(LINE, reduce="max")
        self.assertRegex(logs.output[0], "/objective/reduce: .*worst value")


class Waiting(StudyTest):
    STRATEGY = """
        request(); answer({"trials": []})
        given, told = 0, 0
        while True:
            line = request()
            if "ask" in line:
                # Two trials at a time: the next two when both were told.
                if given == 6: answer({"trials": [], "exhausted": True})
                elif given == told + 2 or given % 2 == 0 and given != told: answer({"trials": [], "wait": True})
                else:
                    given += 1
                    answer({"trials": [trial(given)]})
            elif "tell" in line:
                told += 1
                answer({"ok": True})
    """

    def test_workers_wait(self):
        """Workers wait for a strategy that needs the results of others, and end when it is exhausted."""
        self.stand_in(self.STRATEGY)
        study = tune.Study(LINE)
        study.optimize(lambda trial: time.sleep(0.02) or 1, workers=5)
        self.assertEqual(len(study.trials), 6)

    def test_alone(self):
        """One worker tells each trial before it asks again, so that nothing has to wait."""
        self.stand_in(self.STRATEGY.replace("given == told + 2 or given % 2 == 0 and given != told", "given != told"))
        study = tune.Study(LINE)
        study.optimize(lambda trial: 1)
        self.assertEqual(len(study.trials), 6)

    def test_nobody_runs(self):
        """Nothing waits for trials that nobody here runs."""
        self.stand_in(self.STRATEGY)
        study = tune.Study(LINE)
        study.ask(), study.ask()
        with self.assertRaises(tune.MustWait):
            study.ask()
        for workers in (1, 3):
            with self.assertRaisesRegex(tune.MustWait, "none of them runs here"):
                study.optimize(lambda trial: 1, workers=workers)


class Typed(StudyTest):
    def test_syntax(self):
        """The module is written in the Python of 3.9."""
        import ast
        for file in pathlib.Path(MODULE, "tune").glob("*.py"):
            ast.parse(file.read_text(), feature_version=(3, 9))

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "the package mypy is not there")
    def test_types(self):
        """The module is typed throughout, and so is a program that uses it."""
        program = self.folder / "program.py"
        program.write_text("""
import tune

def objective(trial: tune.Trial) -> float:
    return float(trial["x"])

study = tune.Study({"x": tune.Float(0, 1)}, goal="maximize")
study.optimize(objective, trials=3, catch=(ValueError, OSError))
best: float = study.best.value or 0
""")
        checked = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", self.folder / "cache",
                                  pathlib.Path(MODULE, "tune"), program], capture_output=True, text=True,
                                 env={**os.environ, "MYPYPATH": MODULE})
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
