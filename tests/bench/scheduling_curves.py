"""The problems on which the stop rules are compared: recorded learning curves, and functions with fidelities.

A problem has one length for all trainings, `steps`. `training(parameters)` gives what each step reports and the seconds since
the beginning; lower is better.
"""
import json
import zlib

import numpy as np

from bench_support import RESULTS
from strategies_problems import HARTMANN3, HARTMANN6, HARTMANN_WEIGHTS, box

CURVES = RESULTS / "scheduling" / "curves"


def at(p, u):
    """The value of a parameter at u of [0, 1) of its scale."""
    if p["type"] == "categorical":
        return p["values"][min(int(u * len(p["values"])), len(p["values"]) - 1)]
    low, high = of_scale(p, p["min"]), of_scale(p, p["max"])
    moved = low + u * (high - low)
    scale = p.get("scale", "linear")
    value = np.exp(moved) if scale == "log" else 1 - np.exp(-moved) if scale == "reverse_log" else moved
    value = min(max(value, p["min"]), p["max"])
    return int(round(value)) if p["type"] == "int" else float(value)


def of_scale(p, value):
    scale = p.get("scale", "linear")
    return np.log(value) if scale == "log" else -np.log(1 - value) if scale == "reverse_log" else value


def place(parameters, point):
    """Where a point is in the unit cube; a categorical parameter has a coordinate for each value, so two values differ by 1."""
    found = []
    for name, p in parameters.items():
        if p["type"] == "categorical":
            found += [np.sqrt(0.5) * (point[name] == value) for value in p["values"]]
        else:
            low, high = of_scale(p, p["min"]), of_scale(p, p["max"])
            found.append((of_scale(p, point[name]) - low) / (high - low))
    return np.array(found, float)


def sobol(parameters, count):
    from scipy.stats import qmc
    units = qmc.Sobol(len(parameters), scramble=True, rng=11).random(2 ** int(np.ceil(np.log2(count))))[:count]
    return [{name: at(p, u) for (name, p), u in zip(parameters.items(), unit)} for unit in units]


class Recorded:
    """A table of trainings. What is proposed is answered by the nearest recorded configuration in the unit cube."""

    only_ends_count = False

    def __init__(self, path):
        with np.load(path) as file:
            about = json.loads(file["about"].tobytes())
            self.values = np.minimum.accumulate(file["values"].astype(float), axis=1)
            self.seconds = file["seconds"].astype(float)
        self.name, self.parameters, self.origin = path.stem, about["parameters"], about["origin"]
        self.steps = self.values.shape[1]
        self.places = np.array([place(self.parameters, dict(zip(self.parameters, point))) for point in about["points"]])
        self.full_seconds = float(self.seconds[:, -1].mean())

    def training(self, parameters):
        row = int(((self.places - place(self.parameters, parameters)) ** 2).sum(1).argmin())
        return self.values[row], self.seconds[row]


class FidelityHartmann:
    """Hartmann's functions with fidelities, as in mf-prior-bench: bias moves the weights, noise is added, both vanish at the end.

    A step is a fidelity, z from 100 / 27 to 100; only the last one is the function itself.
    """

    only_ends_count = True
    steps = 27

    def __init__(self, name, tables, bias, noise):
        self.name, self.bias, self.noise, self.origin = name, bias, noise, "formula"
        self.steepness, self.centres = tables
        self.parameters = box(*[(0, 1)] * self.steepness.shape[1])
        step = np.arange(1, self.steps + 1)
        self.lack = 1 - np.log(step) / np.log(self.steps)
        self.cost = 0.05 + 0.95 * (step / self.steps) ** 2
        self.full_seconds = 1.0

    def training(self, parameters):
        x = np.array([parameters[name] for name in self.parameters])
        humps = np.exp(-(self.steepness * (x - self.centres) ** 2).sum(1))
        weights = HARTMANN_WEIGHTS - self.bias * self.lack[:, None]
        # The noise belongs to the point, so that it is the same for whoever proposes it.
        rng = np.random.default_rng(zlib.crc32(x.tobytes()))
        return -weights @ humps + self.noise * self.lack * np.abs(rng.standard_normal(self.steps)), self.cost


def fidelity_functions():
    """Bias and noise of mf-prior-bench's `bad` (its order of points tells little) and `terrible` (it misleads)."""
    return [FidelityHartmann(f"hartmann{len(tables[1][0])}-{name}", tables, bias, noise)
            for name, bias, noise in (("low", 3.5, 4.0), ("misleading", 4.0, 5.0)) for tables in (HARTMANN3, HARTMANN6)]


def problems():
    return [Recorded(path) for path in sorted(CURVES.glob("*.npz"))] + fidelity_functions()
