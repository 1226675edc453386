"""The stop rules beside their peers: device time to a good value on recorded learning curves, and the time of a verdict.

Without options: runs ours afresh (minutes) and compares with the peers' kept results; --peers makes those that are not kept
yet. 8 simulated workers with a virtual clock replay the recorded curves in tests/bench/results/scheduling/curves/.
"""
import argparse
import os
import pathlib
import subprocess
import sys

from bench_support import BIN, RESULTS, peer_python

PINNED = {"optuna": "5.0.0", "scipy": "1.17.1", "numpy": "2.4.6", "scikit-learn": "1.9.1", "lightgbm": "4.7.0", "ray[tune]": "2.60.0"}
# The last version of Syne Tune with MOBSTER and Hyper-Tune, which needs an older NumPy: an environment of its own.
SYNE_TUNE = {"syne-tune[gpsearchers]": "0.13.0"}
KEPT = RESULTS / "scheduling"
OURS = ("none", "median", "asha", "asha-pause", "hyperband", "prediction", "auto", "auto-pause")
PEERS = ("random", "optuna-tpe", "optuna-median", "optuna-asha", "optuna-hyperband", "ray-asha", "syne-asha", "syne-asha-pause",
         "syne-mobster", "syne-hypertune")
PARTS = ("replay", "verdict")  # and "steel" where there are photographs


def options():
    parser = argparse.ArgumentParser(prog="./dev bench scheduling", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part (may be repeated)")
    parser.add_argument("--tuner", action="append", choices=OURS + PEERS, help="only this tuner (may be repeated)")
    parser.add_argument("--problems", nargs="+", metavar="NAME", help="only these problems")
    parser.add_argument("--seeds", type=int, default=20, help="at most so many seeds of each (20)")
    parser.add_argument("--peers", action="store_true", help="also make the peers' runs that are not kept yet (hours)")
    parser.add_argument("--tune", type=pathlib.Path, default=BIN / "tune", help="the program to measure")
    parser.add_argument("--kept", type=pathlib.Path, default=KEPT, help="the folder of the results, for a trial of another program")
    parser.add_argument("--photographs", type=pathlib.Path, help="only real searches on this data set, with and without stopping (hours)")
    parser.add_argument("--table", action="store_true", help="only write the table from the kept results")
    parser.add_argument("--record", action="store_true", help="record the learning curves anew first (half an hour)")
    return parser.parse_args()


def start_in(python, *more):
    """This program again under another Python, with one thread for every library. Ends with it if it fails."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
    environment = {**os.environ, **threads, "TUNE_BENCH_SCHEDULING": python.parent.parent.name, "PYTHONWARNINGS": "ignore"}
    failed = subprocess.run([python, *sys.argv, *more], env=environment).returncode
    if failed:
        sys.exit(failed)


def pinned(versions):
    return [f"{name}=={version}" for name, version in versions.items()]


def main():
    chosen = options()
    tuners = chosen.tuner or OURS + (PEERS if chosen.peers else ())
    if "TUNE_BENCH_SCHEDULING" not in os.environ:
        python = peer_python(*pinned(PINNED))
        start_in(python)
        if any(tuner.startswith("syne-") for tuner in tuners) and not chosen.table:
            # Second, since the targets are ours.
            start_in(peer_python(*pinned(SYNE_TUNE), environment="bench-venv-syne-tune"))
            start_in(python, "--table")
        return
    is_for_syne_tune = os.environ["TUNE_BENCH_SCHEDULING"].endswith("syne-tune")
    if chosen.record and not is_for_syne_tune:
        import scheduling_record
        scheduling_record.record_all(chosen.problems, chosen.kept)
    from scheduling_curves import problems
    from scheduling_runner import run
    from scheduling_tuners import version_of_peer
    from strategies_runner import version_of_program
    wanted = [problem for problem in problems() if not chosen.problems or problem.name in chosen.problems]
    parts = () if chosen.table else chosen.part or (("steel",) if chosen.photographs else PARTS)
    if "replay" in parts:
        for tuner in tuners:
            if tuner.startswith("syne-") != is_for_syne_tune:
                continue
            version = version_of_program(chosen.tune) if tuner in OURS else version_of_peer(tuner)
            run(tuner, chosen.tune, version, wanted, chosen.seeds, chosen.kept)
    if is_for_syne_tune:
        return
    if "verdict" in parts:
        import scheduling_verdict
        scheduling_verdict.measure(chosen.tune, chosen.kept / "verdict.json")
    if "steel" in parts:
        import scheduling_steel
        scheduling_steel.measure(chosen.tune, chosen.photographs, chosen.kept / "steel.json", min(chosen.seeds, 3))
    import scheduling_table
    scheduling_table.write(chosen.kept)


if __name__ == "__main__":
    main()
