"""The networks of tune-train written in Python on the same LibTorch, as a careful user would: images decoded once and kept
in memory, channels-last, vectorised matching and augmentation, the fused optimizer. Prints images per second of whole epochs,
after one batch that is not counted.

usage: train_peer.py DATA MODEL BATCH THREADS PRECISION EPOCHS eager|compiled

With --device cuda the images are kept on the GPU, whole batches are augmented and matched there, and nothing in a step waits
for it (train_peer_device.py); with --device cpu-as-device the same runs on the CPU, for a rehearsal. After ten batches that are
not counted it prints one JSON object. Without epochs it only fills the cache of torch.compile.
"""
import argparse
import json
import pathlib
import sys
import time
import xml.etree.ElementTree as ElementTree

import torch
import torch.nn.functional as F

import train_peer_classifiers
import train_peer_device
import train_peer_models

# cuDNN looks for its fastest kernels in the first batches, and a compiled network records its graph.
WARM_UP_BATCHES = 10


def load(folder, size):
    import numpy as np
    from PIL import Image

    folder = pathlib.Path(folder)
    names = sorted({n.text for f in (folder / "annotations").glob("*.xml") for n in ElementTree.parse(f).iter("name")})
    images, boxes = [], []
    for file in sorted((folder / "annotations").glob("*.xml")):
        image = Image.open(folder / "images" / (file.stem + ".jpg")).convert("RGB")
        width, height = image.size
        images.append(np.asarray(image.resize((size, size), Image.BILINEAR)))
        rows = []
        for item in ElementTree.parse(file).iter("object"):
            box = [float(item.find("bndbox").find(k).text) for k in ("xmin", "ymin", "xmax", "ymax")]
            rows.append([box[0] / width, box[1] / height, box[2] / width, box[3] / height, 1 + names.index(item.find("name").text)])
        boxes.append(torch.tensor(rows))
    return torch.from_numpy(np.stack(images)), boxes


def augment(images, boxes, normalised=True):
    """Flips, brightness and contrast, and a zoom crop, one choice an image."""
    x = images.permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
    n = x.shape[0]
    scale, theta, out = 0.7 + 0.3 * torch.rand(n), torch.zeros(n, 2, 3), []
    flip = torch.randint(0, 2, (n, 2)) * 2 - 1
    shift = (1 - scale).unsqueeze(1) * (2 * torch.rand(n, 2) - 1)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = flip[:, 0] * scale, flip[:, 1] * scale, shift
    x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)
    x = x * (0.8 + 0.4 * torch.rand(n, 1, 1, 1)) + 0.2 * (torch.rand(n, 1, 1, 1) - 0.5)
    if normalised:
        x = (x - 0.45) / 0.225
    for i, rows in enumerate(boxes):
        corners = rows[:, :4].view(-1, 2, 2) * 2 - 1
        moved = ((corners - shift[i]) / (flip[i] * scale[i]) + 1) / 2
        low, high = moved.min(1).values.clamp(0, 1), moved.max(1).values.clamp(0, 1)
        keep = ((high - low) > 0.01).all(1)
        out.append(torch.cat([low, high, rows[:, 4:]], 1)[keep])
    return x.contiguous(memory_format=torch.channels_last), out


def targets(boxes, defaults, corners):
    n = len(boxes)
    classes, offsets = torch.zeros(n, len(defaults), dtype=torch.long), torch.zeros(n, len(defaults), 4)
    area = defaults[:, 2] * defaults[:, 3]
    for i, rows in enumerate(boxes):
        if not len(rows):
            continue
        low, high = torch.max(rows[:, None, :2], corners[:, :2]), torch.min(rows[:, None, 2:4], corners[:, 2:])
        shared = (high - low).clamp(min=0).prod(2)
        overlap = shared / ((rows[:, 2:4] - rows[:, :2]).prod(1)[:, None] + area - shared)
        best, match = overlap.max(0)
        forced = overlap.argmax(1)
        best[forced], match[forced] = 1, torch.arange(len(rows))
        found = best >= 0.5
        chosen = rows[match[found]]
        classes[i, found] = chosen[:, 4].long()
        d = defaults[found]
        offsets[i, found] = torch.cat([((chosen[:, :2] + chosen[:, 2:4]) / 2 - d[:, :2]) / d[:, 2:] / 0.1,
                                       torch.log((chosen[:, 2:4] - chosen[:, :2]) / d[:, 2:]) / 0.2], 1)
    return classes, offsets


def loss_of(logits, predicted, classes, offsets):
    losses = F.cross_entropy(logits.float().transpose(1, 2), classes, reduction="none")
    positive = classes > 0
    count = positive.sum(1, keepdim=True)
    background = losses.masked_fill(positive, -1)
    rank = background.argsort(1, descending=True).argsort(1)
    mined = background.clamp(min=0)[rank < 3 * count].sum()
    box = F.smooth_l1_loss(predicted.float()[positive], offsets[positive], reduction="sum")
    return (losses[positive].sum() + mined + box) / count.sum().clamp(min=1)


def drawn(folder, size):
    """As load(), with pixels at random: no step depends on what they are, and nothing is decoded."""
    boxes = []
    for file in sorted((pathlib.Path(folder) / "annotations").glob("*.xml")):
        boxes.append(torch.tensor([[*sorted(torch.rand(2).tolist()), *sorted(torch.rand(2).tolist()), 1.0]
                                   for _ in ElementTree.parse(file).iter("object")])[:, [0, 2, 1, 3, 4]])
    return torch.randint(0, 256, (len(boxes), size, size, 3), dtype=torch.uint8), boxes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("model", choices=[*train_peer_models.MODELS, *train_peer_classifiers.OWN])
    for name in ("batch", "threads"):
        parser.add_argument(name, type=int)
    parser.add_argument("precision", choices=("fp32", "bf16"))
    parser.add_argument("epochs", type=int)
    parser.add_argument("mode", choices=("eager", "compiled"))
    parser.add_argument("--device", choices=("cpu", "cuda", "cpu-as-device"), default="cpu")
    parser.add_argument("--compile-mode", default="default", help="of torch.compile: default, reduce-overhead, max-autotune")
    parser.add_argument("--pixels", choices=("decoded", "drawn"), default="decoded",
                        help="drawn: at random, where there is no Pillow to decode images")
    parser.add_argument("--profile", metavar="FILE", help="then writes which operators took the time of a few steps")
    options = parser.parse_args()
    if options.model in train_peer_classifiers.OWN and options.device == "cpu":
        parser.error(f"{options.model} is trained with --device cuda or cpu-as-device")
    return options


def prepared(options):
    """The network, its optimizer, the images with their boxes, and the default boxes."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model, size, defaults = train_peer_models.make(options.model)
    images, boxes = (load if options.pixels == "decoded" else drawn)(options.data, size)
    return model, images, boxes, defaults


def train_on_cpu(options):
    model, images, boxes, defaults = prepared(options)
    batch_size = options.batch
    corners = torch.cat([defaults[:, :2] - defaults[:, 2:] / 2, defaults[:, :2] + defaults[:, 2:] / 2], 1)
    model = model.to(memory_format=torch.channels_last).train()
    forward = torch.compile(model) if options.mode == "compiled" else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4, fused=True)

    def step(batch):
        x, rows = augment(images[batch], [boxes[i] for i in batch])
        classes, offsets = targets(rows, defaults, corners)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            logits, predicted = forward(x)
        optimizer.zero_grad(set_to_none=True)
        loss_of(logits, predicted, classes, offsets).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()

    step(torch.arange(batch_size))
    start, seen = time.monotonic(), 0
    for _ in range(options.epochs):
        for batch in torch.randperm(len(images)).split(batch_size):
            if len(batch) == batch_size:
                step(batch)
                seen += batch_size
    print(f"{seen / (time.monotonic() - start):.2f}")


class OnDevice:
    """The same training with all that it needs on the device."""

    def __init__(self, options):
        self.device = torch.device(options.device.removesuffix("-as-device"))
        self.precision, self.is_cuda = options.precision, self.device.type == "cuda"
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        model, images, boxes, defaults = prepared(options)
        self.model = model.to(self.device, memory_format=torch.channels_last).train()
        self.images = images.permute(0, 3, 1, 2).to(self.device, memory_format=torch.channels_last)
        self.boxes = train_peer_device.padded(boxes).to(self.device)
        self.defaults = defaults.to(self.device)
        low, high = self.defaults[:, :2] - self.defaults[:, 2:] / 2, self.defaults[:, :2] + self.defaults[:, 2:] / 2
        self.corners = torch.cat([low, high], 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4, fused=True)
        self.make, self.forward, self.loss = self._make, self.model, train_peer_device.loss_of
        if options.mode == "compiled":
            # All of the step but the optimizer, which is one kernel. Only the network's graph is recorded.
            self.make, self.loss = torch.compile(self._make), torch.compile(self.loss)
            self.forward = torch.compile(self.model, mode=options.compile_mode)

    def _make(self, batch):
        x, rows = train_peer_device.augment(self.images[batch], self.boxes[batch])
        return x, *train_peer_device.targets(rows, self.defaults, self.corners)

    def step(self, batch):
        torch.compiler.cudagraph_mark_step_begin()
        x, classes, offsets = self.make(batch)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            logits, predicted = self.forward(x)
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(logits, predicted, classes, offsets).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 10)
        self.optimizer.step()

    def batches(self, size):
        order = torch.randperm(len(self.images), device=self.device)
        return [order[i:i + size] for i in range(0, len(order) - size + 1, size)]

    def wait(self):
        if self.is_cuda:
            torch.cuda.synchronize()


def profile(training, batch, file):
    activities = [torch.profiler.ProfilerActivity.CPU] + [torch.profiler.ProfilerActivity.CUDA] * training.is_cuda
    with torch.profiler.profile(activities=activities) as measured:
        for _ in range(5):
            training.step(batch)
        training.wait()
    order = "self_cuda_time_total" if training.is_cuda else "self_cpu_time_total"
    pathlib.Path(file).write_text(measured.key_averages().table(sort_by=order, row_limit=15, max_name_column_width=60))


def train_on_device(options):
    kind = train_peer_classifiers if options.model in train_peer_classifiers.OWN else sys.modules[__name__]
    training = kind.OnDevice(options)
    first = training.batches(options.batch)[0]
    begin = time.monotonic()
    for _ in range(WARM_UP_BATCHES if training.is_cuda else 1):
        training.step(first)
    training.wait()
    start, seen = time.monotonic(), 0
    for _ in range(options.epochs):
        for batch in training.batches(options.batch):
            training.step(batch)
            seen += options.batch
    training.wait()
    taken = time.monotonic() - start
    print(json.dumps({"images_per_second": seen / taken, "begin": start, "end": start + taken, "warm_up_seconds": start - begin,
                      "peak_bytes": torch.cuda.max_memory_allocated() if training.is_cuda else 0}))
    if options.profile:
        profile(training, first, options.profile)


def main():
    options = arguments()
    (train_on_cpu if options.device == "cpu" else train_on_device)(options)


if __name__ == "__main__":
    main()
