"""Makes encoders_golden.json: what transformers' encoders of texts answer and learn, with weights by a formula.

Run by hand: python make_golden.py > encoders_golden.json
with torch 2.13.0 and transformers 5.24.0.
The formula is that of tests/golden/image_classification/make_golden.py, and repeated in
tests/unit/trainer/tasks/image_classification/formula_classifier.h, so that the file holds inputs and outputs only.
"""
import json
import math
import pathlib
import sys

import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from noise import noise  # noqa: E402  (of the folder above)

CLASSES, VOCABULARY, POSITIONS = 3, 60, 40
LENGTHS = (9, 23, 5, 16)
FAMILIES = {
    "bert": (transformers.BertConfig, transformers.BertForSequenceClassification,
             {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48,
              "type_vocab_size": 2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}),
    "distilbert": (transformers.DistilBertConfig, transformers.DistilBertForSequenceClassification,
                   {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "dropout": 0.0, "attention_dropout": 0.0,
                    "seq_classif_dropout": 0.0}),
    "roberta": (transformers.RobertaConfig, transformers.RobertaForSequenceClassification,
                {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
                 "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.0,
                 "attention_probs_dropout_prob": 0.0, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}),
    # The other activations that people's files name.
    "bert-tanh": (transformers.BertConfig, transformers.BertForSequenceClassification,
                  {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24,
                   "hidden_act": "gelu_new", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}),
    "bert-relu": (transformers.BertConfig, transformers.BertForSequenceClassification,
                  {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24,
                   "hidden_act": "relu", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}),
}


def fill(model):
    for name, tensor in model.named_parameters():
        u = noise(name, tensor.numel()).view(tensor.shape)
        if tensor.dim() > 1:  # variance 1.5 / fan-in
            value = u * math.sqrt(18.0 / tensor[0].numel())
        elif name.endswith(".weight"):  # of a norm
            value = u * 0.5 + 1.0
        else:
            value = u * 0.2
        tensor.data.copy_(value)


def significant(value):
    return float(f"{value:.9g}")


def samples(tensor, count):
    flat = tensor.detach().reshape(-1)
    step = max(1, flat.numel() // count)
    return {"shape": list(tensor.shape), "step": step, "values": [significant(v) for v in flat[::step].tolist()],
            "mean_square": significant(flat.double().square().mean())}


def golden(config_class, model_class, values):
    config = config_class(vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, num_labels=CLASSES, **values)
    model = model_class(config).eval()
    fill(model)
    padding = config.pad_token_id
    ids = torch.full((len(LENGTHS), max(LENGTHS)), padding)
    mask = torch.zeros_like(ids)
    types = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = 3 + torch.arange(length) * (7 + row) % (VOCABULARY - 3)
        mask[row, :length] = 1
        types[row, length // 2:length] = 1
    more = {}
    if config.model_type != "distilbert":
        more["token_type_ids"] = types if config.type_vocab_size > 1 else torch.zeros_like(ids)
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask, **more).logits
        single = model(input_ids=ids[:1, :LENGTHS[0]]).logits  # without a mask, types of their own
    model.double()
    targets = torch.arange(len(LENGTHS)) % CLASSES
    loss = torch.nn.functional.cross_entropy(model(input_ids=ids, attention_mask=mask, **more).logits, targets)
    loss.backward()
    gradients = {name: samples(value.grad, 12) for name, value in model.named_parameters()
                 if value.grad is not None and value.grad.square().mean() > 1e-20}
    plain = json.loads(config.to_json_string(use_diff=False))
    wanted = {key: plain[key] for key in (*values, "model_type", "vocab_size", "max_position_embeddings", "pad_token_id",
                                          "initializer_range", "id2label")}
    return {"config": wanted, "names": {name: list(value.shape) for name, value in model.state_dict().items()},
            "ids": ids.tolist(), "mask": mask.tolist(), "types": types.tolist(),
            "logits": [[significant(v) for v in row] for row in logits.tolist()],
            "single": [significant(v) for v in single[0].tolist()], "loss": significant(loss), "gradients": gradients}


torch.set_num_threads(1)  # so that sums have one order
print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__,
                  "models": {name: golden(*parts) for name, parts in FAMILIES.items()}}, separators=(",", ":")))
