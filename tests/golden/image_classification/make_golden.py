"""Makes classifiers_golden.json: what torchvision's networks and timm's vit_tiny answer and learn, with weights by a formula.

Run by hand: python make_golden.py > classifiers_golden.json
with torch 2.13.0, torchvision 0.28.0 and timm 1.0.31 (`pip install --no-deps torchvision==0.28.0 timm==1.0.31 numpy pillow
pyyaml safetensors`: of torchvision its Python half is enough).
The formula is repeated in tests/unit/trainer/tasks/image_classification/formula_classifier.h, so that the file holds outputs only.
"""
import json
import math
import pathlib
import sys

import torch

for name in ("nms", "qnms"):  # operators that are looked for when torchvision is imported; no classifier uses them
    torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import timm  # noqa: E402  (after the operators are defined)
import torchvision  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from noise import repeated_noise  # noqa: E402  (of the folder above)

CLASSES = 7
TORCHVISION = ("resnet18", "resnet34", "resnet50", "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
               "efficientnet_b0", "vgg16", "vit_b_16")
TIMM = ("vit_tiny_patch16_224",)
RANDOM = {"squeezenet1_1": {"dropout": 0.0}, "mobilenet_v2": {"dropout": 0.0}, "mobilenet_v3_small": {"dropout": 0.0},
          "mobilenet_v3_large": {"dropout": 0.0}, "efficientnet_b0": {"dropout": 0.0, "stochastic_depth_prob": 0.0},
          "vgg16": {"dropout": 0.0}}  # what would make a training step random
BATCHES = {"vit_b_16": 1, "vit_tiny_patch16_224": 1}  # else 2
SIZES = {"vit_b_16": 224, "vit_tiny_patch16_224": 224}  # else 64


def fill(model):
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        u = repeated_noise(name, tensor.numel()).view(tensor.shape)
        if tensor.dim() == 3:  # embeddings of places
            value = u
        elif tensor.dim() > 1:  # variance 1.5 / fan-in
            value = u * math.sqrt(18.0 / tensor[0].numel())
        elif name.endswith("running_var") or name.endswith(".weight"):  # of a norm
            value = u * 0.5 + 1.0
        else:
            value = u * 0.2
        tensor.copy_(value)


def significant(value):
    return float(f"{value:.7g}")


def samples(tensor, count):
    flat = tensor.detach().reshape(-1)
    step = max(1, flat.numel() // count)
    return {"shape": list(tensor.shape), "step": step, "values": [significant(v) for v in flat[::step].tolist()],
            "mean": significant(flat.double().mean()), "mean_square": significant(flat.double().square().mean())}


def make(name, **more):
    if name in TIMM:
        return timm.create_model(name, pretrained=False, num_classes=CLASSES, **more)
    return getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **more)


def tensors_of(model):
    """Name, shape, mean, deviation and largest over deviation of each tensor of a new network."""
    rows = []
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = tensor.double()
        deviation = float(values.std(correction=0))
        peak = float((values - values.mean()).abs().max()) / deviation if deviation else 0
        rows.append([name, list(tensor.shape), *(float(f"{value:.4g}") for value in (float(values.mean()), deviation, peak))])
    return rows


def input_form(name):
    """Of the library's default weights; the form of timm's is by its share of the shorter side."""
    if name in TIMM:
        form = timm.get_pretrained_cfg(name)
        size = form.input_size[1]
        return {"size": size, "resize": math.floor(size / form.crop_pct), "interpolation": form.interpolation,
                "mean": form.mean, "std": form.std, "smallest_size": size}
    weights = torchvision.models.get_model_weights(name).DEFAULT
    form = weights.transforms()
    return {"size": form.crop_size[0], "resize": form.resize_size[0], "interpolation": form.interpolation.value,
            "mean": form.mean, "std": form.std, "smallest_size": weights.meta["min_size"][0],
            "parameters": weights.meta["num_params"], "giga_multiply_adds": weights.meta["_ops"]}


def spread(items, count):
    """First, last and some between, each once."""
    return [items[i] for i in sorted({round(k * (len(items) - 1) / (count - 1)) for k in range(count)})] if items else []


def golden(name):
    torch.manual_seed(1)
    tensors = tensors_of(make(name))
    model = make(name, **RANDOM.get(name, {}))
    with torch.no_grad():
        fill(model)
    batch, size = BATCHES.get(name, 2), SIZES.get(name, 64)
    images = repeated_noise(name + " input", batch * 3 * size * size).view(batch, 3, size, size) * 4
    model.eval()
    with torch.no_grad():
        logits = model(images)
    # A step in double precision: in single precision rounding decides on which side of a kink some pixels are.
    model.double().train()
    loss = torch.nn.functional.cross_entropy(model(images.double()), torch.arange(batch) % CLASSES)
    loss.backward()
    parameters = dict(model.named_parameters())
    # Of what a batch normalisation takes away again the gradient is zero but for rounding.
    telling = [key for key, value in parameters.items() if value.grad.square().mean() > 1e-12]
    buffers = {key: value for key, value in model.named_buffers() if value.is_floating_point()}
    return {"input_form": input_form(name), "tensors": tensors, "batch": batch, "size": size,
            "logits": samples(logits, logits.numel()), "loss": significant(loss),
            "gradients": {key: samples(parameters[key].grad, 20) for key in spread(telling, 6)},
            "buffers": {key: samples(buffers[key], 20) for key in spread(list(buffers), 6)}}


torch.set_num_threads(1)  # so that sums have one order
print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__,
                  "models": {name: golden(name) for name in TORCHVISION + TIMM}}, separators=(",", ":")))
