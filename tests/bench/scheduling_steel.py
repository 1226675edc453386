"""Real searches on photographs, with and without stopping: the best mAP, and the device time that it took.

The folder holds images/ and annotations/. The first of its images by name make the data, since a CPU has to train on them.
"""
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np

MODEL, EPOCHS, TRIALS, PARALLEL = "ssd128-resnet18-half", 12, 20, 2
RULES = {"none": {"rule": "none"}, "auto": {"rule": "auto"}, "auto-pause": {"rule": "auto", "form": "pause"}}


def some_of(photographs, folder, count):
    """A data set of every so manieth photograph, by links."""
    files = sorted((photographs / "annotations").glob("*.xml"))
    for name in ("images", "annotations"):
        (folder / name).mkdir(parents=True)
    for file in files[::max(1, len(files) // count)][:count]:
        os.symlink(file.resolve(), folder / "annotations" / file.name)
        image = next((photographs / "images").glob(file.stem + ".*"))
        os.symlink(image.resolve(), folder / "images" / image.name)


def spec(name, data, rule, seed):
    return {"study": name, "objective": {"metric": "validation:mAP", "goal": "maximize"},
            "parameters": {"learning_rate": {"type": "float", "min": 0.002, "max": 0.2, "scale": "log"},
                           "momentum": {"type": "float", "min": 0.8, "max": 0.98, "scale": "reverse_log"},
                           "weight_decay": {"type": "float", "min": 1e-5, "max": 1e-2, "scale": "log"}},
            "fixed": {"epochs": EPOCHS, "batch_size": 16},
            "trainer": {"task": "detection", "model": MODEL, "recipe": "legacy", "data": str(data), "split": {"grouping": "content"}},
            "strategy": {"name": "auto", "seed": seed}, "early_stopping": RULES[rule],
            "limits": {"trials": TRIALS, "parallel": PARALLEL}}


def search(program, data, rule, seed, store):
    """{"best", "device_s", "trials"}: device time is what all attempts held a device for."""
    name = f"steel-{rule}-{seed}"
    file = store / f"{name}.json"
    file.write_text(json.dumps(spec(name, data, rule, seed)))
    subprocess.run([program, "--spec", file, "--store", store], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listed = subprocess.run([program, "trials", name, "--store", store, "--json"], check=True, stdout=subprocess.PIPE).stdout
    trials = json.loads(listed)["trials"]
    ended = [trial["value"] for trial in trials if trial["state"] == "completed"]
    hours = sum(trial["cost"]["device_hours"] for trial in trials)
    return {"rule": rule, "seed": seed, "best": max(ended), "device_s": round(3600 * hours, 1), "trials": len(trials),
            "completed": len(ended)}


def measure(program, photographs, path, seeds=3, images=240, say=print):
    found = json.loads(path.read_text())["searches"] if path.exists() else []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        some_of(photographs, folder / "data", images)
        for seed in range(1, seeds + 1):
            for rule in RULES:
                if any(run["rule"] == rule and run["seed"] == seed for run in found):
                    continue
                found.append(search(program, folder / "data", rule, seed, folder))
                say(f"steel: {found[-1]}", flush=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({"images": images, "model": MODEL, "epochs": EPOCHS, "searches": found}, indent=1) + "\n")


def rows(path):
    """[rule, searches, mean best mAP, its deviation over the seeds, device seconds, part of the unstopped search's]"""
    found = json.loads(path.read_text())["searches"]
    lines = []
    unstopped = np.mean([run["device_s"] for run in found if run["rule"] == "none"])
    for rule in RULES:
        runs = [run for run in found if run["rule"] == rule]
        if runs:
            best, seconds = [run["best"] for run in runs], np.mean([run["device_s"] for run in runs])
            lines.append([rule, len(runs), f"{np.mean(best):.4f}", f"{np.std(best, ddof=1):.4f}" if len(best) > 1 else "-",
                          f"{seconds:.0f}", f"{seconds / unstopped:.2f}"])
    return lines
