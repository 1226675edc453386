"""What is run: the parts of the benchmark, and for each tuner on how many seeds, the most telling first."""
import dataclasses

from strategies_finetune import finetuning
from strategies_models import models
from strategies_problems import held_out, known
from strategies_runner import Kept, rounds, simulate, short, summary
from strategies_tuners import OURS, make


@dataclasses.dataclass(frozen=True)
class Part:
    """`seeds` by tuner. Peers that take a minute a run have few, and none of the noisy problems."""
    name: str
    problems: object
    workers: tuple
    trials: int
    seeds: dict
    slow: tuple = ("botorch", "smac", "skopt")

    def cells(self, tuner):
        problems = self.problems()
        for seed in range(self.seeds.get(tuner, 0)):
            for workers in reversed(self.workers):
                for problem in problems:
                    if tuner not in self.slow or (problem.noise == 0.0 or self.name != "regret") and workers == self.workers[-1]:
                        yield problem, workers, seed


PARTS = {part.name: part for part in (
    Part("regret", known, (1, 8), 100,
         {"auto": 30, "bayesian": 10, "tpe": 10, "optuna-tpe": 10, "optuna-gp": 10, "random": 10, "botorch": 2, "smac": 3, "skopt": 2}),
    Part("heldout", held_out, (8,), 50,
         {"auto": 30, "bayesian": 10, "tpe": 10, "optuna-tpe": 10, "optuna-gp": 10, "optuna-cma": 10, "random": 10,
          "botorch": 3, "smac": 3, "skopt": 3}),
    Part("finetune", finetuning, (8,), 100,
         {"auto": 30, "bayesian": 10, "tpe": 10, "optuna-tpe": 10, "optuna-gp": 10, "optuna-cma": 10, "random": 10, "smac": 3}),
    Part("models", models, (8,), 128,
         {"auto": 5, "bayesian": 3, "tpe": 3, "optuna-tpe": 5, "optuna-gp": 5, "random": 5}),
)}


def is_ours(tuner):
    return tuner in OURS


def run(part, tuner, program, version, seeds=None, say=print):
    """Makes the runs of one tuner in one part that are not kept yet."""
    kept = Kept(part.name, tuner, version)
    for problem, workers, seed in part.cells(tuner):
        if kept.has(problem.name, workers, seed) or (seeds is not None and seed >= seeds):
            continue
        made = make(tuner, program, problem.parameters, seed, part.trials, workers)
        try:
            if part.name == "models":
                progress, values = rounds(problem, made, part.trials // workers, workers)
                rest = {"values": [short(value) for value in values]} if tuner == "random" else {}
            else:
                progress = simulate(problem, made, part.trials, workers, seed)
                rest = {}
        finally:
            made.close()
        line = summary(problem, progress, part.trials) | rest
        kept.add(problem.name, workers, seed, **line)
        say(f"{part.name} {tuner} {problem.name} workers {workers} seed {seed}: {line['regret']} failed {line['failed']}", flush=True)
