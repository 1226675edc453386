"""tune-train's detectors in plain PyTorch, layer for layer, and their default boxes: for the benchmark of training."""
import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 6


def conv_norm_relu(inputs, outputs, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True))


def shortcut(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class Basic(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu_(self.bn1(self.conv1(x)))))
        return F.relu_(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        width = outputs // 4
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x):
        y = F.relu_(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu_(self.bn2(self.conv2(y)))))
        return F.relu_(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Maps at strides 8, 16 and 32."""

    def __init__(self, block, blocks, channels, expansion):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, channels, 7, 2, 3, bias=False), nn.BatchNorm2d(channels)
        self.layers, inputs = nn.ModuleList(), channels
        self.widths = [(channels << i) * expansion for i in range(4)]
        for i, (count, width) in enumerate(zip(blocks, self.widths)):
            stages = [block(inputs, width, 1 if i == 0 else 2)] + [block(width, width, 1) for _ in range(count - 1)]
            self.layers.append(nn.Sequential(*stages))
            inputs = width

    def forward(self, x):
        x = F.max_pool2d(F.relu_(self.bn1(self.conv1(x))), 3, 2, 1)
        maps = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return maps[1:]


class Pyramid(nn.Module):
    """A small feature pyramid on a ResNet-18 of any width: five maps."""

    def __init__(self, channels, neck):
        super().__init__()
        self.backbone = ResNet(Basic, (2, 2, 2, 2), channels, 1)
        self.inner = nn.ModuleList(nn.Conv2d(w, neck, 1) for w in self.backbone.widths[1:])
        self.outer = nn.ModuleList(conv_norm_relu(neck, neck, 1) for _ in range(3))
        self.extra = nn.ModuleList(conv_norm_relu(neck, neck, 2) for _ in range(2))
        self.channels = [neck] * 5

    def forward(self, x):
        above, pyramid = None, []
        for source, inner, outer in zip(reversed(self.backbone(x)), reversed(self.inner), reversed(self.outer)):
            y = inner(source)
            if above is not None:
                y = y + F.interpolate(above, size=y.shape[-2:], mode="nearest")
            above = y
            pyramid.insert(0, outer(y))
        for extra in self.extra:
            pyramid.append(extra(pyramid[-1]))
        return pyramid


def extra_maps(inputs, rows):
    blocks = nn.ModuleList()
    for squeeze, outputs, kernel, stride, padding in rows:
        blocks.append(nn.Sequential(nn.Conv2d(inputs, squeeze, 1), nn.ReLU(True),
                                    nn.Conv2d(squeeze, outputs, kernel, stride, padding), nn.ReLU(True)))
        inputs = outputs
    return blocks


class ResNet50Maps(nn.Module):
    """MXNet's layout: strides 16 and 32, and four smaller maps."""

    def __init__(self):
        super().__init__()
        rows = [(256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 2, 1), (128, 128, 3, 2, 1)]
        self.backbone = ResNet(Bottleneck, (3, 4, 6, 3), 64, 4)
        self.extra = extra_maps(2048, rows)
        self.channels = [1024, 2048] + [row[1] for row in rows]

    def forward(self, x):
        maps = self.backbone(x)[1:]
        for block in self.extra:
            maps.append(block(maps[-1]))
        return maps


class VggMaps(nn.Module):
    """SSD's reduced VGG-16 with an atrous fc6."""

    def __init__(self, rows):
        super().__init__()
        layers, inputs = [], 3
        for outputs in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512):
            layers += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU(True)] if outputs else [nn.MaxPool2d(2, 2, ceil_mode=True)]
            inputs = outputs or inputs
        self.features = nn.Sequential(*layers)
        top = [nn.MaxPool2d(2, 2, ceil_mode=True)]
        for _ in range(3):
            top += [nn.Conv2d(512, 512, 3, 1, 1), nn.ReLU(True)]
        top += [nn.MaxPool2d(3, 1, 1), nn.Conv2d(512, 1024, 3, padding=6, dilation=6), nn.ReLU(True),
                nn.Conv2d(1024, 1024, 1), nn.ReLU(True)]
        self.top = nn.Sequential(*top)
        self.scale = nn.Parameter(torch.full((512,), 20.0))
        self.extra = extra_maps(1024, rows)
        self.channels = [512, 1024] + [row[1] for row in rows]

    def forward(self, x):
        x = self.features(x)
        maps = [F.normalize(x.float(), dim=1) * self.scale.view(1, -1, 1, 1)]
        maps.append(self.top(x))
        for block in self.extra:
            maps.append(block(maps[-1]))
        return maps


class Detector(nn.Module):
    def __init__(self, maps, per_cell, shared):
        super().__init__()
        self.maps = maps
        heads = lambda columns: nn.ModuleList(
            nn.Conv2d(c, n * columns, 3, padding=1) for c, n in list(zip(maps.channels, per_cell))[:1 if shared else None])
        self.classes, self.boxes = heads(CLASSES + 1), heads(4)

    def forward(self, x):
        maps = self.maps(x)
        flat = lambda heads, n: torch.cat([h(m).permute(0, 2, 3, 1).reshape(m.shape[0], -1, n) for h, m in
                                           zip(itertools.cycle(heads), maps)], 1)
        return flat(self.classes, CLASSES + 1), flat(self.boxes, 4)


def pyramid_shapes(_):
    scales = [0.15, 0.27, 0.42, 0.62, 0.85, 1.05]
    for here, larger in zip(scales, scales[1:]):
        shapes = [(here * math.sqrt(r), here / math.sqrt(r)) for r in (1, 2, 1 / 2, 3, 1 / 3, 5, 1 / 5)]
        between = math.sqrt(here * larger)
        yield shapes + [(between * math.sqrt(r), between / math.sqrt(r)) for r in (1, 5, 1 / 5)]


def published_shapes(maps):
    """Squares, and lying and standing boxes, over scales from 7 to 105 % of the image."""
    scales = [0.07, 0.15] + [0.15 + 0.9 * (i + 1) / (maps - 1) for i in range(maps - 1)]
    for i in range(maps):
        ratios = (2, 3) if 0 < i < maps - 2 else (2,)
        shapes = [(scales[i],) * 2, (math.sqrt(scales[i] * scales[i + 1]),) * 2]
        for ratio in ratios:
            long, short = scales[i] * math.sqrt(ratio), scales[i] / math.sqrt(ratio)
            shapes += [(long, short), (short, long)]
        yield shapes


VGG300 = [(256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 1, 0), (128, 256, 3, 1, 0)]
VGG512 = [(256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 4, 1, 1)]

# name: pixels, cells of each map, maps, shapes in a cell, whether all maps share their heads
MODELS = {
    "ssd128-resnet18-half": (128, [16, 8, 4, 2, 1], lambda: Pyramid(32, 64), pyramid_shapes, True),
    "ssd224-resnet18": (224, [28, 14, 7, 4, 2], lambda: Pyramid(64, 128), pyramid_shapes, True),
    "ssd300-resnet50": (300, [19, 10, 5, 3, 2, 1], ResNet50Maps, published_shapes, False),
    "ssd300-vgg16": (300, [38, 19, 10, 5, 3, 1], lambda: VggMaps(VGG300), published_shapes, False),
    "ssd512-vgg16": (512, [64, 32, 16, 8, 4, 2, 1], lambda: VggMaps(VGG512), published_shapes, False),
}


def make(name):
    """The network, pixels of a side, and its default boxes [N, 4] as centre, width, height in shares of the image."""
    size, cells, maps, shapes, shared = MODELS[name]
    per_map = list(shapes(len(cells)))
    boxes = [((x + 0.5) / n, (y + 0.5) / n, w, h) for n, in_cell in zip(cells, per_map) for y in range(n) for x in range(n)
             for w, h in in_cell]
    return Detector(maps(), [len(in_cell) for in_cell in per_map], shared), size, torch.tensor(boxes)
