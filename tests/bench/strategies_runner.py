"""Runs a tuner on a problem with simulated workers, and keeps what came of it in files, so that a cut run goes on."""
import hashlib
import heapq
import json
import zlib

import numpy as np

from bench_support import RESULTS
from strategies_problems import TrialFailed

KEPT = RESULTS / "strategies"
CHECKPOINTS = {20: (5, 10, 20), 50: (10, 20, 50), 100: (10, 20, 50, 100), 128: (8, 32, 64, 128)}


class Progress:
    """The best value so far, without noise, after each trial that ended, and how many failed."""

    def __init__(self, worst):
        self.best, self.trace, self.failed = worst, [], 0

    def ended(self, value):
        if value is None:
            self.failed += 1
        else:
            self.best = min(self.best, value)
        self.trace.append(self.best)


def evaluated(problem, parameters):
    try:
        value = problem.evaluate(parameters)
    except TrialFailed:
        return None
    return value if np.isfinite(value) else None


def simulate(problem, tuner, trials, workers, seed):
    """Asynchronous workers. Run times and noise belong to the seed and the trial's number, so they are alike for all tuners."""
    rng = np.random.default_rng([seed, zlib.crc32(problem.name.encode()), workers])
    run_times = rng.lognormal(0.0, 0.5, trials)
    noise = problem.noise * rng.standard_normal(trials)
    progress = Progress(np.inf)
    running, now = [], 0.0
    for number in range(trials + workers):
        if len(running) == workers or (number >= trials and running):
            now, ended, handle, value = heapq.heappop(running)
            tuner.tell(handle, None if value is None else value + noise[ended])
            progress.ended(value)
        if number < trials:
            handle, parameters = tuner.ask()
            heapq.heappush(running, (now + run_times[number], number, handle, evaluated(problem, parameters)))
    return progress


def rounds(problem, tuner, count, size):
    """As in the NeurIPS 2020 black-box challenge: batches of one size, told when the whole batch has ended."""
    progress, values = Progress(np.inf), []
    for _ in range(count):
        batch = [tuner.ask() for _ in range(size)]
        for handle, parameters in batch:
            value = evaluated(problem, parameters)
            tuner.tell(handle, value)
            progress.ended(value)
            values.append(value)
    return progress, values


class Kept:
    """The results of one tuner in one part: a first line with its version, then a line for each run.

    A file made by another version is begun anew, and a run that is in the file is not made again.
    """

    def __init__(self, part, tuner, version):
        self.path = KEPT / f"{part}-{tuner}.jsonl"
        head, self.runs = read(self.path)
        if head.get("version") != version:
            self.runs = {}
            KEPT.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps({"version": version}) + "\n")

    def has(self, problem, workers, seed):
        return (problem, workers, seed) in self.runs

    def add(self, problem, workers, seed, **rest):
        self.runs[(problem, workers, seed)] = rest
        with self.path.open("a") as file:
            file.write(json.dumps({"problem": problem, "workers": workers, "seed": seed, **rest}) + "\n")


def read(path):
    """(head, {(problem, workers, seed): run}) of a file of results; empty ones where there is none."""
    if not path.exists():
        return {}, {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return lines[0], {(run["problem"], run["workers"], run["seed"]): run for run in lines[1:]}


def version_of_program(program):
    return "sha256 " + hashlib.sha256(program.read_bytes()).hexdigest()[:16]


def short(value):
    return float(f"{value:.5g}") if np.isfinite(value) else None


def summary(problem, progress, trials):
    floor = problem.optimum or 0.0
    return {"regret": [short(progress.trace[n - 1] - floor) for n in CHECKPOINTS[trials]], "failed": progress.failed}
