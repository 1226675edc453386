"""Images per second of whole training epochs, data loading and augmentation included: tune-train beside Python."""
import json
import pathlib
import re
import subprocess
import tempfile

from bench_support import BIN, ROOT, peer_python, write_table

# name, pixels, channels of the first stage, channels of the neck, images, epochs
MODELS = [("ssd128-resnet18-half", 128, 32, 64, 320, 4), ("ssd224-resnet18", 224, 64, 128, 96, 3)]


def ours(model, data, folder, threads, precision, epochs):
    for name in ("output", "checkpoints"):
        (folder / name).mkdir(exist_ok=True)
    trial = {
        "schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1,
        "parameters": {}, "fixed": {"epochs": epochs, "batch_size": 16},
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


def theirs(python, data, size, channels, neck, threads, precision, epochs):
    peer = ROOT / "tests" / "bench" / "train_peer.py"
    command = [python, peer, data, *map(str, (size, channels, neck, threads)), precision, str(epochs)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main():
    python = peer_python("torch==2.13.0", "numpy", "pillow")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for model, size, channels, neck, images, epochs in MODELS:
            data = folder / f"data{size}"
            subprocess.run([BIN / "tune-train", "synthesize", "--output", data, "--images", str(images), "--size", str(size)],
                           check=True, stdout=subprocess.DEVNULL)
            for threads in (1, 2):
                for precision in ("fp32", "bf16"):
                    a = ours(model, data, folder, threads, precision, epochs)
                    b = theirs(python, data, size, channels, neck, threads, precision, epochs)
                    rows.append([model, threads, precision, f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}"])
    write_table("training", "Training, images per second (batch 16, synthetic steel surfaces)",
                ["model", "threads", "precision", "tune-train", "Python", "ratio"], rows,
                ["Both on LibTorch 2.13 on the CPU, channels-last, decoded images in memory, fused SGD."])


if __name__ == "__main__":
    main()
