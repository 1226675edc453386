"""One face for every tuner: ask() gives (handle, parameters), tell(handle, value) takes a number, or None for a failed trial."""
import json
import pathlib
import subprocess
import tempfile

import numpy as np


class Ours:
    """`tune ask-tell` as a process of its own, one JSON line to and fro."""

    def __init__(self, program, strategy, parameters, seed, trials, workers, try_first=(), reduce="best", early_stopping=None):
        spec = self.spec(strategy, parameters, seed, trials, workers)
        if reduce != "best":
            spec["objective"]["reduce"] = reduce
        if try_first:
            spec["strategy"]["try_first"] = list(try_first)
        if early_stopping:
            spec["early_stopping"] = early_stopping
        self.folder = tempfile.TemporaryDirectory()
        file = pathlib.Path(self.folder.name) / "spec.json"
        file.write_text(json.dumps(spec))
        self.process = subprocess.Popen([program, "ask-tell", "--spec", file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def spec(self, strategy, parameters, seed, trials, workers):
        return {"study": "bench", "objective": {"metric": "loss", "goal": "minimize"}, "parameters": parameters,
                "strategy": {"name": strategy, "seed": seed}, "limits": {"trials": trials, "parallel": workers}}

    def line(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        text = self.process.stdout.readline()
        answer = json.loads(text) if text else {"error": {"message": f"tune ask-tell ended with {self.process.wait()}"}}
        if "error" in answer:
            raise RuntimeError(f"{message}: {answer['error']['message']}")
        return answer

    def ask(self):
        answer = self.line({"ask": 1})
        if not answer["trials"]:
            raise RuntimeError(f"no suggestion: {answer}")
        trial = answer["trials"][0]
        return trial["trial"], trial["parameters"]

    def tell(self, handle, value):
        outcome = {"value": value} if value is not None else {"state": "failed", "reason": "oom"}
        self.line({"tell": {"trial": handle, **outcome}})

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()


def is_active(parameter, chosen):
    """Whether each parent holds one of the values that `when` names; inactive parents are absent from `chosen`."""
    for parent, wanted in parameter.get("when", {}).items():
        wanted = wanted if isinstance(wanted, list) else [wanted]
        if parent not in chosen or chosen[parent] not in wanted:
            return False
    return True


class Optuna:
    """Any of Optuna's samplers on its defaults, asked and told as its manual says; failed trials are told as FAIL."""

    def __init__(self, sampler, parameters, seed):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna = optuna
        self.parameters = parameters
        self.study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed))

    def suggested(self, trial):
        chosen = {}
        for name, p in self.parameters.items():
            if not is_active(p, chosen):
                continue
            if p["type"] == "categorical":
                chosen[name] = trial.suggest_categorical(name, p["values"])
                continue
            scale = p.get("scale", "linear")
            if scale == "reverse_log":
                # Optuna has no such scale; its users search the distance from one.
                chosen[name] = 1 - trial.suggest_float("one_minus_" + name, 1 - p["max"], 1 - p["min"], log=True)
            elif p["type"] == "float":
                chosen[name] = trial.suggest_float(name, p["min"], p["max"], log=scale == "log")
            else:
                chosen[name] = trial.suggest_int(name, p["min"], p["max"], step=p.get("step", 1), log=scale == "log")
        return chosen

    def ask(self):
        trial = self.study.ask()
        return trial, self.suggested(trial)

    def tell(self, handle, value):
        if value is None:
            self.study.tell(handle, state=self.optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(handle, value)

    def close(self):
        pass


def unit_space(parameters):
    """Bounds of each parameter as its scale has it, for the peers that take floats only: (name, low, high, from float)."""
    rows = []
    for name, p in parameters.items():
        if p["type"] == "categorical":
            values = p["values"]
            rows.append((name, -0.5, len(values) - 0.5, lambda u, values=values: values[int(np.clip(round(u), 0, len(values) - 1))]))
            continue
        low, high, scale = p["min"], p["max"], p.get("scale", "linear")
        to = {"linear": lambda v: v, "log": np.log10, "reverse_log": lambda v: -np.log10(1 - v)}[scale]
        back = {"linear": lambda u: u, "log": lambda u: 10**u, "reverse_log": lambda u: 1 - 10**-u}[scale]
        if p["type"] == "int":
            number = lambda u, back=back, low=low, high=high: int(np.clip(round(float(back(u))), low, high))
        else:
            number = lambda u, back=back, low=low, high=high: float(np.clip(back(u), low, high))
        rows.append((name, float(to(low)), float(to(high)), number))
    return rows


class BoTorch:
    """qLogNoisyExpectedImprovement on a SingleTaskGP, the defaults of both, in the loop that Ax makes of them.

    Five Sobol points before the model, the first in the centre; pending points by X_pending; 20 restarts from 1024 points.
    """

    def __init__(self, parameters, seed):
        import torch
        self.torch = torch
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        self.rows = unit_space(parameters)
        self.sobol = torch.quasirandom.SobolEngine(len(self.rows), scramble=True, seed=seed)
        self.points, self.values, self.pending = [], [], {}
        self.asked = 0

    def ask(self):
        if self.asked == 0:
            unit = self.torch.full((len(self.rows),), 0.5, dtype=self.torch.double)
        elif len(self.values) < 5:
            unit = self.sobol.draw(1, dtype=self.torch.double)[0]
        else:
            unit = self.model_point()
        self.asked += 1
        self.pending[self.asked] = unit
        return self.asked, {name: convert(low + (high - low) * u) for (name, low, high, convert), u in zip(self.rows, unit.tolist())}

    def model_point(self):
        from botorch.acquisition import qLogNoisyExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.optim import optimize_acqf
        from gpytorch.mlls import ExactMarginalLogLikelihood
        x = self.torch.stack(self.points)
        model = SingleTaskGP(x, -self.torch.tensor(self.values, dtype=self.torch.double)[:, None])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        pending = self.torch.stack(list(self.pending.values())) if self.pending else None
        acquisition = qLogNoisyExpectedImprovement(model, x, X_pending=pending, prune_baseline=True)
        bounds = self.torch.tensor([[0.0], [1.0]], dtype=self.torch.double).repeat(1, len(self.rows))
        return optimize_acqf(acquisition, bounds, q=1, num_restarts=20, raw_samples=1024)[0][0]

    def tell(self, handle, value):
        unit = self.pending.pop(handle)
        if value is not None:
            self.points.append(unit)
            self.values.append(value)

    def close(self):
        pass


class Smac:
    """SMAC's facade for hyperparameters (random forest), asked and told; failed trials are told as crashed.

    Its forest cannot learn from the infinite cost that a crash has by default, so a crash costs the worst value so far.
    """

    def __init__(self, parameters, seed, trials):
        from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, InCondition, Integer
        from smac import HyperparameterOptimizationFacade, Scenario
        space = ConfigurationSpace(seed=seed)
        self.reverse = {name for name, p in parameters.items() if p.get("scale") == "reverse_log"}
        made = {}
        for name, p in parameters.items():
            log = p.get("scale") == "log"
            if p["type"] == "categorical":
                made[name] = Categorical(name, p["values"])
            elif name in self.reverse:
                made[name] = Float(name, (1 - p["max"], 1 - p["min"]), log=True)
            elif p["type"] == "float":
                made[name] = Float(name, (p["min"], p["max"]), log=log)
            elif "step" in p:
                made[name] = Categorical(name, list(range(p["min"], p["max"] + 1, p["step"])), ordered=True)
            else:
                made[name] = Integer(name, (p["min"], p["max"]), log=log)
        space.add(*made.values())
        for name, p in parameters.items():
            for parent, wanted in p.get("when", {}).items():
                many = isinstance(wanted, list)
                space.add((InCondition if many else EqualsCondition)(made[name], made[parent], wanted))
        self.worst = -np.inf
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(space, n_trials=trials, seed=seed, output_directory=pathlib.Path(self.folder.name), deterministic=True)
        self.facade = HyperparameterOptimizationFacade(scenario, lambda config, seed: 0.0, logging_level=50, overwrite=True)

    def ask(self):
        trial = self.facade.ask()
        plain = {name: getattr(value, "item", lambda value=value: value)() for name, value in dict(trial.config).items()}
        return trial, {name: 1 - value if name in self.reverse else value for name, value in plain.items()}

    def tell(self, handle, value):
        from smac.runhistory import StatusType, TrialValue
        if value is not None:
            self.worst = max(self.worst, value)
            self.facade.tell(handle, TrialValue(cost=value))
        else:
            cost = self.worst if np.isfinite(self.worst) else 1.0
            self.facade.tell(handle, TrialValue(cost=cost, status=StatusType.CRASHED))

    def close(self):
        self.folder.cleanup()


class Skopt:
    """scikit-optimize's Optimizer; pending points are lied about with the least value, as its own parallel mode does."""

    def __init__(self, parameters, seed):
        import skopt
        self.parameters = parameters
        dimensions = []
        for name, p in parameters.items():
            prior = "log-uniform" if p.get("scale") == "log" else "uniform"
            if p["type"] == "categorical":
                dimensions.append(skopt.space.Categorical(p["values"], name=name))
            elif p.get("scale") == "reverse_log":
                dimensions.append(skopt.space.Real(1 - p["max"], 1 - p["min"], prior="log-uniform", name=name))
            else:
                kind = skopt.space.Real if p["type"] == "float" else skopt.space.Integer
                dimensions.append(kind(p["min"], p["max"], prior=prior, name=name))
        self.optimizer = skopt.Optimizer(dimensions, random_state=seed)
        self.pending = {}
        self.asked = 0

    def ask(self):
        optimizer = self.optimizer
        if self.pending and optimizer.yi and not optimizer._n_initial_points > 0:
            optimizer = optimizer.copy(random_state=self.asked)
            optimizer.tell(list(self.pending.values()), [min(optimizer.yi)] * len(self.pending))
        point = optimizer.ask()
        self.asked += 1
        self.pending[self.asked] = point
        chosen = {}
        for (name, p), value in zip(self.parameters.items(), point):
            value = getattr(value, "item", lambda value=value: value)()
            chosen[name] = 1 - value if p.get("scale") == "reverse_log" else value
        return self.asked, chosen

    def tell(self, handle, value):
        point = self.pending.pop(handle)
        if value is not None:
            self.optimizer.tell(point, value)

    def close(self):
        pass


OURS = {"auto": "auto", "bayesian": "bayesian", "tpe": "tpe"}
OPTUNA = {"optuna-tpe": "TPESampler", "optuna-gp": "GPSampler", "optuna-cma": "CmaEsSampler", "random": "RandomSampler"}


def make(name, program, parameters, seed, trials, workers):
    if name in OURS:
        return Ours(program, name, parameters, seed, trials, workers)
    if name in OPTUNA:
        return Optuna(OPTUNA[name], parameters, seed)
    if name == "botorch":
        return BoTorch(parameters, seed)
    if name == "smac":
        return Smac(parameters, seed, trials)
    return Skopt(parameters, seed)
