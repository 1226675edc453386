#!/usr/bin/env python3
"""Writes optuna5.sql, a storage that Optuna 5.0.0 has made, as SQL text: `python3 make_golden.py` with its packages."""
import pathlib
import sqlite3
import tempfile
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.CRITICAL)
warnings.simplefilter("ignore")


def every_kind(trial):
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_int("k", 1, 9, step=2)
    trial.suggest_categorical("c", ["a", None, 3, True, 1.5])
    trial.suggest_float("z", 0, 1, step=0.25)
    for step in range(3):
        trial.report(lr * step, step)
    if trial.number == 2:
        raise optuna.TrialPruned()
    if trial.number == 3:
        return float("nan")
    if trial.number == 4:
        return float("inf")
    trial.set_user_attr("note", {"a": 1})
    return lr


def conditional(trial):
    if trial.suggest_categorical("optimizer", ["sgd", "adam"]) == "sgd":
        trial.suggest_float("momentum", 0.5, 0.99)
    return trial.suggest_float("learning rate", 0, 1 + trial.number)


with tempfile.TemporaryDirectory() as folder:
    storage = f"sqlite:///{folder}/golden.db"

    def study(name, directions, objective, trials):
        made = optuna.create_study(storage=storage, study_name=name, directions=directions,
                                   sampler=optuna.samplers.RandomSampler(seed=1))
        made.optimize(objective, n_trials=trials, catch=())
        return made

    every = study("every kind", ["maximize"], every_kind, 6)
    every.set_metric_names(["accuracy"])
    every.enqueue_trial({"lr": 0.01})
    study("two", ["maximize", "minimize"], lambda trial: (trial.suggest_float("x", 0, 1), 1), 2)
    study("conditional", ["minimize"], conditional, 8)
    dump = "\n".join(sqlite3.connect(f"{folder}/golden.db").iterdump())
    (pathlib.Path(__file__).parent / "optuna5.sql").write_text(dump + "\n")
