"""Writes golden.json: what torch's optimizers, its one-cycle schedule and its averaged models do.

    python3 make_golden.py > golden.json

Parameters and gradients are formulas, which tests/unit/trainer/loop/golden_test.cpp repeats.
"""
import json
import math

import torch

SIZE, STEPS = 6, 8


def weights():
    return torch.tensor([math.cos(i) for i in range(SIZE)], dtype=torch.float32)


def gradient(step):
    return torch.tensor([math.sin(1 + 0.7 * i + 1.3 * step) for i in range(SIZE)], dtype=torch.float32)


def numbers(tensor):
    return [float(f"{v:.9g}") for v in tensor.flatten().tolist()]


def trajectory(make, rate=0.05):
    parameter = torch.nn.Parameter(weights())
    optimizer = make([parameter], rate)
    for step in range(STEPS):
        parameter.grad = gradient(step)
        optimizer.step()
    return numbers(parameter.detach())


OPTIMIZERS = {
    "rmsprop": lambda p, r: torch.optim.RMSprop(p, r, alpha=0.95, eps=1e-6),
    "rmsprop momentum decay": lambda p, r: torch.optim.RMSprop(p, r, alpha=0.9, eps=1e-7, momentum=0.8, weight_decay=0.1),
    "adagrad": lambda p, r: torch.optim.Adagrad(p, r, eps=1e-7, initial_accumulator_value=0.1),
    "adagrad decay": lambda p, r: torch.optim.Adagrad(p, r, eps=1e-10, weight_decay=0.1),
    "adadelta": lambda p, r: torch.optim.Adadelta(p, r * 20, rho=0.95, eps=1e-6),
    "adadelta decay": lambda p, r: torch.optim.Adadelta(p, r * 20, rho=0.9, eps=1e-5, weight_decay=0.1),
}


def one_cycle(steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.4, total_steps=steps, cycle_momentum=False)
    rates = []
    for step in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:
            schedule.step()
    return [float(f"{rate:.9g}") for rate in rates]


def average(decay, every, warm_from):
    """torchvision's references: updates every few steps, and during the warm-up each of them copies."""
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(weights())
    module.register_buffer("mean", torch.zeros(SIZE))
    averaged = torch.optim.swa_utils.AveragedModel(
        module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True)
    for step in range(1, STEPS + 1):
        with torch.no_grad():
            module.weight -= 0.1 * gradient(step - 1)
            module.mean.mul_(0.9).add_(0.1 * module.weight)
        if step % every == 0:
            if step < warm_from:
                averaged.n_averaged.fill_(0)
            averaged.update_parameters(module)
    return {"weight": numbers(averaged.module.weight.detach()), "mean": numbers(averaged.module.mean)}


print(json.dumps({"torch": torch.__version__,
                  "optimizers": {name: trajectory(make) for name, make in OPTIMIZERS.items()},
                  "one_cycle": one_cycle(100),
                  "averages": {"each step": average(0.7, 1, 0), "every second": average(0.6, 2, 0),
                               "warm-up of 3": average(0.7, 1, 4)}}, separators=(",", ":")))
