"""The detectors of tune-train written in Python on the same LibTorch, as a careful user would: images decoded once and kept
in memory, channels-last, vectorised matching and augmentation, the fused optimizer. Prints images per second of whole epochs,
after one batch that is not counted.

usage: train_peer.py DATA MODEL BATCH THREADS PRECISION EPOCHS eager|compiled
"""
import pathlib
import sys
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import train_peer_models

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
    data, name, batch_size, threads, precision, epochs, mode = sys.argv[1:]
    batch_size, epochs = int(batch_size), int(epochs)
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    model, size, defaults = train_peer_models.make(name)
    images, boxes = load(data, size)
    corners = torch.cat([defaults[:, :2] - defaults[:, 2:] / 2, defaults[:, :2] + defaults[:, 2:] / 2], 1)
    model = model.to(memory_format=torch.channels_last).train()
    forward = torch.compile(model) if mode == "compiled" else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4, fused=True)

    def step(batch):
        x, rows = augment(images[batch], [boxes[i] for i in batch])
        classes, offsets = targets(rows, defaults, corners)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits, predicted = forward(x)
        optimizer.zero_grad(set_to_none=True)
        loss_of(logits, predicted, classes, offsets).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()

    step(torch.arange(batch_size))
    start, seen = time.monotonic(), 0
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(batch_size):
            if len(batch) == batch_size:
                step(batch)
                seen += batch_size
    print(f"{seen / (time.monotonic() - start):.2f}")


if __name__ == "__main__":
    main()
