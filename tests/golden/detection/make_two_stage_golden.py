"""Makes two_stage_golden.json: what torchvision's Faster R-CNN and its parts answer with weights that a formula gives.

Run by hand: python make_two_stage_golden.py > two_stage_golden.json
with what torchvision_support.py asks for. Samplers choose all anchors and regions here, so that nothing is drawn. The fusion
network is the one of He et al. (IEEE TIM 69(4), 2020) in a published implementation's shapes and names.
"""
import json

import torch
from torch import nn

from torchvision_support import fill, noise, samples, torchvision
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign

ALL = 10 ** 6
CLASSES = 6
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def image(name, height, width):
    """[3, height, width] in whole 255ths."""
    return ((noise(name, 3 * height * width) + 0.5) * 256).floor().view(3, height, width) / 255


def boxes_of(name, count, width, height):
    """[count, 4]: some up to the end, some very small."""
    u = noise(name, 4 * count).view(count, 4) + 0.5
    x, y = u[:, 0] * width, u[:, 1] * height
    return torch.stack([x, y, (x + u[:, 2] ** 3 * width).clamp(max=width), (y + u[:, 3] ** 3 * height).clamp(max=height)], 1)


def roi_align():
    """Two images, maps at 1/4 to 1/32 of 128 x 160 pixels."""
    maps = {str(i): (noise(f"map {i}", 2 * 5 * (32 >> i) * (40 >> i)) * 2).view(2, 5, 32 >> i, 40 >> i).requires_grad_()
            for i in range(4)}
    boxes = [boxes_of("boxes 0", 40, 160, 128), boxes_of("boxes 1", 25, 160, 128)]
    one = torchvision.ops.roi_align(maps["0"], boxes, 7, 0.25, 2, False)
    many = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)(maps, [b * torch.tensor(4.0) for b in boxes], [(512, 640)] * 2)
    result = {"one": samples(one, 400), "many": samples(many, 400)}
    (many * noise("cotangent", many.numel()).view(many.shape)).sum().backward()
    result["gradients"] = [samples(m.grad, 300) for m in maps.values()]
    return result


def transform():
    cases = []
    for height, width in ((200, 200), (37, 90), (50, 21), (240, 320)):
        resize = GeneralizedRCNNTransform(160, 260, MEAN, STD)
        batch, _ = resize([image("transform", height, width), image("square", 40, 40)])
        cases.append({"height": height, "width": width, "sizes": batch.image_sizes, "pixels": samples(batch.tensors, 300)})
    return cases


def pyramid(blocks, channels, width, sides, ratios, shorter, longest, per_map, in_all, base=None):
    body = torchvision.models.__dict__[blocks](weights=None, norm_layer=nn.BatchNorm2d) if base is None else base
    inputs = [body.layer1[-1].bn2.num_features << i for i in range(4)] if "18" in blocks else [256, 512, 1024, 2048]
    layers = {f"layer{i + 1}": str(i) for i in range(4)}
    backbone = BackboneWithFPN(body, layers, inputs, channels, torchvision.ops.feature_pyramid_network.LastLevelMaxPool())
    model = FasterRCNN(
        backbone, min_size=shorter, max_size=longest,
        rpn_anchor_generator=AnchorGenerator(sides, (ratios,) * len(sides)),
        rpn_pre_nms_top_n_train=per_map[0], rpn_pre_nms_top_n_test=per_map[1],
        rpn_post_nms_top_n_train=in_all[0], rpn_post_nms_top_n_test=in_all[1],
        rpn_batch_size_per_image=ALL, box_batch_size_per_image=ALL,
        box_head=TwoMLPHead(channels * 49, width), box_predictor=FastRCNNPredictor(width, CLASSES + 1))
    return model


class Fusion(nn.Module):
    """The state dict has the ResNet twice."""

    def __init__(self, resnet, channels):
        super().__init__()
        self.backbone = resnet
        self.start_layer = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.r2, self.r3, self.r4, self.r5 = resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4

        def block(*convolutions):
            return nn.Sequential(*(layer for c in convolutions
                                   for layer in (c, nn.BatchNorm2d(c.out_channels), nn.ReLU(inplace=True))))
        half = [nn.Conv2d(channels, channels, 3, 2, 1) for _ in range(2)]
        self.b2 = block(*half, nn.Conv2d(channels, 2 * channels, 1))
        self.b3 = nn.MaxPool2d(2)
        self.b4 = block(nn.Conv2d(4 * channels, 2 * channels, 1))
        self.b5 = block(nn.ConvTranspose2d(8 * channels, 8 * channels, 3, 2, 1, 1), nn.Conv2d(8 * channels, 2 * channels, 1))
        self.out_channels = 8 * channels

    def forward(self, x):
        first = self.r2(self.start_layer(x))
        second = self.r3(first)
        third = self.r4(second)
        return torch.cat([self.b2(first), self.b3(second), self.b4(third), self.b5(self.r5(third))], 1)


class Part(nn.Module):
    """A part of the detector under a name of its own."""

    def __init__(self, name, part):
        super().__init__()
        setattr(self, name, part)
        self.part = [part]

    def forward(self, *arguments, **named):
        return self.part[0](*arguments, **named)


class Layers(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())

    def forward(self, x):
        return self.mlp(x.flatten(1))


def fusion_detector(shorter, longest):
    mfn = Fusion(torchvision.models.resnet34(weights=None), 64)
    anchors = AnchorGenerator(((64, 128, 256, 512),), ((0.5, 1.0, 2.0),))
    rpn = RegionProposalNetwork(anchors, RPNHead(512, 12), 0.7, 0.3, ALL, 0.5, {"training": 1000, "testing": 500},
                                {"training": 1000, "testing": 500}, 0.7)
    roi = RoIHeads(MultiScaleRoIAlign(["0"], 7, 2), Layers(512 * 49, 1024), FastRCNNPredictor(1024, CLASSES + 1), 0.5, 0.5, ALL,
                   0.25, None, 0.05, 0.5, 100)
    return mfn, Part("rpn", rpn), Part("roi_head", roi), GeneralizedRCNNTransform(shorter, longest, MEAN, STD)


OBJECTS = [[[10, 12, 60, 90, 1], [30, 4, 90, 30, 2], [5, 60, 95, 75, 4]], [[20, 20, 110, 70, 6]]]


def targets():
    return [{"boxes": torch.tensor([o[:4] for o in objects], dtype=torch.float32),
             "labels": torch.tensor([o[4] for o in objects])} for objects in OBJECTS]


def rows(found):
    return [[int(label), round(float(score), 6)] + [round(float(v), 3) for v in box]
            for label, score, box in zip(found["labels"], found["scores"], found["boxes"])]


def matched(a, b):
    """The share of the rows of `a` that `b` has too."""
    close = [any(x[0] == y[0] and abs(x[1] - y[1]) < 1e-3 and max(abs(p - q) for p, q in zip(x[2:], y[2:])) < 0.1 for y in b)
             for x in a]
    return sum(close) / max(1, len(close))


def answers(model, backbone, images, gradient_names, parameters):
    """What a detector gives for two images, and its losses when nothing is drawn."""
    model.eval()
    with torch.no_grad():
        batch, _ = model.transform(images)
        features = model.backbone(batch.tensors)
        maps = [features] if isinstance(features, torch.Tensor) else list(features.values())
        found = [rows(f) for f in model(images)]
        # What is found may hang on the last bits in few places only.
        inside = backbone.forward
        backbone.forward = lambda x: shaken(inside(x))
        torch.manual_seed(1)
        again = [rows(f) for f in model(images)]
        backbone.forward = inside
    print([matched(a, b) for a, b in zip(found, again)], [len(f) for f in found], file=__import__("sys").stderr)
    result = {"sizes": batch.image_sizes, "maps": [samples(m, 200) for m in maps], "detections": found}
    model.train()
    for module in model.modules():  # as in evaluation, so that the two images do not depend on each other
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    losses = model(images, targets())
    sum(losses.values()).backward()
    result["losses"] = {name: float(value.detach()) for name, value in losses.items()}
    named = dict(parameters)
    result["gradients"] = {name: samples(named[name].grad, 40) for name in gradient_names}
    return result


def shaken(output):
    if isinstance(output, torch.Tensor):
        return output * (1 + 1e-6 * torch.randn_like(output))
    return type(output)((k, shaken(v)) for k, v in output.items())


def small():
    model = pyramid("resnet18", 128, 512, ((16,), (32,), (64,), (128,), (256,)), (0.2, 0.5, 1.0, 2.0, 5.0), 224, 373, (400, 200),
                    (300, 150))
    with torch.no_grad():
        fill(model)
    result = answers(model, model.backbone, [image("small 0", 100, 100), image("small 1", 80, 120)],
                     ["backbone.body.conv1.weight", "backbone.body.layer3.0.conv1.weight", "backbone.fpn.inner_blocks.3.0.weight",
                      "backbone.fpn.layer_blocks.0.0.bias", "rpn.head.conv.0.0.weight", "rpn.head.cls_logits.bias",
                      "rpn.head.bbox_pred.weight", "roi_heads.box_head.fc6.weight", "roi_heads.box_predictor.bbox_pred.weight"],
                     model.named_parameters())
    result["names"] = sorted(model.state_dict())
    return result


def large():
    """torchvision's own, on one image: names, maps and detections."""
    model = torchvision.models.detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=CLASSES + 1)
    with torch.no_grad():
        fill(model)
    model.eval()
    with torch.no_grad():
        images = [image("large", 90, 120)]
        batch, _ = model.transform(images)
        maps = list(model.backbone(batch.tensors).values())
        found = rows(model(images)[0])
    return {"names": sorted(model.state_dict()), "parameters": sum(p.numel() for p in model.parameters()),
            "sizes": batch.image_sizes, "maps": [samples(m, 100) for m in maps], "detections": [found]}


def fusion():
    mfn, rpn, roi, resize = fusion_detector(160, 267)
    whole = nn.Module()
    whole.mfn, whole.rpn, whole.roi = mfn, rpn, roi
    with torch.no_grad():
        for name, tensor in whole.state_dict().items():
            parts = name.split(".")
            if parts[0] == "mfn" and parts[1] in ("start_layer", "r2", "r3", "r4", "r5") or ".fc." in name:
                continue
            holder = nn.Module()
            holder.register_buffer("x", tensor)
            fill_one(name, tensor)
    model = GeneralizedRCNN(mfn, rpn, roi, resize)
    result = answers(model, mfn, [image("fusion 0", 100, 100), image("fusion 1", 80, 120)],
                     ["mfn.backbone.layer1.0.conv1.weight", "mfn.b2.3.weight", "mfn.b5.0.weight", "rpn.rpn.head.conv.0.0.weight",
                      "roi.roi_head.box_head.mlp.2.weight"],
                     [(n, p) for n, p in whole.named_parameters(remove_duplicate=False)])
    state = whole.state_dict()
    result["names"] = sorted(n for n in state if n.split(".")[1] not in ("start_layer", "r2", "r3", "r4", "r5") and ".fc." not in n)
    result["twice"] = sorted(n for n in state if n.split(".")[1] in ("start_layer", "r2", "r3", "r4", "r5"))
    return result


def fill_one(name, tensor):
    class Named:
        def state_dict(self):
            return {name: tensor}
    fill(Named())


torch.set_num_threads(1)
print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__, "roi_align": roi_align(),
                  "transform": transform(), "small": small(), "fusion": fusion(), "large": large()}, separators=(",", ":")))
