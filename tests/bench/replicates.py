"""What replicates are worth: whether the trial that wins by them is truly better than the one with the best single value.

Noisy functions whose true values are known, searched through `tune ask-tell` with "replicates": {"top": 3, "seeds": 3}.
"""
import argparse
import json
import math
import os
import random
import subprocess
import tempfile

from bench_support import BIN, write_table

PARAMETERS = {name: {"type": "float", "min": 0, "max": 1} for name in "abcd"}
TRIALS = 30


def bowl(p):
    return sum((p[name] - centre) ** 2 for name, centre in zip("abcd", (0.3, 0.7, 0.45, 0.6)))


def branin(p):
    x, y = p["a"] * 15 - 5, p["b"] * 15
    slope = y - 5.1 / (4 * math.pi ** 2) * x * x + 5 / math.pi * x - 6
    return (slope * slope + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10) / 50


def ridge(p):
    return abs(p["a"] + p["b"] - 0.9) + (p["c"] - 0.2) ** 2 + 0.1 * p["d"]


FUNCTIONS = (bowl, branin, ridge)


class Session:
    """`tune ask-tell` in memory, whose trials are values of a function with noise."""

    def __init__(self, tune, strategy, seed):
        self.spec = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump({"study": "noisy", "objective": {"metric": "loss", "goal": "minimize"}, "parameters": PARAMETERS,
                   "strategy": {"name": strategy, "seed": seed}, "limits": {"trials": TRIALS},
                   "replicates": {"top": 3, "seeds": 3}}, self.spec)
        self.spec.flush()
        self.process = subprocess.Popen([tune, "ask-tell", "--spec", self.spec.name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __call__(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.spec.close()


def study(tune, strategy, function, noise, seed):
    """What one study has found, the true losses included."""
    session, rng = Session(tune, strategy, seed), random.Random(seed)
    true, single, spent = {}, None, 0
    while True:
        answer = session({"ask": 1})
        if not answer["trials"]:
            break
        trial = answer["trials"][0]
        true[trial["trial"]] = function(trial["parameters"])
        value = true[trial["trial"]] + rng.gauss(0, noise)
        if "replicate_of" in trial:
            spent += 1
        elif single is None or value < single[0]:
            single = value, trial["trial"]
        session({"tell": {"trial": trial["trial"], "value": value}})
    best = session({"best": True})
    session.close()
    return {"single": true[single[1]], "winner": true[best["trial"]], "flattery": true[single[1]] - single[0],
            "holds": true[best["trial"]] <= best["bound"], "off": true[best["trial"]] - best["mean"], "spent": spent}


def spread_of(function):
    """The standard deviation of the true values over the space."""
    rng = random.Random(1)
    values = [function({name: rng.random() for name in PARAMETERS}) for _ in range(2000)]
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--studies", type=int, default=100, help="of each function")
    options.add_argument("--strategies", default="random,tpe,auto")
    options.add_argument("--tune", default=os.fspath(BIN / "tune"))
    given = options.parse_args()
    rows = []
    for strategy in given.strategies.split(","):
        for part in (0.1, 0.3, 1.0):
            done = []
            for function in FUNCTIONS:
                noise = part * spread_of(function)
                for seed in range(given.studies):
                    done.append({**study(given.tune, strategy, function, noise, seed), "noise": noise})
            count = len(done)
            percent = lambda wanted: f"{100 * sum(map(wanted, done)) / count:.0f} %"
            mean = lambda number: f"{sum(map(number, done)) / count:.2f}"
            rows.append([strategy, part, count, percent(lambda one: one["winner"] < one["single"]),
                         percent(lambda one: one["winner"] > one["single"]),
                         mean(lambda one: (one["single"] - one["winner"]) / one["noise"]),
                         mean(lambda one: one["flattery"] / one["noise"]),
                         mean(lambda one: one["off"] / one["noise"]),
                         percent(lambda one: one["holds"]), mean(lambda one: one["spent"])])
            print(rows[-1], flush=True)
    write_table("replicates", "The best by replicates beside the best single value",
                ["strategy", "noise, of the spread of true values", "studies", "truly better", "truly worse",
                 "gain, in noise", "best single value too good by, in noise", "winner's mean too good by, in noise",
                 "bound holds", "replicates of 9"], rows,
                ["Each study has 30 trials, and repeats the best three on three fresh seeds each. Elsewhere both choose the "
                 "same trial. The noise is normal, and its deviation the same everywhere."])


if __name__ == "__main__":
    main()
