"""The detectors of tune-train written in Python on the same LibTorch, as a careful user would: images decoded once and kept
in memory, channels-last, vectorised matching and augmentation, the fused optimizer. Prints images per second of whole epochs.

usage: train_peer.py DATA SIZE CHANNELS NECK THREADS PRECISION EPOCHS
"""
import math
import pathlib
import sys
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

CLASSES, PER_CELL, BATCH = 6, 10, 16
SCALES = [0.15, 0.27, 0.42, 0.62, 0.85, 1.05]
RATIOS = [1, 2, 1 / 2, 3, 1 / 3, 5, 1 / 5, 8, 1 / 8]


def conv_norm_relu(inputs, outputs, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu_(self.bn1(self.conv1(x)))))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu_(y)


class Detector(nn.Module):
    def __init__(self, channels, neck):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        widths = [channels << i for i in range(4)]
        before = [channels, *widths[:3]]
        self.layers = nn.ModuleList(
            nn.Sequential(Block(i, o, 1 if o == channels else 2), Block(o, o, 1)) for i, o in zip(before, widths))
        self.inner = nn.ModuleList(nn.Conv2d(w, neck, 1) for w in widths[1:])
        self.outer = nn.ModuleList(conv_norm_relu(neck, neck, 1) for _ in range(3))
        self.extra = nn.ModuleList(conv_norm_relu(neck, neck, 2) for _ in range(2))
        self.classes = nn.Conv2d(neck, PER_CELL * (CLASSES + 1), 3, padding=1)
        self.boxes = nn.Conv2d(neck, PER_CELL * 4, 3, padding=1)

    def forward(self, x):
        x = F.max_pool2d(F.relu_(self.bn1(self.conv1(x))), 3, 2, 1)
        maps = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        above, pyramid = None, []
        for source, inner, outer in zip(reversed(maps[1:]), reversed(self.inner), reversed(self.outer)):
            y = inner(source)
            if above is not None:
                y = y + F.interpolate(above, size=y.shape[-2:], mode="nearest")
            above = y
            pyramid.insert(0, outer(y))
        for extra in self.extra:
            pyramid.append(extra(pyramid[-1]))
        flat = lambda t, n: t.permute(0, 2, 3, 1).reshape(t.shape[0], -1, n)
        return (torch.cat([flat(self.classes(m), CLASSES + 1) for m in pyramid], 1),
                torch.cat([flat(self.boxes(m), 4) for m in pyramid], 1))


def default_boxes(size):
    boxes, cells = [], [math.ceil(size / 8)]
    while len(cells) < 5:
        cells.append(math.ceil(cells[-1] / 2))
    for i, n in enumerate(cells):
        shapes = [(SCALES[i] * math.sqrt(r), SCALES[i] / math.sqrt(r)) for r in RATIOS]
        shapes.append((math.sqrt(SCALES[i] * SCALES[i + 1]),) * 2)
        for y in range(n):
            for x in range(n):
                boxes += [((x + 0.5) / n, (y + 0.5) / n, w, h) for w, h in shapes]
    return torch.tensor(boxes)


def load(folder, size):
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


def augment(images, boxes):
    """Flips, brightness and contrast, and a zoom crop, one choice an image."""
    x = images.permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
    n = x.shape[0]
    scale, theta, out = 0.7 + 0.3 * torch.rand(n), torch.zeros(n, 2, 3), []
    flip = torch.randint(0, 2, (n, 2)) * 2 - 1
    shift = (1 - scale).unsqueeze(1) * (2 * torch.rand(n, 2) - 1)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = flip[:, 0] * scale, flip[:, 1] * scale, shift
    x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)
    x = (x * (0.8 + 0.4 * torch.rand(n, 1, 1, 1)) + 0.2 * (torch.rand(n, 1, 1, 1) - 0.5) - 0.45) / 0.225
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


def main():
    data, size, channels, neck, threads, precision, epochs = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6], int(sys.argv[7])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, boxes = load(data, size)
    defaults = default_boxes(size)
    corners = torch.cat([defaults[:, :2] - defaults[:, 2:] / 2, defaults[:, :2] + defaults[:, 2:] / 2], 1)
    model = Detector(channels, neck).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)
    start = time.monotonic()
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for batch in order.split(BATCH):
            if len(batch) < BATCH:
                continue
            x, rows = augment(images[batch], [boxes[i] for i in batch])
            classes, offsets = targets(rows, defaults, corners)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits, predicted = model(x)
            optimizer.zero_grad(set_to_none=True)
            loss_of(logits, predicted, classes, offsets).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
            optimizer.step()
    print(f"{epochs * (len(images) // BATCH * BATCH) / (time.monotonic() - start):.2f}")


if __name__ == "__main__":
    main()
