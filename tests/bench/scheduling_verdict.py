"""The time of a verdict with many trials: that of a line `report` to `tune ask-tell`, less that of a line that judges nothing."""
import json

import numpy as np

from scheduling_curves import FidelityHartmann
from scheduling_tuners import OURS, Ours
from strategies_problems import HARTMANN3

TRIALS = 10000
MEASURED = 100
STEPS = (1, 3, 6, 9, 18, 27)  # of 27; the rungs are at 3 and 9
RUNGS = (3, 9)


class Session:
    """A study of random points with curves that fall and cross, on one worker."""

    def __init__(self, program, rule):
        problem = FidelityHartmann("verdict", HARTMANN3, 0.0, 0.0)
        self.tuner = Ours(program, rule, problem, 1, 1, strategy="random")
        self.rng = np.random.default_rng(1)
        self.ends, self.steps = {}, {}
        self.times = {"bare": [], "rung": [], "step": []}

    def report(self, handle, step, is_measured):
        value = self.ends[handle] + 1 / step + 0.1 * self.rng.standard_normal() * (1 - step / 27)
        begin = self.tuner.processor_seconds()
        decision = self.tuner.report(handle, step, value)
        if is_measured and step < 27:
            middle = self.tuner.processor_seconds()
            # A step that was there is not judged again.
            self.tuner.report(handle, step, value)
            self.times["rung" if step in RUNGS else "step"].append(middle - begin)
            self.times["bare"].append(self.tuner.processor_seconds() - middle)
        return decision

    def trial(self, is_measured):
        handle, parameters = self.tuner.ask()
        if parameters is not None:
            self.ends[handle], self.steps[handle] = self.rng.random(), 0
        for step in STEPS:
            if step <= self.steps[handle]:
                continue
            self.steps[handle] = step
            decision = self.report(handle, step, is_measured)
            if decision != "continue" and step < 27:
                return self.tuner.ended(handle, {"stop": "stopped", "pause": "paused"}[decision], None)
        return self.tuner.ended(handle, "completed", None)


def measure(program, path, say=print):
    rules = {}
    for rule in OURS:
        session = Session(program, rule)
        try:
            while len(session.ends) < TRIALS:
                session.trial(False)
            for _ in range(MEASURED):
                session.trial(True)
        finally:
            session.tuner.close()
        bare = float(np.median(session.times["bare"]))
        rules[rule] = {key: round(1000 * float(value), 4) for key, value in (
            ("bare_ms", bare), ("rung_ms", np.median(session.times["rung"]) - bare), ("rung_worst_ms", max(session.times["rung"]) - bare),
            ("step_ms", np.median(session.times["step"]) - bare))}
        say(f"verdict {rule}: {rules[rule]}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"trials": TRIALS, "rules": rules}, indent=1) + "\n")
