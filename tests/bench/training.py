"""Images per second of whole training epochs, data loading and augmentation included: tune-train beside Python."""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from bench_support import BIN, ROOT, peer_python, write_table

# name, pixels, batch, images, epochs, precisions: of the large ones only the faster
MODELS = [("ssd128-resnet18-half", 128, 16, 320, 4, ("fp32", "bf16")), ("ssd224-resnet18", 224, 16, 96, 3, ("fp32", "bf16")),
          ("ssd300-resnet50", 300, 8, 32, 6, ("bf16",)), ("ssd300-vgg16", 300, 8, 16, 2, ("bf16",)),
          ("ssd512-vgg16", 512, 4, 8, 2, ("bf16",))]
THREADS = 2


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
    run = subprocess.run([BIN / "tune-train", "--trial", file], capture_output=True, text=True, check=True)
    for name in ("output", "checkpoints"):
        subprocess.run(["rm", "-rf", folder / name], check=True)
    return float(re.findall(rf"epoch {epochs}/{epochs} done\s+([0-9.]+) images/s", run.stderr)[-1])


def theirs(python, data, model, batch, threads, precision, epochs, mode):
    command = [python, ROOT / "tests" / "bench" / "train_peer.py", data, model, *map(str, (batch, threads)), precision,
               str(epochs), mode]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def main():
    names = [row[0] for row in MODELS]
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", action="append", choices=names, help="only this one, and print its rows (may be repeated)")
    wanted = options.parse_args().model or names
    python = peer_python("torch==2.13.0", "numpy", "pillow")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for model, size, batch, images, epochs, precisions in MODELS:
            if model not in wanted:
                continue
            data = folder / f"data-{model}"
            subprocess.run([BIN / "tune-train", "synthesize", "--output", data, "--images", str(images), "--size", str(size)],
                           check=True, stdout=subprocess.DEVNULL)
            for precision in precisions:
                a = ours(model, data, folder, batch, THREADS, precision, epochs)
                eager, compiled = (theirs(python, data, model, batch, THREADS, precision, epochs, mode)
                                   for mode in ("eager", "compiled"))
                rows.append([model, batch, THREADS, precision, f"{a:.2f}", f"{eager:.2f}", f"{compiled:.2f}",
                             f"{a / max(eager, compiled):.2f}"])
                print(*rows[-1], file=sys.stderr)
    if wanted != names:
        return  # the kept table is of all of them
    write_table("training", "Training, images per second of whole epochs (synthetic steel surfaces)",
                ["model", "batch", "threads", "precision", "tune-train", "Python", "Python, compiled", "ratio to the better"], rows,
                ["All on LibTorch 2.13 on the CPU, channels-last, decoded images in memory, loading and augmentation included,",
                 "fused SGD. `torch.compile` compiles the network; its compiling is not counted."])


if __name__ == "__main__":
    main()
