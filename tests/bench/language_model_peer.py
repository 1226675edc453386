"""Language models by transformers and PEFT: run by language_model.py.

    python language_model_peer.py train FOLDER TEXTS THREADS LENGTH BATCH STEPS PRECISION
    python language_model_peer.py say FOLDER EXAMPLES [--adapter FOLDER] [--gguf NAME]
    python language_model_peer.py draw FOLDER OUTPUT
    python language_model_peer.py gguf FILE FOLDER

train: steps of LoRA (r 8 on q_proj and v_proj) over whole texts; prints the seconds of each step and its loss.
say: the mean loss of the completions' tokens, and the most probable answers to the prompts.
draw: an adapter for the model, none of whose matrices is zero, as PEFT saves it.
gguf: the largest difference, for each type in the file, between its numbers and those of the model in FOLDER.
"""
import argparse
import json
import sys
import time
import warnings

import torch
import transformers

ANSWER_TOKENS = 24


def opened(folder, adapter=None, gguf=None, dtype=torch.float32):
    more = {"gguf_file": gguf} if gguf else {}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **more)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **more)
    if adapter:
        import peft
        model = peft.PeftModel.from_pretrained(model, adapter)
    return tokenizer, model.eval()


def train(given):
    import peft
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    tokenizer, model = opened(given.folder)
    model = peft.get_peft_model(model.train(), peft.LoraConfig(r=8, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    rows = torch.tensor([tokenizer(json.loads(line)["text"]).input_ids[:given.length] for line in open(given.texts)])
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    seconds, losses = [], []
    for step in range(given.steps):
        begin = time.monotonic()
        ids = rows[torch.arange(step * given.batch, (step + 1) * given.batch) % len(rows)]
        with torch.autocast("cpu", torch.bfloat16, enabled=given.precision == "bf16"):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        seconds.append(time.monotonic() - begin)
    print(json.dumps({"seconds": seconds, "losses": losses}))


@torch.no_grad()
def say(given):
    tokenizer, model = opened(given.folder, given.adapter, given.gguf)
    end, lost, count, answers = model.config.eos_token_id, 0.0, 0, []
    for line in open(given.examples):
        example = json.loads(line)
        prompt, completion = (tokenizer(example[key], add_special_tokens=False).input_ids for key in ("prompt", "completion"))
        ids = torch.tensor([prompt + completion + [end]])
        logits = model(input_ids=ids).logits[0, len(prompt) - 1:-1].double()
        lost += torch.nn.functional.cross_entropy(logits, ids[0, len(prompt):], reduction="sum").item()
        count += len(completion) + 1
        made = model.generate(input_ids=torch.tensor([prompt]), max_new_tokens=ANSWER_TOKENS, do_sample=False, eos_token_id=end,
                              pad_token_id=end)
        answers.append(tokenizer.decode(made[0, len(prompt):], skip_special_tokens=True))
    print(json.dumps({"loss": lost / count, "tokens": count, "answers": answers}))


def draw(given):
    import peft
    torch.manual_seed(3)
    _, model = opened(given.folder)
    model = peft.get_peft_model(model, peft.LoraConfig(r=6, lora_alpha=9, target_modules="all-linear", use_rslora=True,
                                                       task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.02)
    model.save_pretrained(given.output)


def gguf_file(given):
    import gguf
    _, model = opened(given.folder)
    state = model.state_dict()
    heads = {"attn_q": model.config.num_attention_heads, "attn_k": model.config.num_key_value_heads}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    own = {f"{names.get_name(name.removesuffix('.weight'))}.weight": tensor for name, tensor in state.items()}
    reader, worst = gguf.GGUFReader(given.file), {}
    for tensor in reader.tensors:
        found = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        wanted = own.pop(tensor.name).float()
        for part, count in heads.items():  # rows that a rotation pairs lie side by side there
            if f".{part}." in tensor.name:
                wanted = wanted.view(count, 2, -1, wanted.shape[1]).transpose(1, 2).reshape(wanted.shape)
        kind = tensor.tensor_type.name
        difference = (found.view(wanted.shape) - wanted).abs().max().item() / wanted.abs().max().item()
        worst[kind] = max(worst.get(kind, 0), difference)
    own.pop("output.weight", None)  # the table of words once more
    if own:
        sys.exit(f"not in the file: {sorted(own)}")
    print(json.dumps(worst))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    for work, arguments in ((train, "folder texts threads length batch steps precision"), (say, "folder examples --adapter --gguf"),
                            (draw, "folder output"), (gguf_file, "file folder")):
        part = parts.add_parser(work.__name__.split("_")[0])
        part.set_defaults(work=work)
        for name in arguments.split():
            part.add_argument(name, type=int if name in ("threads", "length", "batch", "steps") else str)
    given = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    given.work(given)


if __name__ == "__main__":
    main()
