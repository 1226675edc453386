"""Makes resize_cases.json: random images and what Pillow's antialiased bilinear makes of them.

Run by hand with Pillow and numpy installed: python make_resize_cases.py > resize_cases.json
"""
import json

import numpy
from PIL import Image


def main():
    rng = numpy.random.default_rng(5)
    cases = []
    for channels, old, new in [(1, (13, 9), (4, 5)), (1, (4, 5), (11, 13)), (3, (10, 7), (6, 7)), (3, (9, 8), (9, 3)),
                               (3, (17, 12), (8, 20)), (1, (30, 30), (1, 1)), (1, (6, 6), (6, 6))]:
        shape = (old[1], old[0]) if channels == 1 else (old[1], old[0], 3)
        pixels = rng.integers(0, 256, shape, dtype=numpy.uint8)
        resized = numpy.asarray(Image.fromarray(pixels).resize(new, Image.Resampling.BILINEAR))
        cases.append({"channels": channels, "old": old, "new": new, "pixels": pixels.ravel().tolist(),
                      "resized": resized.ravel().tolist()})
    print(json.dumps(cases))


main()
