"""Language models beside transformers and PEFT: tokens per second and memory of a training of LoRA, and whether each opens what the
other has written.

SmolLM2-135M comes out of its package (examples/language-model/fetch_smollm2.py) and stays in .cache/; `export` makes a folder for
both of it. Of the speed the two take turns, and a round's ratio is of two runs that follow each other.
"""
import argparse
import csv
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

EXAMPLE = ROOT / "examples" / "language-model"
BATCH, LENGTH, STEPS, ROUNDS = 4, 128, 6, 3  # of the steps one warms up
WORDS = "steel strip scale heat iron slag mould roll cast melt cool hard soft crack edge zone grain coil plate furnace".split()
LARGEST_LOSS, LARGEST_F16, LARGEST_Q8 = 1e-4, 1e-3, 1 / 127  # differences


def options():
    parser = argparse.ArgumentParser(prog="./dev bench language_model", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("agreement", "speed"), help="only this part (may be repeated)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of the speed ({ROUNDS})")
    parser.add_argument("--threads", type=int, action="append", help="of the speed: 1 and 2 (may be repeated)")
    parser.add_argument("--python", type=pathlib.Path, help="one with torch, transformers, PEFT and gguf, in place of one of its own")
    parser.add_argument("--tiny", action="store_true", help="a rehearsal on a drawn model, which writes no table")
    return parser.parse_args()


def tune_train(*arguments):
    run = subprocess.run([BIN / "tune-train", *map(str, arguments)], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"tune-train {' '.join(map(str, arguments))}\n{run.stderr}")
    return run.stdout


def trial(folder, trainer, fixed, threads=1):
    """The file of a trial whose output is FOLDER/output."""
    subprocess.run(["rm", "-rf", folder / "output", folder / "checkpoints"], check=True)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "trial.json"
    file.write_text(json.dumps({
        "schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1, "parameters": {}, "fixed": fixed,
        "objective": {"metric": "train:loss", "goal": "minimize", "reduce": "last"},
        "trainer": {"task": "language_model", "split": {"fractions": [1, 0]}, **trainer}, "budget": 1, "threads": threads, "devices": [],
        "precision": "auto", "checkpoint_dir": str(folder / "checkpoints"), "output_dir": str(folder / "output"),
        "resume_from": None}))
    return file


def timed(command, line_of_step):
    """Seconds between the ends of the first step and the last, as its lines come, and the most memory that it had."""
    ends, said = [], []
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            said.append(line)
            if re.search(line_of_step, line):
                ends.append(time.monotonic())
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        sys.exit(f"{command} ended with {run.returncode}")
    return ends, said, used.ru_maxrss / 2**20


def base(chosen, folder):
    """A folder of Hugging Face, and where there is one the .gguf file that it was made of."""
    if chosen.tiny:
        subprocess.run([sys.executable, EXAMPLE / "draw_model.py", "--output", folder / "base"], check=True, stdout=subprocess.DEVNULL)
        return folder / "base", None
    cache = ROOT / ".cache" / "language-model"
    cache.mkdir(parents=True, exist_ok=True)
    packed = cache / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not packed.exists():
        subprocess.run([sys.executable, EXAMPLE / "fetch_smollm2.py", "--output", packed], check=True)
    if not (cache / "base" / "model.safetensors").exists():
        tune_train("export", "--model", packed, "--output", cache / "base")
    return cache / "base", packed


def measure_speed(chosen, python, folder):
    whole, packed = base(chosen, folder)
    texts, steps = folder / "texts.jsonl", STEPS
    with open(texts, "w") as file:
        for row in range(BATCH * steps):
            words = (WORDS[(row * 7 + place * (row + 3)) % len(WORDS)] for place in range(2 * LENGTH))
            file.write(json.dumps({"text": " ".join(words)}) + "\n")
    tokens, peer = BATCH * LENGTH, ROOT / "tests" / "bench" / "language_model_peer.py"

    def ours(weights, threads):
        file = trial(folder / "speed", {"weights": str(weights), "data": str(texts)},
                     {"max_steps": steps, "batch_size": BATCH, "max_length": LENGTH, "logging_steps": 1, "learning_rate": 1e-4,
                      "lr_scheduler": "constant", "train_sampling_strategy": "sequential",
                      "lora_config": {"r": 8, "target_modules": ["q_proj", "v_proj"]}}, threads)
        ends, _, memory = timed([BIN / "tune-train", "--trial", file], r"'loss'.*'step'")
        return (steps - 1) * tokens / (ends[-1] - ends[0]), memory

    def theirs(threads):
        _, said, memory = timed([python, "-I", peer, "train", whole, texts, threads, LENGTH, BATCH, steps, "fp32"], "seconds")
        return (steps - 1) * tokens / sum(json.loads(said[-1])["seconds"][1:]), memory

    rows = []
    for threads in chosen.threads or (1, 2):
        for name, weights in (("as fp32", whole), ("packed, Q4_1", packed)):
            if weights is None:
                continue
            rounds = [(ours(weights, threads), theirs(threads)) for _ in range(chosen.rounds)]
            ratios = [mine[0] / other[0] for mine, other in rounds]
            median = [statistics.median(side[which][what] for side in rounds) for which in (0, 1) for what in (0, 1)]
            rows.append([name, threads, f"{median[0]:.0f}", f"{median[2]:.0f}", f"{statistics.median(ratios):.2f}",
                         f"{min(ratios):.2f} to {max(ratios):.2f}", f"{median[1]:.2f}", f"{median[3]:.2f}"])
            print(*rows[-1], file=sys.stderr, flush=True)
    header = ["base", "threads", "tune-train", "Python", "ratio", "of the rounds", "tune-train, GiB", "Python, GiB"]
    return header, rows


def measure_agreement(chosen, python, folder):
    whole, _ = base(chosen, folder)
    peer = ROOT / "tests" / "bench" / "language_model_peer.py"
    with open(EXAMPLE / "terms.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    examples = folder / "terms.jsonl"
    examples.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def they_say(*arguments):
        return json.loads(subprocess.run([python, "-I", peer, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True).stdout)

    def we_say(model, *more):
        measured = json.loads(tune_train("evaluate", "--model", model, *more, "--data", examples, "--json"))
        tune_train("predict", "--model", model, *more, "--data", examples, "--max-new-tokens", 24, "--output", folder / "said.jsonl")
        answers = [json.loads(line)["answer"] for line in open(folder / "said.jsonl")]
        return {"loss": measured["loss"], "tokens": measured["tokens"], "answers": answers}

    table = []

    def compare(what, mine, other):
        same = sum(a == b for a, b in zip(mine["answers"], other["answers"], strict=True))
        difference = abs(mine["loss"] - other["loss"])
        table.append([what, f"{mine['loss']:.6f}", f"{other['loss']:.6f}", f"{difference:.0e}", f"{same} of {len(rows)}"])
        print(*table[-1], file=sys.stderr, flush=True)
        if mine["tokens"] != other["tokens"] or difference > LARGEST_LOSS:
            sys.exit(f"{what}: {mine} is not {other}")

    training = {"epochs": 1, "batch_size": 4, "learning_rate": 5e-4, "lora_config": {"r": 4, "target_modules": "all-linear"}}
    for name, more in (("adapter", {}), ("merged", {"merge_adapters": True})):
        tune_train("--trial", trial(folder / name, {"weights": str(whole), "data": str(examples)}, {**training, **more}))
    adapter, merged = folder / "adapter" / "output", folder / "merged" / "output"
    compare("base in transformers", we_say(whole), they_say("say", whole, examples))
    compare("adapter of tune-train in PEFT", we_say(adapter), they_say("say", whole, examples, "--adapter", adapter))
    compare("merged folder in transformers", we_say(merged), they_say("say", merged, examples))
    subprocess.run([python, "-I", peer, "draw", whole, folder / "drawn"], check=True)
    compare("adapter of PEFT in tune-train", we_say(folder / "drawn", "--base", whole), they_say("say", whole, examples, "--adapter",
                                                                                                 folder / "drawn"))
    for kind, largest in (("f16", LARGEST_F16), ("q8_0", LARGEST_Q8)):
        file = folder / "exported" / f"{kind}.gguf"
        file.parent.mkdir(exist_ok=True)
        tune_train("export", "--model", adapter, "--output", file, "--type", kind)
        worst = they_say("gguf", file, merged)
        table.append([f"{kind}.gguf in gguf's reader", "", "", ", ".join(f"{name} {value:.0e}" for name, value in worst.items()), ""])
        print(*table[-1], file=sys.stderr, flush=True)
        if max(worst.values()) > largest:
            sys.exit(f"{file}: {worst}")
        compare(f"{kind}.gguf in transformers", we_say(file), they_say("say", file.parent, examples, "--gguf", file.name))
    return ["what", "loss of tune-train", "loss of Python", "difference", "equal answers"], table


def main():
    chosen = options()
    python = chosen.python or peer_python("torch==2.13.0", "transformers==5.24.0", "peft==0.21.2", "gguf==0.19.0", "numpy",
                                          environment="language-model-venv")
    for part, measure, name, title, notes in (
            ("agreement", measure_agreement, "language_model_agreement", "SmolLM2-135M between tune-train, transformers and PEFT",
             ["The mean loss of the completions' tokens of twenty examples, and how many of the most probable answers (24 tokens) are the",
              "same letter by letter. Differences of a file's numbers are of the largest of each tensor. transformers 5.24, PEFT 0.21,",
              "gguf 0.19, fp32."]),
            ("speed", measure_speed, "language_model", "Training LoRA (r 8 on q and v) of SmolLM2-135M, tokens per second",
             [f"Batches of {BATCH} texts of {LENGTH} tokens, all of them learned, fp32 on the CPU, {STEPS - 1} steps after one that warms up, LibTorch",
              f"2.13. Python: transformers 5.24 and PEFT 0.21 with the same fp32 weights, SDPA, fused AdamW. Medians of {chosen.rounds} rounds, in",
              "each of which one run of the one is followed by one of the other; memory is the largest of the process."])):
        if chosen.part and part not in chosen.part:
            continue
        with tempfile.TemporaryDirectory() as folder:
            header, rows = measure(chosen, python, pathlib.Path(folder))
        if not chosen.tiny:
            write_table(name, title, header, rows, notes)


if __name__ == "__main__":
    main()
