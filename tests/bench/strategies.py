"""The strategies beside their peers: time of a suggestion, regret, real models, spaces with failures, held-out functions.

Without options: times the peers beside ours, runs ours afresh (minutes) and compares with the peers' kept results. Peers run
in a virtual environment of the benchmark's own; the results are in tests/bench/results/strategies/.
"""
import argparse
import os
import pathlib
import subprocess
import sys

from bench_support import BIN, peer_python

PINNED = {"optuna": "5.0.0", "torch": "2.13.0", "scipy": "1.17.1", "numpy": "2.4.6", "scikit-learn": "1.9.1", "cmaes": "0.13.1",
          "botorch": "0.18.1", "smac": "2.4.1", "scikit-optimize": "0.10.2"}
PACKAGE = {"random": "optuna", "optuna-tpe": "optuna", "optuna-gp": "optuna", "optuna-cma": "optuna", "skopt": "scikit-optimize"}
OURS = ("auto", "bayesian", "tpe")
PEERS = ("optuna-tpe", "optuna-gp", "optuna-cma", "random", "smac", "botorch", "skopt")
PARTS = ("time", "regret", "heldout", "finetune", "models")


def options():
    parser = argparse.ArgumentParser(prog="./dev bench strategies", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part (may be repeated)")
    parser.add_argument("--tuner", action="append", choices=OURS + PEERS, help="only this tuner (may be repeated)")
    parser.add_argument("--peers", action="store_true", help="also make the peers' runs that are not kept yet (hours)")
    parser.add_argument("--again", action="append", default=[], choices=PEERS, help="forget this peer's kept results first")
    parser.add_argument("--seeds", type=int, help="at most so many seeds of each")
    parser.add_argument("--tune", type=pathlib.Path, default=BIN / "tune", help="the program to measure")
    parser.add_argument("--table", action="store_true", help="only write the table from the kept results")
    return parser.parse_args()


def in_own_environment():
    """Starts again under the Python that has the peers, with one thread for every library."""
    if os.environ.get("TUNE_BENCH_STRATEGIES") == "1":
        return
    python = peer_python(*(f"{name}=={version}" for name, version in PINNED.items()))
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
    os.environ.update(threads, TUNE_BENCH_STRATEGIES="1", PYTHONWARNINGS="ignore")
    sys.exit(subprocess.run([python, *sys.argv]).returncode)


def main():
    chosen = options()
    in_own_environment()
    import strategies_plan as plan
    from strategies_runner import KEPT, version_of_program
    import strategies_table
    for tuner in chosen.again:
        for file in KEPT.glob(f"*-{tuner}.jsonl"):
            file.unlink()
    tuners = chosen.tuner or OURS + PEERS
    for name in () if chosen.table else chosen.part or PARTS:
        if name == "time":
            import strategies_time
            strategies_time.measure(chosen.tune, KEPT / "time.json")
            continue
        for tuner in tuners:
            if tuner in OURS:
                plan.run(plan.PARTS[name], tuner, chosen.tune, version_of_program(chosen.tune), chosen.seeds)
            elif chosen.peers or chosen.again:
                package = PACKAGE.get(tuner, tuner)
                plan.run(plan.PARTS[name], tuner, None, f"{package} {PINNED[package]}", chosen.seeds)
    strategies_table.write(KEPT, PINNED)


if __name__ == "__main__":
    main()
