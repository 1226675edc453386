"""Trials per second, the gap between two trials, and memory, beside xargs and Optuna in the same run."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from bench_support import BIN, peer_python, write_table

TURNS, TRIALS = 5, 1000
TRIAL = ["sh", "-c", "echo loss=0.$1", "sh", "{{x}}"]


def spec(folder, study, trials, parallel, command, extra=None):
    document = {
        "study": study,
        "objective": {"metric": "loss", "goal": "minimize"},
        "parameters": {"x": {"type": "int", "min": 1, "max": 999999}},
        "command": command,
        "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
        "strategy": {"name": "random", "seed": 1},
        "limits": {"trials": trials, "parallel": parallel},
        "resources": {"gpus_per_trial": 0},
    }
    document.update(extra or {})
    path = pathlib.Path(folder) / f"{study}.json"
    path.write_text(json.dumps(document))
    return path


def run_tune(folder, path, synchronous="normal"):
    """Seconds, and the peak resident memory of the tune process itself in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(
        [BIN / "tune", "--spec", path, "--store", pathlib.Path(folder) / "store"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "TUNE_SYNCHRONOUS": synchronous})
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(re.search(r"VmHWM:\s+(\d+)", status).group(1)))
        except (FileNotFoundError, AttributeError):
            pass
        time.sleep(0.05)
    if process.returncode != 0:
        raise SystemExit(f"tune ended with exit code {process.returncode}")
    return time.monotonic() - start, peak / 1024


def run_xargs(trials):
    start = time.monotonic()
    numbers = "".join(f"{i}\n" for i in range(trials))
    subprocess.run(["xargs", "-P", "2", "-n", "1", "sh", "-c", "echo loss=0.$0"], input=numbers, text=True,
                   stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


OPTUNA = """
import subprocess, sys, time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
kind, folder, trials = sys.argv[1], sys.argv[2], int(sys.argv[3])
if kind == "memory":
    storage = None
elif kind == "journal":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    storage = JournalStorage(JournalFileBackend(folder + "/journal.log"))
else:
    storage = "sqlite:///" + folder + "/optuna.db"
def objective(trial):
    x = trial.suggest_int("x", 1, 999999)
    text = subprocess.run(["sh", "-c", "echo loss=0.$0", str(x)], capture_output=True, text=True).stdout
    return float(text.split("=")[1])
study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))
start = time.monotonic()
study.optimize(objective, n_trials=trials, n_jobs=2)
print(time.monotonic() - start, optuna.__version__)
"""


def run_optuna(python, kind, folder, trials):
    out = subprocess.run([python, "-c", OPTUNA, kind, folder, str(trials)], capture_output=True, text=True, check=True)
    seconds, version = out.stdout.split()
    return float(seconds), version


def gaps(folder, trials=300):
    """Milliseconds from a trial's last act to the next trial's first, one trial at a time: an upper bound of the time
    from a free slot to the next process, with exit, reaping, recording, suggestion and start in it."""
    command = ["bash", "-c", "echo at=$EPOCHREALTIME loss=0.$0", "{{x}}"]
    run_tune(folder, spec(folder, "gaps", trials, 1, command))
    times = []
    for number in range(1, trials + 1):
        log = pathlib.Path(folder) / "store" / "gaps" / "trials" / str(number) / "attempts" / "1" / "log"
        times.append(float(re.search(r"at=([0-9.]+)", log.read_text()).group(1)))
    return sorted(1000 * (b - a) for a, b in zip(times, times[1:]))


def fresh(folder, name):
    path = pathlib.Path(folder) / name
    path.mkdir()
    return str(path)


def turn_ratios(turns, peer):
    ratios = [theirs / ours for theirs, ours in zip(turns[peer], turns["tune, random strategy"])]
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    python = peer_python("optuna==5.0.0")
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        turns = {"xargs -P 2": [], "tune, random strategy": [], "Optuna, journal": []}
        for turn in range(TURNS):
            turns["xargs -P 2"].append(run_xargs(TRIALS))
            turns["tune, random strategy"].append(
                run_tune(folder, spec(folder, f"speed{turn}", TRIALS, 2, TRIAL))[0])
            seconds, version = run_optuna(python, "journal", fresh(folder, f"journal{turn}"), TRIALS)
            turns["Optuna, journal"].append(seconds)
        xargs = TURNS * TRIALS / sum(turns["xargs -P 2"])
        for name, times in turns.items():
            speed = TURNS * TRIALS / sum(times)
            rows.append([name, f"{speed:.0f}", f"{speed / xargs:.2f}"])
        seconds, _ = run_tune(folder, spec(folder, "durable", 500, 2, TRIAL), synchronous="full")
        rows.append(["tune, full synchronisation", f"{500 / seconds:.0f}", f"{500 / seconds / xargs:.2f}"])
        for kind, trials in [("memory", 1000), ("sqlite", 100)]:
            seconds, version = run_optuna(python, kind, folder, trials)
            rows.append([f"Optuna, {kind}", f"{trials / seconds:.0f}", f"{trials / seconds / xargs:.2f}"])
        gap = gaps(folder)
        _, peak = run_tune(folder, spec(folder, "memory", 10000, 2, TRIAL))
    notes = [
        f"Gap between two trials: median {statistics.median(gap):.1f} ms, "
        f"99th percentile {gap[int(0.99 * len(gap))]:.1f} ms, largest {gap[-1]:.1f} ms.",
        f"Optuna is {version}. The first three took turns, {TURNS} of {TRIALS:,} trials each; in a turn tune had "
        f"{turn_ratios(turns, 'xargs -P 2')} of xargs' speed and {turn_ratios(turns, 'Optuna, journal')} of the journal's. "
        "Turns are needed: other work on the machine changes all of them by the minute.",
        f"Peak resident memory of `tune` over 10,000 trials: {peak:.0f} MiB.",
    ]
    write_table("orchestration", "Trials per second (one short process a trial, two at once)",
                ["runner", "trials/s", "of xargs"], rows, notes)


if __name__ == "__main__":
    main()
