"""Makes what transformers, PEFT and gguf say of tiny language models whose weights a formula gives.

Run by hand in this folder: python make_golden.py
with torch 2.13.0, transformers 5.24.0, peft 0.21.2, gguf 0.19.0, safetensors. It writes
  decoders.json      configurations, logits, a loss and gradients of every kind of model
  adapters/NAME/     adapters as PEFT saves them; adapters.json has the logits with them
  training.json      losses of a training of an adapter by PEFT and torch.optim.AdamW
  blocks.json        packed blocks of GGUF and the numbers that they stand for
  tiny-llama-TYPE.gguf  whole models of random weights as llama.cpp converts them; gguf.json has their logits
The formula is repeated in tests/unit/trainer/tasks/language_model/formula_decoder.h.
"""
import json
import math
import pathlib
import shutil
import sys

import gguf
import numpy
import peft
import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from noise import noise  # noqa: E402  (of the folder above)

HERE = pathlib.Path(__file__).parent
SMALL = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
             pad_token_id=0, attn_implementation="eager")
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16}
MODELS = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM, dict(tie_word_embeddings=False)),
    "llama-tied-biases": (transformers.LlamaConfig, transformers.LlamaForCausalLM,
                          dict(tie_word_embeddings=True, attention_bias=True, mlp_bias=True)),
    "llama-llama3": (transformers.LlamaConfig, transformers.LlamaForCausalLM, dict(rope_parameters=LLAMA3)),
    "llama-yarn": (transformers.LlamaConfig, transformers.LlamaForCausalLM, dict(rope_parameters=YARN)),
    "llama-linear": (transformers.LlamaConfig, transformers.LlamaForCausalLM,
                     dict(rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0})),
    "mistral-window": (transformers.MistralConfig, transformers.MistralForCausalLM, dict(sliding_window=5, head_dim=8)),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM, dict(tie_word_embeddings=True)),
    "qwen2-window": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM,
                     dict(use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM, dict(head_dim=12)),
    "gemma": (transformers.GemmaConfig, transformers.GemmaForCausalLM, dict(head_dim=12)),
    "gemma2": (transformers.Gemma2Config, transformers.Gemma2ForCausalLM,
               dict(head_dim=12, sliding_window=5, query_pre_attn_scalar=16)),
    "gemma3_text": (transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM,
                    dict(head_dim=12, sliding_window=5, query_pre_attn_scalar=16)),
}


def fill(model):
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            u = noise(name, tensor.numel()).view(tensor.shape)
            if "embed_tokens" in name:
                value = u * 2
            elif tensor.dim() > 1:
                value = u * math.sqrt(18.0 / tensor.shape[1])
            elif name.endswith("norm.weight"):
                value = u * 0.5 + (0.0 if "gemma" in model.config.model_type else 1.0)
            else:
                value = u * 0.2
            tensor.copy_(value)
    return model


def make(name):
    config, kind, more = MODELS[name]
    return fill(kind(config(**{**SMALL, **more})).float()).eval()


def ids_of(name, rows, length, words=64):
    return ((noise(name, rows * length) + 0.5) * words).long().view(rows, length)


def numbers(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().double().reshape(-1).tolist()]


def decoder(name):
    model, ids = make(name), ids_of("ids", 2, 11)
    logits = model(input_ids=ids).logits
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 64), ids[:, 1:].reshape(-1))
    loss.backward()
    # Of each tensor of the first layer and around the layers.
    gradients = {key: float(f"{value.grad.double().norm():.7g}") for key, value in model.named_parameters()
                 if value.grad is not None and ("layers.0." in key or "layers" not in key)}
    config = {key: value for key, value in json.loads(model.config.to_json_string()).items() if value is not None}
    generated = model.generate(input_ids=ids[:1, :4], max_new_tokens=8, do_sample=False, pad_token_id=0, eos_token_id=63)
    return {"config": config, "parameters": sum(p.numel() for p in model.parameters()),
            "logits": numbers(logits[:, ::5]), "loss": float(loss), "gradient_norms": gradients,
            "generated": generated[0, 4:].tolist()}


ADAPTERS = {
    "plain": ("llama", dict(r=2, lora_alpha=6, target_modules=["q_proj", "v_proj"])),
    "all-linear": ("qwen2", dict(r=3, lora_alpha=6, target_modules="all-linear", use_rslora=True, bias="lora_only")),
    "saved-head": ("llama-tied-biases", dict(r=2, lora_alpha=4, target_modules=["down_proj"], modules_to_save=["lm_head"],
                                             bias="all", rank_pattern={"layers.1.mlp.down_proj": 3},
                                             alpha_pattern={"layers.1.mlp.down_proj": 9})),
}


def adapter(name):
    base, settings = ADAPTERS[name]
    model = make(base)
    wrapped = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for key, tensor in wrapped.named_parameters():
            if "lora_" in key or "modules_to_save" in key or (tensor.requires_grad and key.endswith("bias")):
                tensor.copy_(noise(key, tensor.numel()).view(tensor.shape) * 0.5)
    wrapped.eval()
    folder = HERE / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    wrapped.save_pretrained(folder)
    for other in folder.glob("README.md"):
        other.unlink()
    logits = wrapped(input_ids=ids_of("ids", 2, 11)).logits
    return {"base": base, "logits": numbers(logits[:, ::5]),
            "trained": sum(p.numel() for p in wrapped.parameters() if p.requires_grad)}


def training():
    """50 steps of PEFT's adapter of r 4 on "llama": batches of two rows of different lengths, of which the first five tokens are
    prompts; the loss is the mean over the tokens of two accumulated batches."""
    model = make("llama")
    wrapped = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8,
                                                         target_modules=["q_proj", "v_proj"]))
    with torch.no_grad():
        for key, tensor in wrapped.named_parameters():
            if "lora_A" in key:
                tensor.copy_(noise(key, tensor.numel()).view(tensor.shape))
    folder = HERE / "adapters" / "initial"
    shutil.rmtree(folder, ignore_errors=True)
    wrapped.save_pretrained(folder)
    for other in folder.glob("README.md"):
        other.unlink()
    rows = [ids_of(f"row {i}", 1, 8 + 3 * (i % 4))[0] for i in range(20)]
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=0.01, weight_decay=0.01)
    losses = []
    for step in range(50):
        total, count = 0, sum(len(rows[(4 * step + i) % 20]) - 5 for i in range(4))
        for i in range(4):
            row = rows[(4 * step + i) % 20]
            logits = wrapped(input_ids=row[None]).logits[0]
            loss = torch.nn.functional.cross_entropy(logits[4:-1], row[5:], reduction="sum") / count
            loss.backward()
            total += float(loss)
        torch.nn.utils.clip_grad_norm_([p for p in wrapped.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
    return {"losses": losses}


def blocks():
    """Random bytes as blocks: every pattern of bits stands for some number. Scales are small halves, so that all are finite."""
    kinds = gguf.GGMLQuantizationType
    result = {}
    for kind in (kinds.Q4_0, kinds.Q4_1, kinds.Q8_0, kinds.Q4_K, kinds.Q6_K, kinds.BF16, kinds.F16):
        size, length = gguf.GGML_QUANT_SIZES[kind]
        count = 512 // size
        raw = ((noise(kind.name, count * length) + 0.5) * 256).to(torch.uint8).numpy().reshape(count, length)
        scales = {kinds.Q4_0: (0,), kinds.Q4_1: (0, 2), kinds.Q8_0: (0,), kinds.Q4_K: (0, 2), kinds.Q6_K: (208,)}.get(kind, ())
        for at in scales:
            raw[:, at:at + 2] = (noise(f"{kind.name} {at}", count).numpy().astype(numpy.float16) * numpy.float16(0.1)).view(numpy.uint8).reshape(count, 2)
        if kind in (kinds.F16, kinds.BF16):
            raw = raw.reshape(-1, 2)
            raw[:, 1] &= 0x3F
            raw = raw.reshape(1, -1)
        values = gguf.quants.dequantize(raw.reshape(1, -1), kind)
        result[kind.name] = {"hex": raw.tobytes().hex(), "numbers": numbers(torch.from_numpy(numpy.asarray(values, dtype=numpy.float32).copy()))}
    packed = gguf.quants.quantize(noise("pack", 256).numpy().reshape(2, 128), kinds.Q8_0)
    result["packed Q8_0"] = {"hex": packed.tobytes().hex()}
    return result


def permuted(weight, heads):
    """The rows of queries and keys as llama.cpp lays them out."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def vocabulary():
    """Byte-level BPE with one merge: padding, a beginning, an end, and some of the printable bytes."""
    tokens = ["<pad>", "<s>", "</s>"] + [chr(code) for code in range(ord("!"), ord("~") + 1)] + ["\u0120", "\u010a"]
    return tokens[:63] + ["!!"]


def whole(kind):
    tokens = vocabulary()
    more = dict(tie_word_embeddings=False, hidden_size=64, intermediate_size=96)
    model = fill(transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**SMALL, **more})).float()).eval()
    file = HERE / f"tiny-llama-{kind.name.lower()}.gguf"
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(64)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * 61)
    writer.add_token_merges(["! !"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            key = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                   "lm_head.weight": "output.weight"}.get(name)
            values = tensor.numpy()
            if key is None:
                _, _, layer, rest = name.split(".", 3)
                part = rest.rsplit(".", 1)[0]
                key = f"blk.{layer}.{NAMES[part]}.weight"
                if part.endswith("q_proj"):
                    values = permuted(values, 4)
                if part.endswith("k_proj"):
                    values = permuted(values, 2)
            if tensor.dim() > 1:
                packed = gguf.quants.quantize(values, kind)
                writer.add_tensor(key, packed, raw_dtype=kind)
                back = torch.from_numpy(numpy.asarray(gguf.quants.dequantize(packed, kind), dtype=numpy.float32).copy()).view(tensor.shape)
                if name.endswith("q_proj.weight"):
                    back = back.view(4, 8, 2, 64).transpose(1, 2).reshape(64, 64)
                if name.endswith("k_proj.weight"):
                    back = back.view(2, 8, 2, 64).transpose(1, 2).reshape(32, 64)
                tensor.copy_(back)
            else:
                writer.add_tensor(key, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return {"logits": numbers(model(input_ids=ids_of("ids", 2, 11)).logits[:, ::5])}


torch.set_num_threads(1)  # so that sums have one order


def write(name, value):
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n")


write("decoders.json", {name: decoder(name) for name in MODELS})
write("adapters.json", {name: adapter(name) for name in ADAPTERS})
write("training.json", training())
write("blocks.json", blocks())
kinds = gguf.GGMLQuantizationType
write("gguf.json", {kind.name.lower(): whole(kind) for kind in (kinds.Q4_0, kinds.Q8_0)})
