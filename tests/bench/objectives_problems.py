"""Problems of two objectives, both minimised, whose fronts are known: ZDT1 to ZDT3, DTLZ2 and DTLZ7, with six parameters.

Zitzler, Deb and Thiele, "Comparison of Multiobjective Evolutionary Algorithms", Evolutionary Computation 8(2), 2000; Deb, Thiele,
Laumanns and Zitzler, "Scalable Test Problems for Evolutionary Multiobjective Optimization", 2005.
"""
import dataclasses
import math
from collections.abc import Callable

import numpy as np

DIMENSIONS = 6


@dataclasses.dataclass(frozen=True)
class Problem:
    """`front` gives points of the true front, densely; `reference` bounds the area that counts."""
    name: str
    evaluate: Callable[[np.ndarray], tuple]
    front: Callable[[], list]
    reference: tuple
    parameters: dict = dataclasses.field(
        default_factory=lambda: {f"x{i + 1}": {"type": "float", "min": 0, "max": 1} for i in range(DIMENSIONS)})

    def __call__(self, parameters):
        return tuple(float(v) for v in self.evaluate(np.array([parameters[name] for name in self.parameters])))

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


def problems():
    others = np.zeros(DIMENSIONS - 1)
    made = [Problem(name, zdt(shape), along(lambda t, shape=shape: (t, shape(t, 1.0))), (11.0, 11.0))
            for name, shape in (("zdt1", zdt1), ("zdt2", zdt2), ("zdt3", zdt3))]
    made.append(Problem("dtlz2", dtlz2, along(lambda t: (math.cos(t * math.pi / 2), math.sin(t * math.pi / 2))), (1.1, 1.1)))
    made.append(Problem("dtlz7", dtlz7, along(lambda t: dtlz7(np.concatenate([[t], others]))), (15.0, 15.0)))
    return made
