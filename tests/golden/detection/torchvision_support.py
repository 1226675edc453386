"""torchvision without its compiled half, and networks that a formula fills: what the scripts beside this one share.

With torch 2.13.0 and torchvision 0.28.0 (`pip install --no-deps torchvision==0.28.0 pillow`: its Python half is enough).
The formula is repeated in tests/unit/trainer/tasks/detection/formula_weights.h, so that golden files hold outputs only.
"""
import math
import os
import pathlib
import sys

os.environ["TORCHDYNAMO_DISABLE"] = "1"  # its Python half would compile roi_align

import torch  # noqa: E402

torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


@torch.library.impl("torchvision::nms", "cpu")
def nms(boxes, scores, threshold):
    order = scores.sort(descending=True, stable=True).indices.tolist()
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    for i in order:
        if kept:
            others = boxes[kept]
            low, high = torch.maximum(others[:, :2], boxes[i, :2]), torch.minimum(others[:, 2:], boxes[i, 2:])
            inter = (high - low).clamp(min=0).prod(1)
            if (inter / (area[kept] + area[i] - inter) > threshold).any():
                continue
        kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


import torchvision  # noqa: E402  (after the operator is defined)
import torchvision.extension  # noqa: E402
import torchvision.ops.boxes  # noqa: E402

for module in (torchvision.extension, torchvision.ops.boxes):
    module._assert_has_ops = lambda: None

# Its Python half takes points beyond a map for the map's edge, where the compiled one takes those more than a pixel beyond for 0.
roi_align_module = sys.modules["torchvision.ops.roi_align"]
interpolate = roi_align_module._bilinear_interpolate


def interpolate_inside(maps, images, y, x, *masks):
    values = interpolate(maps, images, y, x, *masks)
    rows = (y >= -1) & (y <= maps.shape[2])
    columns = (x >= -1) & (x <= maps.shape[3])
    return values * rows[:, None, :, None, :, None] * columns[:, None, None, :, None, :]


roi_align_module._bilinear_interpolate = interpolate_inside

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from noise import noise  # noqa: E402  (of the folder above)


def fill(model):
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        u = noise(name, tensor.numel()).view(tensor.shape)
        if tensor.dim() > 1:  # variance 2 / fan-in; pixels are about 64 times as large as other inputs
            value = u * (math.sqrt(24.0 / tensor[0].numel()) * (1 / 64 if name == "backbone.features.0.weight" else 1))
        elif name.endswith("scale_weight"):
            value = u + 20.0
        elif name.endswith("running_var"):
            value = u + 1.0
        elif ".bn" in name and name.endswith(".weight") or "bn1.weight" == name or name.endswith("downsample.1.weight"):
            value = u * 0.4 + 0.5
        else:
            value = u * 0.2
        tensor.copy_(value)


def pixels(name, size):
    """[3, size, size] bytes."""
    return ((noise(name, 3 * size * size) + 0.5) * 256).floor().view(3, size, size)


def samples(tensor, count):
    flat = tensor.detach().reshape(-1)
    step = max(1, flat.numel() // count)
    return {"shape": list(tensor.shape), "step": step, "values": [round(float(v), 7) for v in flat[::step]],
            "mean": float(flat.double().mean()), "mean_square": float(flat.double().square().mean())}
