"""One face for every tuner with a stop rule.

ask() gives (handle, parameters), the parameters None for a paused trial that goes on, or None where the tuner wants to wait;
report(handle, step, value, seconds) gives "continue", "stop" or "pause", after so many seconds of training; ended(handle, how, value)
says that a trial was completed, stopped or paused. thinking(own) is the processor time of the tuner, where `own` is that spent in these calls.
"""
import dataclasses
import datetime
import importlib.metadata
import time

import numpy as np

import strategies_tuners
from scheduling_curves import at

# early_stopping of a spec, `max_step` aside.
OURS = {
    "none": {"rule": "none"},
    "median": {"rule": "median"},
    "asha": {"rule": "asha"},
    "asha-pause": {"rule": "asha", "form": "pause"},
    "hyperband": {"rule": "hyperband"},
    "prediction": {"rule": "prediction"},
    "auto": {"rule": "auto"},
    "auto-pause": {"rule": "auto", "form": "pause"},
}
OPTUNA = {"optuna-tpe": "NopPruner", "optuna-median": "MedianPruner", "optuna-asha": "SuccessiveHalvingPruner",
          "optuna-hyperband": "HyperbandPruner"}
SYNE_TUNE = ("syne-asha", "syne-asha-pause", "syne-mobster", "syne-hypertune")
PEERS = ("random", *OPTUNA, "ray-asha", *SYNE_TUNE)


class Ours(strategies_tuners.Ours):
    """`tune ask-tell` with a rule of OURS and the strategy `auto` unless another is named."""

    # More than any budget here has room for: a person who buys time sets no limit of trials.
    MOST_TRIALS = 100000

    def __init__(self, program, rule, problem, seed, workers, strategy="auto"):
        stopping = OURS[rule] if rule in ("none", "median") else {**OURS[rule], "max_step": problem.steps}
        super().__init__(program, strategy, problem.parameters, seed, self.MOST_TRIALS, workers, early_stopping=stopping,
                         reduce="last" if problem.only_ends_count else "best")

    def ask(self):
        answer = self.line({"ask": 1})
        if answer.get("wait"):
            return None
        if not answer["trials"]:
            raise RuntimeError(f"no suggestion: {answer}")
        trial = answer["trials"][0]
        if "resume_trial" in trial:
            return trial["resume_trial"], None
        return trial["trial"], trial["parameters"]

    def report(self, handle, step, value, seconds):
        return self.line({"report": {"trial": handle, "step": step, "value": float(value), "seconds": float(seconds)}})["decision"]

    def ended(self, handle, how, value):
        self.line({"tell": {"trial": handle, "state": how}})

    def processor_seconds(self):
        # The processor clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def thinking(self, own):
        return self.processor_seconds()


class Peer:
    def thinking(self, own):
        return own

    def close(self):
        pass


class Optuna(Peer, strategies_tuners.Optuna):
    """TPESampler with one of the pruners, both on their defaults; HyperbandPruner is told the length of a training."""

    def __init__(self, pruner, problem, seed):
        super().__init__("TPESampler", problem.parameters, seed)
        options = {"min_resource": 1, "max_resource": problem.steps} if pruner == "HyperbandPruner" else {}
        self.study = self.optuna.create_study(sampler=self.optuna.samplers.TPESampler(seed=seed), study_name="bench",
                                              pruner=getattr(self.optuna.pruners, pruner)(**options))
        self.trials = {}

    def ask(self):
        trial = self.study.ask()
        self.trials[trial.number] = trial
        return trial.number, self.suggested(trial)

    def report(self, handle, step, value, seconds):
        trial = self.trials[handle]
        trial.report(float(value), step)
        return "stop" if trial.should_prune() else "continue"

    def ended(self, handle, how, value):
        if how == "completed":
            self.study.tell(self.trials[handle], float(value))
        else:
            self.study.tell(self.trials[handle], state=self.optuna.trial.TrialState.PRUNED)


class Random(Peer):
    """Random points, and a scheduler of Ray Tune's or none."""

    def __init__(self, problem, seed, scheduler=None):
        self.rng, self.parameters, self.scheduler, self.count = np.random.default_rng([seed, 77]), problem.parameters, scheduler, 0
        self.trials = {}

    @dataclasses.dataclass(frozen=True)
    class Trial:
        trial_id: str

    def ask(self):
        self.count += 1
        if self.scheduler:
            self.trials[self.count] = self.Trial(str(self.count))
            self.scheduler.on_trial_add(None, self.trials[self.count])
        return self.count, {name: at(p, u) for (name, p), u in zip(self.parameters.items(), self.rng.random(len(self.parameters)))}

    @staticmethod
    def result(step, value):
        return {"training_iteration": step, "loss": float(value)}

    def report(self, handle, step, value, seconds):
        if not self.scheduler:
            return "continue"
        self.step = step
        decision = self.scheduler.on_trial_result(None, self.trials[handle], self.result(step, value))
        return "stop" if decision == self.scheduler.STOP else "continue"

    def ended(self, handle, how, value):
        if self.scheduler and how == "completed":
            self.scheduler.on_trial_complete(None, self.trials[handle], self.result(self.step, value))
        elif self.scheduler:
            self.scheduler.on_trial_remove(None, self.trials[handle])


def ray_asha(problem, seed):
    from ray.tune.schedulers import AsyncHyperBandScheduler
    return Random(problem, seed, AsyncHyperBandScheduler(metric="loss", mode="min", max_t=problem.steps))


class SyneTune(Peer):
    """A scheduler of Syne Tune's, called as its Tuner calls it. The defaults, but where `options` say so."""

    def __init__(self, name, problem, seed):
        import logging
        logging.disable(logging.WARNING)
        from syne_tune.backend.trial_status import Trial
        from syne_tune.config_space import choice, lograndint, loguniform, randint, reverseloguniform, uniform
        from syne_tune.optimizer.baselines import ASHA, MOBSTER, HyperTune
        makers = {"float": {"linear": uniform, "log": loguniform, "reverse_log": reverseloguniform},
                  "int": {"linear": randint, "log": lograndint}}
        space = {key: choice(p["values"]) if p["type"] == "categorical" else makers[p["type"]][p.get("scale", "linear")](p["min"], p["max"])
                 for key, p in problem.parameters.items()}
        make, options = {"syne-asha": (ASHA, {}), "syne-asha-pause": (ASHA, {"type": "promotion"}),
                         "syne-mobster": (MOBSTER, {"search_options": {"debug_log": False}}),
                         "syne-hypertune": (HyperTune, {"type": "promotion", "brackets": 4,
                                                        "search_options": {"model": "gp_independent", "debug_log": False}})}[name]
        if "search_options" not in options:
            options = {**options, "search_options": {"debug_log": False}}
        self.scheduler = make(space, metric="loss", mode="min", resource_attr="step", max_t=problem.steps, random_seed=seed, **options)
        self.make_trial, self.trials, self.step = Trial, {}, {}

    def ask(self):
        suggestion = self.scheduler.suggest(trial_id=len(self.trials))
        if suggestion is None:
            raise RuntimeError("no suggestion")
        if not suggestion.spawn_new_trial_id:
            return suggestion.checkpoint_trial_id, None
        number = len(self.trials)
        self.trials[number] = self.make_trial(trial_id=number, config=suggestion.config, creation_time=datetime.datetime.now())
        self.scheduler.on_trial_add(self.trials[number])
        return number, {name: getattr(value, "item", lambda value=value: value)() for name, value in suggestion.config.items()}

    def report(self, handle, step, value, seconds):
        self.step[handle] = step
        decision = self.scheduler.on_trial_result(self.trials[handle], {"loss": float(value), "step": step})
        return {"CONTINUE": "continue", "STOP": "stop", "PAUSE": "pause"}[decision]

    def ended(self, handle, how, value):
        if how == "completed":
            self.scheduler.on_trial_complete(self.trials[handle], {"loss": float(value), "step": self.step[handle]})
        else:
            self.scheduler.on_trial_remove(self.trials[handle])


def make(name, program, problem, seed, workers):
    if name in OURS:
        return Ours(program, name, problem, seed, workers)
    if name in OPTUNA:
        return Optuna(OPTUNA[name], problem, seed)
    if name == "random":
        return Random(problem, seed)
    return ray_asha(problem, seed) if name == "ray-asha" else SyneTune(name, problem, seed)


def version_of_peer(name):
    package = "numpy" if name == "random" else "optuna" if name in OPTUNA else "ray" if name == "ray-asha" else "syne-tune"
    return f"{package} {importlib.metadata.version(package)}"
