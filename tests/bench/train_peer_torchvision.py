"""torchvision's Faster R-CNN on the data, with the augmentation and the optimizer of train_peer.py, and with the anchors, the numbers
of regions and the widths of tune-train's detector. Prints images per second of whole epochs, after batches that are not counted.

usage: train_peer_torchvision.py STAND_INS DATA MODEL BATCH THREADS PRECISION EPOCHS eager|compiled

torchvision's compiled operators come with a build for CUDA alone; STAND_INS is a folder for libraries that stand in for CUDA's,
where this machine lacks them. Compiled are the parts that have the same shapes each time, and the head that looks at regions.
"""
import ctypes
import pathlib
import re
import subprocess
import sys
import time

import torch

import train_peer

LIBRARIES = ("libcudart.so.13", "libc10_cuda.so", "libtorch_cuda.so")
RATIOS = (0.2, 0.5, 1.0, 2.0, 5.0)
# name: shorter side, longer side, base channels, of the pyramid, sides of anchors, regions per map, in all, anchors and regions to
# learn from, width of the head
MODELS = {
    "fasterrcnn-resnet18-half-fpn": (128, 213, 32, 64, (12, 24, 40, 64, 96), 200, 200, 128, 64, 256),
    "fasterrcnn-resnet18-fpn": (224, 373, 64, 128, (16, 32, 64, 128, 256), 400, 300, 256, 128, 512),
}


def symbols(file, which):
    lines = subprocess.run(["nm", "-D", which, file], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def make_stand_ins(folder, operators):
    """Libraries with all of CUDA's names that the operators ask for: those for the CPU call none of them."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in symbols(operators, "--undefined-only") if re.match(r"_ZNK?(3c10|2at)4cuda|(__)?cuda", name)]
    source, versions = folder / "stand_ins.c", folder / "versions"
    source.write_text("".join(f"void *{name}[64];\n" if name.endswith("allocatorE") else
                              f"void *{name}(void) {{ static void *none[64]; return none; }}\n" for name in sorted(wanted)))
    versions.write_text(f"{LIBRARIES[0]} {{ global: *; }};\n")
    for library in LIBRARIES:
        named = [f"-Wl,--version-script={versions}"] if library == LIBRARIES[0] else []
        subprocess.run(["cc", "-w", "-shared", "-fPIC", *named, f"-Wl,-soname,{library}", "-o", folder / library, source], check=True)


def import_torchvision(folder):
    if torch.version.cuda is None:
        operators = pathlib.Path(torch.__file__).parent.parent / "torchvision" / "_C.so"
        if not all((folder / library).exists() for library in LIBRARIES):
            make_stand_ins(folder, operators)
        for library in LIBRARIES:
            ctypes.CDLL(str(folder / library), mode=ctypes.RTLD_GLOBAL)
    import torchvision
    if not torchvision.extension._has_ops():
        sys.exit("torchvision's compiled operators do not load: without them it is no reference for speed")
    return torchvision


def make(torchvision, name, classes):
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.backbone_utils import BackboneWithFPN
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
    from torchvision.models.resnet import BasicBlock, ResNet

    shorter, longer, base, channels, sides, per_map, in_all, anchors, regions, width = MODELS[name]
    body = ResNet(BasicBlock, [2, 2, 2, 2])
    if base != 64:
        narrow(body, base / 64)
    backbone = BackboneWithFPN(body, {f"layer{i + 1}": str(i) for i in range(4)}, [base << i for i in range(4)], channels)
    return FasterRCNN(
        backbone, min_size=shorter, max_size=longer, rpn_anchor_generator=AnchorGenerator(tuple((s,) for s in sides), (RATIOS,) * 5),
        rpn_pre_nms_top_n_train=per_map, rpn_post_nms_top_n_train=in_all, rpn_batch_size_per_image=anchors,
        box_batch_size_per_image=regions, box_head=TwoMLPHead(channels * 49, width), box_predictor=FastRCNNPredictor(width, classes + 1))


def narrow(module, share):
    """A network with so many of the channels of each layer."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Conv2d):
            inputs = child.in_channels if child.in_channels == 3 else int(child.in_channels * share)
            setattr(module, name, torch.nn.Conv2d(inputs, int(child.out_channels * share), child.kernel_size, child.stride, child.padding,
                                                  bias=False))
        elif isinstance(child, torch.nn.BatchNorm2d):
            setattr(module, name, torch.nn.BatchNorm2d(int(child.num_features * share)))
        else:
            narrow(child, share)


def main():
    stand_ins, data, name, batch_size, threads, precision, epochs, mode = sys.argv[1:]
    batch_size, threads, epochs = int(batch_size), int(threads), int(epochs)
    torchvision = import_torchvision(pathlib.Path(stand_ins))
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    size = MODELS[name][0]
    images, boxes = train_peer.load(data, size)
    classes = int(max(float(rows[:, 4].max()) for rows in boxes if len(rows)))
    model = make(torchvision, name, classes).to(memory_format=torch.channels_last).train()
    if mode == "compiled":
        for part, parent in (("backbone", model), ("head", model.rpn)):
            setattr(parent, part, torch.compile(getattr(parent, part)))
        for part in ("box_head", "box_predictor"):
            setattr(model.roi_heads, part, torch.compile(getattr(model.roi_heads, part), dynamic=True))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4, fused=True)

    def step(batch):
        x, rows = train_peer.augment(images[batch], [boxes[i] for i in batch], normalised=False)
        targets = [{"boxes": r[:, :4] * size, "labels": r[:, 4].long()} for r in rows]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            losses = model(list(x), targets)
        optimizer.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()

    for _ in range(3 if mode == "compiled" else 1):
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
