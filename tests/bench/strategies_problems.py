"""The functions that the benchmark of the strategies minimises: known ones, others held out, with their optima.

A search space is written as in the `parameters` of a spec, so that one description serves every tuner.
"""
import dataclasses
import math
from collections.abc import Callable

import numpy as np


class TrialFailed(Exception):
    """This point cannot be trained: out of memory, or diverged. Its text is the reason."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """A function to minimise. `optimum` is its least value, or None where nobody knows it; `noise` a standard deviation."""
    name: str
    parameters: dict
    evaluate: Callable[[dict], float]
    optimum: float | None
    noise: float = 0.0

    def noisy(self, noise):
        return dataclasses.replace(self, name=self.name + "-noisy", noise=noise)


def box(*bounds):
    """Float parameters x1, x2, ... on a linear scale."""
    return {f"x{i + 1}": {"type": "float", "min": low, "max": high} for i, (low, high) in enumerate(bounds)}


def of_vector(function):
    return lambda parameters: float(function(np.array([parameters[f"x{i + 1}"] for i in range(len(parameters))])))


def branin(x):
    a = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return a**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN3 = (
    np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]]),
    1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]))
HARTMANN6 = (
    np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]),
    1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]))


def hartmann(tables):
    steepness, centres = tables
    return lambda x: -HARTMANN_WEIGHTS @ np.exp(-(steepness * (x - centres) ** 2).sum(1))


def ackley(x):
    return -20 * math.exp(-0.2 * math.sqrt((x**2).mean())) - math.exp(np.cos(2 * math.pi * x).mean()) + 20 + math.e


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def levy(x):
    w = 1 + (x - 1) / 4
    inner = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)).sum()
    return math.sin(math.pi * w[0]) ** 2 + inner + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)


def styblinski_tang(x):
    return 0.5 * (x**4 - 16 * x**2 + 5 * x).sum()


# The standard deviations are about a tenth of what the function varies by over its space, less where it is skewed.
KNOWN = [
    (Problem("branin", box((-5, 10), (0, 15)), of_vector(branin), 0.3978873577), 3.0),
    (Problem("hartmann3", box(*[(0, 1)] * 3), of_vector(hartmann(HARTMANN3)), -3.8627797869), 0.1),
    (Problem("hartmann6", box(*[(0, 1)] * 6), of_vector(hartmann(HARTMANN6)), -3.3223680114), 0.1),
    (Problem("ackley5", box(*[(-32.768, 32.768)] * 5), of_vector(ackley), 0.0), 0.5),
    (Problem("rosenbrock4", box(*[(-5, 10)] * 4), of_vector(rosenbrock), 0.0), 30.0),
    (Problem("levy8", box(*[(-10, 10)] * 8), of_vector(levy), 0.0), 3.0),
    (Problem("styblinski5", box(*[(-5, 5)] * 5), of_vector(styblinski_tang), -39.16616570377 * 5), 5.0),
]


def known():
    return [problem for problem, _ in KNOWN] + [problem.noisy(noise) for problem, noise in KNOWN]


# Held-out functions. Those whose least value is in the centre of their space are shifted, for a tuner that starts there.

def shift_of(name, dimensions, half_width):
    seed = sum(ord(letter) * 31**i for i, letter in enumerate(name))
    return np.random.default_rng(seed).uniform(-0.6, 0.6, dimensions) * half_width


def shifted(name, function, dimensions, half_width):
    shift = shift_of(name, dimensions, half_width)
    return Problem(name, box(*[(-half_width, half_width)] * dimensions), of_vector(lambda x: function(x - shift)), 0.0)


def rastrigin(x):
    return (x**2 - 10 * np.cos(2 * math.pi * x) + 10).sum()


def griewank(x):
    return (x**2).sum() / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, len(x) + 1)))) + 1


def michalewicz(x):
    return -(np.sin(x) * np.sin(np.arange(1, len(x) + 1) * x**2 / math.pi) ** 20).sum()


def schwefel(x):
    return 418.9828872724338 * len(x) - (x * np.sin(np.sqrt(np.abs(x)))).sum()


def rotated_ellipsoid(dimensions):
    rotation, _ = np.linalg.qr(np.random.default_rng(11).standard_normal((dimensions, dimensions)))
    axes = 10 ** (3 * np.arange(dimensions) / (dimensions - 1))
    return lambda x: (axes * (rotation @ x) ** 2).sum()


def different_powers(x):
    return math.sqrt((np.abs(x) ** (2 + 4 * np.arange(len(x)) / (len(x) - 1))).sum())


LEARNING_CURVE = {
    "learning_rate": {"type": "float", "min": 1e-6, "max": 1e-1, "scale": "log"},
    "weight_decay": {"type": "float", "min": 1e-6, "max": 1e-1, "scale": "log"},
    "warmup": {"type": "float", "min": 0.0, "max": 0.5},
    "dropout": {"type": "float", "min": 0.0, "max": 0.6},
    "batch_size": {"type": "int", "min": 4, "max": 256, "scale": "log"},
}


def learning_rate_cliff(p):
    """A validation loss: slow on the left of the best learning rate, a cliff on its right that warm-up moves."""
    best = -3.2 + 0.5 * math.log10(p["batch_size"] / 32)
    too_high = math.log10(p["learning_rate"]) - best
    cliff = too_high - 0.6 - p["warmup"]
    loss = 0.06 * too_high**2 + (1.5 / (1 + math.exp(-12 * cliff)))
    loss += 0.03 * (math.log10(p["weight_decay"]) + 2.5) ** 2 * (1.1 - p["dropout"])
    return loss + 0.5 * (p["dropout"] - 0.15) ** 2 + 0.15 * (p["warmup"] - 0.08) ** 2 + 0.02 * math.log2(p["batch_size"] / 32) ** 2


ADAPTERS = {
    "learning_rate": {"type": "float", "min": 1e-5, "max": 1e-2, "scale": "log"},
    "rank": {"type": "int", "min": 1, "max": 128, "scale": "log"},
    "layers": {"type": "int", "min": 1, "max": 12},
    "schedule": {"type": "categorical", "values": ["constant", "linear", "cosine"]},
    "momentum": {"type": "float", "min": 0.5, "max": 0.999, "scale": "reverse_log"},
    "augment": {"type": "categorical", "values": [False, True]},
}


def adapters(p):
    """An error rate: best with many layers at a rank that falls with them; the schedule shifts the learning rate."""
    best = {"constant": -3.6, "linear": -3.2, "cosine": -3.1}[p["schedule"]] - 0.02 * p["layers"]
    off = math.log10(p["learning_rate"]) - best
    error = 0.1 * off**2 * (2 if off > 0 else 1) + {"constant": 0.04, "linear": 0.01, "cosine": 0.0}[p["schedule"]]
    error += 0.01 * (math.log2(p["rank"]) - (6 - 0.25 * p["layers"])) ** 2 + 0.002 * (p["layers"] - 9) ** 2
    return error + 0.05 * (math.log10(1 - p["momentum"]) + 1.3) ** 2 + (0.0 if p["augment"] else 0.03)


def adapters_optimum():
    return min(adapters({"learning_rate": 10 ** (-3.1 - 0.02 * layers), "rank": rank, "layers": layers, "schedule": "cosine",
                         "momentum": 1 - 10**-1.3, "augment": True}) for rank in range(1, 129) for layers in range(1, 13))


def cliff_optimum():
    """By a fine search around the point where the penalties vanish; the cliff leaves a little on each."""
    from scipy.optimize import minimize

    def loss(v, batch):
        return learning_rate_cliff({"learning_rate": 10 ** v[0], "weight_decay": 10 ** v[1], "warmup": v[2], "dropout": v[3],
                                    "batch_size": batch})
    bounds = [(-6, -1), (-6, -1), (0, 0.5), (0, 0.6)]
    return min(minimize(loss, (-3.3, -2.5, 0.1, 0.15), (batch,), "L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-10}).fun
               for batch in range(20, 45))


def held_out():
    return [
        shifted("rastrigin6", rastrigin, 6, 5.12),
        shifted("griewank5", griewank, 5, 60.0),
        Problem("michalewicz5", box(*[(0, math.pi)] * 5), of_vector(michalewicz), -4.687658179),
        Problem("schwefel4", box(*[(-500, 500)] * 4), of_vector(schwefel), 0.0),
        shifted("ellipsoid6", rotated_ellipsoid(6), 6, 5.0),
        shifted("powers6", different_powers, 6, 2.0),
        Problem("cliff5", LEARNING_CURVE, learning_rate_cliff, cliff_optimum(), 0.003),
        Problem("adapters6", ADAPTERS, adapters, adapters_optimum(), 0.003),
    ]
