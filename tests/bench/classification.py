"""Image classification beside Python: images per second of whole epochs, decoding and augmentation included, and the time of a
search of heads on features that are kept.

Both train torchvision's networks on the same two threads and the same JPEG files of 500 x 375 pixels; Python's DataLoader has two
workers. Ours counts from the start of the process, the reading of the data and the validation included.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from bench_support import BIN, ROOT, peer_python, write_table

# name, batch, images, epochs, least ratio to the better Python that is aimed at
MODELS = [("resnet18", 16, 128, 3, 1.0), ("resnet50", 16, 64, 2, 1.0), ("efficientnet_b0", 16, 128, 3, 1.2),
          ("mobilenet_v2", 32, 256, 3, 1.2), ("mobilenet_v3_small", 32, 512, 4, 1.2), ("squeezenet1_1", 32, 256, 4, 1.2)]
CLASSES = 4
THREADS = 2
# The search of heads.
HEAD_IMAGES, HEAD_TRIALS, HEAD_EPOCHS, HEAD_BATCH = 1800, 20, 10, 32


def options():
    parser = argparse.ArgumentParser(prog="./dev bench classification", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("speed", "heads"), help="only this part (may be repeated)")
    parser.add_argument("--model", action="append", choices=[row[0] for row in MODELS], help="only this network (may be repeated)")
    parser.add_argument("--precision", action="append", choices=("fp32", "bf16"), help="only this one (may be repeated)")
    parser.add_argument("--measured", type=int, default=2, help="heads that Python really trains without a cache (2)")
    parser.add_argument("--photographs", type=pathlib.Path, metavar="FOLDER",
                        help="the search of heads on NEU-DET (images/), in place of drawn surfaces")
    parser.add_argument("--quick", action="store_true", help="a rehearsal with few images, which writes no table")
    return parser.parse_args()


def trial_file(folder, trainer, fixed, precision):
    trial = {"schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1, "parameters": {}, "fixed": fixed,
             "objective": {"metric": "validation:accuracy", "goal": "maximize", "reduce": "best"},
             "trainer": {"task": "image_classification", **trainer}, "budget": 1, "threads": THREADS, "devices": [],
             "precision": precision, "checkpoint_dir": str(folder / "checkpoints"), "output_dir": str(folder / "output"),
             "resume_from": None}
    file = folder / "trial.json"
    file.write_text(json.dumps(trial))
    return file


def ours(model, data, validation, folder, batch, images, precision, epochs):
    """Images per second from the start of the process to the end of the last epoch."""
    subprocess.run(["rm", "-rf", folder / "checkpoints", folder / "output"], check=True)
    trainer = {"model": model, "data": str(data), "validation": str(validation)}
    file = trial_file(folder, trainer, {"epochs": epochs, "batch_size": batch}, precision)
    begin = time.monotonic()
    with subprocess.Popen([BIN / "tune-train", "--trial", file], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        ended, said = None, []
        for line in run.stderr:
            said.append(line)
            if re.search(rf"epoch {epochs}/{epochs} done", line):
                ended = time.monotonic()
    if run.returncode or ended is None:
        sys.exit("".join(said))
    return epochs * (images // batch * batch) / (ended - begin)


def theirs(python, *arguments):
    peer = ROOT / "tests" / "bench" / "classification_peer.py"
    return subprocess.run([python, peer, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True).stdout


def measure_speed(chosen, python, folder):
    rows = []
    for model, batch, images, epochs, aim in MODELS:
        if chosen.model and model not in chosen.model:
            continue
        if chosen.quick:
            images, epochs = 2 * batch, 2
        data, validation = folder / f"train-{model}", folder / f"validation-{model}"
        theirs(python, "draw", data, CLASSES, images)
        theirs(python, "draw", validation, CLASSES, 2 * CLASSES)
        for precision in chosen.precision or ("fp32", "bf16"):
            a = ours(model, data, validation, folder, batch, images, precision, epochs)
            eager, compiled = (float(theirs(python, "train", data, model, batch, THREADS, precision, epochs, mode))
                               for mode in ("eager", "compiled"))
            ratio = a / max(eager, compiled)
            rows.append([model, batch, images, epochs, precision, f"{a:.2f}", f"{eager:.2f}", f"{compiled:.2f}", f"{ratio:.2f}", aim])
            print(*rows[-1], file=sys.stderr, flush=True)
    header = ["model", "batch", "images", "epochs", "precision", "tune-train", "Python", "Python, compiled", "ratio to the better", "aim"]
    return header, rows


def surfaces(chosen, folder):
    """FOLDER/{train,val}/CLASS/*.jpg: four fifths to learn from."""
    if chosen.photographs:
        files = sorted((chosen.photographs / "images").glob("*.jpg"), key=lambda file: (file.stem.rsplit("_", 1)[0], len(file.stem), file))
        labels = [file.stem.rsplit("_", 1)[0] for file in files]
    else:
        subprocess.run([BIN / "tune-train", "synthesize", "--task", "image_classification", "--output", folder / "drawn", "--images",
                        str(60 if chosen.quick else HEAD_IMAGES), "--size", "200"], check=True, stdout=subprocess.DEVNULL)
        files = sorted((folder / "drawn").rglob("*.*"))
        labels = [file.parent.name for file in files]
    for number, (file, label) in enumerate(zip(files, labels)):
        place = folder / ("val" if number % 5 == 4 else "train") / label
        place.mkdir(parents=True, exist_ok=True)
        (place / file.name).write_bytes(file.read_bytes())
    return len(files)


def measure_heads(chosen, python, folder):
    images = surfaces(chosen, folder)
    weights = folder / "mobilenet_v2.safetensors"
    subprocess.run([python, ROOT / "examples" / "image-weights" / "fetch_weights.py", "mobilenet_v2", "--output", weights], check=True)
    (folder / "all").mkdir()
    for part in ("train", "val"):
        (folder / part).rename(folder / "all" / part)
    spec = {"study": "heads", "objective": {"metric": "validation:accuracy", "goal": "maximize"},
            "parameters": {"learning_rate": {"type": "float", "min": 3e-4, "max": 3e-2, "scale": "log"},
                           "weight_decay": {"type": "float", "min": 1e-4, "max": 0.3, "scale": "log"}},
            "fixed": {"freeze": "features", "epochs": HEAD_EPOCHS, "batch_size": HEAD_BATCH, "dropout": 0.2, "warmup_epochs": 0},
            "trainer": {"task": "image_classification", "model": "mobilenet_v2", "weights": str(weights), "data": str(folder / "all")},
            "strategy": {"name": "sobol", "seed": 7}, "limits": {"trials": 4 if chosen.quick else HEAD_TRIALS, "parallel": 2}}
    (folder / "spec.json").write_text(json.dumps(spec))
    begin = time.monotonic()
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "TUNE_STORE": str(folder / "store")}
    run = subprocess.run([BIN / "tune", "--spec", folder / "spec.json"], env=environment, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    seconds = time.monotonic() - begin
    listed = subprocess.run([BIN / "tune", "trials", "heads", "--json"], env=environment, stdout=subprocess.PIPE, check=True).stdout
    trials = json.loads(listed)["trials"]
    asked = json.dumps([trial["parameters"] for trial in trials])
    found = json.loads(theirs(python, "head", folder / "all" / "train", folder / "all" / "val", weights, THREADS, asked,
                              chosen.measured, HEAD_EPOCHS, HEAD_BATCH))
    one = statistics.mean(found["seconds"])
    mine = [trial["value"] for trial in trials]
    differences = [a - b for a, b in zip(mine, found["remembered"])]
    header = ["images", "trials", "epochs", "tune, s", "Python without a cache, s", "times as fast", "best accuracy", "Python's",
              "mean difference", "largest difference"]
    row = [images, len(trials), HEAD_EPOCHS, f"{seconds:.1f}", f"{one * len(trials):.0f} ({len(found['seconds'])} of them measured)",
           f"{one * len(trials) / seconds:.1f}", f"{max(mine):.3f}", f"{max(found['remembered']):.3f}", f"{statistics.mean(differences):+.4f}",
           f"{max(map(abs, differences)):.3f}"]
    return header, [row]


def main():
    chosen = options()
    python = peer_python("torch==2.13.0", "numpy", "pillow")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "torchvision==0.28.0"], check=True)
    for part, measure, name, title, notes in (
            ("speed", measure_speed, "classification", "Training classifiers, images per second of whole epochs from JPEG files",
             ["All on LibTorch 2.13 on the CPU with two threads, channels-last, AdamW, crops of 35 to 100 % of the area and flips; JPEG",
              "files of 500 x 375 pixels. Python: torchvision 0.28, its transforms in a DataLoader with two workers that stay; from the",
              "first image that is asked for, and `torch.compile`'s compiling is not counted. tune-train: from the start of the process,",
              "with what it reads and decodes before the first epoch and a validation on eight images after each."]),
            ("heads", measure_heads, "classification_heads", "A search of heads on frozen features of MobileNetV2",
             ["`tune` runs two trials at once, and each image passes the network once. Python passes all of them through the network in",
              "each epoch of each trial (two threads, DataLoader with two workers); the time of the trials that were not measured is that",
              "of the measured ones. Accuracies are of the same hyperparameters, with each side's own first weights and order."])):
        if chosen.part and part not in chosen.part:
            continue
        with tempfile.TemporaryDirectory() as folder:
            header, rows = measure(chosen, python, pathlib.Path(folder))
        if not chosen.quick:
            write_table(name, title, header, rows, notes)
        else:
            for row in rows:
                print(*(f"{key}: {value}" for key, value in zip(header, row)), sep="\n")


if __name__ == "__main__":
    main()
