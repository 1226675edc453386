"""The time of one suggestion, ours beside Optuna's: 6 floats, seven trials pending, refits counted in.

Each tuner makes its ten suggestions in a row: in turns, each would also pay for the caches that the others filled.
"""
import json
import time

import numpy as np

from strategies_problems import box, of_vector, rosenbrock
from strategies_tuners import OPTUNA, Optuna, Ours

PARAMETERS = box(*[(-5, 10)] * 6)
SIZES = (100, 500, 1000, 2000)
PENDING = 7
SUGGESTIONS = 10
PATIENCE_S = 60.0  # for one tuner at one size: GPSampler takes ten seconds a suggestion at 2000

value_of = of_vector(rosenbrock)


def history(count):
    """Points as a search leaves them: half all over the space, half around the best."""
    rng = np.random.default_rng(5)
    points = rng.uniform(-5, 10, (count, 6))
    near = np.clip(1 + 1.5 * rng.standard_normal((count, 6)), -5, 10)
    points[::2] = near[::2]
    return [dict(zip(PARAMETERS, map(float, point))) for point in points]


class Subject:
    """A tuner with a history, and trials pending. Counts wall time, and time on a processor, of its suggestions alone."""

    def __init__(self, name, program, count):
        self.name, self.wall, self.processor = name, [], []
        points = history(count + PENDING)
        if name in OPTUNA:
            self.clock = time.CLOCK_PROCESS_CPUTIME_ID
            self.tuner = Optuna(OPTUNA[name], PARAMETERS, 1)
            self.with_optuna(points, count)
        else:
            self.tuner = Ours(program, name, PARAMETERS, 1, count + 200, PENDING + 1, points)
            # The processor clock of another process, as clock_getcpuclockid(3) makes it.
            self.clock = (~self.tuner.process.pid << 3) | 2
            asked = [self.tuner.ask() for _ in points]
            for handle, parameters in asked[:count]:
                self.tuner.tell(handle, value_of(parameters))
            self.pending = asked[count:]
        self.suggest()
        self.first_wall, self.first_processor = self.wall.pop(), self.processor.pop()

    def with_optuna(self, points, count):
        optuna = self.tuner.optuna
        floats = {name: optuna.distributions.FloatDistribution(p["min"], p["max"]) for name, p in PARAMETERS.items()}
        self.tuner.study.add_trials([optuna.trial.create_trial(params=point, distributions=floats, value=value_of(point))
                                     for point in points[:count]])
        for point in points[count:]:
            self.tuner.study.enqueue_trial(point)
        self.pending = [self.tuner.ask() for _ in points[count:]]

    def suggest(self):
        wall, processor = time.perf_counter(), time.clock_gettime(self.clock)
        asked = self.tuner.ask()
        self.processor.append(time.clock_gettime(self.clock) - processor)
        self.wall.append(time.perf_counter() - wall)
        self.pending.append(asked)
        handle, parameters = self.pending.pop(0)
        self.tuner.tell(handle, value_of(parameters))

    def impatient(self):
        return len(self.wall) >= 3 and sum(self.processor) > PATIENCE_S

    def result(self):
        def ms(seconds):
            return round(1000 * float(seconds), 2)
        return {"processor_ms": ms(np.mean(self.processor)), "wall_ms": ms(np.mean(self.wall)), "worst_wall_ms": ms(max(self.wall)),
                "first_wall_ms": ms(self.first_wall), "worst_processor_ms": ms(max(self.processor)),
                "first_processor_ms": ms(self.first_processor), "suggestions": len(self.wall)}


def measure(program, path, names=("bayesian", "optuna-gp", "tpe", "optuna-tpe", "auto")):
    results = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    for count in SIZES:
        for name in names:
            subject = Subject(name, program, count)
            while len(subject.wall) < SUGGESTIONS and not subject.impatient():
                subject.suggest()
            subject.tuner.close()
            results.setdefault(subject.name, {})[str(count)] = subject.result()
            print(f"time {subject.name} {count}: {subject.result()}", flush=True)
        # After each size: the last one is by far the longest, and a cut run keeps the others.
        path.write_text(json.dumps(results, indent=1) + "\n")
