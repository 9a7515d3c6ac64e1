"""Weights derived from names. Gives the same numbers as lib/tensor/synthetic.ts, which explains their purpose."""

import math
import re

import numpy as np

NORM = re.compile(r"(^|\.)(ln_\w+|LayerNorm)\.weight$")


def fnv1a(name: str) -> int:
    value = 0x811C9DC5
    for byte in name.encode("ascii"):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def hashes(name: str, count: int) -> np.ndarray:
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(fnv1a(name))
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def uniform(h: np.ndarray) -> np.ndarray:
    """24 bits of a hash as a float32 in [-1, 1)."""
    return ((h >> np.uint32(8)).astype(np.int32) - 0x800000).astype(np.float32) / np.float32(0x800000)


def values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The tensor of the given name, float32."""
    if name == "logit_scale":
        return np.full(shape, 4, np.float32)
    if name == "input.image":
        return uniform(hashes(name, math.prod(shape))).reshape(shape) * np.float32(math.sqrt(3))
    h = hashes(name, math.prod(shape))
    u = uniform(h)
    if NORM.search(name):
        result = u * np.float32(0.25) + np.float32(1)
        result[(h & np.uint32(0xFF)) == 0] *= 8
    elif len(shape) < 2:
        result = u * np.float32(0.25)
    elif name.endswith("embedding") or name.endswith("embeddings.weight"):
        result = u * np.float32(0.5)
    else:
        fan_in = shape[0] if name.endswith("proj") else math.prod(shape[1:])
        result = u * np.float32(math.sqrt(3 / fan_in))
    return result.reshape(shape)
