"""Makes preprocessing_cases.json: pictures, and what torchvision's Resize (antialiased) and CenterCrop make of them.

Run by hand with torch, torchvision, Pillow and numpy: python make_preprocessing_cases.py > preprocessing_cases.json
(torchvision's compiled operators are not needed: see `import_torchvision`).
"""
import io
import json

import numpy
import torch
from PIL import Image


def import_torchvision():
    """torchvision's Python half, also where its compiled half does not load."""
    try:
        torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass  # they are there
    from torchvision.transforms import v2
    return v2


def scene(width, height, rng):
    """Colours that change slowly, edges and some noise: what photographs are made of."""
    y, x = numpy.mgrid[0:height, 0:width]
    picture = numpy.stack([110 + 90 * numpy.sin(x / 17 + c) * numpy.cos(y / (11 + 3 * c)) for c in range(3)], axis=2)
    picture[(x - width / 2) ** 2 + (y - height / 3) ** 2 < (height / 5) ** 2] = (230, 40, 60)
    picture[y > x + height / 2] *= 0.4
    return numpy.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(numpy.uint8)


def as_jpeg(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def main():
    v2 = import_torchvision()
    rng = numpy.random.default_rng(11)
    modes = {"bilinear": v2.InterpolationMode.BILINEAR, "bicubic": v2.InterpolationMode.BICUBIC}
    noise = [rng.integers(0, 256, (h, w, c), dtype=numpy.uint8) for w, h, c in
             [(40, 31, 3), (31, 40, 3), (23, 23, 1), (9, 14, 3), (64, 20, 1)]]
    sources = [(pixels, None) for pixels in noise]
    for width, height in [(150, 101), (97, 140)]:
        file = as_jpeg(scene(width, height, rng))
        sources.append((numpy.asarray(Image.open(io.BytesIO(file)).convert("RGB")), file))
    cases = []
    for pixels, file in sources:
        tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        for name, mode in modes.items():
            for resize, size in [(20, 17), (32, 28)]:  # smaller and, for some, larger
                seen = v2.CenterCrop(size)(v2.Resize(resize, interpolation=mode, antialias=True)(tensor))
                case = {"interpolation": name, "resize": resize, "size": size, "channels": pixels.shape[2],
                        "width": pixels.shape[1], "height": pixels.shape[0],
                        "seen": seen.permute(1, 2, 0).contiguous().numpy().tobytes().hex()}
                case.update({"jpeg": file.hex()} if file else {"pixels": pixels.tobytes().hex()})
                cases.append(case)
    print(json.dumps(cases, indent=0))


main()
