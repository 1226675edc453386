"""A training that any node can run: it needs Python alone, says where it runs, and goes on from what it has saved."""
import argparse
import json
import os
import pathlib
import random
import time


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--momentum", type=float, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.2, help="of an epoch")
    options = parser.parse_args()

    print(f"job {os.environ.get('SLURM_JOB_ID', '-')} on {os.environ.get('SLURMD_NODENAME', 'this machine')}, "
          f"GPUs {os.environ.get('CUDA_VISIBLE_DEVICES', '-')}", flush=True)
    saved = pathlib.Path(os.environ.get("TUNE_CHECKPOINT_DIR", ".")) / "state.json"
    state = json.loads(saved.read_text()) if saved.exists() else {"epoch": 0, "x": 3.0, "speed": 0.0}
    noise = random.Random(int(os.environ.get("TUNE_SEED", "0")))
    while state["epoch"] < options.epochs:
        time.sleep(options.seconds)
        state["speed"] = options.momentum * state["speed"] - options.lr * 2 * state["x"]
        state["x"] += state["speed"]
        state["epoch"] += 1
        # Whole or not at all: the job may be ended at any moment.
        part = saved.with_suffix(".part")
        part.write_text(json.dumps(state))
        part.replace(saved)
        loss = state["x"] ** 2 + 0.01 * noise.random()
        print(f"epoch {state['epoch']}: validation loss={loss:.6f}", flush=True)
    output = pathlib.Path(os.environ.get("TUNE_OUTPUT_DIR", "."))
    (output / "model.json").write_text(json.dumps({"x": state["x"]}))


if __name__ == "__main__":
    main()
