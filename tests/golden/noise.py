"""Numbers that a formula gives, the same in tests/unit/trainer/noise.h: weights and inputs of networks that are compared, so
that golden files hold outputs only."""
import torch

MASK = 0xFFFFFFFF
PERIOD = 1 << 20


def noise(name, count):
    """`count` numbers from [-1/2, 1/2), multiples of 2^-24: a hash of the name (FNV-1a) and of the index (murmur3's finalizer)."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & MASK
    x = (torch.arange(count) * 2654435761 + seed) & MASK
    x = x ^ (x >> 16)
    x = (x * 0x85EBCA6B) & MASK
    x = x ^ (x >> 13)
    x = (x * 0xC2B2AE35) & MASK
    x = x ^ (x >> 16)
    return (x >> 8).float() / 2**24 - 0.5


def repeated_noise(name, count):
    """noise() that repeats after 2^20 numbers, so that networks of a hundred million weights are filled in no time."""
    return noise(name, min(count, PERIOD)).repeat(-(-count // PERIOD))[:count]
