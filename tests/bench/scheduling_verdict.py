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
AT_ONCE = 100  # lines whose answers a pipe has room for


class Session:
    """A study of random points with curves that fall and cross."""

    def __init__(self, program, rule):
        problem = FidelityHartmann("verdict", HARTMANN3, 0.0, 0.0)
        self.tuner = Ours(program, rule, problem, 1, AT_ONCE, strategy="random")
        self.rng = np.random.default_rng(1)
        self.ends, self.steps = {}, {}
        self.times = {"bare": [], "rung": [], "step": []}

    def lines(self, messages):
        """The answers to at most AT_ONCE messages, all sent before the first answer is read."""
        process = self.tuner.process
        process.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in messages]
        failed = [answer for answer in answers if "error" in answer]
        if failed:
            raise RuntimeError(failed[0]["error"]["message"])
        return answers

    def asked(self, count):
        handles = []
        for trial in self.lines([{"ask": count}])[0]["trials"]:
            handle = trial.get("resume_trial", trial["trial"])
            if "resume_trial" not in trial:
                self.ends[handle], self.steps[handle] = self.rng.random(), 0
            handles.append(handle)
        return handles

    def report(self, handle, step):
        value = self.ends[handle] + 1 / step + 0.1 * self.rng.standard_normal() * (1 - step / 27)
        return {"report": {"trial": handle, "step": step, "value": value}}

    def fill(self, count):
        """Trials until `count` have begun, each as far as the verdicts let it."""
        while len(self.ends) < count:
            running = self.asked(AT_ONCE)
            for step in STEPS:
                due = [handle for handle in running if self.steps[handle] < step]
                ended = {}
                for handle, answer in zip(due, self.lines([self.report(handle, step) for handle in due]) if due else ()):
                    self.steps[handle] = step
                    if step == STEPS[-1]:
                        ended[handle] = "completed"
                    elif answer["decision"] != "continue":
                        ended[handle] = {"stop": "stopped", "pause": "paused"}[answer["decision"]]
                self.lines([{"tell": {"trial": handle, "state": state}} for handle, state in ended.items()])
                running = [handle for handle in running if handle not in ended]

    def measure(self):
        """Reports of one more trial, timed, whatever the verdict is."""
        handle = self.asked(1)[0]
        for step in STEPS[:-1]:
            if step <= self.steps[handle]:
                continue
            self.steps[handle] = step
            message, clock = self.report(handle, step), self.tuner.processor_seconds
            begin = clock()
            self.lines([message])
            judged = clock()
            self.lines([message])  # a step that was there is not judged again
            self.times["rung" if step in RUNGS else "step"].append(judged - begin)
            self.times["bare"].append(clock() - judged)
        self.lines([{"tell": {"trial": handle, "state": "stopped"}}])


def measure(program, path, say=print):
    rules = {}
    for rule in OURS:
        session = Session(program, rule)
        try:
            session.fill(TRIALS)
            for _ in range(MEASURED):
                session.measure()
        finally:
            session.tuner.close()
        bare = float(np.median(session.times["bare"]))
        rules[rule] = {key: round(1000 * float(value), 4) for key, value in (
            ("bare_ms", bare), ("rung_ms", np.median(session.times["rung"]) - bare), ("rung_worst_ms", max(session.times["rung"]) - bare),
            ("step_ms", np.median(session.times["step"]) - bare))}
        say(f"verdict {rule}: {rules[rule]}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"trials": TRIALS, "rules": rules}, indent=1) + "\n")
