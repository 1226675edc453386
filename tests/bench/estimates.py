"""Estimates beside what trials then take: peak memory and time of whole trials on the CPU, and the cost of a whole search.

Each configuration is estimated by `tune-train estimate`, and then trained by a process of its own, whose peak resident memory the
kernel tells. Language models are made here, of random weights, with a tokenizer of bytes; images are drawn by `synthesize`. All
takes some twenty minutes of two cores. The machine should be idle: times are compared.
"""
import argparse
import csv
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import time

from bench_support import BIN, write_table

THREADS = 1
EPOCHS = 3  # one of four to eight steps is over before its heap has grown as that of a training does
# hidden, layers, heads, inner, vocabulary
SMALL, MIDDLE, LARGE = (192, 4, 4, 512, 4096), (384, 6, 6, 1024, 8192), (576, 8, 9, 1536, 16384)


def language(shape, length, batch, **more):
    return {"task": "language_model", "shape": shape, "length": length, "fixed": {"batch_size": batch, "epochs": EPOCHS, **more}}


def pictures(model, size, batch, **more):
    return {"task": "image_classification", "model": model,
            "fixed": {"batch_size": batch, "epochs": EPOCHS, "image_size": size, **more}}


CONFIGURATIONS = {
    "small, LoRA, 8 x 128": language(SMALL, 128, 8),
    "small, full, 8 x 128": language(SMALL, 128, 8, use_lora=False),
    "small, full, 16 x 256": language(SMALL, 256, 16, use_lora=False),
    "middle, LoRA, 8 x 256": language(MIDDLE, 256, 8),
    "middle, LoRA, 8 x 256, checkpointing": language(MIDDLE, 256, 8, gradient_checkpointing=True),
    "middle, full, 4 x 256": language(MIDDLE, 256, 4, use_lora=False),
    "middle, full, 4 x 512, checkpointing": language(MIDDLE, 512, 4, use_lora=False, gradient_checkpointing=True),
    "large, LoRA on all layers, 4 x 128": language(LARGE, 128, 4, **{"lora_config.target_modules": "all-linear", "lora_config.r": 16}),
    "large, full, 2 x 128, accumulated": language(LARGE, 128, 2, use_lora=False, accumulate=4),
    "mobilenet_v2, 16 of 128 pixels": pictures("mobilenet_v2", 128, 16),
    "resnet18, 32 of 96 pixels": pictures("resnet18", 96, 32),
    "resnet50, 8 of 128 pixels, last stage": pictures("resnet50", 128, 8, freeze="partial"),
}


def write_safetensors(path, shapes, rng):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, sizes in shapes.items():
        count = 1
        for size in sizes:
            count *= size
        header[name] = {"dtype": "F32", "shape": sizes, "data_offsets": [offset, offset + 4 * count]}
        offset += 4 * count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    numbers = struct.pack("<4096f", *(rng.gauss(0, 0.02) for _ in range(4096)))
    ones = struct.pack("<4096f", *([1.0] * 4096))
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, sizes in shapes.items():
            begin, end = header[name]["data_offsets"]
            block = ones if len(sizes) == 1 else numbers
            file.write(block * ((end - begin) // len(block)) + block[: (end - begin) % len(block)])


def bytes_alphabet():
    """GPT-2's characters for bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def make_model(folder, shape):
    """A Llama of random weights, whose tokens are bytes."""
    if (folder / "config.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    hidden, layers, heads, inner, vocabulary = shape
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
              "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads, "vocab_size": vocabulary,
              "max_position_embeddings": 1024, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
              "hidden_act": "silu", "bos_token_id": 256, "eos_token_id": 256, "torch_dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config))
    alphabet = bytes_alphabet()
    vocabulary_of = {alphabet[byte]: byte for byte in range(256)}
    end = {"id": 256, "content": "<end>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [end], "normalizer": None,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
                 "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                 "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                           "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary_of, "merges": []}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>"}))
    shapes = {"model.embed_tokens.weight": [vocabulary, hidden], "model.norm.weight": [hidden]}
    for layer in range(layers):
        name = f"model.layers.{layer}."
        for each in "qkvo":
            shapes[f"{name}self_attn.{each}_proj.weight"] = [hidden, hidden]
        shapes.update({name + "mlp.gate_proj.weight": [inner, hidden], name + "mlp.up_proj.weight": [inner, hidden],
                       name + "mlp.down_proj.weight": [hidden, inner], name + "input_layernorm.weight": [hidden],
                       name + "post_attention_layernorm.weight": [hidden]})
    write_safetensors(folder / "model.safetensors", shapes, random.Random(1))


def make_texts(path, length, examples=64):
    rng = random.Random(length)
    with open(path, "w") as file:
        for _ in range(examples):
            size = rng.randint(length // 2, length + length // 4)  # some are cut
            words = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(size))
            file.write(json.dumps({"text": words}) + "\n")


def trainer_of(configuration, place):
    if configuration["task"] == "image_classification":
        data = place / "pictures"
        if not data.exists():
            subprocess.run([BIN / "tune-train", "synthesize", "--task", "image_classification", "--output", data, "--images", "120",
                            "--size", "128"], check=True, stdout=subprocess.DEVNULL)
        return {"task": "image_classification", "model": configuration["model"], "data": str(data)}, {}
    model = place / ("llama-" + "-".join(map(str, configuration["shape"])))
    make_model(model, configuration["shape"])
    texts = place / f"texts-{configuration['length']}.jsonl"
    make_texts(texts, configuration["length"])
    return {"task": "language_model", "weights": str(model), "data": str(texts)}, {"max_length": configuration["length"]}


def write_trial(configuration, place):
    trainer, more = trainer_of(configuration, place)
    metric = "validation:loss" if configuration["task"] == "language_model" else "validation:accuracy"
    work = pathlib.Path(tempfile.mkdtemp(dir=place))
    for name in ("checkpoints", "output"):
        (work / name).mkdir()
    trial = {"schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1, "parameters": {},
             "fixed": {**configuration["fixed"], **more}, "objective": {"metric": metric, "goal": "minimize", "reduce": "best"},
             "trainer": trainer, "budget": 1, "threads": THREADS, "devices": [], "precision": "fp32",
             "checkpoint_dir": str(work / "checkpoints"), "output_dir": str(work / "output"), "resume_from": None}
    file = work / "trial.json"
    file.write_text(json.dumps(trial))
    return file


def measured(command):
    """Peak resident bytes and seconds of a process."""
    with open(os.devnull, "w") as nowhere, tempfile.TemporaryFile("w+") as errors:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=nowhere, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{command}: {errors.read()}")
    return usage.ru_maxrss * 1024, seconds


def row_of(name, configuration, place):
    file = write_trial(configuration, place)
    estimate = json.loads(subprocess.run([BIN / "tune-train", "estimate", "--trial", file, "--json"], check=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout)
    peak, seconds = measured([BIN / "tune-train", "--trial", file])
    memory, expected = estimate["memory"], estimate["time"]["seconds"]
    others = max(value for key, value in memory["phases"].items() if key != "training")
    carried_on = max(memory["carried_on_bytes"], others)  # as it would be without the step that corrects it
    return {"name": name, "peak": peak, "predicted": memory["total_bytes"], "carried_on": carried_on, "seconds": seconds,
            "expected": expected, "simple": estimate["simple"]["total_bytes"], "estimate": estimate}


def search(place):
    """A whole search of the command tune beside `tune estimate`: device hours."""
    configuration = language(SMALL, 128, 8)
    trainer, more = trainer_of(configuration, place)
    spec = {"study": "bench", "objective": {"metric": "validation:loss", "goal": "minimize"},
            "parameters": {"learning_rate": {"type": "float", "min": 1e-4, "max": 1e-2, "scale": "log"},
                           "batch_size": {"type": "int", "min": 4, "max": 16, "scale": "log"},
                           "lora_config.r": {"type": "int", "min": 2, "max": 32, "scale": "log"}},
            "fixed": {"epochs": 8, **more}, "trainer": trainer, "strategy": {"name": "random", "seed": 7},
            "early_stopping": {"rule": "median"}, "limits": {"trials": 12, "parallel": 2}, "cost": {"usd_per_hour": 3.6}}
    file = place / "search.json"
    file.write_text(json.dumps(spec))
    estimate = json.loads(subprocess.run([BIN / "tune", "estimate", file, "--json"], check=True, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL, text=True).stdout)
    store = place / "store"
    subprocess.run([BIN / "tune", "--spec", file, "--store", store], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    table = subprocess.run([BIN / "tune", "trials", "bench", "--store", store, "--csv"], check=True, stdout=subprocess.PIPE, text=True)
    return estimate, sum(float(trial["device_hours"]) for trial in csv.DictReader(io.StringIO(table.stdout)))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", action="append", help="a configuration whose name begins so, and print its row (may be repeated)")
    options.add_argument("--raw", type=pathlib.Path, help="also write all that was measured into this file, as JSON")
    arguments = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        for each, configuration in CONFIGURATIONS.items():
            if arguments.only and not any(each.startswith(begin) for begin in arguments.only):
                continue
            row = row_of(each, configuration, place)
            rows.append(row)
            print(each, f"memory {row['predicted'] / row['peak']:.3f} (carried on {row['carried_on'] / row['peak']:.3f})",
                  f"of {row['peak'] / 1e6:.0f} MB, time {row['expected'] / row['seconds']:.2f} of {row['seconds']:.1f} s", flush=True)
        cost = None
        if not arguments.only:
            cost = search(place)
    if arguments.raw:
        arguments.raw.write_text(json.dumps({"rows": rows, "search": cost}, indent=1))
    if arguments.only:
        return
    table = [[row["name"], f"{row['peak'] / 1e6:.0f}", f"{row['predicted'] / row['peak']:.2f}", f"{row['carried_on'] / row['peak']:.2f}",
              f"{row['simple'] / row['peak']:.2f}", f"{row['seconds']:.1f}", f"{row['expected'] / row['seconds']:.2f}"] for row in rows]
    write_table("estimates", "Estimates of trials beside what they took",
                ["trial", "peak MB", "estimate / peak", "carried on / peak", "rule of thumb / peak", "seconds", "estimate / seconds"],
                table, notes_of(cost))


def notes_of(cost):
    estimate, taken = cost
    hours = estimate["device_hours"]
    return [f"One thread each, fp32. *Carried on*: by the steps of two smaller batches alone, without a step of the whole one. The rule of "
            "thumb counts weights, gradients and the optimizer's state.", "",
            f"A search of 12 trials with the rule `median`: {taken * 3600:.0f} s of device time; estimated {hours['expected'] * 3600:.0f} s "
            f"({hours['expected'] / taken:.2f} of it), between {hours['low'] * 3600:.0f} and {hours['high'] * 3600:.0f} s."]


if __name__ == "__main__":
    main()
