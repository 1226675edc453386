"""A study in one program: what it suggests, takes in and refuses."""
import math
import os
import threading
import time
import unittest

from study_fixture import LINE, StudyTest, square, tune

SPACE = {
    "lr": tune.Float(1e-4, 1, log=True),
    "width": tune.Int(8, 64, step=8),
    "sizes": tune.Categorical([(16, 32), (64,), None]),
    "optimizer": tune.Categorical(["sgd", "adam"]),
    "momentum": tune.Float(0, 0.9, when={"optimizer": "sgd"}),
}


class Optimizing(StudyTest):
    def test_minimum(self):
        """A study finds the minimum of a parabola, and counts its trials from 1."""
        study = tune.Study(LINE, seed=1)
        study.optimize(square, trials=25)
        self.assertLess(study.best.value, 1e-3)
        self.assertAlmostEqual(study.best.parameters["x"], 2, delta=0.05)
        self.assertEqual([trial.number for trial in study.trials], list(range(1, 26)))
        self.assertEqual({trial.state for trial in study.trials}, {"completed"})

    def test_goal(self):
        """A study that maximizes prefers the greater value."""
        study = tune.Study(LINE, goal="maximize", strategy="random", seed=1)
        study.optimize(lambda trial: trial["x"], trials=10)
        self.assertEqual(study.best.value, max(trial.value for trial in study.trials))

    def test_total(self):
        """The trials of optimize() are trials in all, so that a second call adds what is missing."""
        study = tune.Study(LINE)
        for trials in (3, 3, 5):
            study.optimize(square, trials=trials)
        self.assertEqual(len(study.trials), 5)

    def test_seed(self):
        """Two studies of one seed suggest the same, with and without a store."""
        points = []
        for store in (None, self.store):
            with tune.Study(LINE, store, name="s", seed=7) as study:
                study.optimize(square, trials=8)
                points.append([trial.parameters for trial in study.trials])
        self.assertEqual(points[0], points[1])

    def test_kinds(self):
        """Trials get Python's own values: floats, ints, tuples as they were given, and only active parameters."""
        study = tune.Study(SPACE, strategy={"name": "random", "seed": 3})
        seen = []

        def objective(trial):
            seen.append(trial.parameters)
            self.assertIs(type(trial["lr"]), float)
            self.assertIs(type(trial["width"]), int)
            self.assertIn(trial["sizes"], SPACE["sizes"].choices)
            self.assertEqual("momentum" in trial.parameters, trial["optimizer"] == "sgd")
            return trial["lr"]

        study.optimize(objective, trials=30)
        self.assertEqual({sizes for sizes in (each["sizes"] for each in seen)}, {(16, 32), (64,), None})
        self.assertEqual([trial.parameters for trial in study.trials], seen)

    def test_spec(self):
        """A spec is taken as a dictionary and as a file, and its limit holds unless optimize() names another."""
        spec = {"study": "spec", "objective": {"metric": "loss", "goal": "minimize"}, "limits": {"trials": 4},
                "parameters": {"x": {"type": "float", "min": -10, "max": 10}}}
        file = self.folder / "search.json"
        file.write_text(tune.study.json_text(spec))
        for space in (spec, str(file), file):
            for store in (None, self.store / str(type(space).__name__)):
                with tune.Study(space, store) as study:
                    study.optimize(square)
                    self.assertEqual(len(study.trials), 4)
                    study.optimize(square, trials=6)
                    self.assertEqual(len(study.trials), 6)
                    with self.assertRaises(tune.Exhausted):
                        study.ask()

    def test_eight_threads(self):
        """Eight threads run trials at once, and no trial is run twice or lost."""
        study = tune.Study(LINE, self.store, name="s", strategy="random")
        lock, numbers, most = threading.Lock(), [], [0, 0]

        def objective(trial):
            with lock:
                numbers.append(trial.number)
                most[0] += 1
                most[1] = max(most)
            time.sleep(0.01)
            for step in range(1, 4):
                trial.report(square(trial) + 1 / step, step)
            with lock:
                most[0] -= 1
            return square(trial)

        study.optimize(objective, trials=64, workers=8)
        self.assertEqual(sorted(numbers), list(range(1, 65)))
        self.assertGreater(most[1], 4)
        for trial in study.trials:
            self.assertEqual((trial.state, trial.value), ("completed", square(trial.parameters)))

    def test_grid(self):
        """A grid ends when every point was tried, with several workers too."""
        study = tune.Study({"a": tune.Int(1, 3), "b": tune.Categorical(["x", "y"])}, strategy="grid")
        study.optimize(lambda trial: trial["a"], workers=3)
        self.assertEqual(len(study.trials), 6)

    def test_timeout(self):
        """After the timeout no trial is begun."""
        study = tune.Study(LINE, strategy="random")
        begin = time.monotonic()
        study.optimize(lambda trial: time.sleep(0.05) or 1, timeout=0.2, workers=2)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertLess(len(study.trials), 20)



class Results(StudyTest):
    def test_exception(self):
        """An exception is a failed trial with its text as the reason, and ends the run with that exception."""
        study = tune.Study(LINE)

        def objective(trial):
            if trial.number == 2:
                raise ValueError("no such layer \udc80")
            return 1

        with self.assertRaisesRegex(ValueError, "no such layer"):
            study.optimize(objective, trials=5)
        self.assertEqual([trial.state for trial in study.trials], ["completed", "failed"])
        self.assertEqual(study.trials[1].reason, "ValueError: no such layer ?")
        study.optimize(objective, trials=5)
        self.assertEqual(len(study.trials), 5)

    def test_catch(self):
        """Exceptions of the classes in catch do not end the run; others do, with several workers too."""
        for workers in (1, 4):
            study = tune.Study(LINE, self.store, name=f"s{workers}", strategy="random")

            def objective(trial):
                if trial.number % 3 == 0:
                    raise MemoryError
                if trial.number == 20:
                    raise KeyError("end")
                return 1

            with self.assertLogs("tune", "WARNING"), self.assertRaises(KeyError):
                study.optimize(objective, trials=1000, workers=workers, catch=MemoryError)
            records = {trial.number: trial for trial in study.trials}
            self.assertEqual((records[3].state, records[3].reason), ("failed", "oom"))
            self.assertLess(len(records), 1000)
            self.assertNotIn("running", {trial.state for trial in records.values()})

    def test_not_finite(self):
        """A result that is not finite is a failed trial, is never best, and the run goes on."""
        study = tune.Study(LINE, goal="maximize")
        values = [math.nan, 1.0, math.inf, -math.inf, 0.5]
        study.optimize(lambda trial: values[trial.number - 1], trials=5)
        self.assertEqual([trial.state for trial in study.trials], ["failed", "completed", "failed", "failed", "completed"])
        self.assertEqual(study.best.number, 2)

    def test_no_number(self):
        """An objective that returns no number and has reported none is told so."""
        with self.assertRaisesRegex(tune.UsageError, "returned None, not a number"):
            tune.Study(LINE).optimize(lambda trial: None, trials=1)

    def test_reports_decide(self):
        """Without a result the reports decide: the best by the goal, or as reduce says; with a store as without."""
        for reduce, expected in (("best", 1.0), ("last", 2.0), ("max", 3.0), ("min", 1.0)):
            for store in (None, self.store):
                study = tune.Study(LINE, store, name=reduce, reduce=reduce)

                def objective(trial):
                    for value in (3.0, 1.0, math.nan, 2.0):
                        trial.report(value)

                study.optimize(objective, trials=1)
                self.assertEqual(study.trials[0].value, expected, (reduce, store))
                study.close()

    def test_no_finite_report(self):
        """A trial that has reported nothing finite and returns nothing has failed."""
        study = tune.Study(LINE)
        study.optimize(lambda trial: trial.report(math.nan), trials=1)
        self.assertEqual(study.trials[0].state, "failed")

    def test_stopped(self):
        """Hopeless trials are stopped by their reports, keep the value that they had, and say why."""
        study = tune.Study(LINE, self.store, name="s", strategy="random", seed=1, early_stopping={"rule": "median", "min_trials": 3})

        def objective(trial):
            for step in range(1, 11):
                trial.report(square(trial) + 1 / step, step)
                if trial.should_stop():
                    raise tune.Stopped()
            return square(trial)

        study.optimize(objective, trials=12)
        stopped = [trial for trial in study.trials if trial.state == "stopped"]
        self.assertTrue(2 < len(stopped) < 12)
        self.assertIn("median", stopped[0].reason)
        self.assertGreater(stopped[0].value, study.best.value)

    def test_replicates(self):
        """A spec that asks for replicates has the best trials run again, each with the number that makes its seed."""
        spec = {"study": "noisy", "objective": {"metric": "value", "goal": "minimize"},
                "parameters": {"x": {"type": "float", "min": -1, "max": 1}},
                "limits": {"trials": 4}, "replicates": {"top": 1, "seeds": 2}}
        for store in (None, self.store):
            study = tune.Study(spec, store)
            run = {}

            def objective(trial):
                run[trial.number] = trial
                return trial["x"] ** 2 + 0.001 * trial.number

            study.optimize(objective)
            self.assertEqual(sorted(run), [1, 2, 3, 4, 5, 6])
            self.assertEqual([run[number].replicate_of for number in (1, 2, 3, 4)], [None] * 4)
            for number in (5, 6):
                repeated = run[run[number].replicate_of]
                self.assertEqual(run[number].parameters, repeated.parameters)
                self.assertEqual(repeated.number, study.best.number)
            study.close()

    def test_paused(self):
        """With the rule that pauses, trials wait where they would be stopped, and the best go on from what they have saved."""
        for store in (None, self.store):
            study = tune.Study(LINE, store, name="halving", strategy="random", seed=1,
                               early_stopping={"rule": "asha", "form": "pause", "max_step": 9, "reduction_factor": 3})
            saved = {}
            steps = []

            def objective(trial):
                begin = saved.get(trial.number, 0) + 1
                self.assertEqual(trial.is_resumed, begin > 1)
                for step in range(begin, 10):
                    steps.append(step)
                    trial.report(square(trial) + 1 / step, step)
                    if trial.should_stop():
                        self.assertTrue(trial.is_to_pause)
                        saved[trial.number] = step
                        raise tune.Stopped()

            study.optimize(objective, trials=18)
            states = [trial.state for trial in study.trials]
            self.assertEqual(len(states), 18)
            self.assertEqual(set(states), {"completed", "paused"})
            self.assertLess(len(steps), 18 * 9 / 2)
            self.assertEqual(study.best.value, min(trial.value for trial in study.trials if trial.value is not None))
            study.close()

    def test_own_stop(self):
        """An objective may stop for reasons of its own."""
        study = tune.Study(LINE)

        def objective(trial):
            raise tune.Stopped("too slow")

        study.optimize(objective, trials=1)
        self.assertEqual((study.trials[0].state, study.trials[0].reason, study.trials[0].value), ("stopped", "too slow", None))

    def pair(self, **more):
        return {"study": "pair", "objectives": [{"metric": "accuracy", "goal": "maximize"},
                                                {"metric": "latency", "goal": "minimize"}],
                "parameters": {"x": {"type": "float", "min": 0, "max": 1}}, "strategy": {"name": "random", "seed": 4},
                **more}

    def test_two_objectives(self):
        """A spec with two objectives: an objective returns both, the front is answered, and each record has both values."""
        for store in (None, self.store):
            with self.subTest(store=store), tune.Study(self.pair(), store=store) as study:
                self.assertEqual(study.goals, ("maximize", "minimize"))
                self.assertEqual(study.metrics, ("accuracy", "latency"))
                study.optimize(lambda trial: (trial["x"], 10 * trial["x"]), trials=4)
                self.assertEqual(len(study.front), 4)
                self.assertEqual([record.value for record in study.front],
                                 sorted((record.value for record in study.trials), reverse=True))
                for record in study.trials:
                    self.assertEqual(record.values, (record.parameters["x"], 10 * record.parameters["x"]))
                with self.assertRaisesRegex(tune.NoResult, "no one trial is the best by two objectives"):
                    study.best
                study.add({"x": 0.5}, values=[2, 0])  # beats them all
                self.assertEqual([record.values for record in study.front], [(2, 0)])

    def test_two_objectives_preferred(self):
        prefer = {"model": "m", "prefer": {"best": "latency"}}
        with tune.Study(self.pair(promote=prefer)) as study:
            study.optimize(lambda trial: [trial["x"], 10 * trial["x"]], trials=4)
            self.assertEqual(study.best, min(study.trials, key=lambda record: record.values[1]))

    def test_two_objectives_by_hand(self):
        with tune.Study(self.pair()) as study:
            trial = study.ask()
            with self.assertRaisesRegex(tune.UsageError, "the study is about accuracy and latency"):
                study.tell(trial, 0.5)
            with self.assertRaisesRegex(tune.UsageError, "it is a list of two"):
                study.tell(trial, values=[0.5])
            study.tell(trial, values=[0.5, math.nan])
            trial = study.ask()
            trial.report(30, 1, metric="latency")
            trial.report(0.5, 1)
            trial.report(20, 2, metric="latency")
            study.tell(trial)
            trial = study.ask()
            trial.report(0.5)
            with self.assertRaisesRegex(tune.UsageError, "has no value of latency"):
                study.tell(trial)
            study.tell(trial, state="stopped")
            self.assertEqual([(record.state, record.values) for record in study.trials],
                             [("failed", ()), ("completed", (0.5, 20)), ("stopped", (0.5,))])
            with self.assertRaisesRegex(tune.UsageError, "the objective returned 3, not two numbers"):
                study.optimize(lambda trial: 3, trials=4)
        with tune.Study(LINE) as study, self.assertRaisesRegex(tune.UsageError, "has no front"):
            study.front

    def test_no_best(self):
        """Before a trial has completed there is no best."""
        with self.assertRaises(tune.NoResult):
            tune.Study(LINE).best


class AskingAndTelling(StudyTest):
    def test_ask_tell(self):
        """A program may ask and tell by itself; a trial is told by its object or by its number."""
        study = tune.Study(LINE)
        first, second, third = study.ask(), study.ask(), study.ask()
        study.tell(second, 2)
        study.tell(first.number, state="failed", reason="oom")
        self.assertEqual([trial.state for trial in study.trials], ["failed", "completed", "running"])
        third.report(5)
        study.tell(third)
        self.assertEqual(study.trials[2].value, 5)
        with self.assertRaisesRegex(tune.UsageError, "told already"):
            study.tell(second, 1)
        with self.assertRaisesRegex(tune.UsageError, "there is no trial 9"):
            study.tell(9, 1)
        with self.assertRaises(tune.UsageError):
            study.tell(study.ask())

    def test_after_optimize(self):
        """A study in a store takes more trials after optimize() has reached its own number."""
        for _ in range(2):
            with tune.Study(LINE, self.store, name="s") as study:
                study.optimize(square, trials=3)
                study.tell(study.ask(), 1)
        self.assertEqual(len(study.trials), 5)

    def test_enqueue_and_add(self):
        """Points of one's own come first, and results from elsewhere count."""
        for store in (None, self.store):
            study = tune.Study(LINE, store, name="s")
            self.assertEqual(study.enqueue({"x": 2.5}), 1)
            self.assertEqual(study.add({"x": 3}, 1.0), 2)
            self.assertEqual(study.add({"x": 4}, math.nan), 3)
            study.optimize(square, trials=4)
            self.assertEqual([trial.value for trial in study.trials][:3], [0.25, 1.0, None])
            self.assertEqual(study.trials[0].parameters, {"x": 2.5})
            with self.assertRaisesRegex(tune.UsageError, "not a point of the space"):
                study.enqueue({"x": 11})
            study.close()

    def test_try_first(self):
        """Points in try_first may leave parameters out."""
        study = tune.Study(SPACE, try_first=[{"lr": 0.01}])
        self.assertEqual(study.ask()["lr"], 0.01)


class Declarations(StudyTest):
    def setUp(self):
        super().setUp()
        self.study = tune.Study(SPACE, try_first=[{"optimizer": "adam"}])
        self.trial = self.study.ask()

    def test_suggest(self):
        """A suggest call gives the parameter that is declared just so."""
        trial = self.trial
        self.assertEqual(trial.suggest_float("lr", 1e-4, 1, log=True), trial["lr"])
        self.assertEqual(trial.suggest_int("width", 8, 64, step=8), trial["width"])
        self.assertEqual(trial.suggest_categorical("optimizer", ["adam", "sgd"]), "adam")
        self.assertEqual(trial.suggest_categorical("sizes", [[16, 32], [64], None]), trial["sizes"])

    def test_undeclared(self):
        """A suggest call for what is not declared is refused with the declaration to add."""
        with self.assertRaises(tune.UsageError) as refused:
            self.trial.suggest_int("widht", 8, 64, log=True)
        self.assertIn('did you mean "width"?', refused.exception.message)
        self.assertIn('"widht": tune.Int(8, 64, log=True)', refused.exception.hint)

    def test_declared_otherwise(self):
        """A suggest call for what is declared otherwise is refused with both."""
        for suggest in (lambda: self.trial.suggest_float("lr", 1e-4, 1), lambda: self.trial.suggest_int("lr", 1, 2),
                        lambda: self.trial.suggest_categorical("optimizer", ["sgd"])):
            with self.assertRaisesRegex(tune.UsageError, "is declared as tune"):
                suggest()

    def test_inactive(self):
        """A parameter that is not active is refused with its condition, and an unknown one with those that there are."""
        with self.assertRaisesRegex(tune.UsageError, "not active in trial 1(.|\n)*'optimizer': 'sgd'"):
            self.trial["momentum"]
        with self.assertRaisesRegex(tune.UsageError, "there are: lr, width, sizes, optimizer"):
            self.trial["depth"]

    def test_mistakes(self):
        """All mistakes of a space are said at once, by name."""
        with self.assertRaises(tune.SpecError) as refused:
            tune.Study({"a": tune.Float(1, 0), "b": tune.Int(0, 5, log=True), "c": tune.Int(1, 2, when={"d": 1})})
        for name in ("/parameters/a", "/parameters/b", "/parameters/c"):
            self.assertIn(name, refused.exception.message)
        for space in ({"a": 3}, {"a": tune.Categorical([object()])}, {"parameters": 1, "x": tune.Int(1, 2)}):
            with self.assertRaises(tune.Error):
                tune.Study(space)
        with self.assertRaisesRegex(tune.UsageError, "has a name"):
            tune.Study(LINE, self.store)
        with self.assertRaisesRegex(tune.UsageError, "goal: a spec says that itself"):
            tune.Study("search.json", goal="maximize")
        with self.assertRaisesRegex(tune.SpecError, "search.json"):
            tune.Study(self.folder / "search.json")


if __name__ == "__main__":
    unittest.main()
