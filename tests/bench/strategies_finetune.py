"""Fine-tuning spaces for the benchmark of the strategies: mixed, conditional, and with trials that fail.

Each is a loss with a floor of zero under penalties, so that the optimum is known, and with the best point close to the
memory limit, as in practice, where the largest batch that fits is among the best.
"""
import math

from strategies_problems import Problem, TrialFailed

NOISE = 0.005

LANGUAGE = {
    "optimizer": {"type": "categorical", "values": ["adamw", "sgd", "lion"]},
    "learning_rate": {"type": "float", "min": 1e-6, "max": 1e-1, "scale": "log"},
    "momentum": {"type": "float", "min": 0.5, "max": 0.99, "scale": "reverse_log", "when": {"optimizer": "sgd"}},
    "nesterov": {"type": "categorical", "values": [False, True], "when": {"optimizer": "sgd"}},
    "beta2": {"type": "float", "min": 0.9, "max": 0.9999, "scale": "reverse_log", "when": {"optimizer": "adamw"}},
    "weight_decay": {"type": "float", "min": 1e-5, "max": 1.0, "scale": "log", "when": {"optimizer": ["adamw", "lion"]}},
    "batch_size": {"type": "int", "min": 1, "max": 128, "scale": "log"},
    "sequence_length": {"type": "categorical", "values": [256, 512, 1024, 2048]},
    "rank": {"type": "int", "min": 2, "max": 256, "scale": "log"},
    "dropout": {"type": "float", "min": 0.0, "max": 0.5},
}


def language(p):
    """Adapters on a language model in 24 GB: batch times sequence length fills the memory."""
    tokens = p["batch_size"] * p["sequence_length"]
    states = {"adamw": 2.0, "sgd": 0.5, "lion": 1.0}[p["optimizer"]]
    if 9 + 0.9 * tokens / 1024 + states * p["rank"] / 64 > 24:
        raise TrialFailed("oom")
    best = {"adamw": -3.7, "sgd": -1.9, "lion": -4.5}[p["optimizer"]] + 0.5 * math.log10(tokens / 8192)
    off = math.log10(p["learning_rate"]) - best
    if off > 1.6:
        raise TrialFailed("non_finite")
    loss = {"adamw": 0.0, "sgd": 0.08, "lion": 0.02}[p["optimizer"]] + 0.15 * off**2 * (1.5 if off > 0 else 1.0)
    loss += 0.04 * math.log2(tokens / 12288) ** 2 + 0.03 * abs(math.log2(p["sequence_length"] / 1024))
    loss += 0.01 * math.log2(p["rank"] / 32) ** 2 + 0.8 * (p["dropout"] - 0.1) ** 2
    if p["optimizer"] == "sgd":
        loss += 0.1 * (math.log10(1 - p["momentum"]) + 1) ** 2 + (0.0 if p["nesterov"] else 0.01)
    else:
        loss += 0.02 * (math.log10(p["weight_decay"]) + 1.5) ** 2
    if p["optimizer"] == "adamw":
        loss += 0.02 * (math.log10(1 - p["beta2"]) + 2.5) ** 2
    return loss


VISION = {
    "optimizer": {"type": "categorical", "values": ["sgd", "adam"]},
    "learning_rate": {"type": "float", "min": 1e-5, "max": 1.0, "scale": "log"},
    "momentum": {"type": "float", "min": 0.5, "max": 0.99, "scale": "reverse_log", "when": {"optimizer": "sgd"}},
    "beta1": {"type": "float", "min": 0.5, "max": 0.99, "scale": "reverse_log", "when": {"optimizer": "adam"}},
    "image_size": {"type": "int", "min": 128, "max": 640, "step": 32},
    "batch_size": {"type": "int", "min": 2, "max": 256, "scale": "log"},
    "frozen_stages": {"type": "int", "min": 0, "max": 4},
    "averaging": {"type": "categorical", "values": [False, True]},
    "averaging_decay": {"type": "float", "min": 0.9, "max": 0.9999, "scale": "reverse_log", "when": {"averaging": True}},
    "augment": {"type": "categorical", "values": ["none", "flip", "crop", "mix"]},
}


def vision(p):
    """A detector in 16 GB: batch times pixels times the stages that train."""
    stages = 5 - p["frozen_stages"]
    if 2 + 0.17 * p["batch_size"] * (p["image_size"] / 320) ** 2 * (2 + stages) / 5 > 16:
        raise TrialFailed("oom")
    best = {"sgd": -1.7, "adam": -3.3}[p["optimizer"]] + math.log10(p["batch_size"] / 32)
    off = math.log10(p["learning_rate"]) - best
    if off > 1.3:
        raise TrialFailed("non_finite")
    loss = {"sgd": 0.0, "adam": 0.03}[p["optimizer"]] + 0.12 * off**2 * (2.0 if off > 0 else 1.0)
    loss += 0.06 * ((p["image_size"] - 448) / 128) ** 2 + 0.02 * math.log2(p["batch_size"] / 32) ** 2
    loss += 0.015 * (p["frozen_stages"] - 1) ** 2 + {"none": 0.08, "flip": 0.03, "crop": 0.01, "mix": 0.0}[p["augment"]]
    if p["optimizer"] == "sgd":
        loss += 0.08 * (math.log10(1 - p["momentum"]) + 1) ** 2
    else:
        loss += 0.05 * (math.log10(1 - p["beta1"]) + 1) ** 2
    return loss + (0.02 * (math.log10(1 - p["averaging_decay"]) + 3) ** 2 if p["averaging"] else 0.03)


QUANTISED = {
    "quantisation": {"type": "categorical", "values": ["none", "int8", "nf4"]},
    "double_quantisation": {"type": "categorical", "values": [False, True], "when": {"quantisation": "nf4"}},
    "learning_rate": {"type": "float", "min": 1e-6, "max": 1e-2, "scale": "log"},
    "batch_size": {"type": "int", "min": 1, "max": 64, "scale": "log"},
    "rank": {"type": "int", "min": 4, "max": 512, "scale": "log"},
    "modules": {"type": "categorical", "values": ["attention", "mlp", "all"]},
    "schedule": {"type": "categorical", "values": ["constant", "cosine"]},
    "warmup": {"type": "float", "min": 0.0, "max": 0.3, "when": {"schedule": "cosine"}},
    "weight_decay": {"type": "float", "min": 1e-4, "max": 1.0, "scale": "log"},
}


def quantised(p):
    """A larger model in 24 GB: whether it fits depends first on a category, then on batch and rank."""
    weights = {"none": 17.0, "int8": 9.0, "nf4": 5.0}[p["quantisation"]]
    adapted = p["rank"] / 128 * {"attention": 0.8, "mlp": 1.2, "all": 2.0}[p["modules"]]
    if weights + 0.75 * p["batch_size"] + adapted > 24:
        raise TrialFailed("oom")
    best = -3.6 + 0.4 * math.log10(p["batch_size"] / 8) - 0.15 * math.log2(p["rank"] / 64)
    off = math.log10(p["learning_rate"]) - best
    if off > 1.2:
        raise TrialFailed("non_finite")
    loss = {"none": 0.0, "int8": 0.02, "nf4": 0.015}[p["quantisation"]] + 0.15 * off**2 * (1.6 if off > 0 else 1.0)
    loss += 0.03 * math.log2(p["batch_size"] / 16) ** 2 + 0.008 * math.log2(p["rank"] / 64) ** 2
    loss += {"attention": 0.04, "mlp": 0.02, "all": 0.0}[p["modules"]] + 0.01 * (math.log10(p["weight_decay"]) + 1.5) ** 2
    loss += 0.03 if p["schedule"] == "constant" else 2.0 * (p["warmup"] - 0.06) ** 2
    return loss + (0.004 if p.get("double_quantisation") else 0.0)


def quantised_optimum():
    """Its floor lies outside the memory: the least loss over the discrete choices, the rest at their best."""
    least = math.inf
    for quantisation in QUANTISED["quantisation"]["values"]:
        for modules in QUANTISED["modules"]["values"]:
            for batch in range(1, 65):
                for rank in range(4, 513):
                    best = -3.6 + 0.4 * math.log10(batch / 8) - 0.15 * math.log2(rank / 64)
                    point = {"quantisation": quantisation, "double_quantisation": False, "learning_rate": 10**best,
                             "batch_size": batch, "rank": rank, "modules": modules, "schedule": "cosine", "warmup": 0.06,
                             "weight_decay": 10**-1.5}
                    try:
                        least = min(least, quantised(point))
                    except TrialFailed:
                        pass
    return least


def finetuning():
    return [Problem("language", LANGUAGE, language, 0.0, NOISE), Problem("vision", VISION, vision, 0.0, NOISE),
            Problem("quantised", QUANTISED, quantised, quantised_optimum(), NOISE)]
