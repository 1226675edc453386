"""Is the advice right? Feature extraction beside partial and full fine-tuning and training from scratch, from MobileNetV2's
weights, on few and on many images of three data sets, and what `tune-train advise` recommends in each of these cells.

Every training is kept in tests/bench/results/advice/trainings.jsonl when it has ended, and is not made again: a run may be ended
at any time. All cells take some hours of a core. The table is written anew in the end.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from bench_support import BIN, RESULTS, ROOT, peer_python

KEPT = RESULTS / "advice" / "trainings.jsonl"
# Pixels of a side, smaller than the weights' 224 so that a training takes about a minute; images of each class (None: all).
SETS = {"neu": (96, (20, 100, None)), "mnist": (64, (20, 100, None)), "elpv": (128, (20, 100, 200, None))}
# The same for all strategies: about so many images pass a network, in this many epochs.
SEEN, EPOCHS = 4000, (4, 30)
BATCH = 16
EVALUATIONS = 5
MODEL = "mobilenet_v2"
# Rates out of the middle of the ranges that the advice searches.
STRATEGIES = {
    "features": {"freeze": "features", "learning_rate": 3e-3},
    "full": {"learning_rate": 3e-4, "head_rate_factor": 10},
    "partial": {"freeze": "partial", "train_stages": 2, "learning_rate": 3e-4, "head_rate_factor": 10},
    "scratch": {"learning_rate": 2e-3},
}


def options():
    parser = argparse.ArgumentParser(prog="./dev bench advice", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=pathlib.Path, default=os.environ.get("TUNE_NEU_DET"), metavar="FOLDER",
                        help="NEU-DET (images/); without it, and without TUNE_NEU_DET, that set is left out")
    parser.add_argument("--set", action="append", choices=SETS, help="only this data set (may be repeated)")
    parser.add_argument("--per-class", action="append", metavar="N", help="only so many images of each class; all: all of them")
    parser.add_argument("--seeds", type=int, default=3, help="cuts and trainings of each cell (3)")
    parser.add_argument("--threads", type=int, default=1, help="of each training (1)")
    parser.add_argument("--kept", type=pathlib.Path, default=KEPT, help="the file of the results")
    parser.add_argument("--table", action="store_true", help="only write the table from the kept results")
    return parser.parse_args()


class Kept:
    """Results, one a line: trainings, and pieces of advice, whose strategy is called "advice"."""

    def __init__(self, path):
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.rows = {self.key(row): row for row in map(json.loads, lines)}

    @staticmethod
    def key(row):
        return row["set"], row["per_class"], row["seed"], row["strategy"]

    def add(self, row):
        self.rows[self.key(row)] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def answer(*command):
    """The JSON that tune-train answers with."""
    run = subprocess.run([BIN / "tune-train", *map(str, command), "--json"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"tune-train {' '.join(map(str, command))} ended with {run.returncode}:\n{run.stderr}")
    return json.loads(run.stdout)


def epochs_for(images):
    return max(EPOCHS[0], min(EPOCHS[1], round(SEEN / images)))


def train(place, images, strategy, size, seed, weights, threads):
    """Trains in a cell's folder, and scores the model on the images that it has not seen."""
    epochs = epochs_for(images)
    steps = epochs * (images // BATCH)
    fixed = {"epochs": epochs, "batch_size": BATCH, "image_size": size, "eval_steps": max(1, -(-steps // EVALUATIONS)),
             **STRATEGIES[strategy]}
    trainer = {"task": "image_classification", "model": MODEL, "data": str(place / "data")}
    if strategy != "scratch":
        trainer["weights"] = str(weights)
    trial = {"schema": 1, "study": "advice", "trial": 1, "attempt": 1, "token": "advice", "seed": seed, "parameters": {},
             "fixed": fixed, "objective": {"metric": "validation:accuracy", "goal": "maximize", "reduce": "best"}, "trainer": trainer,
             "budget": 1, "threads": threads, "devices": [], "precision": "fp32", "checkpoint_dir": str(place / "checkpoints"),
             "output_dir": str(place / "output"), "resume_from": None}
    (place / "trial.json").write_text(json.dumps(trial))
    subprocess.run(["rm", "-rf", place / "checkpoints", place / "output"], check=True)
    begin = time.monotonic()
    run = subprocess.run([BIN / "tune-train", "--trial", place / "trial.json"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"a training of {place.name}, {strategy}, ended with {run.returncode}:\n{run.stderr}")
    seconds = time.monotonic() - begin
    found = answer("evaluate", "--model", place / "output", "--data", place / "test", "--threads", threads)
    return {"accuracy": found["accuracy"], "macro_f1": found["macro_f1"], "test_images": found["images"], "images": images,
            "size": size, "epochs": epochs, "seconds": round(seconds, 1), **STRATEGIES[strategy]}


def advise(place, weights, threads):
    found = answer("advise", "--data", place / "data", "--weights", weights, "--threads", threads)
    strategy, nearness = found["advice"]["strategy"], found["nearness"]
    return {"advised": strategy["value"], "rule": strategy["rule"], "reason": strategy["reason"],
            "probe": nearness and nearness["weights"], "random": nearness and nearness["random"], "seconds": found["seconds"]}


def run_cell(image_set, per_class, seed, weights, threads, kept, folder):
    import advice_sets
    cell = {"set": image_set.name, "per_class": per_class, "seed": seed}
    missing = [name for name in (*STRATEGIES, "advice") if Kept.key({**cell, "strategy": name}) not in kept.rows]
    if not missing:
        return
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = pathlib.Path(name)
        images = advice_sets.lay(image_set.cut(seed), place, per_class)
        for strategy in missing:
            found = (advise(place, weights, threads) if strategy == "advice" else
                     train(place, images, strategy, SETS[image_set.name][0], seed, weights, threads))
            kept.add({**cell, "strategy": strategy, **found})
            print(image_set.name, per_class or "all", f"seed {seed}", strategy, found.get("advised") or f"{found['accuracy']:.3f}",
                  f"{found['seconds']:.0f} s", flush=True)


def run(chosen, kept):
    import advice_sets
    wanted = [name for name in chosen.set or SETS if name != "neu" or chosen.photographs]
    if "neu" not in wanted and not chosen.set:
        print("advice.py: without --photographs the cells of NEU-DET are left out", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        weights = folder / f"{MODEL}.safetensors"
        script = ROOT / "examples" / "image-weights" / "fetch_weights.py"
        subprocess.run([sys.executable, script, MODEL, "--output", weights], check=True)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        sets = [getattr(advice_sets, name)(folder / name, chosen.photographs) for name in wanted]
        # Small cells first: they take least, and differ most.
        cells = [(image_set, place, per_class) for image_set in sets for place, per_class in enumerate(SETS[image_set.name][1])
                 if not chosen.per_class or str(per_class or "all") in chosen.per_class]
        for seed in range(1, chosen.seeds + 1):
            for image_set, _, per_class in sorted(cells, key=lambda cell: cell[1]):
                run_cell(image_set, per_class, seed, weights, chosen.threads, kept, folder)


def main():
    chosen = options()
    if "TUNE_BENCH_ADVICE" not in os.environ:
        python = peer_python("numpy==2.4.6", "pillow", "scipy==1.17.1")
        sys.exit(subprocess.run([python, *sys.argv], env={**os.environ, "TUNE_BENCH_ADVICE": "1"}).returncode)
    kept = Kept(chosen.kept)
    if not chosen.table:
        run(chosen, kept)
    import advice_table
    advice_table.write(kept.rows.values())


if __name__ == "__main__":
    main()
