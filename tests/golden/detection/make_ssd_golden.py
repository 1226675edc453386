"""Makes ssd_golden.json: what torchvision's ssd300_vgg16 and resnet50 answer with weights that a formula gives.

Run by hand: python make_ssd_golden.py > ssd_golden.json
with what torchvision_support.py asks for.
"""
import json

import torch

from torchvision_support import fill, noise, pixels, samples, torchvision

CLASSES, SIZE = 6, 300

# Corners in pixels and class. The first two objects of the first image want the same default box.
OBJECTS = [[[100, 100, 145, 145, 1], [101, 101, 144, 146, 2], [10, 20, 290, 250, 3], [200, 40, 212, 160, 4], [3, 3, 12, 11, 6]],
           [[50, 60, 130, 240, 5]]]


def detections_of(model, head_outputs, anchors, sizes):
    result = model.postprocess_detections(head_outputs, anchors, sizes)
    return [{"boxes": r["boxes"], "scores": r["scores"], "labels": r["labels"]} for r in result]


def sorted_rows(found):
    rows = torch.cat([found["labels"].float()[:, None], found["boxes"], found["scores"][:, None]], 1).tolist()
    return torch.tensor(sorted(rows))


def ssd():
    model = torchvision.models.detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=CLASSES + 1)
    with torch.no_grad():
        fill(model)
    model.eval()
    images = [pixels(f"pixels {i}", SIZE) / 255 for i in range(2)]
    batch, _ = model.transform(images, None)
    features = list(model.backbone(batch.tensors).values())
    outputs = model.head(features)
    anchors = model.anchor_generator(batch, features)
    found = detections_of(model, outputs, anchors, batch.image_sizes)
    for seed in range(8):  # what is kept must not hang on the last bits of the network's outputs
        torch.manual_seed(seed)
        shaken = {k: v + 4e-6 * torch.randn_like(v) for k, v in outputs.items()}
        for a, b in zip(found, detections_of(model, shaken, anchors, batch.image_sizes)):
            assert sorted_rows(a).shape == sorted_rows(b).shape, "choose another formula"
            assert (sorted_rows(a) - sorted_rows(b)).abs().max() < 0.02, "choose another formula"
    targets = [{"boxes": torch.tensor([o[:4] for o in objects], dtype=torch.float32),
                "labels": torch.tensor([o[4] for o in objects])} for objects in OBJECTS]
    model.train()  # VGG-16 has no layers that care
    losses = model(images, targets)
    sum(losses.values()).backward()
    gradients = {name: samples(dict(model.named_parameters())[name].grad, 40)
                 for name in ("backbone.scale_weight", "backbone.features.0.weight", "backbone.extra.0.7.1.bias",
                              "backbone.extra.4.2.weight", "head.classification_head.module_list.0.bias",
                              "head.regression_head.module_list.3.weight")}
    return {"parameters": sum(p.numel() for p in model.parameters()),
            "names": sorted(model.state_dict()),
            "default_boxes": samples(anchors[0] / SIZE, 400),
            "input": samples(batch.tensors, 40),
            "logits": samples(outputs["cls_logits"], 400),
            "offsets": samples(outputs["bbox_regression"], 400),
            "objects": OBJECTS,
            "losses": {"cross_entropy": float(losses["classification"]), "smooth_l1": float(losses["bbox_regression"])},
            "gradients": gradients,
            "detections": [[[int(label), round(float(score), 6)] + [round(float(v), 3) for v in box]
                            for label, score, box in zip(f["labels"], f["scores"], f["boxes"])] for f in found]}


def resnet():
    model = torchvision.models.resnet50(weights=None)
    with torch.no_grad():
        fill(model)
    model.eval()
    with torch.no_grad():
        x = noise("resnet input", 3 * 128 * 128).view(1, 3, 128, 128) * 4
        x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
        layer2 = model.layer2(model.layer1(x))
        layer3 = model.layer3(layer2)
        layer4 = model.layer4(layer3)
    names = sorted(n for n in model.state_dict() if not n.startswith("fc."))
    return {"names": names, "layer2": samples(layer2, 200), "layer3": samples(layer3, 200), "layer4": samples(layer4, 200)}


torch.set_num_threads(2)
print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__, "ssd300_vgg16": ssd(), "resnet50": resnet()},
                 separators=(",", ":")))
