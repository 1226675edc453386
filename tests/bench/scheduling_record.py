"""Records the learning curves that the benchmark of the stop rules replays: each configuration once, with its time.

Time is that of the process on a processor, with one thread, so that other programs on the machine do not count.
"""
import json
import time

import numpy as np

import scheduling_detector
from scheduling_curves import CURVES, sobol
from scheduling_trainings import TRAININGS


def write(name, parameters, points, values, seconds, origin):
    """Losses by configuration and step, and seconds since the beginning of a training; rounded to what files need."""
    CURVES.mkdir(parents=True, exist_ok=True)
    about = {"parameters": parameters, "points": [list(point.values()) for point in points], "origin": origin}
    np.savez_compressed(CURVES / f"{name}.npz", about=np.frombuffer(json.dumps(about).encode(), np.uint8),
                        values=rounded(values), seconds=rounded(seconds))


def rounded(array):
    """Single precision with 13 of 23 binary digits, which compresses well: four decimal digits."""
    bits = np.asarray(array, np.float32).view(np.uint32)
    return ((bits + 0x200) & np.uint32(0xFFFFFC00)).view(np.float32)


def record(training, say=print):
    datas = training.datas()
    points = sobol(training.parameters, training.count)
    values, seconds = np.empty((2, len(points), training.steps))
    list(training.curve(datas, points[0], 0))  # imports and caches
    for row, point in enumerate(points):
        begin = time.process_time()
        for step, value in enumerate(training.curve(datas, point, row)):
            values[row, step], seconds[row, step] = value, time.process_time() - begin
    import lightgbm
    import sklearn
    origin = f"NumPy {np.__version__}, scikit-learn {sklearn.__version__}, LightGBM {lightgbm.__version__}, one thread"
    write(training.name, training.parameters, points, values, seconds, origin)
    say(f"recorded {training.name}: {len(points)} trainings of {training.steps} steps in {seconds[:, -1].sum():.0f} s, "
        f"best {values.min():.4g}, median end {np.median(values[:, -1]):.4g}", flush=True)


def forget(problem, kept):
    """Removes the kept results of a problem whose curves are new."""
    for path in kept.glob("*.jsonl"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if json.loads(line).get("problem") != problem))


def record_all(names, kept):
    for training in TRAININGS:
        if not names or training.name in names:
            record(training)
            forget(training.name, kept)
    if not names or scheduling_detector.NAME in names:
        scheduling_detector.record(write)
        forget(scheduling_detector.NAME, kept)
