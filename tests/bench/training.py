"""Images per second of whole training epochs, data loading and augmentation included: tune-train beside Python, and of detectors of
two stages beside torchvision's Faster R-CNN, with the memory of both."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from bench_support import BIN, ROOT, peer_python, write_table

# name, pixels, batch, images, epochs, precisions: of the large ones only the faster
MODELS = [("ssd128-resnet18-half", 128, 16, 320, 4, ("fp32", "bf16")), ("ssd224-resnet18", 224, 16, 96, 3, ("fp32", "bf16")),
          ("ssd300-resnet50", 300, 8, 32, 6, ("bf16",)), ("ssd300-vgg16", 300, 8, 16, 2, ("bf16",)),
          ("ssd512-vgg16", 512, 4, 8, 2, ("bf16",))]
TWO_STAGES = [("fasterrcnn-resnet18-half-fpn", 128, 16, 320, 3, ("fp32", "bf16")),
              ("fasterrcnn-resnet18-fpn", 224, 8, 64, 3, ("fp32", "bf16"))]
THREADS, ROUNDS = 2, 3


def run_measured(command):
    """What it printed on stdout and on stderr, and the most memory in GiB that it had."""
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True) as run:
            out = run.stdout.read()
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read()
    if run.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {run.returncode}\n{said}")
    return out, said, used.ru_maxrss / 2**20


def ours(model, data, folder, batch, threads, precision, epochs):
    for name in ("output", "checkpoints"):
        (folder / name).mkdir(exist_ok=True)
    trial = {
        "schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1,
        "parameters": {}, "fixed": {"epochs": epochs, "batch_size": batch},
        "objective": {"metric": "validation:mAP", "goal": "maximize", "reduce": "best"},
        "trainer": {"task": "detection", "model": model, "recipe": "legacy", "data": str(data)},
        "budget": 1, "threads": threads, "devices": [], "precision": precision,
        "checkpoint_dir": str(folder / "checkpoints"), "output_dir": str(folder / "output"), "resume_from": None,
    }
    file = folder / "trial.json"
    file.write_text(json.dumps(trial))
    _, said, memory = run_measured([BIN / "tune-train", "--trial", file])
    for name in ("output", "checkpoints"):
        subprocess.run(["rm", "-rf", folder / name], check=True)
    return float(re.findall(rf"epoch {epochs}/{epochs} done\s+([0-9.]+) images/s", said)[-1]), memory


def theirs(python, program, data, model, batch, threads, precision, epochs, mode):
    out, _, memory = run_measured([python, ROOT / "tests" / "bench" / program[0], *program[1:], data, model, batch, threads, precision,
                                   epochs, mode])
    return float(out), memory


def synthetic(folder, row):
    model, size, images = row[0], row[1], row[3]
    data = folder / f"data-{model}"
    subprocess.run([BIN / "tune-train", "synthesize", "--output", data, "--images", str(images), "--size", str(size)],
                   check=True, stdout=subprocess.DEVNULL)
    return data


def rows_of_one_stage(python, wanted, folder):
    rows = []
    for row in MODELS:
        model, _, batch, _, epochs, precisions = row
        if model not in wanted:
            continue
        data = synthetic(folder, row)
        for precision in precisions:
            a, _ = ours(model, data, folder, batch, THREADS, precision, epochs)
            eager, compiled = (theirs(python, ["train_peer.py"], data, model, batch, THREADS, precision, epochs, mode)[0]
                               for mode in ("eager", "compiled"))
            rows.append([model, batch, THREADS, precision, f"{a:.2f}", f"{eager:.2f}", f"{compiled:.2f}",
                         f"{a / max(eager, compiled):.2f}"])
            print(*rows[-1], file=sys.stderr)
    return rows


def rows_of_two_stages(python, wanted, rounds, folder):
    """They take turns, and a round's ratio is of runs that follow each other."""
    rows, program = [], ["train_peer_torchvision.py", ROOT / ".cache" / "torchvision-stand-ins"]
    for row in TWO_STAGES:
        model, _, batch, _, epochs, precisions = row
        if model not in wanted:
            continue
        data = synthetic(folder, row)
        for precision in precisions:
            took = [(ours(model, data, folder, batch, THREADS, precision, epochs),
                     *(theirs(python, program, data, model, batch, THREADS, precision, epochs, mode) for mode in ("eager", "compiled")))
                    for _ in range(rounds)]
            median = [[statistics.median(one[side][what] for one in took) for what in (0, 1)] for side in range(3)]
            ratios = [mine[0] / max(eager[0], compiled[0]) for mine, eager, compiled in took]
            rows.append([model, batch, THREADS, precision, *(f"{side[0]:.2f}" for side in median), f"{statistics.median(ratios):.2f}",
                         f"{min(ratios):.2f} to {max(ratios):.2f}", *(f"{side[1]:.2f}" for side in median)])
            print(*rows[-1], file=sys.stderr, flush=True)
    return rows


def main():
    names = [row[0] for row in MODELS + TWO_STAGES]
    options = argparse.ArgumentParser(prog="./dev bench training", description=__doc__)
    options.add_argument("--model", action="append", choices=names,
                         help="only this one, and print its rows (may be repeated); a table is kept of all its models")
    options.add_argument("--rounds", type=int, default=ROUNDS, help=f"of detectors of two stages ({ROUNDS})")
    options.add_argument("--python", type=pathlib.Path, help="one with torch, torchvision, NumPy and Pillow, in place of one of its own")
    asked = options.parse_args()
    wanted = asked.model or names
    python = asked.python or peer_python("torch==2.13.0", "numpy", "pillow")
    if not asked.python and any(row[0] in wanted for row in TWO_STAGES):
        # On its own: what it depends on is there, and it would bring CUDA's libraries.
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "torchvision==0.28.0"],
                       check=True)
    with tempfile.TemporaryDirectory() as name:
        rows = rows_of_one_stage(python, wanted, pathlib.Path(name))
        pairs = rows_of_two_stages(python, wanted, asked.rounds, pathlib.Path(name))
    if all(row[0] in wanted for row in MODELS):
        write_table("training", "Training, images per second of whole epochs (synthetic steel surfaces)",
                    ["model", "batch", "threads", "precision", "tune-train", "Python", "Python, compiled", "ratio to the better"], rows,
                    ["All on LibTorch 2.13 on the CPU, channels-last, decoded images in memory, loading and augmentation included,",
                     "fused SGD. `torch.compile` compiles the network; its compiling is not counted."])
    if all(row[0] in wanted for row in TWO_STAGES):
        write_table("training_two_stages", "Training of detectors of two stages, images per second of whole epochs beside torchvision 0.28",
                    ["model", "batch", "threads", "precision", "tune-train", "torchvision", "torchvision, compiled", "ratio to the better",
                     "of the rounds", "tune-train, GiB", "torchvision, GiB", "compiled, GiB"], pairs,
                    ["All on LibTorch 2.13 on the CPU, from scratch on synthetic steel surfaces, decoded images in memory, augmentation and",
                     "fused SGD included. torchvision is its `FasterRCNN` with its compiled operators, and with the numbers of anchors and",
                     "regions of tune-train's. Compiled are the backbone, the heads and nothing between them; compiling is not counted.",
                     "Memory is the most that the process had."])


if __name__ == "__main__":
    main()
