"""Problems of two objectives, both minimised, whose fronts are known: ZDT1 to ZDT3, DTLZ2 and DTLZ7, with six parameters, and the
loss against the time of recorded trainings.

Zitzler, Deb and Thiele, "Comparison of Multiobjective Evolutionary Algorithms", Evolutionary Computation 8(2), 2000; Deb, Thiele,
Laumanns and Zitzler, "Scalable Test Problems for Evolutionary Multiobjective Optimization", 2005.
"""
import dataclasses
import math
from collections.abc import Callable

import numpy as np

from scheduling_curves import CURVES, Recorded

DIMENSIONS = 6
# Of the trainings that the benchmark of scheduling has: scikit-learn's random forest and perceptron, and LightGBM.
RECORDED = ("forest-digits", "mlp-quantiles", "lgb-digits")


@dataclasses.dataclass(frozen=True)
class Problem:
    """`evaluate` takes the parameters; `front` gives points of the true front, densely; `reference` bounds the area that counts."""
    name: str
    evaluate: Callable[[dict], tuple]
    front: Callable[[], list]
    reference: tuple
    parameters: dict = dataclasses.field(
        default_factory=lambda: {f"x{i + 1}": {"type": "float", "min": 0, "max": 1} for i in range(DIMENSIONS)})

    def __call__(self, parameters):
        return tuple(float(v) for v in self.evaluate(parameters))

    @property
    def largest(self):
        """The hypervolume of the true front."""
        return hypervolume(self.front(), self.reference)


def hypervolume(points, reference):
    """The area that the points dominate within the reference."""
    area, ceiling = 0.0, reference[1]
    for first, second in sorted(points):
        if first < reference[0] and second < ceiling:
            area += (reference[0] - first) * (ceiling - second)
            ceiling = second
    return area


def zdt(shape):
    def evaluate(x):
        g = 1 + 9 * x[1:].mean()
        return x[0], g * shape(x[0], g)

    return evaluate


def zdt1(first, g):
    return 1 - math.sqrt(first / g)


def zdt2(first, g):
    return 1 - (first / g) ** 2


def zdt3(first, g):
    return 1 - math.sqrt(first / g) - first / g * math.sin(10 * math.pi * first)


def dtlz2(x):
    radius = 1 + ((x[1:] - 0.5) ** 2).sum()
    return radius * math.cos(x[0] * math.pi / 2), radius * math.sin(x[0] * math.pi / 2)


def dtlz7(x):
    g = 1 + 9 * x[1:].mean()
    return x[0], (1 + g) * (2 - x[0] / (1 + g) * (1 + math.sin(3 * math.pi * x[0])))


def along(function):
    """The front of problems whose other parameters are at their best: one parameter runs along it."""
    return lambda: [function(t) for t in np.linspace(0, 1, 20_001)]


def of_unit(function):
    """Evaluates a function of the unit cube at named parameters."""
    return lambda parameters: function(np.array(list(parameters.values())))


def loss_and_time(name):
    """The loss at the end and the seconds of a recorded training; the worst tenth of both is out of bounds."""
    recorded = Recorded(CURVES / f"{name}.npz")
    ends = list(zip(recorded.values[:, -1], recorded.seconds[:, -1]))

    def evaluate(parameters):
        values, seconds = recorded.training(parameters)
        return values[-1], seconds[-1]

    return Problem(name, evaluate, lambda: ends, tuple(np.quantile(ends, 0.9, axis=0)), recorded.parameters)


def problems():
    others = np.zeros(DIMENSIONS - 1)
    made = [Problem(name, of_unit(zdt(shape)), along(lambda t, shape=shape: (t, shape(t, 1.0))), (11.0, 11.0))
            for name, shape in (("zdt1", zdt1), ("zdt2", zdt2), ("zdt3", zdt3))]
    made.append(Problem("dtlz2", of_unit(dtlz2), along(lambda t: (math.cos(t * math.pi / 2), math.sin(t * math.pi / 2))), (1.1, 1.1)))
    made.append(Problem("dtlz7", of_unit(dtlz7), along(lambda t: dtlz7(np.concatenate([[t], others]))), (15.0, 15.0)))
    return made + [loss_and_time(name) for name in RECORDED]
