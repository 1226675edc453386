#!/usr/bin/env python3
"""Fits a logistic regression to a noisy synthetic problem with plain SGD: a stand-in for any training script.

It needs nothing but the standard library, and shows all that tune asks of a program:
hyperparameters arrive as arguments, metrics leave as printed lines, a checkpoint lets an interrupted trial go on,
and what is saved in $TUNE_OUTPUT_DIR is the model that gets promoted.
"""
import argparse
import json
import math
import os
import pathlib
import random


def make_data(count, seed):
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        x = [rng.gauss(0, 1) for _ in range(6)]
        score = 1.5 * x[0] - 2.0 * x[1] + 0.7 * x[2] * x[3] + rng.gauss(0, 0.5)
        rows.append(([1.0, *x, x[2] * x[3]], 1 if score > 0 else 0))
    return rows


def probability(weights, x):
    z = sum(w * v for w, v in zip(weights, x))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def log_loss(weights, rows):
    total = 0.0
    for x, y in rows:
        p = min(max(probability(weights, x), 1e-12), 1 - 1e-12)
        total -= math.log(p) if y else math.log(1 - p)
    return total / len(rows)


def save(path, content):
    """Whole or not at all: a trial may be stopped at any moment."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--momentum", type=float, required=True)
    parser.add_argument("--l2", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()

    train, validation = make_data(800, 1), make_data(400, 2)
    seed = int(os.environ.get("TUNE_SEED", "0"))
    state = {"epoch": 0, "weights": [0.0] * 8, "velocity": [0.0] * 8}
    # By hand there is no such folder: each run starts from the beginning, and leaves no checkpoint.
    folder = os.environ.get("TUNE_CHECKPOINT_DIR")
    checkpoint = pathlib.Path(folder) / "state.json" if folder else None
    if checkpoint and checkpoint.exists():
        state = json.loads(checkpoint.read_text())
        print(f"resumed after epoch {state['epoch']}", flush=True)

    while state["epoch"] < arguments.epochs:
        rng = random.Random(f"{seed}-{state['epoch']}")
        weights, velocity = state["weights"], state["velocity"]
        for x, y in rng.sample(train, len(train)):
            error = probability(weights, x) - y
            for i, value in enumerate(x):
                gradient = error * value + arguments.l2 * weights[i]
                velocity[i] = arguments.momentum * velocity[i] - arguments.lr * gradient
                weights[i] += velocity[i]
        state["epoch"] += 1
        if checkpoint:
            save(checkpoint, state)
        print(f"epoch {state['epoch']}: validation loss={log_loss(weights, validation):.6f}", flush=True)

    output = pathlib.Path(os.environ.get("TUNE_OUTPUT_DIR", "."))
    save(output / "model.json", {"weights": state["weights"]})


if __name__ == "__main__":
    main()
