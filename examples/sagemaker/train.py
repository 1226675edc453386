#!/usr/bin/env python3
"""Fits a line with plain SGD, as a script for SageMaker's containers is written: a stand-in for any of them.

It reads its data from $SM_CHANNEL_TRAINING and saves its model into $SM_MODEL_DIR, and needs nothing but the standard
library.
"""
import argparse
import csv
import json
import os
import pathlib
import random


def loss(weights, rows):
    return sum((weights[0] + weights[1] * x - y) ** 2 for x, y in rows) / len(rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--hosts", type=json.loads, default=os.environ["SM_HOSTS"])
    parser.add_argument("--data-dir", default=os.environ["SM_CHANNEL_TRAINING"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    arguments = parser.parse_args()

    with open(pathlib.Path(arguments.data_dir) / "fruit.csv", newline="") as file:
        rows = [(float(row["days"]), float(row["size"])) for row in csv.DictReader(file)]
    test, train = rows[::4], [row for i, row in enumerate(rows) if i % 4]
    rng, weights = random.Random(int(os.environ.get("TUNE_SEED", "0"))), [0.0, 0.0]
    for epoch in range(1, arguments.epochs + 1):
        rng.shuffle(train)
        for start in range(0, len(train), arguments.batch_size):
            batch = train[start:start + arguments.batch_size]
            errors = [weights[0] + weights[1] * x - y for x, y in batch]
            weights[0] -= arguments.lr * sum(errors) / len(batch)
            weights[1] -= arguments.lr * sum(e * x for e, (x, _) in zip(errors, batch)) / len(batch)
        print(f"Epoch {epoch} on {arguments.hosts[0]}\nTest set: Average loss: {loss(weights, test):.4f}", flush=True)
    (pathlib.Path(arguments.model_dir) / "model.json").write_text(json.dumps(weights))


if __name__ == "__main__":
    main()
