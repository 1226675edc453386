"""Draws short messages of three kinds, and a tiny encoder with random weights to learn them with.

    python3 draw_texts.py [--output FOLDER] [--messages 240]

Writes data/messages.csv (label and text, with header) and encoder/ (config.json, model.safetensors, vocab.txt) into the folder,
which is that of this script where none is named. The same in each run. For trying things out: real work begins with an encoder
that has read something, such as fetch_minilm.py fetches.
"""
import argparse
import array
import csv
import json
import pathlib
import random
import struct

KINDS = {
    "billing": ["the invoice is wrong", "you charged me twice", "please send the receipt", "my card was refused",
                "i want a refund for this month"],
    "delivery": ["the parcel has not arrived", "it came to another address", "the box was open", "when will you ship it",
                 "the driver left it in the rain"],
    "fault": ["it does not start", "the screen stays dark", "it makes a loud noise", "the battery is empty after an hour",
              "the handle broke on the first day"],
}
BEFORE = ["hello ,", "good morning ,", "dear team ,", "once more :", "i wrote last week :", ""]
AFTER = ["please help .", "thank you .", "what now ?", "i am waiting .", "this is the third time that i ask .", ""]
WIDTH, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 2, 64, 64


def draw_messages(count, rng):
    rows = []
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        parts = [rng.choice(BEFORE), *rng.sample(KINDS[kind], rng.choice([1, 1, 2])), rng.choice(AFTER)]
        rows.append((kind, " ".join(part for part in parts if part)))
    rng.shuffle(rows)
    return rows


def vocabulary():
    words = sorted({word for parts in (*KINDS.values(), BEFORE, AFTER) for part in parts for word in part.split()})
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]


def shapes(words):
    """Of a BERT without head, under transformers' names."""
    norm = [("weight", [WIDTH]), ("bias", [WIDTH])]

    def linear(rows, columns):
        return [("weight", [rows, columns]), ("bias", [rows])]

    yield from ((f"bert.embeddings.{name}_embeddings.weight", [rows, WIDTH])
                for name, rows in (("word", words), ("position", POSITIONS), ("token_type", 2)))
    yield from ((f"bert.embeddings.LayerNorm.{name}", shape) for name, shape in norm)
    for layer in range(LAYERS):
        parts = {**{f"attention.self.{name}": linear(WIDTH, WIDTH) for name in ("query", "key", "value")},
                 "attention.output.dense": linear(WIDTH, WIDTH), "attention.output.LayerNorm": norm,
                 "intermediate.dense": linear(INNER, WIDTH), "output.dense": linear(WIDTH, INNER), "output.LayerNorm": norm}
        yield from ((f"bert.encoder.layer.{layer}.{part}.{name}", shape) for part, tensors in parts.items()
                    for name, shape in tensors)


def draw_encoder(folder, rng):
    words = vocabulary()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "vocab_size": len(words), "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": INNER, "max_position_embeddings": POSITIONS,
        "pad_token_id": 0}, indent=2) + "\n")
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, shape in sorted(shapes(len(words))):
        count = 1
        for extent in shape:
            count *= extent
        if len(shape) == 1:
            numbers = array.array("f", [1.0 if name.endswith("LayerNorm.weight") else 0.0] * count)
        else:
            numbers = array.array("f", [rng.gauss(0, shape[1] ** -0.5) for _ in range(count)])
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
        data += numbers.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--messages", type=int, default=240)
    given = parser.parse_args()
    rng = random.Random(7)
    data = given.output / "data" / "messages.csv"
    data.parent.mkdir(parents=True, exist_ok=True)
    with data.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("label", "text"))
        table.writerows(draw_messages(given.messages, rng))
    draw_encoder(given.output / "encoder", rng)
    print(f"{data}: {given.messages} messages of {len(KINDS)} kinds; {given.output / 'encoder'}: an encoder that has read nothing")


if __name__ == "__main__":
    main()
