"""The classifiers of tune-train in Python on the same LibTorch, as a careful user of torchvision would: its networks and
transforms, a DataLoader with two workers that stay, pixels normalised a batch at a time, channels-last, the fused optimizer.

usage: classification_peer.py draw FOLDER CLASSES IMAGES       colour photographs of 500 x 375 pixels, a folder a class
       classification_peer.py train FOLDER MODEL BATCH THREADS PRECISION EPOCHS eager|compiled
                                                               prints images per second of whole epochs
       classification_peer.py head TRAIN VALIDATION WEIGHTS THREADS TRIALS MEASURED EPOCHS BATCH
                                                               heads on a frozen MobileNetV2: prints one JSON object

`train` counts from the first image that is asked for, the start of the workers included, and neither imports nor the making of
the network; a compiled network has seen one batch before. `head` trains each head of TRIALS (JSON, the hyperparameters) with all
images passing the network in every epoch; MEASURED of them really do, and the others look at what the first pass gave, which is
the same, since the images are not varied.
"""
import json
import pathlib
import sys
import time

import numpy
import torch
from PIL import Image

WIDTH, HEIGHT = 500, 375
WORKERS = 2
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def import_torchvision():
    """torchvision's Python half, also where its compiled half does not load."""
    for name in ("nms", "qnms"):
        try:
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            pass  # they are there
    import torchvision
    return torchvision


def draw(folder, classes, images):
    """Noise with the spectrum of photographs, and edges: a JPEG of some 70 kB each. The class is the tint."""
    frequencies = numpy.hypot(numpy.fft.fftfreq(HEIGHT)[:, None] * HEIGHT, numpy.fft.rfftfreq(WIDTH)[None, :] * WIDTH)
    amplitude = 1 / numpy.maximum(frequencies, 1)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    for number in range(images):
        rng = numpy.random.default_rng(number)
        label = number % classes
        planes = []
        for channel in range(3):
            spectrum = amplitude * numpy.exp(2j * numpy.pi * rng.random(amplitude.shape))
            plane = numpy.fft.irfft2(spectrum, (HEIGHT, WIDTH))
            planes.append(110 + 45 * plane / plane.std() + (25 if (label >> channel) & 1 else -10))
        picture = numpy.stack(planes, 2) + rng.normal(0, 5, (HEIGHT, WIDTH, 1))
        for _ in range(4):
            centre, radius = rng.random(2) * (WIDTH, HEIGHT), 20 + 80 * rng.random()
            picture[numpy.hypot(x - centre[0], y - centre[1]) < radius] *= 0.6 + 0.6 * rng.random()
        place = pathlib.Path(folder) / f"class-{label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numpy.clip(picture, 0, 255).astype(numpy.uint8)).save(place / f"{number}.jpg", quality=90)


def normalised(pixels):
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) * 255 for values in (MEAN, DEVIATION))
    return ((pixels.float() - mean) / deviation).contiguous(memory_format=torch.channels_last)


def loader(folder, transform, batch, varied):
    from torchvision.datasets import ImageFolder
    return torch.utils.data.DataLoader(ImageFolder(folder, transform), batch, shuffle=varied, drop_last=varied, num_workers=WORKERS,
                                       persistent_workers=True)


def train(folder, name, batch, threads, precision, epochs, mode):
    torchvision = import_torchvision()
    from torchvision.transforms import v2
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    classes = sum(1 for _ in pathlib.Path(folder).iterdir())
    size = torchvision.models.get_model_weights(name).DEFAULT.transforms().crop_size[0]
    varied = v2.Compose([v2.RandomResizedCrop(size, scale=(0.35, 1)), v2.RandomHorizontalFlip(), v2.PILToTensor()])
    model = getattr(torchvision.models, name)(weights=None, num_classes=classes).to(memory_format=torch.channels_last).train()
    forward = torch.compile(model) if mode == "compiled" else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.05, fused=True)

    def step(pixels, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = forward(normalised(pixels))
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()

    if mode == "compiled":
        step(torch.zeros(batch, 3, size, size, dtype=torch.uint8), torch.zeros(batch, dtype=torch.long))
    begin, seen = time.monotonic(), 0
    batches = loader(folder, varied, batch, True)
    for _ in range(epochs):
        for pixels, labels in batches:
            step(pixels, labels)
            seen += len(labels)
    print(f"{seen / (time.monotonic() - begin):.2f}")


class FrozenBody:
    """MobileNetV2 less its head, in evaluation mode."""

    def __init__(self, weights):
        model = import_torchvision().models.mobilenet_v2(weights=None)
        state = read_safetensors(weights)
        missing, unexpected = model.load_state_dict(state, strict=False)
        if unexpected or any(not key.startswith("classifier.") and not key.endswith("num_batches_tracked") for key in missing):
            sys.exit(f"classification_peer.py: {weights} does not fit: {missing} {unexpected}")
        self.body = model.features.to(memory_format=torch.channels_last).eval()

    @torch.no_grad()
    def __call__(self, pixels):
        return self.body(normalised(pixels)).mean((2, 3))


def read_safetensors(file):
    data = pathlib.Path(file).read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        kind = {"F32": torch.float32, "I64": torch.int64}[entry["dtype"]]
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=kind).view(entry["shape"])
    return tensors


def train_head(trial, batches_of, validation, epochs, classes):
    """The accuracy after the last epoch; `batches_of(epoch)` gives features and labels."""
    head = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(1280, classes))
    decayed = [{"params": [head[1].weight], "weight_decay": trial["weight_decay"]}, {"params": [head[1].bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(decayed, lr=trial["learning_rate"])
    schedule = None
    best = 0.0
    for epoch in range(epochs):
        batches = list(batches_of(epoch)) if schedule is None else batches_of(epoch)
        if schedule is None:
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(batches))
        head.train()
        for features, labels in batches:
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(head(features), labels).backward()
            optimizer.step()
            schedule.step()
        head.eval()
        with torch.no_grad():
            right = sum(int((head(features).argmax(1) == labels).sum()) for features, labels in validation(epoch))
        best = max(best, right / validation.images)
    return best


class Uncached:
    """Features of images that pass the network whenever they are asked for."""

    def __init__(self, folder, body, transform, batch, shuffled):
        self.batches, self.body = loader(folder, transform, batch, shuffled), body
        self.images = len(self.batches.dataset)

    def __call__(self, _):
        for pixels, labels in self.batches:
            yield self.body(pixels), labels


class Remembered:
    """The same out of memory, shuffled anew in each epoch."""

    def __init__(self, features, labels, batch, shuffled):
        self.features, self.labels, self.batch, self.shuffled, self.images = features, labels, batch, shuffled, len(labels)

    def __call__(self, _):
        order = torch.randperm(self.images) if self.shuffled else torch.arange(self.images)
        for rows in order.split(self.batch):
            if not self.shuffled or len(rows) == self.batch:
                yield self.features[rows], self.labels[rows]


def heads(training, validation, weights, threads, trials, measured, epochs, batch):
    from torchvision.transforms import v2
    torch.set_num_threads(threads)
    trials, body = json.loads(trials), FrozenBody(weights)
    seen = v2.Compose([v2.Resize(232, antialias=True), v2.CenterCrop(224), v2.PILToTensor()])
    classes = sum(1 for _ in pathlib.Path(training).iterdir())
    seconds, accuracies = [], []
    for number, trial in enumerate(trials[:measured]):
        torch.manual_seed(number)
        begin = time.monotonic()
        accuracies.append(train_head(trial, Uncached(training, body, seen, batch, True), Uncached(validation, body, seen, 64, False),
                                     epochs, classes))
        seconds.append(time.monotonic() - begin)
    remembered = []
    for folder in (training, validation):
        features, labels = zip(*Uncached(folder, body, seen, 64, False)(0))
        remembered.append((torch.cat(features), torch.cat(labels)))
    again = []
    for number, trial in enumerate(trials):
        torch.manual_seed(number)
        again.append(train_head(trial, Remembered(*remembered[0], batch, True), Remembered(*remembered[1], 64, False), epochs, classes))
    print(json.dumps({"seconds": seconds, "accuracies": accuracies, "remembered": again}))


def main():
    command, *given = sys.argv[1:]
    if command == "draw":
        draw(given[0], *map(int, given[1:]))
    elif command == "train":
        train(given[0], given[1], int(given[2]), int(given[3]), given[4], int(given[5]), given[6])
    elif command == "head":
        import_torchvision()
        heads(*given[:3], int(given[3]), given[4], *map(int, given[5:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
