"""Runs a tuner on simulated workers with a virtual clock, and keeps what came of it in files, so that a cut run goes on."""
import dataclasses
import heapq
import itertools
import json
import time

import numpy as np

from scheduling_tuners import make

WORKERS = 8
TRIALS = 20  # of the unstopped search: their best loss and their device time, medians over the seeds, are target and unit
BUDGET = 2.0  # in that unit
UNSTOPPED_BUDGET = 3.0  # of the unstopped search itself, in its own unit, which the seed may make shorter
# Peers whose models take a second and more a suggestion: a run of theirs ends after the first unit of device time, or when their
# thinking has lasted this long.
SLOW = ("syne-mobster", "syne-hypertune")
SLOW_BUDGET, PATIENCE_S = 1.0, 120.0


@dataclasses.dataclass
class Training:
    values: np.ndarray
    seconds: np.ndarray
    step: int = 0

    def next_step_takes(self):
        return self.seconds[self.step] - (self.seconds[self.step - 1] if self.step else 0.0)


class Simulation:
    """Workers that train for as long as the recorded trainings did; the tuner's own thinking takes no time on this clock.

    Device time is that of the workers that train, all added up. `any` are the improvements (device time, loss) by what trainings
    report, `ended` those by completed trainings alone.
    """

    def __init__(self, problem, tuner, workers):
        self.problem, self.tuner, self.workers = problem, tuner, workers
        self.clock = self.device = self.spent = 0.0
        self.any, self.ended = [], []
        self.counts = {"completed": 0, "stopped": 0, "paused": 0, "resumed": 0}
        self.trainings, self.running = [], []
        self.by_handle, self.order = {}, itertools.count()

    def timed(self, call, *arguments):
        begin = time.process_time()
        answer = call(*arguments)
        self.spent += time.process_time() - begin
        return answer

    def schedule(self, handle):
        training = self.by_handle[handle]
        heapq.heappush(self.running, (self.clock + training.next_step_takes(), next(self.order), handle))

    def fill(self):
        while len(self.running) < self.workers:
            asked = self.timed(self.tuner.ask)
            if asked is None:
                return
            handle, parameters = asked
            if parameters is None:
                self.counts["resumed"] += 1
            else:
                self.by_handle[handle] = Training(*self.problem.training(parameters))
                self.trainings.append(self.by_handle[handle])
            self.schedule(handle)

    def saw(self, improvements, value):
        if not improvements or value < improvements[-1][1]:
            improvements.append((self.device, value))

    def next_event(self):
        """One step of one training ends. False where nothing runs."""
        if not self.running:
            return False
        now, _, handle = heapq.heappop(self.running)
        self.device += (now - self.clock) * (len(self.running) + 1)
        self.clock = now
        training = self.by_handle[handle]
        value, took = float(training.values[training.step]), float(training.seconds[training.step])
        training.step += 1
        is_over = training.step == self.problem.steps
        if is_over or not self.problem.only_ends_count:
            self.saw(self.any, value)
        decision = self.timed(self.tuner.report, handle, training.step, value, took)
        how = "completed" if is_over else {"continue": None, "stop": "stopped", "pause": "paused"}[decision]
        if how is None:
            self.schedule(handle)
            return True
        if is_over:
            self.saw(self.ended, value)
        self.counts[how] += 1
        self.timed(self.tuner.ended, handle, how, value)
        return True

    def run_unstopped(self):
        """Until three times the device time of the first trials, whose {"value", "seconds"} it returns."""
        while True:
            self.fill()
            self.next_event()
            begun = self.trainings[:TRIALS]
            if len(begun) == TRIALS and all(training.step == self.problem.steps for training in begun):
                # Alone: without what had begun beside the last of them.
                seconds = sum(float(training.seconds[-1]) for training in begun)
                self.run(UNSTOPPED_BUDGET * seconds)
                return {"value": short(min(float(training.values[-1]) for training in begun)), "seconds": short(seconds)}

    def run(self, seconds, patience=np.inf):
        """Until so much device time is used, or so much thinking."""
        while True:
            self.fill()
            if not self.next_event():
                raise RuntimeError("nothing runs, and nothing may begin")
            if self.device >= seconds or self.spent > patience:
                return


class Kept:
    """The results of one tuner: a first line with its version, then a line for each run.

    A file made by another version is begun anew, and a run that is in the file is not made again.
    """

    def __init__(self, folder, tuner, version=None):
        self.path = folder / f"{tuner}.jsonl"
        lines = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []
        self.version = lines[0]["version"] if lines else None
        self.runs = {(run["problem"], run["seed"]): run for run in lines[1:]}
        if version is not None and self.version != version:
            self.version, self.runs = version, {}
            folder.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps({"version": version}) + "\n")

    def add(self, run):
        self.runs[run["problem"], run["seed"]] = run
        with self.path.open("a") as file:
            file.write(json.dumps(run) + "\n")


def short(value):
    return float(f"{value:.5g}")


def unit_of(unstopped, problem):
    """The target and the unit of device time of a problem, from the unstopped search's kept runs; None without any."""
    units = [run["unit"] for (name, _), run in unstopped.items() if name == problem]
    return {key: float(np.median([unit[key] for unit in units])) for key in ("value", "seconds")} if units else None


def one(name, program, problem, seed, unit):
    tuner = make(name, program, problem, seed, WORKERS)
    rest = {}
    try:
        simulation = Simulation(problem, tuner, WORKERS)
        if name == "none":
            rest["unit"] = simulation.run_unstopped()
        elif name in SLOW:
            simulation.run(SLOW_BUDGET * unit["seconds"], PATIENCE_S)
        else:
            simulation.run(BUDGET * unit["seconds"])
        thinking = tuner.thinking(simulation.spent)
    finally:
        tuner.close()
    return {"problem": problem.name, "seed": seed, **rest, "device": short(simulation.device), "clock": short(simulation.clock),
            "trials": len(simulation.trainings), **simulation.counts, "thinking": short(thinking),
            "any": [list(map(short, seen)) for seen in simulation.any], "ended": [list(map(short, seen)) for seen in simulation.ended]}


def run(name, program, version, problems, seeds, folder, say=print):
    """Makes the runs of one tuner that are not kept yet; the targets and units are those of the unstopped search."""
    kept = Kept(folder, name, version)
    unstopped = Kept(folder, "none").runs
    for seed in range(seeds):
        for problem in problems:
            if (problem.name, seed) in kept.runs:
                continue
            unit = None if name == "none" else unit_of(unstopped, problem.name)
            if name != "none" and unit is None:
                raise SystemExit(f"{folder}/none.jsonl lacks {problem.name}, whose target it gives: --tuner none")
            begin = time.perf_counter()
            found = one(name, program, problem, seed, unit)
            kept.add(found)
            say(f"{name} {problem.name} seed {seed}: {found['any'][-1][1] if found['any'] else None} in {found['trials']} trials, "
                f"{found['completed']} completed, thinking {found['thinking']:.1f} s of {time.perf_counter() - begin:.1f} s", flush=True)
