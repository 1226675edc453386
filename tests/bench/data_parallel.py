"""Images per second of a trial in two processes of one thread each, beside one of them alone; and how far apart their losses are."""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from bench_support import BIN, write_table

MODEL, PIXELS, IMAGES, BATCH, EPOCHS, STEPS = "ssd128-resnet18-half", 128, 400, 16, 4, 20
LEAST, MOST_APART = 1.6, 1e-4
SLOW = 1e-5  # at larger rates rounding grows, between numbers of threads as between numbers of processes


def train(data, folder, processes, epochs, synchronised, rate=0.01):
    trial = {
        "schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1,
        "parameters": {}, "objective": {"metric": "validation:mAP", "goal": "maximize", "reduce": "best"},
        "fixed": {"epochs": epochs, "batch_size": BATCH, "sync_batch_norm": synchronised, "logging_steps": 1,
                  "learning_rate": rate},
        "trainer": {"task": "detection", "model": MODEL, "recipe": "legacy", "data": str(data)},
        "budget": 1, "threads": processes, "processes": processes, "devices": [], "precision": "fp32",
        "checkpoint_dir": str(folder / "checkpoints"), "output_dir": str(folder / "output"), "resume_from": None,
    }
    file = folder / "trial.json"
    file.write_text(json.dumps(trial))
    run = subprocess.run([BIN / "tune-train", "--trial", file], capture_output=True, text=True, check=True)
    for name in ("output", "checkpoints"):
        subprocess.run(["rm", "-rf", folder / name], check=True)
    speed = float(re.findall(rf"epoch {epochs}/{epochs} done\s+([0-9.]+) images/s", run.stderr)[-1])
    metrics = [json.loads(line.removeprefix("TUNE_METRIC ")) for line in run.stdout.splitlines() if "TUNE_METRIC" in line]
    return speed, [metric["value"] for metric in metrics if metric["name"].startswith("step:")]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="trainings of each kind, in turn; medians are shown")
    options = options.parse_args()
    speeds, curves = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = folder / "data"
        subprocess.run([BIN / "tune-train", "synthesize", "--output", data, "--images", str(IMAGES), "--size", str(PIXELS)],
                       check=True, stdout=subprocess.DEVNULL)
        for _ in range(options.rounds):
            for kind in ((1, False), (2, False), (2, True)):
                speed, _ = train(data, folder, kind[0], EPOCHS, kind[1])
                speeds.setdefault(kind, []).append(speed)
                print(*kind, speed, file=sys.stderr)
        for kind in ((1, False), (2, True)):
            curves[kind] = train(data, folder, kind[0], 1, kind[1], SLOW)[1]
    one = statistics.median(speeds[1, False])
    values = 2 * STEPS  # of two losses
    apart = max(abs(a - b) for a, b in zip(curves[1, False][:values], curves[2, True][:values]))
    rows = [[processes, "by all" if synchronised else "by each", f"{statistics.median(all):.1f}",
             f"{statistics.median(all) / one:.2f}"] for (processes, synchronised), all in speeds.items()]
    write_table("data_parallel", f"A trial in two processes of one thread each ({MODEL}, fp32, batches of {BATCH})",
                ["processes", "normalised", "images/s", "beside one"], rows,
                [f"Losses of one and of two that normalise by all, over {STEPS} steps at a rate of {SLOW}: at most {apart:.1e} apart.",
                 f"Medians of {options.rounds} trainings, in turn, of {EPOCHS} epochs; the last epoch's speed."])
    gain = statistics.median(speeds[2, False]) / one
    if gain < LEAST or apart > MOST_APART:
        sys.exit(f"two processes are {gain:.2f} times one, wanted {LEAST}; losses {apart:.1e} apart, allowed {MOST_APART}")


if __name__ == "__main__":
    main()
