"""What train_peer.py trains of tune-train's classifiers on a device: torchvision's networks, or the same layer for layer."""
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

import train_peer_models

CLASSES, SIZE, STORED = 6, 224, 256
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OwnResNet(nn.Module):
    def __init__(self, block, blocks, expansion):
        super().__init__()
        self.body = train_peer_models.ResNet(block, blocks, 64, expansion)
        self.fc = nn.Linear(self.body.widths[-1], CLASSES)

    def forward(self, x):
        return self.fc(self.body(x)[-1].mean((2, 3)))


OWN = {"resnet18": lambda: OwnResNet(train_peer_models.Basic, (2, 2, 2, 2), 1),
       "resnet50": lambda: OwnResNet(train_peer_models.Bottleneck, (3, 4, 6, 3), 4)}


def make(name):
    try:
        import torchvision
    except ImportError:
        return OWN[name]()
    return getattr(torchvision.models, name)(num_classes=CLASSES)


def load(folder, drawn):
    """[N, 256, 256, 3] bytes and the classes of images in a folder for each class; `drawn`: pixels at random."""
    files = sorted(file for file in pathlib.Path(folder).glob("*/*") if file.suffix in (".jpg", ".png"))
    names = sorted({file.parent.name for file in files})
    classes = torch.tensor([names.index(file.parent.name) for file in files])
    if drawn:
        return torch.randint(0, 256, (len(files), STORED, STORED, 3), dtype=torch.uint8), classes
    import numpy as np
    from PIL import Image

    images = [np.asarray(Image.open(file).convert("RGB").resize((STORED, STORED), Image.BILINEAR)) for file in files]
    return torch.from_numpy(np.stack(images)), classes


def augment(images):
    """RandomResizedCrop(scale=(0.35, 1)) and horizontal flips of [B, 3, H, W] bytes, normalised, whole batches at once."""
    n, at = images.shape[0], {"device": images.device}
    area, ratio = 0.35 + 0.65 * torch.rand(n, 1, **at), torch.exp((torch.rand(n, 1, **at) * 2 - 1) * 0.2877)  # 3:4 to 4:3
    scale = torch.cat([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp(max=1)
    shift = (1 - scale) * (2 * torch.rand(n, 2, **at) - 1)
    flip = torch.cat([torch.randint(0, 2, (n, 1), **at) * 2 - 1, torch.ones(n, 1, dtype=torch.long, **at)], 1)
    theta = torch.cat([torch.diag_embed(flip * scale), shift.unsqueeze(2)], 2)
    x = F.grid_sample(images.float().div_(255), F.affine_grid(theta, (n, 3, SIZE, SIZE), align_corners=False), align_corners=False)
    mean, deviation = (torch.tensor(values, **at).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return ((x - mean) / deviation).contiguous(memory_format=torch.channels_last)


class OnDevice:
    """A training with images, augmentation and network on the device; nothing in a step waits for it."""

    def __init__(self, options):
        self.device = torch.device(options.device.removesuffix("-as-device"))
        self.precision, self.is_cuda = options.precision, self.device.type == "cuda"
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        torch.set_num_threads(options.threads)
        torch.manual_seed(1)
        self.model = make(options.model).to(self.device, memory_format=torch.channels_last).train()
        images, classes = load(options.data, options.pixels == "drawn")
        self.images = images.permute(0, 3, 1, 2).to(self.device, memory_format=torch.channels_last)
        self.classes = classes.to(self.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.001, weight_decay=0.05, fused=True)
        self.make, self.forward = augment, self.model
        if options.mode == "compiled":
            self.make = torch.compile(augment)
            self.forward = torch.compile(self.model, mode=options.compile_mode)

    def step(self, batch):
        torch.compiler.cudagraph_mark_step_begin()
        x = self.make(self.images[batch])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            loss = F.cross_entropy(self.forward(x).float(), self.classes[batch])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 10)
        self.optimizer.step()

    def batches(self, size):
        order = torch.randperm(len(self.images), device=self.device)
        return [order[i:i + size] for i in range(0, len(order) - size + 1, size)]

    def wait(self):
        if self.is_cuda:
            torch.cuda.synchronize()
