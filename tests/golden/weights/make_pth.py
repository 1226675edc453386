"""Writes small files with torch.save, and expected.json: what must be read out of each.

Run by hand in this folder with PyTorch installed: python make_pth.py
"""
import collections
import json

import torch

torch.manual_seed(5)
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool]


def small_model():
    return torch.nn.Sequential(collections.OrderedDict(
        conv=torch.nn.Conv2d(1, 2, 3), norm=torch.nn.BatchNorm2d(2), tail=torch.nn.Sequential(torch.nn.Linear(2, 3))))


def of_every_dtype():
    return {str(dtype).split(".")[1]: (torch.arange(6) % 2 if dtype == torch.bool else torch.arange(6) - 2).to(dtype).reshape(2, 3)
            for dtype in DTYPES if dtype != torch.uint8} | {"uint8": torch.arange(250, 256, dtype=torch.uint8)}


def views():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return {"base": base, "transposed": base.t(), "slice": base[1:3, 2:5], "every second": base[:, ::2], "row": base[2],
            "scalar": base[3, 5], "expanded": base[:1].expand(3, 6), "empty": torch.empty(0, 3), "channels last":
            torch.arange(16, dtype=torch.float32).reshape(1, 2, 2, 4).contiguous(memory_format=torch.channels_last)}


def main():
    model = small_model()
    optimizer = torch.optim.Adam(model.parameters())
    model.conv(torch.ones(1, 1, 3, 3)).sum().backward()
    optimizer.step()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    ordered = collections.OrderedDict(state)
    ordered._metadata = model.state_dict()._metadata
    checkpoint = {"epoch": 3, "lr": 0.1, "note": None, "best": True, "model": ordered, "optimizer": optimizer.state_dict()}
    parameters = {"w": torch.nn.Parameter(torch.tensor([1.5, -2.0])), "frozen": torch.nn.Parameter(torch.ones(1), False)}
    files = {  # name: (what is saved, what must be read, options)
        "state_dict": (ordered, state, {}),
        "nested": (checkpoint, state, {}),
        "parameters": (parameters, parameters, {}),
        "one": ({"only": torch.tensor([7])}, {"only": torch.tensor([7])}, {}),
        "dtypes": (of_every_dtype(), of_every_dtype(), {}),
        "views": (views(), views(), {}),
        "protocol4": (ordered, state, {"pickle_protocol": 4}),
        "legacy": (ordered, state, {"_use_new_zipfile_serialization": False}),
        "legacy_nested": (checkpoint, state, {"_use_new_zipfile_serialization": False}),
        "legacy_dtypes": (of_every_dtype(), of_every_dtype(), {"_use_new_zipfile_serialization": False}),
        "legacy_views": (views(), views(), {"_use_new_zipfile_serialization": False}),
        "legacy_one": ({"only": torch.tensor([7])}, {"only": torch.tensor([7])}, {"_use_new_zipfile_serialization": False}),
    }
    expected = {}
    for name, (saved, read, options) in files.items():
        torch.save(saved, f"{name}.pth", **options)
        expected[name] = {key: {"dtype": str(t.dtype).split(".")[1], "shape": list(t.shape), "values": t.double().flatten().tolist()}
                          for key, t in read.items()}
    torch.save(model, "whole_model.pth")  # holds Python classes: to be refused
    torch.save({"a": {"x": torch.ones(1)}, "b": {"x": torch.zeros(1)}}, "two.pth")  # which one?
    torch.save({"epoch": 1}, "none.pth")
    with open("expected.json", "w") as file:
        json.dump(expected, file, separators=(",", ":"))
        file.write("\n")


main()
