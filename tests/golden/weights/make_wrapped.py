"""Writes small files as training programs leave them: a state dict among whatever else they keep.

Run by hand in this folder with PyTorch and NumPy installed: python make_wrapped.py
"""
import argparse
import collections
import datetime
import pathlib
import types

import numpy
import torch


def state(value):
    return {"conv1.weight": torch.full((2, 3), value), "bn1.weight": torch.ones(2), "bn1.num_batches_tracked": torch.tensor(3)}


def schedule():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 3, 5]).state_dict()  # holds a collections.Counter


def main():
    beside = {
        "epoch": 4, "arch": "resnet18", "best_acc1": torch.tensor(71.25), "scheduler": schedule(),
        "args": argparse.Namespace(lr=0.1, data=pathlib.PurePosixPath("/data"), best=numpy.float64(2.5)),
        "history": collections.defaultdict(list, {"loss": [1.5]}), "numbers": numpy.arange(3.0), "is_best": numpy.bool_(True),
        "rng": torch.get_rng_state(), "numpy_rng": numpy.random.RandomState(1).get_state(), "seen": {1, 2}, "kept": frozenset([1]),
        "raw": b"\x00abc", "buffer": bytearray(b"x"), "big": 1 << 70, "queue": collections.deque([1], maxlen=3), "z": 1j,
        "device": torch.device("cpu"), "dtype": torch.float32, "size": torch.Size([1, 2]), "torch": torch.__version__,
        "when": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), "names": types.SimpleNamespace(a=1), "steps": range(3)}
    for protocol in 2, 5:
        torch.save({"state_dict": state(2.0), **beside}, f"wrapped{protocol}.pth", pickle_protocol=protocol)
    torch.save({"state_dict": state(2.0), **beside}, "legacy_wrapped.pth", _use_new_zipfile_serialization=False)
    # Averaged weights beside the others, and as deep as some put them.
    torch.save({"ema": {"module": state(4.0), "updates": 7}, "model": {"state_dict": state(2.0)}}, "averaged.pth")
    weights = collections.defaultdict(list)
    weights.update(state(2.0))
    torch.save({"net": weights}, "defaultdict.pth")
    # Dtypes that have no storage type, or no real numbers.
    rare = {str(dtype).split(".")[1]: torch.arange(4).to(dtype)[1:3]
            for dtype in (torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64)}
    torch.save(rare, "rare_dtypes.pth")
    torch.jit.script(torch.nn.Linear(2, 2)).save("script.pt")


main()
