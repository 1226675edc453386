"""Draws a tiny language model with random weights, whose tokens are bytes.

    python3 draw_model.py [--output FOLDER]

Writes config.json, model.safetensors, tokenizer.json and tokenizer_config.json, as Hugging Face lays a Llama out, into the folder
tiny/ beside this script, or into the one that is named. The same in each run. For trying things out: real work begins with a
model that has read something, such as fetch_smollm2.py fetches.
"""
import argparse
import array
import json
import math
import pathlib
import random
import struct

WIDTH, LAYERS, HEADS, KV_HEADS, INNER, POSITIONS = 32, 2, 4, 2, 64, 256
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WORDS = 256 + len(SPECIAL)
CHAT = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def letters():
    """The visible character that byte-level BPE writes for each byte: itself where it is one, else one from U+0100 on."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte if byte in visible else 256 + hidden.index(byte)) for byte in range(256)}


def tokenizer():
    added = [{"id": 256 + place, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for place, token in enumerate(SPECIAL)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {letter: byte for byte, letter in letters().items()}, "merges": []}}


def shapes():
    """Of a Llama whose output layer is its table of words, under transformers' names."""
    shared = WIDTH * KV_HEADS // HEADS
    yield "model.embed_tokens.weight", [WORDS, WIDTH]
    for layer in range(LAYERS):
        for name, shape in (("self_attn.q_proj", [WIDTH, WIDTH]), ("self_attn.k_proj", [shared, WIDTH]),
                            ("self_attn.v_proj", [shared, WIDTH]), ("self_attn.o_proj", [WIDTH, WIDTH]),
                            ("mlp.gate_proj", [INNER, WIDTH]), ("mlp.up_proj", [INNER, WIDTH]),
                            ("mlp.down_proj", [WIDTH, INNER]), ("input_layernorm", [WIDTH]),
                            ("post_attention_layernorm", [WIDTH])):
            yield f"model.layers.{layer}.{name}.weight", shape
    yield "model.norm.weight", [WIDTH]


def write_weights(file, rng):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, shape in sorted(shapes()):
        numbers = array.array("f", [1.0 if len(shape) == 1 else rng.gauss(0, WIDTH ** -0.5) for _ in range(math.prod(shape))])
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(numbers)]}
        data += numbers.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent / "tiny")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    end = WORDS - 1
    for name, content in (
            ("config.json", {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": WORDS, "hidden_size": WIDTH,
                             "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
                             "num_key_value_heads": KV_HEADS, "max_position_embeddings": POSITIONS, "hidden_act": "silu",
                             "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True, "eos_token_id": end,
                             "pad_token_id": 256}),
            ("tokenizer.json", tokenizer()),
            ("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": SPECIAL[-1], "pad_token": SPECIAL[0],
                                       "chat_template": CHAT})):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    write_weights(folder / "model.safetensors", random.Random(7))
    print(f"{folder}: a language model that has read nothing")


if __name__ == "__main__":
    main()
