"""Records trainings of the smallest built-in detector on synthetic images: its own curves for the benchmark of the stop rules."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np

from bench_support import BIN
from scheduling_curves import sobol
from scheduling_trainings import real, whole

NAME, MODEL, IMAGES, EPOCHS, COUNT = "detector-synthetic", "ssd128-resnet18-half", 48, 12, 208
PARAMETERS = {"learning_rate": real(0.002, 0.2, "log"), "momentum": real(0.8, 0.98, "reverse_log"),
              "weight_decay": real(1e-5, 1e-2, "log"), "batch_size": whole(4, 16, "log")}
LINE = re.compile(r"validation mAP50 <score>=\(?([0-9.]+)")


def trial_file(folder, data, validation, point, seed):
    for name in ("output", "checkpoints"):
        (folder / name).mkdir()
    trial = {"schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": seed, "parameters": point,
             "fixed": {"epochs": EPOCHS}, "objective": {"metric": "validation:mAP50", "goal": "maximize", "reduce": "best"},
             "trainer": {"task": "detection", "model": MODEL, "recipe": "legacy", "data": str(data), "validation": str(validation)},
             "budget": 1, "threads": 1, "devices": [], "precision": "fp32", "checkpoint_dir": str(folder / "checkpoints"),
             "output_dir": str(folder / "output"), "resume_from": None}
    file = folder / "trial.json"
    file.write_text(json.dumps(trial))
    return file


def curve(program, data, validation, point, seed):
    """[(loss, seconds)] of each epoch: 1 less the mAP at an overlap of one half, and the process's time on processors."""
    with tempfile.TemporaryDirectory() as name:
        file = trial_file(pathlib.Path(name), data, validation, point, seed)
        seen = []
        with subprocess.Popen([program, "--trial", file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
            clock = (~process.pid << 3) | 2  # as clock_getcpuclockid(3) makes it
            for line in process.stdout:
                found = LINE.search(line)
                if found:
                    seen.append((1 - float(found[1]), time.clock_gettime(clock)))
    return seen


def record(write, program=BIN / "tune-train", say=print):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part, count, seed in (("train", IMAGES, 1), ("validation", IMAGES // 2, 2)):
            subprocess.run([program, "synthesize", "--output", folder / part, "--images", str(count), "--size", "128", "--seed", str(seed)],
                           check=True, stdout=subprocess.DEVNULL)
        points = sobol(PARAMETERS, COUNT)
        values, seconds = np.ones((COUNT, EPOCHS)), np.empty((COUNT, EPOCHS))
        for row, point in enumerate(points):
            seen = curve(program, folder / "train", folder / "validation", point, row + 1)
            if len(seen) != EPOCHS:
                # It diverged: the program ends then, with nothing reached from there on.
                whole_time = np.median([seconds[before, -1] for before in range(row)]) if row else float(EPOCHS)
                seen += [(1.0, whole_time * (place + 1) / EPOCHS) for place in range(len(seen), EPOCHS)]
            values[row], seconds[row] = zip(*seen)
            seconds[row] = np.maximum.accumulate(seconds[row])
            if row % 20 == 0:
                say(f"{NAME} {row}: {values[row].min():.4f} in {seconds[row, -1]:.1f} s", flush=True)
    write(NAME, PARAMETERS, points, values, seconds, f"tune-train, {MODEL}, {IMAGES} synthetic images, one thread")
