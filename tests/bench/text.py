"""Text classification beside Python: texts per second of whole epochs with tokenising, accuracies on real texts, and the time of a
search of heads on features that are kept.

Both fine-tune MiniLM on mails and tweets (text_sets.py says whose). Runs of the two alternate. On a machine that others use,
`--clock cpu` counts the processor's seconds.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from bench_support import BIN, ROOT, peer_python, write_table
from text_sets import write_set

BATCH, RATE = 16, 1e-4
# name, texts to train on, tokens at most
SPEED = [("tweets", 640, 64), ("mails", 96, 256)]
# name, texts to train on and to validate, tokens at most, epochs
ACCURACY = [("mails", 240, 400, 64, 3), ("tweets", 480, 400, 64, 3)]
SEEDS = (1, 2, 3)
HEAD_TEXTS, HEAD_VALIDATION, HEAD_TRIALS, HEAD_EPOCHS, HEAD_LENGTH = 800, 400, 20, 10, 128


def options():
    parser = argparse.ArgumentParser(prog="./dev bench text", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("speed", "accuracy", "heads"), help="only this part (may be repeated)")
    parser.add_argument("--texts", action="append", choices=("mails", "tweets"), help="only these (may be repeated)")
    parser.add_argument("--threads", type=int, default=2, help="of each side (2)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side, of whose ratios the median counts (3)")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="whose seconds count (wall)")
    parser.add_argument("--measured", type=int, default=2, help="heads that Python really trains without a cache (2)")
    parser.add_argument("--quick", action="store_true", help="a rehearsal with few texts, which writes no table")
    return parser.parse_args()


def minilm():
    folder = ROOT / ".cache" / "minilm"
    if not (folder / "vocab.txt").exists():
        subprocess.run([sys.executable, ROOT / "examples" / "text-classes" / "fetch_minilm.py", "--output", folder], check=True)
    return folder


class Ours:
    """tune-train on the sets of a folder."""

    def __init__(self, folder, weights, threads):
        self.folder, self.weights, self.threads = folder, weights, threads

    def train(self, fixed, seed=1):
        """Seconds of the clock and of the processor from the start of the process to its end, and the last accuracy."""
        place = self.folder / "ours"
        subprocess.run(["rm", "-rf", place], check=True)
        place.mkdir()
        trial = {"schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": seed, "parameters": {},
                 "fixed": fixed, "objective": {"metric": "validation:accuracy", "goal": "maximize", "reduce": "best"},
                 "trainer": {"task": "text_classification", "weights": str(self.weights), "data": str(self.folder)}, "budget": 1,
                 "threads": self.threads, "devices": [], "precision": "fp32", "checkpoint_dir": str(place / "checkpoints"),
                 "output_dir": str(place / "output"), "resume_from": None}
        (place / "trial.json").write_text(json.dumps(trial))
        begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([BIN / "tune-train", "--trial", place / "trial.json"], capture_output=True, text=True)
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if run.returncode:
            sys.exit(run.stderr)
        accuracy = float(re.findall(r"validation:accuracy=([0-9.]+)", run.stdout)[-1])
        return {"seconds": seconds, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "accuracy": accuracy}


class Theirs:
    """transformers' Trainer on the same."""

    def __init__(self, python, folder, weights, threads):
        self.python, self.folder, self.weights, self.threads = python, folder, weights, threads

    def run(self, command, *given):
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads), "RAYON_NUM_THREADS": str(self.threads)}
        peer = [self.python, ROOT / "tests" / "bench" / "text_peer.py", command, self.folder, self.weights, self.threads, *given]
        return json.loads(subprocess.run([str(part) for part in peer], stdout=subprocess.PIPE, text=True, check=True,
                                         env=environment).stdout.splitlines()[-1])


def sides(chosen, python, folder, weights):
    return Ours(folder, weights, chosen.threads), Theirs(python, folder, weights, chosen.threads)


def measure_speed(chosen, python, folder, weights):
    clock, rows = {"wall": "seconds", "cpu": "cpu"}[chosen.clock], []
    for name, texts, length in SPEED:
        if chosen.texts and name not in chosen.texts:
            continue
        texts, epochs = (2 * BATCH, 1) if chosen.quick else (texts, 2)
        write_set(name, folder / name, texts, 8)
        ours, theirs = sides(chosen, python, folder / name, weights)
        found = {"ours": [], "default": [], "grouped": []}
        for _ in range(1 if chosen.quick else chosen.rounds):
            found["ours"].append(ours.train({"epochs": epochs, "batch_size": BATCH, "max_length": length, "learning_rate": RATE})[clock])
            for mode in ("default", "grouped"):
                found[mode].append(theirs.run("train", epochs, BATCH, length, RATE, 1, mode)[clock])
            print(name, {mode: round(values[-1], 1) for mode, values in found.items()}, file=sys.stderr, flush=True)
        speeds = [f"{epochs * texts / statistics.median(found[mode]):.1f}" for mode in ("ours", "default", "grouped")]
        ratios = [f"{statistics.median(b / a for a, b in zip(found['ours'], found[mode])):.2f}" for mode in ("default", "grouped")]
        rows.append([name, texts, length, epochs, *speeds, *ratios])
    return ["texts", "number", "tokens at most", "epochs", "tune-train", "Python, default", "Python, grouped", "times the default",
            "times the grouped"], rows


def spread(values):
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def measure_accuracy(chosen, python, folder, weights):
    rows = []
    for name, training, validation, length, epochs in ACCURACY:
        if chosen.texts and name not in chosen.texts:
            continue
        if chosen.quick:
            training, validation, epochs = 64, 32, 1
        write_set(name, folder / name, training, validation)
        ours, theirs = sides(chosen, python, folder / name, weights)
        found = {"ours": [], "theirs": [], "head": []}
        for seed in SEEDS[:1] if chosen.quick else SEEDS:
            plan = {"epochs": epochs, "batch_size": BATCH, "max_length": length, "warmup_epochs": 0.1 * epochs}
            found["ours"].append(ours.train({**plan, "learning_rate": RATE}, seed)["accuracy"])
            found["theirs"].append(theirs.run("train", epochs, BATCH, length, RATE, seed, "default")["accuracy"])
            found["head"].append(ours.train({**plan, "epochs": 10, "freeze": "features"}, seed)["accuracy"])
            print(name, seed, {side: values[-1] for side, values in found.items()}, file=sys.stderr, flush=True)
        rows.append([name, training, validation, epochs, *(spread(found[side]) for side in ("ours", "theirs", "head"))])
    return ["texts", "to train on", "to validate", "epochs", "tune-train", "Python", "tune-train, the head alone"], rows


def measure_heads(chosen, python, folder, weights):
    texts, validation, trials = (64, 32, 3) if chosen.quick else (HEAD_TEXTS, HEAD_VALIDATION, HEAD_TRIALS)
    write_set("mails", folder / "mails", texts, validation)
    spec = {"study": "heads", "objective": {"metric": "validation:accuracy", "goal": "maximize"},
            "parameters": {"learning_rate": {"type": "float", "min": 3e-4, "max": 3e-2, "scale": "log"},
                           "weight_decay": {"type": "float", "min": 1e-4, "max": 0.3, "scale": "log"}},
            "fixed": {"freeze": "features", "epochs": HEAD_EPOCHS, "batch_size": BATCH, "max_length": HEAD_LENGTH, "warmup_epochs": 0},
            "trainer": {"task": "text_classification", "weights": str(weights), "data": str(folder / "mails")},
            "strategy": {"name": "sobol", "seed": 7}, "limits": {"trials": trials, "parallel": chosen.threads}}
    (folder / "spec.json").write_text(json.dumps(spec))
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "TUNE_STORE": str(folder / "store")}
    begin = time.monotonic()
    run = subprocess.run([BIN / "tune", "--spec", folder / "spec.json"], env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - begin
    if run.returncode:
        sys.exit(run.stderr)
    listed = subprocess.run([BIN / "tune", "trials", "heads", "--json"], env=environment, stdout=subprocess.PIPE, check=True).stdout
    rows = json.loads(listed)["trials"]
    asked = json.dumps([row["parameters"] for row in rows])
    _, theirs = sides(chosen, python, folder / "mails", weights)
    found = theirs.run("head", HEAD_EPOCHS, BATCH, HEAD_LENGTH, asked, 1 if chosen.quick else chosen.measured)
    whole = statistics.mean(found["seconds"]) * len(rows)
    pairs = " ".join(f"{row['value']:.3f}/{other:.3f}" for row, other in zip(rows, found["accuracies"]))
    return (["texts", "trials", "epochs", "tune, s", "Python without a cache, s", "times as fast", "accuracies of the same heads"],
            [[texts + validation, len(rows), HEAD_EPOCHS, f"{seconds:.1f}", f"{whole:.0f} ({len(found['seconds'])} of them measured)",
              f"{whole / seconds:.1f}", pairs]])


def main():
    chosen = options()
    python = peer_python("torch==2.13.0", "transformers[torch]==5.24.0", environment="bench-text-venv")
    weights = minilm()
    clock = "the processor's seconds" if chosen.clock == "cpu" else "seconds of the clock"
    beside = f"fp32 on {chosen.threads} threads, batches of {BATCH}, AdamW. Python: transformers 5.24"
    for part, measure, name, title, notes in (
            ("speed", measure_speed, "text", "Fine-tuning MiniLM, texts per second of whole epochs with tokenising",
             [f"{beside}'s `Trainer`, from the tokenising to the end, with the collator",
              f"that it comes with, and with `group_by_length` besides. tune-train: from the start of the process to its end, {clock};",
              "medians of runs that alternate."]),
            ("accuracy", measure_accuracy, "text_accuracy", "Fine-tuning MiniLM, accuracies after the last epoch",
             [f"Means (least to largest) of {len(SEEDS)} seeds, {beside}'s `Trainer` with", "the same hyperparameters."]),
            ("heads", measure_heads, "text_heads", "A search of heads on frozen features of MiniLM",
             ["`tune` runs a trial a thread, and each text passes the encoder once. Python passes all of them through the encoder in each",
              "epoch of each trial, in batches of equal lengths; the time of the trials that were not measured is that of the others."])):
        if chosen.part and part not in chosen.part:
            continue
        with tempfile.TemporaryDirectory() as folder:
            header, rows = measure(chosen, python, pathlib.Path(folder), weights)
        if chosen.quick:
            for row in rows:
                print(*(f"{key}: {value}" for key, value in zip(header, row)), sep="\n")
        else:
            write_table(name, title, header, rows, notes)


if __name__ == "__main__":
    main()
