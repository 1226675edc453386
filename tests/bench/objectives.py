"""Two objectives: how much of the front is found, beside Optuna's TPE, GPSampler and NSGA-II, BoTorch's qLogNEHVI, and chance.

Without options: runs ours afresh and compares with the peers' kept results, in tests/bench/results/objectives/.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

from bench_support import BIN, RESULTS, peer_python, write_table

PINNED = {"optuna": "5.0.0", "torch": "2.13.0", "scipy": "1.17.1", "numpy": "2.4.6", "botorch": "0.18.1"}
KEPT = RESULTS / "objectives"
NAMES = ("auto", "tpe", "optuna-tpe", "optuna-gp", "optuna-nsga2", "botorch", "random")
ORDER = ("zdt1", "zdt2", "zdt3", "dtlz2", "dtlz7", "forest-digits", "mlp-quantiles", "lgb-digits")
TRIALS, CHECKPOINTS = 100, (20, 50, 100)


def options():
    parser = argparse.ArgumentParser(prog="./dev bench objectives", description=__doc__)
    parser.add_argument("--tuner", action="append", choices=NAMES, help="only this tuner (may be repeated)")
    parser.add_argument("--problem", action="append", help="only this problem (may be repeated)")
    parser.add_argument("--peers", action="store_true", help="also make the peers' runs that are not kept yet")
    parser.add_argument("--seeds", type=int, default=5, help="so many seeds of each [5]")
    parser.add_argument("--trials", type=int, default=TRIALS, help="so many trials of each [100]")
    parser.add_argument("--tune", type=pathlib.Path, default=BIN / "tune", help="the program to measure")
    parser.add_argument("--here", action="store_true", help="this Python has what the chosen tuners need: make no environment")
    parser.add_argument("--table", action="store_true", help="only write the table from the kept results")
    return parser.parse_args()


def in_own_environment(chosen):
    """Starts again under the Python that has the peers, with one thread for every library."""
    if chosen.here or os.environ.get("TUNE_BENCH_OBJECTIVES") == "1":
        return
    python = peer_python(*(f"{name}=={version}" for name, version in PINNED.items()))
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
    os.environ.update(threads, TUNE_BENCH_OBJECTIVES="1", PYTHONWARNINGS="ignore")
    sys.exit(subprocess.run([python, *sys.argv]).returncode)


def run(tuner, problem, seed, chosen):
    """The part of the true front's hypervolume that is missing after some numbers of trials."""
    from objectives_problems import hypervolume
    from objectives_tuners import make
    made, points, missing = make(tuner, chosen.tune, problem, seed, chosen.trials), [], {}
    try:
        for trial in range(1, chosen.trials + 1):
            handle, parameters = made.ask()
            points.append(problem(parameters))
            made.tell(handle, points[-1])
            if trial in CHECKPOINTS:
                missing[trial] = float(f"{1 - hypervolume(points, problem.reference) / problem.largest:.5g}")
    finally:
        made.close()
    return missing


def kept_runs(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def make_runs(tuner, chosen, is_ours):
    from objectives_problems import problems
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"{tuner}.jsonl"
    wanted = [problem for problem in problems() if not chosen.problem or problem.name in chosen.problem]
    # Ours may be another program by now.
    runs = [line for line in kept_runs(file) if not is_ours or line["problem"] not in [problem.name for problem in wanted]]
    done = {(line["problem"], line["seed"]) for line in runs}
    for seed in range(chosen.seeds):
        for problem in wanted:
            if (problem.name, seed) in done:
                continue
            runs.append({"problem": problem.name, "seed": seed, "missing": run(tuner, problem, seed, chosen)})
            print(f"{tuner} {problem.name} seed {seed}: {runs[-1]['missing']}", flush=True)
            file.write_text("".join(json.dumps(line) + "\n" for line in runs))


def cell(lines, trials):
    values = [line["missing"][str(trials)] for line in lines if str(trials) in line["missing"]]
    return f"{math.log10(max(statistics.median(values), 1e-9)):.2f}" if values else "–"


def table():
    rows = []
    for problem in ORDER:
        for trials in (50, 100):
            row = [problem, trials]
            for tuner in NAMES:
                row.append(cell([line for line in kept_runs(KEPT / f"{tuner}.jsonl") if line["problem"] == problem], trials))
            rows.append(row)
    counts = ", ".join(f"{tuner} {max((line['seed'] + 1 for line in kept_runs(KEPT / f'{tuner}.jsonl')), default=0)}" for tuner in NAMES)
    write_table("objectives", "Two objectives: what is missing of the front's hypervolume", ["problem", "trials", *NAMES], rows,
                ["Decimal logarithm of the part of the true front's hypervolume that is missing, median over the seeds; less is better.",
                 f"Seeds: {counts}. Six parameters, one trial at a time. Peers: "
                 + ", ".join(f"{name} {version}" for name, version in PINNED.items()) + ", on their defaults."])


def main():
    chosen = options()
    if not chosen.table:
        in_own_environment(chosen)
        from objectives_tuners import OURS, PEERS
        for tuner in chosen.tuner or OURS + PEERS:
            if tuner in OURS or chosen.peers or chosen.tuner:
                make_runs(tuner, chosen, tuner in OURS)
    table()


if __name__ == "__main__":
    main()
