"""One face for every tuner of two objectives: ask() gives (handle, parameters), tell(handle, values) takes both, to be minimised."""
import numpy as np

from scheduling_curves import at
from strategies_tuners import Ours, Optuna


def point(problem, unit):
    """The parameters at a point of the unit cube."""
    return {name: at(p, u) for (name, p), u in zip(problem.parameters.items(), unit)}


class OursOfTwo(Ours):
    """`tune ask-tell` with two objectives."""

    def __init__(self, program, strategy, problem, seed, trials):
        super().__init__(program, strategy, problem.parameters, seed, trials, 1)

    def spec(self, strategy, parameters, seed, trials, workers):
        spec = super().spec(strategy, parameters, seed, trials, workers)
        del spec["objective"]
        return spec | {"objectives": [{"metric": "first", "goal": "minimize"}, {"metric": "second", "goal": "minimize"}]}

    def tell(self, handle, values):
        self.line({"tell": {"trial": handle, "values": list(values)}})


class OptunaOfTwo(Optuna):
    """Optuna's samplers on their defaults, with two directions."""

    def __init__(self, sampler, problem, seed):
        super().__init__(sampler, problem.parameters, seed)
        self.study = self.optuna.create_study(sampler=getattr(self.optuna.samplers, sampler)(seed=seed),
                                              directions=["minimize", "minimize"])

    def tell(self, handle, values):
        self.study.tell(handle, list(values))


class BoTorchOfTwo:
    """qLogNoisyExpectedHypervolumeImprovement on a ModelListGP of two SingleTaskGPs, as BoTorch's tutorial has them.

    It is told the reference point, as there; the others are not.
    """

    def __init__(self, problem, seed):
        import torch
        self.torch = torch
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        self.problem = problem
        self.sobol = torch.quasirandom.SobolEngine(len(problem.parameters), scramble=True, seed=seed)
        self.points, self.values = [], []

    def ask(self):
        # 2 (d + 1), the tutorial's number.
        begun = len(self.points) >= 2 * (len(self.problem.parameters) + 1)
        unit = self.model_point() if begun else self.sobol.draw(1, dtype=self.torch.double)[0]
        return unit, point(self.problem, unit.tolist())

    def model_point(self):
        from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import ModelListGP, SingleTaskGP
        from botorch.optim import optimize_acqf
        from gpytorch.mlls import SumMarginalLogLikelihood
        x, y = self.torch.stack(self.points), -self.torch.tensor(self.values, dtype=self.torch.double)
        model = ModelListGP(*(SingleTaskGP(x, y[:, i:i + 1]) for i in range(2)))
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        acquisition = qLogNoisyExpectedHypervolumeImprovement(
            model, ref_point=[-bound for bound in self.problem.reference], X_baseline=x, prune_baseline=True)
        bounds = self.torch.tensor([[0.0], [1.0]], dtype=self.torch.double).repeat(1, x.shape[1])
        return optimize_acqf(acquisition, bounds, q=1, num_restarts=10, raw_samples=512)[0][0]

    def tell(self, handle, values):
        self.points.append(handle)
        self.values.append(values)

    def close(self):
        pass


class Random:
    def __init__(self, problem, seed):
        self.problem, self.generator = problem, np.random.default_rng(seed)

    def ask(self):
        return None, point(self.problem, self.generator.random(len(self.problem.parameters)))

    def tell(self, handle, values):
        pass

    def close(self):
        pass


OURS = ("auto", "tpe")
OPTUNA = {"optuna-tpe": "TPESampler", "optuna-gp": "GPSampler", "optuna-nsga2": "NSGAIISampler"}
PEERS = (*OPTUNA, "botorch", "random")


def make(name, program, problem, seed, trials):
    if name in OURS:
        return OursOfTwo(program, name, problem, seed, trials)
    if name in OPTUNA:
        return OptunaOfTwo(OPTUNA[name], problem, seed)
    return BoTorchOfTwo(problem, seed) if name == "botorch" else Random(problem, seed)
